//! The dyndns2 family over real sockets: what each member does that the others do not, and only for
//! hosts that were set to it.

use node::admin::{Command, HostSettings};

use crate::caller::{Reply, basic_as};
use crate::service::Service;

/// A service with one host that is set to a dialect; its token.
fn with(host: &str, dialect: &str) -> (Service, String) {
    let service = Service::start();
    let token = service.host(host);
    set(&service, host, dialect);
    (service, token)
}

fn set(service: &Service, host: &str, dialect: &str) {
    let settings = HostSettings { dialect: Some(dialect.to_owned()), ..HostSettings::default() };
    service.order(Command::HostSet { host: host.to_owned(), settings });
}

/// Asks on a connection of its own, as this user.
fn ask(service: &Service, (user, token): (&str, &str), target: &str) -> Reply {
    let auth = basic_as(user, token);
    let reply = service.call().ask(format!(
        "GET {target} HTTP/1.0\r\nHost: h\r\nAuthorization: Basic {auth}\r\n\
         User-Agent: ez-update-3.0.11b7 linux [] (by Angus Mackay)\r\n\r\n"
    ));
    assert!(!(300..400).contains(&reply.status), "a redirect: {}", reply.head);
    assert!(reply.header("Transfer-Encoding").is_none(), "{}", reply.head);
    assert_eq!(reply.header("Connection"), Some("close"), "{}", reply.head);
    reply
}

/// One step: a target, the answer, what is published after it.
type Step<'a> = (&'a str, (u16, &'a str), &'a [&'a str]);

fn walk(service: &Service, host: &str, who: (&str, &str), steps: &[Step<'_>]) {
    for (target, (status, body), published) in steps {
        let reply = ask(service, who, target);
        assert_eq!((reply.status, reply.body.as_str()), (*status, *body), "{target}");
        assert_eq!(service.published(host), *published, "{target}");
    }
}

#[test]
fn desec_deletes_what_is_not_sent_and_says_good_alone() {
    let host = "nas.own.example";
    let (service, token) = with(host, "desec");
    walk(
        &service,
        host,
        (host, &token),
        &[
            ("/?myipv4=10.0.0.1&myipv6=fd00::1", (200, "good"), &["60 10.0.0.1", "60 fd00::1"]),
            ("/?myipv4=10.0.0.1&myipv6=fd00::1", (200, "good"), &["60 10.0.0.1", "60 fd00::1"]),
            ("/?myipv4=10.0.0.2&myipv6=preserve", (200, "good"), &["60 10.0.0.2", "60 fd00::1"]),
            // The box does not know its IPv6 address: unknown is not gone.
            ("/?myipv4=10.0.0.3&myipv6=<ip6addr>", (200, "good"), &["60 10.0.0.3", "60 fd00::1"]),
            ("/nic/update?myip=10.0.0.4", (200, "good"), &["60 10.0.0.4"]),
            ("/?myipv6=fd00::1:2&myip=preserve", (200, "good"), &["60 10.0.0.4", "60 fd00::1:2"]),
            ("/?myip=preserve&ipv6=fd00:1:2:3::/64", (200, "good"), {
                &["60 10.0.0.4", "60 fd00:1:2:3::1:2"]
            }),
            ("/?myip=10.0.0.5,&myipv6=preserve", (400, "dnserr"), {
                &["60 10.0.0.4", "60 fd00:1:2:3::1:2"]
            }),
            ("/?hostname=other.own.example", (404, "nohost"), {
                &["60 10.0.0.4", "60 fd00:1:2:3::1:2"]
            }),
            ("/?myip=", (200, "good"), &[]),
            // From the source, which is IPv4.
            ("/", (200, "good"), &["60 127.0.0.1"]),
        ],
    );
}

#[test]
fn desec_changes_all_hosts_or_none() {
    let service = Service::start();
    let hosts = ["a.own.example", "b.own.example", "c.own.example"];
    for host in hosts {
        service.host(host);
        set(&service, host, "desec");
    }
    service.host("d.dyn.example");
    set(&service, "d.dyn.example", "desec");
    let token = service.token_for(&[hosts[0], hosts[1], "d.dyn.example"]);
    let ab = "hostname=a.own.example,b.own.example&myipv6=preserve";
    let reply = ask(&service, ("u", &token), &format!("/?{ab}&myip=10.0.0.1"));
    assert_eq!((reply.status, &*reply.body), (200, "good"));
    let own = "myipv4:b.own.example=10.0.0.9";
    let reply = ask(&service, ("u", &token), &format!("/?{ab}&myip=10.0.0.2&{own}"));
    assert_eq!((reply.status, &*reply.body), (200, "good"));
    assert_eq!(service.published(hosts[0]), ["60 10.0.0.2"]);
    assert_eq!(service.published(hosts[1]), ["60 10.0.0.9"]);
    for (query, status) in [
        ("hostname=a.own.example,c.own.example&myip=10.0.0.3", 404),
        ("hostname=a.own.example,d.dyn.example&myip=9.9.9.9", 400),
        ("hostname=a.own.example,b.own.example&myip=224.0.0.1", 400),
    ] {
        assert_eq!(ask(&service, ("u", &token), &format!("/?{query}")).status, status, "{query}");
    }
    assert_eq!(service.published(hosts[0]), ["60 10.0.0.2"]);
    assert!(service.published("d.dyn.example").is_empty());
}

/// The rule that keeps a host from losing an address by what another one was set to.
#[test]
fn nothing_is_deleted_where_a_host_has_not_chosen_so() {
    let service = Service::start();
    for host in ["plain.own.example", "desec.own.example"] {
        service.host(host);
    }
    set(&service, "desec.own.example", "desec");
    let token = service.token_for(&["plain.own.example", "desec.own.example"]);
    let both = "hostname=plain.own.example,desec.own.example";
    let reply = ask(&service, ("u", &token), &format!("/nic/update?{both}&myip=10.0.0.1,fd00::1"));
    assert_eq!(reply.body, "good 10.0.0.1,fd00::1\ngood 10.0.0.1,fd00::1\n");
    let reply = ask(&service, ("u", &token), &format!("/nic/update?{both}&myip=10.0.0.2"));
    assert_eq!(reply.body, "good 10.0.0.2\ngood 10.0.0.2\n");
    for host in ["plain.own.example", "desec.own.example"] {
        assert_eq!(service.published(host), ["60 10.0.0.2", "60 fd00::1"], "{host}");
    }
    let network = "/nic/update?hostname=plain.own.example&myip=fd00:1:2:3::/64";
    assert_eq!(ask(&service, ("u", &token), network).body, "dnserr\n");
    assert_eq!(service.published("plain.own.example"), ["60 10.0.0.2", "60 fd00::1"]);
}

#[test]
fn nsupdate_tells_of_each_address_and_deletes_for_a_network() {
    let host = "nas.own.example";
    let (service, token) = with(host, "nsupdate");
    let both = "/nic/update?myip=10.0.0.1,fd00::1";
    walk(
        &service,
        host,
        (host, &token),
        &[
            (both, (200, "good 10.0.0.1,fd00::1"), &["60 10.0.0.1", "60 fd00::1"]),
            (both, (200, "nochg 10.0.0.1,fd00::1"), &["60 10.0.0.1", "60 fd00::1"]),
            ("/nic/update?myip=10.0.0.2,fd00::1", (200, "good 10.0.0.2\nnochg fd00::1"), {
                &["60 10.0.0.2", "60 fd00::1"]
            }),
            ("/nic/update?myip=fd00:1:2:3::/64", (200, "good fd00:1:2:3::"), &["60 10.0.0.2"]),
            ("/nic/update?hostname=other.own.example", (200, "nohost"), &["60 10.0.0.2"]),
            ("/nic/update?myip=garbage", (200, "dnserr"), &["60 10.0.0.2"]),
            (both, (200, "good 10.0.0.1,fd00::1"), &["60 10.0.0.1", "60 fd00::1"]),
            ("/nic/delete?myip=::", (200, "deleted AAAA"), &["60 10.0.0.1"]),
            ("/nic/delete?myip=::", (200, "deleted AAAA"), &["60 10.0.0.1"]),
            ("/nic/delete", (200, "deleted A"), &[]),
            ("/nic/update", (200, "good 127.0.0.1"), &["60 127.0.0.1"]),
        ],
    );
    let joe = ask(&service, ("joe", &token), "/nic/update");
    assert_eq!((joe.status, &*joe.body), (200, "notfqdn"));
    assert_eq!(joe.header("Content-Type"), Some("text/plain"));
}

#[test]
fn noip_updates_a_group_and_answers_in_one_line() {
    let service = Service::start();
    let hosts = ["a.own.example", "b.own.example"];
    for host in hosts {
        service.host(host);
    }
    let token = service.token_for(&hosts);
    let all = "/nic/update?hostname=all.ddnskey.com&myip=10.0.0.1,fd00::1";
    assert_eq!(ask(&service, ("key", &token), all).body, "good 10.0.0.1,fd00::1\n");
    assert_eq!(ask(&service, ("key", &token), all).body, "nochg 10.0.0.1,fd00::1\n");
    for host in hosts {
        assert_eq!(service.published(host), ["60 10.0.0.1", "60 fd00::1"], "{host}");
    }
    // A name that is none is a group where all hosts speak so, and a mistake elsewhere.
    let group = "/nic/update?hostname=home&myip=10.0.0.2";
    assert_eq!(ask(&service, ("key", &token), group).body, "notfqdn\n");
    hosts.iter().for_each(|host| set(&service, host, "noip"));
    assert_eq!(ask(&service, ("key", &token), group).body, "good 10.0.0.2\n");
    assert_eq!(ask(&service, ("key", &token), "/nic/update?myip=10.0.0.3").body, "good 10.0.0.3\n");
    let each = "/nic/update?hostname=a.own.example,b.own.example&myip=10.0.0.3";
    assert_eq!(ask(&service, ("key", &token), each).body, "nochg 10.0.0.3\nnochg 10.0.0.3\n");
    assert_eq!(service.published(hosts[1]), ["60 10.0.0.3", "60 fd00::1"]);
}

#[test]
fn dyn_and_google_have_their_own_words_for_what_fails() {
    let host = "nas.own.example";
    let (service, token) = with(host, "google");
    let garbage = "/nic/update?hostname=nas.own.example&myip=garbage";
    let good = "/nic/update?hostname=nas.own.example&myip=10.0.0.1";
    let published = &["60 10.0.0.1"][..];
    let who = ("u", &*token);
    walk(
        &service,
        host,
        who,
        &[(good, (200, "good 10.0.0.1\n"), published), (garbage, (200, "911\n"), published)],
    );
    set(&service, host, "dyn");
    let twice = "/v3/update?hostname=nas.own.example,absent.own.example&myip=garbage";
    walk(
        &service,
        host,
        who,
        &[
            (good, (200, "nochg 10.0.0.1\n"), published),
            (twice, (200, "dnserr\n"), published),
            ("/v3/update?hostname=absent.own.example,x", (200, "nohost\nnotfqdn\n"), published),
            ("/nic/update?hostname=nas.own.example&offline=YES", (200, "good 0.0.0.0\n"), &[]),
        ],
    );
}

#[test]
fn he_takes_the_key_from_the_form() {
    let host = "nas.own.example";
    let (service, token) = with(host, "he");
    let body = format!("hostname={host}&password={token}&myip=10.0.0.1");
    let reply = service.call().ask(format!(
        "POST /nic/update HTTP/1.1\r\nHost: dyn.dns.he.net\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    assert_eq!((reply.status, &*reply.body), (200, "good 10.0.0.1\n"));
    let reply = ask(&service, (host, &token), "/nic/update");
    assert_eq!((reply.status, &*reply.body), (200, "good 127.0.0.1\n"));
    assert_eq!(service.published(host), ["60 127.0.0.1"]);
}

#[test]
fn a_prefix_alone_changes_nothing_and_is_said_to_fail() {
    let service = Service::start();
    let token = service.host("nas.own.example");
    let line =
        |query: &str| service.call().line(&token, &format!("hostname=nas.own.example{query}"));
    assert_eq!(line("&myip=10.0.0.1&ip6lanprefix=fd00:1::/64"), "good 10.0.0.1");
    assert_eq!(line("&ip6lanprefix=fd00:2::/64"), "dnserr");
    assert_eq!(line("&ip6lanprefix=garbage&myip=10.0.0.2"), "dnserr");
    assert_eq!(service.published("nas.own.example"), ["60 10.0.0.1"]);
}

/// A strange token learns nothing of the dialect of the host that it names.
#[test]
fn strangers_are_answered_alike_whatever_the_host_was_set_to() {
    let service = Service::start();
    let mut answers = Vec::new();
    for dialect in ["auto", "desec", "nsupdate", "google"] {
        let host = format!("{dialect}.own.example");
        service.host(&host);
        set(&service, &host, dialect);
        let reply = ask(&service, (&host, "wrong"), "/nic/update?myip=10.0.0.1");
        answers.push((reply.status, reply.head, reply.body));
    }
    assert_eq!((answers[0].0, &*answers[0].2), (401, "badauth\n"));
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}
