//! What is said to whom: callers without a valid token learn nothing.

use node::admin::Command;

use crate::caller::{Reply, request};
use crate::service::{Service, logged};

/// A token of the right form that nobody has.
const UNKNOWN: &str = "byn_0000000000000000000000000000";

fn is_badauth(reply: &Reply) {
    assert_eq!((reply.status, &*reply.body), (401, "badauth\n"), "{}", reply.head);
    let challenge = reply.header("WWW-Authenticate").expect("a challenge");
    assert!(challenge.starts_with("Basic realm="), "{challenge}");
}

#[test]
fn strangers_cannot_tell_hosts_that_are_from_hosts_that_are_not() {
    let service = Service::start();
    service.host("nas.own.example");
    let mut replies = Vec::new();
    for host in ["nas.own.example", "no.own.example", "no.such.example", "nonsense", ""] {
        for token in [UNKNOWN, "", "hunter2"] {
            let query = format!("hostname={host}&myip=10.0.0.1");
            let mut caller = service.call();
            caller.send(request(token, &query, "Connection: close\r\n").as_bytes());
            replies.push(caller.rest());
        }
    }
    replies.dedup();
    assert_eq!(replies.len(), 1, "all are answered with the same octets: {replies:?}");
    is_badauth(&service.call().get("/nic/update?hostname=nas.own.example"));
    is_badauth(&service.call().get("/nic/update"));
}

#[test]
fn nohost_is_said_to_holders_of_a_token_only() {
    let service = Service::start();
    let token = service.host("nas.own.example");
    service.host("other.own.example");
    for host in ["other.own.example", "no.own.example", "no.such.example", "own.example"] {
        let query = format!("hostname={host}&myip=10.0.0.1");
        let reply = service.call().update(&token, &query);
        assert_eq!((reply.status, &*reply.body), (200, "nohost\n"), "{host}");
        is_badauth(&service.call().update(UNKNOWN, &query));
        assert!(host == "own.example" || !host.ends_with(OWN) || nothing(&service, host));
    }
}

const OWN: &str = ".own.example";

fn nothing(service: &Service, host: &str) -> bool {
    service.published(host).is_empty()
}

#[test]
fn revoked_tokens_are_badauth() {
    let service = Service::start();
    let token = service.host("nas.own.example");
    let rotated =
        service.order(Command::HostRotate { host: "nas.own.example".to_owned(), overlap_s: 0 });
    is_badauth(&service.call().update(&token, "hostname=nas.own.example&myip=10.0.0.1"));
    let new = rotated["token"].as_str().expect("a token");
    let line = service.call().line(new, "hostname=nas.own.example&myip=10.0.0.1");
    assert_eq!(line, "good 10.0.0.1");
    service.order(Command::TokenRevoke { id: rotated["id"].as_u64().expect("a number") });
    is_badauth(&service.call().update(new, "hostname=nas.own.example&myip=10.0.0.2"));
    assert_eq!(service.published("nas.own.example"), ["60 10.0.0.1"]);
}

#[test]
fn a_frozen_accounts_tokens_are_badauth_and_its_names_stay() {
    let service = Service::start();
    service.order(Command::AccountAdd { account: "alice".to_owned() });
    let token = service.host_of("nas.dyn.example", Some("alice"));
    let line = service.call().line(&token, "hostname=nas.dyn.example&myip=9.9.9.9");
    assert_eq!(line, "good 9.9.9.9");
    service.order(Command::AccountFreeze { account: "alice".to_owned() });
    is_badauth(&service.call().update(&token, "hostname=nas.dyn.example&myip=8.8.8.8"));
    assert_eq!(service.published("nas.dyn.example"), ["60 9.9.9.9"]);
}

#[test]
fn a_removed_hosts_token_does_not_cover_a_new_host_of_that_name() {
    let service = Service::start();
    let old = service.host("nas.own.example");
    service.host("other.own.example");
    let both = service.token_for(&["nas.own.example", "other.own.example"]);
    service.order(Command::HostRemove { host: "nas.own.example".to_owned() });
    service.host("nas.own.example");
    is_badauth(&service.call().update(&old, "hostname=nas.own.example&myip=10.0.0.1"));
    let line =
        service.call().line(&both, "hostname=nas.own.example,other.own.example&myip=10.0.0.1");
    assert_eq!(line, "nohost\ngood 10.0.0.1");
    assert!(service.published("nas.own.example").is_empty());
}

#[test]
fn failures_beyond_a_limit_are_put_off_and_never_shut_out_a_valid_token() {
    let service = Service::start_with(|settings| settings.failures_per_minute = 3);
    let token = service.host("nas.own.example");
    let query = "hostname=nas.own.example&myip=10.0.0.1";
    for _ in 0..3 {
        is_badauth(&service.call().update(UNKNOWN, query));
    }
    let reply = service.call().update(UNKNOWN, query);
    assert_eq!((reply.status, &*reply.body), (503, "911\n"));
    assert!(reply.header("Retry-After").is_some());
    assert!(service.published("nas.own.example").is_empty());
    is_badauth(&service.call_from("127.0.0.2").update(UNKNOWN, query));
    // Whoever fails on purpose must not hold up the owner behind the same address.
    assert_eq!(service.call().line(&token, query), "good 10.0.0.1");
}

#[test]
fn a_stranger_can_neither_flood_the_log_nor_write_fields_of_his_own_into_it() {
    let service = Service::start();
    let mut caller = service.call();
    let began = std::time::Instant::now();
    let query = "hostname=flood.example%20outcome=%22good%22%20host=victim.example";
    for _ in 0..1000 {
        assert_ne!(caller.update(UNKNOWN, query).status, 200);
    }
    let log = logged();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("flood.example")).collect();
    assert!(!lines.is_empty());
    let most = 50 * (began.elapsed().as_secs() + 2);
    assert!((lines.len() as u64) < most, "{} lines", lines.len());
    let forged = |line: &&&str| line.contains("host=victim.example") || line.contains("\"good\"");
    assert_eq!(lines.iter().find(forged), None);
}

#[test]
fn a_page_of_another_site_cannot_update_with_credentials_that_the_browser_keeps() {
    let service = Service::start();
    let token = service.host("nas.own.example");
    let query = "hostname=nas.own.example&myip=10.6.6.6";
    for site in ["cross-site", "same-site"] {
        let lines = format!("Sec-Fetch-Site: {site}\r\nSec-Fetch-Mode: no-cors\r\n");
        let reply = service.call().ask(request(&token, query, &lines));
        assert_eq!(reply.body, "badagent\n", "{site}");
    }
    assert!(service.published("nas.own.example").is_empty());
    let typed = request(&token, query, "Sec-Fetch-Site: none\r\n");
    assert_eq!(service.call().ask(typed).body, "good 10.6.6.6\n");
}
