//! Connections between the update languages and the API.

use std::time::Duration;

use serde_json::json;

use crate::caller::Ask;
use crate::service::Service;

#[test]
fn one_connection_speaks_both_languages_in_turn() {
    let service = Service::start();
    let device = service.host_of("cam.own.example", None);
    let token = service.operator();
    let mut caller = service.call();
    let update = |last: u8| {
        let path = format!("/nic/update?hostname=cam.own.example&myip=192.0.2.{last}");
        Ask::new("GET", &path).token(&device)
    };
    let who = Ask::new("GET", "/v1/whoami").token(&token);
    for last in 1..4 {
        assert_eq!(caller.ask(&update(last)).text(), format!("good 192.0.2.{last}\n"));
        assert_eq!(caller.ask(&Ask::new("GET", "/ip")).text(), "127.0.0.1\n");
        assert_eq!(caller.ask(&who).status, 200);
        let form = format!("hostname=cam.own.example&myip=192.0.2.{last}");
        let post = Ask::new("POST", "/nic/update").token(&device);
        let post = post.body("application/x-www-form-urlencoded", form);
        assert_eq!(caller.ask(&post).text(), format!("nochg 192.0.2.{last}\n"));
    }
    let head = caller.ask(&Ask::new("HEAD", "/v1/health"));
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(caller.ask(&Ask::new("GET", "/nothing")).status, 404);
    assert_eq!(caller.ask(&Ask::new("GET", "/v1/nothing")).problem(), "not-found");
    assert_eq!(caller.ask(&Ask::new("GET", "/api/v1/servers/x")).problem(), "not-found");
    let other = caller.ask(&Ask::new("PUT", "/v1/health"));
    assert_eq!(
        (other.problem().as_str(), other.field("allow")),
        ("method-not-allowed", Some("GET, HEAD"))
    );
}

#[test]
fn requests_in_a_row_and_in_pieces_are_answered_in_order() {
    let service = Service::start();
    let mut caller = service.call();
    let health = "GET /v1/health HTTP/1.1\r\nHost: h\r\n\r\n";
    let ip = "GET /ip HTTP/1.1\r\nHost: h\r\n\r\n";
    caller.send(format!("{ip}{health}{ip}{health}").as_bytes());
    for is_health in [false, true, false, true] {
        assert_eq!(caller.reply(false).text().contains("ready"), is_health);
    }
    let mut caller = service.call();
    for octet in health.as_bytes() {
        caller.send(&[*octet]);
    }
    assert_eq!(caller.reply(false).json()["ready"], true);
    // Half a connection is enough for an answer.
    let mut caller = service.call();
    caller.send(health.as_bytes());
    caller.shut();
    assert_eq!(caller.reply(false).status, 200);
    assert!(caller.is_closed());
}

#[test]
fn times_of_the_door_hold() {
    let short = Duration::from_millis(200);
    let service = Service::start_with(|settings| {
        (settings.idle, settings.request) = (short, short);
    });
    let token = service.operator();
    // Idle, within a head, within a body: closed each time.
    let mut idle = service.call();
    assert_eq!(idle.ask(&Ask::new("GET", "/v1/health")).status, 200);
    assert!(idle.is_closed());
    let mut slow = service.call();
    slow.send(b"GET /v1/health HTTP/1.1\r\nHo");
    assert!(slow.try_reply(false).is_none_or(|reply| reply.status == 408));
    let mut slow = service.call();
    slow.send(format!("POST /v1/hosts HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{{").as_bytes());
    assert_eq!(slow.reply(false).problem(), "request-timeout");
}

#[test]
fn places_are_kept_for_the_whole_connection() {
    let service = Service::start_with(|settings| settings.per_source = 2);
    let mut first = service.call();
    let mut second = service.call();
    for caller in [&mut first, &mut second] {
        assert_eq!(caller.ask(&Ask::new("GET", "/v1/health")).status, 200);
    }
    assert!(service.call().is_closed());
    assert_eq!(service.call_from("127.0.0.2").ask(&Ask::new("GET", "/v1/health")).status, 200);
}

#[test]
fn bodies_are_bounded_and_of_the_right_kind() {
    let service = Service::start();
    let token = service.operator();
    let post = || Ask::new("POST", "/v1/hosts").token(&token);
    let large = post().body("application/json", vec![b' '; 300 * 1024]);
    assert_eq!(service.call().ask(&large).problem(), "too-large");
    for (media_type, kind) in [
        ("text/plain", "unsupported-media-type"),
        ("application/json; charset=utf-8", "invalid"),
        ("APPLICATION/JSON", "invalid"),
    ] {
        let reply = service.call().ask(&post().body(media_type, "{}"));
        assert_eq!(reply.problem(), kind, "{media_type}");
    }
    let packed = post().with("Content-Encoding", "gzip").json(&json!({}));
    assert_eq!(service.call().ask(&packed).problem(), "unsupported-media-type");
    let bare = Ask::new("GET", "/v1/whoami").token(&token).json(&json!({}));
    assert_eq!(service.call().ask(&bare).problem(), "too-large");
    // In chunks, whose sum is not told before.
    let mut caller = service.call();
    let head = format!(
        "POST /v1/hosts HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    caller.send(head.as_bytes());
    let body = json!({ "name": "cam.own.example" }).to_string();
    caller.send(format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()).as_bytes());
    assert_eq!(caller.reply(false).status, 201);
}

/// What was begun is answered when the door closes.
#[test]
fn closing_door_answers_what_was_begun() {
    let mut service = Service::start();
    let mut busy = service.call();
    busy.send(b"GET /v1/health HTTP/1.1\r\nHost: h\r\n");
    let mut idle = service.call();
    assert_eq!(idle.ask(&Ask::new("GET", "/v1/health")).status, 200);
    let closing = std::thread::scope(|scope| {
        let closing = scope.spawn(|| service.close(Duration::from_secs(20)));
        assert!(idle.is_closed());
        busy.send(b"\r\n");
        let reply = busy.try_reply(false);
        closing.join().expect("an end");
        reply
    });
    assert_eq!(closing.map(|reply| reply.status), Some(200));
}
