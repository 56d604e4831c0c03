use std::net::IpAddr;

use super::*;
use crate::http::{Credentials, Limits, Reader, Response};
use crate::{Ask, Code, Hint, Hosts, Outcome, Profile, Refusal, Wanted, is_fqdn};

fn parse(request: &Request) -> Result<Ask, Refusal> {
    Profile::Dyndns2.parse(request)
}

fn credentials(request: &Request) -> Option<Credentials> {
    Profile::Dyndns2.credentials(request)
}

fn render(request: &Request, outcomes: &[Outcome]) -> Response {
    Profile::Dyndns2.render(request, outcomes)
}

fn asked(query: &str) -> Request {
    let mut reader = Reader::new(Limits::default());
    reader.push(format!("GET /nic/update?{query} HTTP/1.1\r\nHost: d\r\n\r\n").as_bytes());
    reader.next().unwrap().unwrap()
}

/// `A AAAA` as words: `keep`, `source`, `delete`, addresses; or the code of a refusal.
fn families(query: &str) -> String {
    fn word<A: ToString>(wanted: &Wanted<A>) -> String {
        match wanted {
            Wanted::Preserve => "keep".to_owned(),
            Wanted::Source => "source".to_owned(),
            Wanted::SourceElseDelete => "source or delete".to_owned(),
            Wanted::DeleteIfSource => "delete of source".to_owned(),
            Wanted::Renumber(network, length) => format!("{}/{length}", network.to_string()),
            Wanted::Delete => "delete".to_owned(),
            Wanted::Addresses(list) => list.iter().map(A::to_string).collect::<Vec<_>>().join(","),
        }
    }
    match parse(&asked(query)) {
        Ok(update) => format!("{} {}", word(&update.ipv4), word(&update.ipv6)),
        Err(refusal) => format!("{:?}", refusal.code),
    }
}

#[test]
fn each_family_is_read_from_what_is_said_about_it() {
    let table = [
        ("", "source source"),
        ("myip=", "source source"),
        ("myip=192.0.2.1", "192.0.2.1 keep"),
        ("myip=2001:db8::1", "keep 2001:db8::1"),
        ("myip=192.0.2.1,2001:db8::1", "192.0.2.1 2001:db8::1"),
        ("myip=2001:db8::1,,192.0.2.1,", "192.0.2.1 2001:db8::1"),
        ("myip=192.0.2.1,192.0.2.2,192.0.2.1", "192.0.2.1,192.0.2.2 keep"),
        ("myip=192.0.2.1%202001:db8::1", "192.0.2.1 2001:db8::1"),
        ("myip=192.0.2.1;2001:db8::1", "192.0.2.1 2001:db8::1"),
        ("MyIP=192.0.2.1", "192.0.2.1 keep"),
        ("myip=192.0.2.1&myip=192.0.2.2", "192.0.2.2 keep"),
        ("myip=192.0.2.1&myip=", "192.0.2.1 keep"),
        ("ip=192.0.2.1&myip=", "192.0.2.1 keep"),
        ("myipv4=192.0.2.1", "192.0.2.1 keep"),
        ("myipv4=", "source keep"),
        ("myipv6=2001:db8::1", "keep 2001:db8::1"),
        ("myip2=2001:db8::1", "keep 2001:db8::1"),
        ("myipv6=", "keep source"),
        ("myip=&myipv6=2001:db8::1", "source 2001:db8::1"),
        ("myip=192.0.2.1&myipv6=", "192.0.2.1 source"),
        ("myip=192.0.2.1&myipv4=192.0.2.2", "192.0.2.2 keep"),
        ("myip=192.0.2.1,2001:db8::1&myipv6=", "192.0.2.1 2001:db8::1"),
        ("myip=auto", "source source"),
        ("ipv4=auto&ipv6=preserve", "source keep"),
        ("myip=preserve", "keep keep"),
        ("myip=192.0.2.1&myipv6=preserve", "192.0.2.1 keep"),
        ("myip=::ffff:192.0.2.1", "192.0.2.1 keep"),
        ("myip=2001:db8::1%25eth0", "keep 2001:db8::1"),
        ("myip=2001:db8::1%25eth0,fe80::1%25eth0", "keep 2001:db8::1"),
        ("myip=2001:db8::1/64", "keep 2001:db8::1"),
        ("myip=2001:db8::/128", "keep 2001:db8::"),
        ("myip=192.0.2.1/24", "192.0.2.1 keep"),
        ("myip=[2001:db8::1]", "keep 2001:db8::1"),
    ];
    for (query, expected) in table {
        assert_eq!(families(query), expected, "{query}");
    }
}

#[test]
fn only_an_explicit_word_deletes() {
    let table = [
        ("myip=-", "delete delete"),
        ("ipv4=delete", "delete keep"),
        ("ipv6=-", "keep delete"),
        ("myip=-&myipv6=2001:db8::1", "delete 2001:db8::1"),
        ("offline=YES", "delete delete"),
        ("offline=yes&myip=192.0.2.1", "delete delete"),
        ("offline=NO", "source source"),
        ("offline=", "source source"),
        ("myip=&offline=NO&wildcard=OFF&mx=NO&backmx=NO", "source source"),
    ];
    for (query, expected) in table {
        assert_eq!(families(query), expected, "{query}");
    }
}

#[test]
fn a_placeholder_is_no_address_and_says_so() {
    for value in [
        "<ipaddr>",
        "<ip6addr>",
        "[IP]",
        "{ip}",
        "{{ip}}",
        "$%7Bip%7D",
        "$IP",
        "__MYIP__",
        "%25IP%25",
        "%25i",
        "%i",
        "%",
        "%25a",
    ] {
        let update = parse(&asked(&format!("myip={value}"))).unwrap();
        assert_eq!((update.ipv4, update.ipv6), (Wanted::Source, Wanted::Source), "{value}");
        assert_eq!(update.hints, [Hint::AddressPlaceholder], "{value}");
    }
    let update = parse(&asked("myip=<ipaddr>,2001:db8::1")).unwrap();
    assert_eq!(update.ipv4, Wanted::Preserve);
}

#[test]
fn garbage_is_refused_and_never_becomes_the_source() {
    let table = [
        ("myip=foo.bar", Hint::NotAnAddress),
        ("myip=192.0.2.256", Hint::NotAnAddress),
        ("myip=192.0.2", Hint::NotAnAddress),
        ("myip=192.0.2.01", Hint::NotAnAddress),
        ("myip=192.0.2.1:80", Hint::NotAnAddress),
        ("myip=192.0.2.1%25eth0", Hint::NotAnAddress),
        ("myip=unknown", Hint::NotAnAddress),
        ("myip=192.0.2.1,-", Hint::NotAnAddress),
        ("myip=<ip6lanprefix>7656:3cff:fe12:3456", Hint::NotAnAddress),
        ("myip=2001:db8::1/129", Hint::NotAnAddress),
        ("myip=2001:db8::1/+64", Hint::NotAnAddress),
        ("myip=2001:db8::1/", Hint::NotAnAddress),
        ("myip=2001:db8::/64", Hint::BarePrefix),
        ("myip=192.0.2.0/24", Hint::BarePrefix),
        ("myip=::/0", Hint::BarePrefix),
        ("myip=fe80::1%25eth0", Hint::LinkLocal),
        ("myipv6=192.0.2.1", Hint::OtherFamily),
        ("myipv4=2001:db8::1", Hint::OtherFamily),
        ("myip=192.0.2.1&myipv6=garbage", Hint::NotAnAddress),
    ];
    for (query, hint) in table {
        let refusal = parse(&asked(query)).unwrap_err();
        assert_eq!(refusal.code, Code::Dnserr, "{query}");
        assert!(refusal.hints.contains(&hint), "{query} {:?}", refusal.hints);
    }
    let many: Vec<String> = (0..17).map(|n| format!("192.0.2.{n}")).collect();
    let refusal = parse(&asked(&format!("myip={}", many.join(",")))).unwrap_err();
    assert_eq!(refusal.hints, [Hint::TooManyAddresses]);
}

#[test]
fn hosts_are_found_under_every_name_that_devices_use() {
    let table: [(&str, &[&str]); 17] = [
        ("hostname=a.example", &["a.example"]),
        ("Hostname=a.example", &["a.example"]),
        ("hostname=a.example,b.example", &["a.example", "b.example"]),
        ("hostname=a.example;b.example%20c.example,,", &["a.example", "b.example", "c.example"]),
        ("hostname=a.example.", &["a.example"]),
        ("hostname=A.Example,a.example", &["A.Example", "a.example"]),
        ("hostname=b.example&hostname=a.example&hostname=", &["a.example"]),
        ("host=a.example", &["a.example"]),
        ("h=a.example", &["a.example"]),
        ("host_id=a.example", &["a.example"]),
        ("hostname=YES&host_id=a.example", &["a.example"]),
        ("hostname=a.example&domain=example", &["a.example"]),
        ("hostname=%25h&domain=a.example", &["a.example"]),
        ("domain=a.example", &["a.example"]),
        ("username=a.example&password=p", &["a.example"]),
        ("username=joe&password=p", &[]),
        ("", &[]),
    ];
    for (query, hosts) in table {
        let expected = match hosts {
            [] => Hosts::Only,
            named => Hosts::Named(named.iter().map(|&name| name.to_owned()).collect()),
        };
        assert_eq!(parse(&asked(query)).unwrap().hosts, expected, "{query}");
    }
}

#[test]
fn more_than_twenty_hosts_are_numhost() {
    let query = |count: usize| {
        let names: Vec<String> = (0..count).map(|n| format!("h{n}.example")).collect();
        format!("hostname={}", names.join(","))
    };
    let Hosts::Named(twenty) = parse(&asked(&query(20))).unwrap().hosts else { unreachable!() };
    assert_eq!(twenty.len(), 20);
    let refusal = parse(&asked(&query(21))).unwrap_err();
    assert_eq!(refusal, Refusal { code: Code::Numhost, hints: vec![Hint::TooManyHosts] });
}

#[test]
fn a_name_that_is_none_leaves_the_others_alone() {
    let update = parse(&asked("hostname=a.example,localhost,b%0a.example,c.example")).unwrap();
    let Hosts::Named(hosts) = update.hosts else { unreachable!() };
    let good: Vec<bool> = hosts.iter().map(|h| is_fqdn(h)).collect();
    assert_eq!(good, [true, false, false, true]);
    let label = "a".repeat(63);
    let long = format!("{label}.{label}.{label}.{}", "a".repeat(61));
    assert!(is_fqdn(&long) && !is_fqdn(&format!("{long}a")));
    for name in ["*.a.example", "_acme.example", "a-b.example", "1.example", "a.xn--p1ai"] {
        assert!(is_fqdn(name), "{name}");
    }
    let no = ["", ".", "a", "a..example", ".a.example", "-a.example", "a-.example", "a.*.example"];
    for name in
        no.iter().chain(&["*", "192.0.2.1", "a.example:80", "a b.example", "\u{fc}.example"])
    {
        assert!(!is_fqdn(name), "{name}");
    }
    assert!(!is_fqdn(&format!("{label}a.example")));
}

#[test]
fn credentials_in_the_url_count_when_there_are_no_others() {
    let token = |query: &str| credentials(&asked(query)).map(|c| (c.user, c.password));
    let pair = |user: &str, password: &str| Some((user.to_owned(), password.to_owned()));
    assert_eq!(token("username=u&password=p"), pair("u", "p"));
    assert_eq!(token("user=u&pass=p"), pair("u", "p"));
    assert_eq!(token("token=t"), pair("", "t"));
    assert_eq!(token("key=t"), pair("", "t"));
    assert_eq!(token("user=u"), None);
    assert_eq!(parse(&asked("token=t")).unwrap().hints, [Hint::TokenInUrl]);
    assert_eq!(parse(&asked("token=")).unwrap().hints, []);

    let mut request = asked("token=t");
    let basic = |user: &str, password: &str| {
        Some(Credentials { user: user.to_owned(), password: password.to_owned() })
    };
    request.credentials = basic("u", "p");
    assert_eq!(credentials(&request), basic("u", "p"));
    assert_eq!(parse(&request).unwrap().hints, []);
    request.credentials = basic("u", "");
    assert_eq!(credentials(&request), basic("", "t"));
}

fn outcome(code: Code, addresses: &[&str]) -> Outcome {
    let addresses = addresses.iter().map(|text| text.parse().unwrap()).collect();
    Outcome { addresses, ..Outcome::bare("h.example", code) }
}

/// From a client that takes any 2xx as success.
fn strict() -> Request {
    let mut request = asked("");
    request.user_agent = Some("OPNsense-dyndns".to_owned());
    request
}

#[test]
fn every_code_has_its_line_and_status() {
    let table: [(Code, &[&str], &str, u16, u16); 13] = [
        (Code::Good, &["192.0.2.1"], "good 192.0.2.1\n", 200, 200),
        (Code::Good, &["192.0.2.1", "2001:db8::1"], "good 192.0.2.1,2001:db8::1\n", 200, 200),
        (Code::Nochg, &["2001:db8::1"], "nochg 2001:db8::1\n", 200, 200),
        (Code::Good, &[], "good 0.0.0.0\n", 200, 200),
        (Code::Badauth, &[], "badauth\n", 401, 401),
        (Code::Notfqdn, &[], "notfqdn\n", 200, 400),
        (Code::Nohost, &[], "nohost\n", 200, 404),
        (Code::Numhost, &[], "numhost\n", 200, 400),
        (Code::Abuse, &[], "abuse\n", 403, 403),
        (Code::Dnserr, &[], "dnserr\n", 200, 400),
        (Code::Unavailable, &[], "911\n", 503, 503),
        (Code::Badagent, &[], "badagent\n", 200, 400),
        (Code::Donator, &[], "!donator\n", 403, 403),
    ];
    for (code, addresses, body, status, strictly) in table {
        let told = [outcome(code, addresses)];
        let response = render(&asked(""), &told);
        assert_eq!(String::from_utf8_lossy(&response.body), body);
        assert_eq!(response.status, status, "{body}");
        assert_eq!(render(&strict(), &told).status, strictly, "{body}");
        let header = |name| response.headers.iter().any(|h| h.0 == name);
        assert_eq!(header("WWW-Authenticate"), status == 401, "{body}");
        assert_eq!(header("Retry-After"), status == 503, "{body}");

        let mut out = Vec::new();
        response.write(Some(&asked("")), true, &mut out);
        let text = String::from_utf8(out).unwrap();
        if status != 200 {
            assert!(!["good", "nochg", "OK", "\nw"].iter().any(|w| text.contains(w)), "{text}");
        }
        // What ez-ipupdate looks for.
        assert_eq!(text.contains("\ngood "), code == Code::Good, "{text}");
    }
}

#[test]
fn several_hosts_have_a_line_each_and_one_status() {
    let good = outcome(Code::Good, &["192.0.2.1"]);
    let bare = |code| outcome(code, &[]);
    let response = render(&asked(""), &[good.clone(), bare(Code::Nohost), bare(Code::Unavailable)]);
    assert_eq!((response.status, response.body), (200, b"good 192.0.2.1\nnohost\n911\n".to_vec()));
    let twice = [bare(Code::Unavailable), bare(Code::Unavailable)];
    assert_eq!(render(&asked(""), &twice).status, 503);
    let differing = [bare(Code::Unavailable), bare(Code::Nohost)];
    assert_eq!(render(&asked(""), &differing).status, 200);
    assert_eq!(render(&strict(), &[good, bare(Code::Nohost)]).status, 404);
}

#[test]
fn the_status_tells_all_only_to_whom_it_must() {
    for (agent, status) in [(None, 200), (Some("ddclient/3.10.0"), 200), (Some("OPNsense-x"), 404)]
    {
        let mut request = asked("");
        request.user_agent = agent.map(str::to_owned);
        assert_eq!(render(&request, &[outcome(Code::Nohost, &[])]).status, status, "{agent:?}");
    }
}

#[test]
fn a_prefix_alone_says_nothing_about_addresses() {
    let told = |query: &str| {
        let ask = parse(&asked(query)).unwrap();
        let families = families(query);
        let prefix = ask.prefix.map(|wanted| match wanted {
            Wanted::Addresses(list) => format!("{}/{}", list[0].address, list[0].length),
            other => format!("{other:?}").to_lowercase(),
        });
        format!("{families} {}", prefix.unwrap_or_default())
    };
    for (query, expected) in [
        ("ip6lanprefix=2001:db8:1::/64", "keep keep 2001:db8:1::/64"),
        ("ip6lanprefix=2001:db8:1:2:3::4/56", "keep keep 2001:db8:1::/56"),
        ("ipv6prefix=auto", "keep keep source"),
        ("ipv6prefix=-", "keep keep delete"),
        ("myip=192.0.2.1&ip6lanprefix=2001:db8:1::/64", "192.0.2.1 keep 2001:db8:1::/64"),
        ("myip=&ip6lanprefix=2001:db8:1::/64", "source source 2001:db8:1::/64"),
        ("ip6lanprefix=", "source source "),
        ("ip6lanprefix=<ip6lanprefix>", "source source "),
        ("myipv6=2001:db8::1&prefix=<ip6lanprefix>", "keep 2001:db8::1 "),
    ] {
        assert_eq!(told(query), expected, "{query}");
    }
    for garbage in ["2001:db8::", "2001:db8::/0", "2001:db8::/129", "192.0.2.0/24", "::/647656:1"] {
        let refusal = parse(&asked(&format!("myip=192.0.2.1&prefix={garbage}"))).unwrap_err();
        assert_eq!(refusal.code, Code::Dnserr, "{garbage}");
        assert_eq!(refusal.hints, [Hint::NotAPrefix], "{garbage}");
    }
}

#[test]
fn the_agent_reads_what_services_say() {
    let said = |text: &str| Answer::Unintelligible(text.to_owned());
    let table = [
        (200, "good 192.0.2.1\n", Answer::Good),
        (200, "good", Answer::Good),
        (200, "\r\n  Good 192.0.2.1\r\n", Answer::Good),
        (200, "nochg 192.0.2.1", Answer::Nochg),
        (200, "badauth", Answer::Badauth),
        (200, "noauth", Answer::Badauth),
        (200, "!donator", Answer::Donator),
        (200, "nohost", Answer::Nohost),
        (200, "!yours", Answer::Nohost),
        (200, "nofqdn", Answer::Notfqdn),
        (400, "notfqdn", Answer::Notfqdn),
        (404, "nohost", Answer::Nohost),
        (200, "abuse", Answer::Abuse),
        (403, "abuse", Answer::Abuse),
        (200, "badagent", Answer::Badagent),
        (200, "badsys", Answer::Badagent),
        (200, "dnserr", Answer::Dnserr),
        (200, "numhost", Answer::Numhost),
        (200, "911", Answer::Unavailable),
        (503, "911\n", Answer::Unavailable),
        (200, "999", Answer::Unavailable),
        (200, "w30s too fast", Answer::Wait(30)),
        (200, "w5m", Answer::Wait(300)),
        (200, "w1h", Answer::Wait(3600)),
        (200, "w9", Answer::Wait(9)),
        (200, "w99999999999h", Answer::Wait(86_400)),
        (200, "wrong", said("wrong")),
        (200, "w", said("w")),
        (429, "good 192.0.2.1", Answer::Wait(300)),
        (401, "", Answer::Badauth),
        (401, "good 192.0.2.1", Answer::Badauth),
        (403, "<html>Forbidden</html>", Answer::Badauth),
        (500, "good 192.0.2.1", Answer::Unavailable),
        (502, "<html>", Answer::Unavailable),
        (511, "<html>sign in</html>", Answer::Unavailable),
        (200, "<!DOCTYPE html><p>good wifi", said("a web page instead of an answer")),
        (302, "good 192.0.2.1", said("a redirect, status 302")),
        (200, "it is good", said("it is good")),
        (200, "goodness", said("goodness")),
        (200, "a\u{1b}[31mb", said("a[31mb")),
        (200, " \n ", said("nothing, status 200")),
        (404, "not found", said("not found")),
    ];
    for (status, body, answer) in table {
        assert_eq!(interpret(status, body, 1), [answer], "{status} {body:?}");
    }
    assert_eq!(interpret(200, &"x".repeat(500), 1), [said(&"x".repeat(80))]);
}

#[test]
fn the_agent_gives_each_host_its_line_or_all_the_only_one() {
    use Answer::{Badauth, Good, Nochg, Nohost};
    let missing = Answer::Unintelligible("no line for this host".to_owned());
    assert_eq!(interpret(200, "good 192.0.2.1\nnohost\n", 2), [Good, Nohost]);
    assert_eq!(interpret(200, "good 192.0.2.1\n", 3), [Good, Good, Good]);
    assert_eq!(interpret(401, "badauth\n", 2), [Badauth, Badauth]);
    assert_eq!(interpret(200, "good\nnochg\n", 3), [Good, Nochg, missing]);
    assert_eq!(interpret(200, "good\nnochg\nabuse\n", 2), [Good, Nochg]);
    assert_eq!(interpret(200, "good", 0), [Good]);
}

#[test]
fn retry_after_is_seconds_and_at_most_a_day() {
    let table = [("30", Some(30)), (" 0 ", Some(0)), ("99999999999999", Some(86_400))];
    for (value, expected) in table {
        assert_eq!(retry_after_s(value), expected, "{value}");
    }
    for value in ["", "-1", "+1", "1.5", "Fri, 31 Dec 1999 23:59:59 GMT"] {
        assert_eq!(retry_after_s(value), None, "{value}");
    }
}

#[test]
fn the_agent_asks_in_the_plain_form() {
    let v4: IpAddr = "192.0.2.1".parse().unwrap();
    let v6: IpAddr = "2001:db8::1".parse().unwrap();
    assert_eq!(
        request(&["a.example", "*.b.example"], &[v4, v6]),
        "/nic/update?hostname=a.example,%2A.b.example&myip=192.0.2.1,2001:db8::1"
    );
    assert_eq!(request(&["a&b"], &[]), "/nic/update?hostname=a%26b");
}

#[test]
fn every_hint_is_one_line_for_people() {
    for hint in Hint::ALL {
        let text = hint.to_string();
        assert!(!text.is_empty() && !text.ends_with('.') && !text.contains('\n'), "{hint:?}");
    }
}
