//! What is kept of updates: lines in the log, never a secret.

use node::admin::Command;

use crate::caller::{basic, request};
use crate::service::{Service, logged};

#[test]
fn the_log_has_a_line_for_each_host_and_never_a_token() {
    let service = Service::start();
    let token = service.host("logged.own.example");
    let mut caller = service.call();
    let query = "hostname=logged.own.example,gone.own.example&myip=10.0.0.1";
    caller.ask(request(&token, query, "User-Agent: probe/7\r\n"));
    // Tokens where they do not belong, each on a connection of its own.
    let auth = basic(&token);
    for octets in [
        format!("GET /nic/update?hostname=logged.own.example&password={token} HTTP/1.1\r\n\r\n"),
        format!("GET http://x:{token}@h/nic/update?hostname=logged.own.example HTTP/1.1\r\n\r\n"),
        format!("GET /nic/update?hostname={token}.own.example HTTP/1.1\r\nHost: h\r\n\r\n"),
        request(&token, &format!("hostname={token}"), &format!("User-Agent: {token}\r\n")),
        request(&token, &format!("hostname={token}.example,%00x&myip=%0a{token}"), ""),
        format!("GET /{token} HTTP/1.1\r\nHost: {token}\r\n\r\n"),
        format!("{token}\r\n"),
        format!("GET / HTTP/1.1\r\nTransfer-Encoding: {token}\r\n\r\n"),
    ] {
        let mut caller = service.call();
        caller.send(octets.as_bytes());
        caller.shut();
        caller.rest();
    }
    let log = logged();
    let line = |host: &str, outcome: &str| {
        let mut lines = log.lines().filter(|line| line.contains(host) && line.contains(outcome));
        let line = lines.next().unwrap_or_else(|| panic!("no line for {host}: {log}"));
        assert!(line.contains("127.0.0.1") && line.contains("probe/7"), "{line}");
        assert!(line.contains("INFO"), "{line}");
    };
    line("host=logged.own.example", "outcome=\"good\"");
    line("host=gone.own.example", "outcome=\"nohost\"");
    for secret in [&*token, &token.to_lowercase(), &auth] {
        assert!(!log.contains(secret), "a secret in the log");
    }
}

#[test]
fn a_token_seen_in_clear_from_afar_is_marked_once_and_slowed_down() {
    let service = Service::start_with(|settings| {
        settings.trusted_proxies = vec!["127.0.0.7".parse().expect("a network")];
        settings.trusted_networks = vec!["10.9.0.0/16".parse().expect("a network")];
    });
    let token = service.host("nas.own.example");
    let exposed = || {
        let directory = service.node().live().directory();
        directory.tokens().first().expect("a token").exposed
    };
    let update = |address: &str, lines: &str| {
        let query = format!("hostname=nas.own.example&myip={address}");
        let reply = service.call_from("127.0.0.7").ask(request(&token, &query, lines));
        (reply.status, reply.body)
    };
    let good = |address: &str| (200, format!("good {address}\n"));

    let far = "X-Forwarded-For: 8.8.8.8\r\n";
    let encrypted = "X-Forwarded-For: 8.8.8.8\r\nX-Forwarded-Proto: https\r\n";
    assert_eq!(update("9.9.9.1", encrypted), good("9.9.9.1"));
    assert_eq!(update("9.9.9.2", "X-Forwarded-For: 10.9.8.7\r\n"), good("9.9.9.2"));
    assert_eq!(exposed(), None, "encrypted, or from a trusted network");

    assert_eq!(update("9.9.9.3", far), good("9.9.9.3"), "the update itself is done");
    let marked = exposed();
    assert!(marked.is_some());
    let paced = update("9.9.9.4", far);
    assert_eq!(paced, (503, "911\n".to_owned()), "one change a minute");
    assert_eq!(update("9.9.9.3", far), (200, "nochg 9.9.9.3\n".to_owned()), "that is no change");
    assert_eq!(service.published("nas.own.example"), ["60 9.9.9.3"]);
    assert_eq!(exposed(), marked, "marked once");
}

#[test]
fn a_wrong_token_in_clear_marks_nothing_and_writes_nothing() {
    let service = Service::start_with(|settings| {
        settings.trusted_proxies = vec!["127.0.0.7".parse().expect("a network")];
    });
    service.host("nas.own.example");
    let position = || service.order(Command::Check { head: None })["position"].clone();
    let before = position();
    for _ in 0..5 {
        let far = "X-Forwarded-For: 8.8.8.8\r\n";
        let reply = service.call_from("127.0.0.7").ask(request("byn_wrong", "hostname=x.y", far));
        assert_eq!(reply.status, 401);
    }
    assert_eq!(position(), before);
}
