//! Where an update comes from, with proxies and with liars in between.

use crate::caller::{Caller, request};
use crate::service::Service;

const PROXY: &str = "127.0.0.7";

fn behind_a_proxy(required: bool) -> (Service, String) {
    let service = Service::start_with(|settings| {
        settings.trusted_proxies = vec![PROXY.parse().expect("a network")];
        // So that tokens in clear are not slowed down.
        settings.trusted_networks = vec!["10.0.0.0/8".parse().expect("a network")];
        settings.proxy_protocol = required;
        settings.per_source = 3;
    });
    let token = service.host("nas.own.example");
    (service, token)
}

/// A PROXY header of version 2 for a connection of this IPv4 address.
fn proxy_v2(source: [u8; 4]) -> Vec<u8> {
    let mut octets = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
    octets.extend(source);
    octets.extend([127, 0, 0, 1, 0x30, 0x39, 0, 80]);
    octets
}

/// Sends an update without an address; the source is published.
fn update(mut caller: Caller, token: &str, lines: &str) -> String {
    caller.ask(request(token, "hostname=nas.own.example", lines)).body
}

#[test]
fn forwarded_for_counts_from_a_trusted_proxy_only() {
    let (service, token) = behind_a_proxy(false);
    let steps = [
        (PROXY, "X-Forwarded-For: 10.1.1.1\r\n", "good 10.1.1.1\n"),
        (PROXY, "X-Forwarded-For: 10.9.9.9, 10.1.1.2\r\n", "good 10.1.1.2\n"),
        // A client that sends the field itself, and a proxy that adds one of its own behind it.
        (PROXY, "X-Forwarded-For: 10.9.9.9\r\nX-Forwarded-For: 10.1.1.3\r\n", "good 10.1.1.3\n"),
        (PROXY, "X-Forwarded-For: 10.1.1.4, 127.0.0.7\r\n", "good 10.1.1.4\n"),
        (PROXY, "X-Forwarded-For: 10.1.1.5, unknown\r\n", "911\n"),
        (PROXY, "", "911\n"),
        ("127.0.0.8", "X-Forwarded-For: 10.9.9.9\r\n", "911\n"),
        ("127.0.0.8", "X-Real-IP: 10.9.9.9\r\n", "911\n"),
        ("127.0.0.8", "", "good 127.0.0.8\n"),
    ];
    for (from, lines, answer) in steps {
        let before = service.published("nas.own.example");
        assert_eq!(update(service.call_from(from), &token, lines), answer, "{from} {lines}");
        match answer.strip_prefix("good ") {
            Some(address) => {
                let published = format!("60 {}", address.trim_end());
                assert_eq!(service.published("nas.own.example"), [published]);
            }
            None => assert_eq!(service.published("nas.own.example"), before, "{from} {lines}"),
        }
    }
}

#[test]
fn an_unknown_source_is_told_no_address() {
    let (service, _) = behind_a_proxy(false);
    for from in [PROXY, "127.0.0.8"] {
        let request = "GET /ip HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: nonsense\r\n\r\n";
        let reply = service.call_from(from).ask(request);
        assert_eq!(reply.status, 503, "{}", reply.body);
        assert!(!reply.body.contains("127."), "{}", reply.body);
    }
}

#[test]
fn proxy_v2_names_the_source_of_a_connection() {
    for required in [false, true] {
        let (service, token) = behind_a_proxy(required);
        let mut caller = service.call_from(PROXY);
        caller.send(&proxy_v2([10, 1, 1, 1]));
        assert_eq!(update(caller, &token, ""), "good 10.1.1.1\n");
        // What the client says of itself does not count.
        let mut caller = service.call_from(PROXY);
        caller.send(&proxy_v2([10, 1, 1, 2]));
        assert_eq!(update(caller, &token, "X-Forwarded-For: 10.9.9.9\r\n"), "911\n");
        // In one piece with the request, and octet by octet.
        let whole = [proxy_v2([10, 1, 1, 3]), request(&token, "", "").into_bytes()].concat();
        assert_eq!(service.call_from(PROXY).ask(&whole).body, "good 10.1.1.3\n");
        let mut caller = service.call_from(PROXY);
        for octet in whole {
            caller.send(&[octet]);
        }
        assert_eq!(caller.reply().body, "nochg 10.1.1.3\n");
    }
}

#[test]
fn proxy_v2_of_a_stranger_is_refused() {
    let (service, token) = behind_a_proxy(false);
    let mut caller = service.call_from("127.0.0.8");
    caller.send(&proxy_v2([10, 9, 9, 9]));
    caller.try_send(request(&token, "hostname=nas.own.example", "").as_bytes());
    let all = caller.rest();
    assert!(all.starts_with("HTTP/1.1 400 "), "{all}");
    assert!(!all.contains("good"), "{all}");
    assert!(service.published("nas.own.example").is_empty());
}

#[test]
fn proxy_header_is_required_where_it_is_set_up_and_version_1_never_taken() {
    let (service, token) = behind_a_proxy(true);
    let plain = request(&token, "hostname=nas.own.example", "X-Forwarded-For: 10.1.1.1\r\n");
    assert_eq!(service.call_from(PROXY).ask(&plain).status, 400);
    let v1 = format!("PROXY TCP4 10.1.1.1 127.0.0.1 12345 80\r\n{plain}");
    for from in [PROXY, "127.0.0.8"] {
        assert_eq!(service.call_from(from).ask(&v1).status, 400, "{from}");
    }
    assert!(service.published("nas.own.example").is_empty());
    // Others speak HTTP at once.
    assert_eq!(update(service.call_from("127.0.0.8"), &token, ""), "good 127.0.0.8\n");
}

#[test]
fn connections_are_counted_for_the_client_behind_a_proxy() {
    let (service, _) = behind_a_proxy(false);
    let call = |source: [u8; 4]| {
        let mut caller = service.call_from(PROXY);
        caller.send(&proxy_v2(source));
        caller.try_send(b"GET /ip HTTP/1.1\r\nHost: h\r\n\r\n");
        let reply = caller.try_reply();
        (caller, reply.map(|reply| reply.status))
    };
    let open: Vec<_> = (0..3).map(|_| call([10, 1, 1, 1])).collect();
    assert!(open.iter().all(|(_, status)| *status == Some(200)));
    assert_eq!(call([10, 1, 1, 1]).1, None, "that client has all its places");
    assert_eq!(call([10, 1, 1, 2]).1, Some(200), "others are not held up");
}
