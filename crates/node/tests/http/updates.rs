//! What an update means and what it is answered.

use node::admin::{Command, HostSettings};

use crate::service::Service;

#[test]
fn update_publishes_and_says_nochg_when_nothing_changes() {
    let service = Service::start();
    let token = service.host("nas.own.example");
    let mut caller = service.call();
    let query = "hostname=nas.own.example&myip=198.51.100.7";
    let first = caller.update(&token, query);
    assert_eq!((first.status, &*first.body), (200, "good 198.51.100.7\n"));
    assert_eq!(service.published("nas.own.example"), ["60 198.51.100.7"]);
    assert_eq!(caller.line(&token, query), "nochg 198.51.100.7");
    for path in ["v2", "v3"] {
        let request = crate::caller::request(&token, query, "").replacen("nic", path, 1);
        assert_eq!(caller.ask(request).body, "nochg 198.51.100.7\n", "/{path}/update");
    }
}

#[test]
fn update_by_post_means_the_same() {
    let service = Service::start();
    let token = service.host("nas.own.example");
    let body = "hostname=nas.own.example&myip=198.51.100.7";
    let reply = service.call().ask(format!(
        "POST /nic/update HTTP/1.1\r\nHost: h\r\nAuthorization: Basic {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        crate::caller::basic(&token),
        body.len()
    ));
    assert_eq!((reply.status, &*reply.body), (200, "good 198.51.100.7\n"));
    assert_eq!(service.published("nas.own.example"), ["60 198.51.100.7"]);
}

#[test]
fn head_never_updates() {
    let service = Service::start();
    let token = service.host("nas.own.example");
    let query = "hostname=nas.own.example&myip=198.51.100.7";
    let request = crate::caller::request(&token, query, "").replacen("GET", "HEAD", 1);
    let mut caller = service.call();
    caller.send(request.as_bytes());
    caller.shut();
    assert!(caller.rest().starts_with("HTTP/1.1 405 "));
    assert!(service.published("nas.own.example").is_empty());
}

#[test]
fn update_of_one_family_preserves_the_other() {
    let service = Service::start();
    let token = service.host("nas.own.example");
    let mut caller = service.call();
    let steps: [(&str, &str, &[&str]); 9] = [
        ("&myip=198.51.100.7", "good 198.51.100.7", &["60 198.51.100.7"]),
        ("&myipv6=2001:db8::7", "good 2001:db8::7", &["60 198.51.100.7", "60 2001:db8::7"]),
        ("&myip=198.51.100.8", "good 198.51.100.8", &["60 198.51.100.8", "60 2001:db8::7"]),
        ("&myip=2001:db8::8", "good 2001:db8::8", &["60 198.51.100.8", "60 2001:db8::8"]),
        (
            "&myip=198.51.100.9,2001:db8::9",
            "good 198.51.100.9,2001:db8::9",
            &["60 198.51.100.9", "60 2001:db8::9"],
        ),
        ("&myip=", "good 127.0.0.1", &["60 127.0.0.1", "60 2001:db8::9"]),
        ("", "nochg 127.0.0.1", &["60 127.0.0.1", "60 2001:db8::9"]),
        ("&myip=10.0.0.1&myipv6=", "good 10.0.0.1", &["60 10.0.0.1", "60 2001:db8::9"]),
        ("&myipv6=-", "good 0.0.0.0", &["60 10.0.0.1"]),
    ];
    for (query, answer, published) in steps {
        let line = caller.line(&token, &format!("hostname=nas.own.example{query}"));
        assert_eq!(line, answer, "{query}");
        assert_eq!(service.published("nas.own.example"), published, "{query}");
    }
}

#[test]
fn the_source_is_published_for_its_own_family() {
    let service = Service::start_with(|settings| {
        settings.addresses.push("[::1]:0".parse().expect("an address"));
    });
    let token = service.host("nas.own.example");
    let query = "hostname=nas.own.example";
    let mut v6 = service.call_v6();
    assert_eq!(v6.line(&token, query), "good ::1");
    assert_eq!(service.published("nas.own.example"), ["60 ::1"]);
    assert_eq!(service.call().line(&token, query), "good 127.0.0.1");
    assert_eq!(service.published("nas.own.example"), ["60 127.0.0.1", "60 ::1"]);
    assert_eq!(v6.line(&token, &format!("{query}&myip=10.0.0.1")), "good 10.0.0.1");
    // IPv4 from the source, which has only IPv6: nothing is asked of either.
    assert_eq!(v6.line(&token, &format!("{query}&myipv4=auto")), "nochg 10.0.0.1,::1");
    assert_eq!(v6.get("/ip").body, "::1\n");
    assert_eq!(v6.get("/ip?format=json").body, "{\"ip\":\"::1\",\"family\":6}\n");
}

#[test]
fn garbage_never_deletes_or_publishes() {
    let service = Service::start();
    let token = service.host("nas.own.example");
    let mut caller = service.call();
    caller.line(&token, "hostname=nas.own.example&myip=198.51.100.7,2001:db8::7");
    for garbage in ["foo.bar", "1.2.3", "1.2.3.4.5", "fe80::1%25eth0", "2001:db8::/64", "0x7f1"] {
        let line = service.call().line(&token, &format!("hostname=nas.own.example&myip={garbage}"));
        assert_eq!(line, "dnserr", "{garbage}");
    }
    assert_eq!(service.published("nas.own.example"), ["60 198.51.100.7", "60 2001:db8::7"]);
}

#[test]
fn each_host_gets_its_own_line_in_order() {
    let service = Service::start();
    service.order(Command::AccountAdd { account: "stranger".to_owned() });
    service.host_of("theirs.dyn.example", Some("stranger"));
    service.host("uncovered.own.example");
    for host in ["a.own.example", "b.dyn.example", "c.own.example"] {
        service.host(host);
    }
    let token = service.token_for(&["a.own.example", "b.dyn.example", "c.own.example"]);
    service.order(Command::HostSet {
        host: "c.own.example".to_owned(),
        settings: HostSettings { ttl_s: Some(5), ..HostSettings::default() },
    });
    let hosts = "a.own.example,theirs.dyn.example,nonsense,b.dyn.example,uncovered.own.example,\
                 no.such.example,C.OWN.Example.,a.own.example";
    let reply = service.call().update(&token, &format!("hostname={hosts}&myip=10.0.0.1"));
    // `b` may not have a private address under its suffix; all others go on.
    let expected = "good 10.0.0.1\nnohost\nnotfqdn\ndnserr\nnohost\nnohost\ngood 10.0.0.1\n\
                    good 10.0.0.1\n";
    assert_eq!((reply.status, &*reply.body), (200, expected));
    assert_eq!(service.published("a.own.example"), ["60 10.0.0.1"]);
    assert!(service.published("b.dyn.example").is_empty());
    assert_eq!(service.published("c.own.example"), ["5 10.0.0.1"]);
}

#[test]
fn twenty_hosts_are_one_batch_and_one_more_is_numhost() {
    let service = Service::start();
    let hosts: Vec<String> = (0..21).map(|number| format!("h{number}.own.example")).collect();
    for host in &hosts {
        service.host(host);
    }
    let all: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let token = service.token_for(&all);
    let serial = || {
        let apex = wire::Name::parse("own.example").unwrap();
        service.node().live().zones().get(&apex).unwrap().serial()
    };
    let before = serial();
    let mut caller = service.call();
    let line = caller.line(&token, &format!("hostname={}&myip=10.0.0.1", all.join(",")));
    assert_eq!(line, "numhost");
    assert_eq!(serial(), before);
    let line = caller.line(&token, &format!("hostname={}&myip=10.0.0.1", all[..20].join(",")));
    assert_eq!(line, ["good 10.0.0.1"; 20].join("\n"));
    assert_eq!(service.published("h19.own.example"), ["60 10.0.0.1"]);
}

#[test]
fn no_hostname_means_the_only_host_of_the_token() {
    let service = Service::start();
    let token = service.host("nas.own.example");
    service.host("other.own.example");
    let both = service.token_for(&["nas.own.example", "other.own.example"]);
    let mut caller = service.call();
    assert_eq!(caller.line(&token, "myip=10.0.0.1"), "good 10.0.0.1");
    assert_eq!(service.call().line(&both, "myip=10.0.0.2"), "notfqdn");
    assert_eq!(service.published("nas.own.example"), ["60 10.0.0.1"]);
}

#[test]
fn a_dummy_is_answered_good_and_never_published() {
    let service = Service::start();
    let token = service.host("nas.own.example");
    let mut caller = service.call();
    assert_eq!(caller.line(&token, "hostname=nas.own.example&myip=9.9.9.9"), "good 9.9.9.9");
    let seen = service.last_seen("nas.own.example");
    for dummy in ["192.168.1.1", "203.0.113.77", "fd00:d::1"] {
        let line = caller.line(&token, &format!("hostname=nas.own.example&myip={dummy}"));
        assert_eq!(line, format!("good {dummy}"));
    }
    assert!(service.last_seen("nas.own.example") >= seen && seen.is_some());
    assert_eq!(service.published("nas.own.example"), ["60 9.9.9.9"]);
}

#[test]
fn a_public_host_does_not_turn_private_within_a_day() {
    let service = Service::start();
    let token = service.host("nas.own.example");
    let mut caller = service.call();
    assert_eq!(caller.line(&token, "hostname=nas.own.example&myip=9.9.9.9"), "good 9.9.9.9");
    assert_eq!(caller.line(&token, "hostname=nas.own.example&myip=10.0.0.1"), "dnserr");
    // The source, too: here it is loopback.
    assert_eq!(caller.line(&token, "hostname=nas.own.example"), "dnserr");
    assert_eq!(service.published("nas.own.example"), ["60 9.9.9.9"]);
}

#[test]
fn private_addresses_under_a_suffix_need_an_opt_in() {
    let service = Service::start();
    let token = service.host("nas.dyn.example");
    let mut caller = service.call();
    for address in ["10.0.0.1", "127.0.0.1", "169.254.169.254", "100.64.0.1", "fd00::1"] {
        let line = caller.line(&token, &format!("hostname=nas.dyn.example&myip={address}"));
        assert_eq!(line, "dnserr", "{address}");
    }
    assert!(service.published("nas.dyn.example").is_empty());
    service.order(Command::HostSet {
        host: "nas.dyn.example".to_owned(),
        settings: HostSettings { private_ok: Some(true), ..HostSettings::default() },
    });
    let line = caller.line(&token, "hostname=nas.dyn.example&myip=10.0.0.1");
    assert_eq!(line, "good 10.0.0.1");
}

#[test]
fn a_host_is_seen_when_nothing_changes_too() {
    let service = Service::start();
    let token = service.host("nas.own.example");
    assert_eq!(service.last_seen("nas.own.example"), None);
    let mut caller = service.call();
    assert_eq!(caller.line(&token, "hostname=nas.own.example&myip=10.0.0.1"), "good 10.0.0.1");
    let first = service.last_seen("nas.own.example").expect("seen");
    assert_eq!(caller.line(&token, "hostname=nas.own.example&myip=10.0.0.1"), "nochg 10.0.0.1");
    assert!(service.last_seen("nas.own.example").expect("seen") >= first);
}
