//! Connections: how long, how many, how large, and what cannot be smuggled.

use std::time::{Duration, Instant};

use crate::caller::request;
use crate::service::Service;

const IP: &str = "GET /ip HTTP/1.1\r\nHost: h\r\n\r\n";
/// Longest wait for what happens within a second.
const LATE: Duration = Duration::from_secs(20);

#[test]
fn keep_alive_and_pipelined_requests_are_answered_in_order() {
    let service = Service::start();
    let token = service.host("nas.own.example");
    let mut caller = service.call();
    assert_eq!(caller.ask(IP).status, 200);
    assert_eq!(caller.ask(IP).status, 200);
    let update =
        |address: &str| request(&token, &format!("hostname=nas.own.example&myip={address}"), "");
    let burst: String = (1..=20).map(|n| update(&format!("10.0.0.{n}"))).collect();
    caller.send(burst.as_bytes());
    for n in 1..=20 {
        assert_eq!(caller.reply().body, format!("good 10.0.0.{n}\n"));
    }
    assert_eq!(service.published("nas.own.example"), ["60 10.0.0.20"]);
    let last = caller.ask("GET /ip HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    assert_eq!(last.header("Connection"), Some("close"));
    assert_eq!(caller.rest(), "", "closed");
}

#[test]
fn http_1_0_is_closed_unless_it_asks_to_stay() {
    let service = Service::start();
    let mut caller = service.call();
    let reply = caller.ask("GET /ip HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    if reply.header("Connection") == Some("keep-alive") {
        assert_eq!(caller.ask("GET /ip HTTP/1.0\r\n\r\n").status, 200);
    }
    assert_eq!(caller.rest(), "", "closed");
}

#[test]
fn a_client_that_shuts_its_side_down_is_answered() {
    let service = Service::start();
    let token = service.host("nas.own.example");
    let mut caller = service.call();
    let query = |n: u8| format!("hostname=nas.own.example&myip=10.0.0.{n}");
    caller
        .send([request(&token, &query(1), ""), request(&token, &query(2), "")].concat().as_bytes());
    caller.shut();
    assert_eq!(caller.reply().body, "good 10.0.0.1\n");
    assert_eq!(caller.reply().body, "good 10.0.0.2\n");
    assert_eq!(caller.rest(), "", "closed");
}

#[test]
fn a_request_that_breaks_off_changes_nothing() {
    let service = Service::start();
    let token = service.host("nas.own.example");
    let whole = request(&token, "hostname=nas.own.example&myip=10.0.0.12", "");
    for cut in [whole.len() - 2, whole.len() - 3, whole.find("2 HTTP").expect("there")] {
        let mut caller = service.call();
        caller.send(&whole.as_bytes()[..cut]);
        caller.shut();
        assert!(!caller.rest().contains("good"), "cut at {cut}");
    }
    let body = "hostname=nas.own.example&myip=10.0.0.12";
    let post = whole.replacen("GET", "POST", 1).replace(
        "Host: h\r\n",
        "Host: h\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 60\r\n",
    );
    let mut caller = service.call();
    caller.send([post.as_bytes(), body.as_bytes()].concat().as_slice());
    caller.shut();
    assert!(caller.rest().starts_with("HTTP/1.1 400 "));
    assert!(service.published("nas.own.example").is_empty());
}

#[test]
fn slow_loris_is_closed() {
    let service = Service::start_with(|settings| {
        settings.request = Duration::from_millis(300);
        settings.idle = Duration::from_secs(60);
    });
    // Octet by octet, each well within any idle limit, until there is an answer.
    let mut caller = service.call();
    let began = Instant::now();
    caller.send(b"GET /ip HTTP/1.1\r\nX: ");
    while !caller.hears(Duration::from_millis(20)) && began.elapsed() < LATE {
        caller.try_send(b"x");
    }
    let all = caller.rest();
    assert!(all.starts_with("HTTP/1.1 408 "), "{all}");
    assert!(began.elapsed() < LATE, "{:?}", began.elapsed());
}

#[test]
fn slow_loris_does_not_hold_the_last_places() {
    let service = Service::start_with(|settings| {
        (settings.connections, settings.per_source) = (4, 4);
        settings.request = Duration::from_secs(600);
    });
    let mut held: Vec<_> = (0..4).map(|_| service.call()).collect();
    for caller in &mut held {
        caller.send(b"GET /ip HTTP/1.1\r\n");
    }
    let last = held.pop().map(|mut last| last.rest()).expect("a connection");
    assert!(last.starts_with("HTTP/1.1 408 "), "{last}");
}

#[test]
fn an_idle_connection_is_closed_without_a_word() {
    let service = Service::start_with(|settings| settings.idle = Duration::from_millis(200));
    let mut silent = service.call();
    assert_eq!(silent.rest(), "");
    let mut after_one = service.call();
    assert_eq!(after_one.ask(IP).status, 200);
    assert_eq!(after_one.rest(), "");
}

#[test]
fn one_source_gets_its_share_of_connections() {
    let service = Service::start_with(|settings| settings.per_source = 2);
    let mut open: Vec<_> = (0..2).map(|_| service.call()).collect();
    assert!(open.iter_mut().all(|caller| caller.ask(IP).status == 200));
    let mut third = service.call();
    third.try_send(IP.as_bytes());
    assert_eq!(third.rest(), "", "closed without an answer");
    assert_eq!(service.call_from("127.0.0.2").ask(IP).status, 200, "others are not held up");
    let mut freed = open.pop().expect("a connection");
    freed.shut();
    assert_eq!(freed.rest(), "");
    // The place is free as soon as the other side has noticed.
    let began = Instant::now();
    loop {
        let mut again = service.call();
        again.try_send(IP.as_bytes());
        if again.try_reply().is_some() {
            break;
        }
        assert!(began.elapsed() < LATE, "the place never became free");
    }
}

#[test]
fn connections_are_limited_in_all() {
    let service = Service::start_with(|settings| settings.connections = 2);
    let mut open: Vec<_> =
        ["127.0.0.2", "127.0.0.3"].iter().map(|from| service.call_from(from)).collect();
    assert!(open.iter_mut().all(|caller| caller.ask(IP).status == 200));
    let mut third = service.call_from("127.0.0.4");
    third.try_send(IP.as_bytes());
    assert_eq!(third.rest(), "");
}

#[test]
fn what_is_no_request_is_answered_and_the_connection_closed() {
    let service = Service::start();
    let long = "x".repeat(9000);
    for (octets, status) in [
        ("GET /ip HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned(), "501"),
        ("GET /ip HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n".to_owned(), "400"),
        ("POST /nic/update HTTP/1.1\r\nHost: h\r\nContent-Length: 99999\r\n\r\n".to_owned(), "413"),
        (format!("GET /{long} HTTP/1.1\r\n\r\n"), "414"),
        (format!("GET / HTTP/1.1\r\nX: {long}\r\n\r\n"), "431"),
        ("\0\0\0\0 HTTP/1.1\r\n\r\n".to_owned(), "400"),
    ] {
        let mut caller = service.call();
        caller.send(octets.as_bytes());
        let all = caller.rest();
        let shown = octets.get(..60).unwrap_or(&octets);
        assert!(all.starts_with(&format!("HTTP/1.1 {status} ")), "{shown}: {all}");
        assert!(all.contains("\r\nConnection: close\r\n"), "{shown}: {all}");
    }
}

#[test]
fn no_second_request_can_be_smuggled_behind_a_first() {
    let service = Service::start();
    let token = service.host("nas.own.example");
    let hidden = request(&token, "hostname=nas.own.example&myip=10.6.6.6", "");
    let length = hidden.len();
    let long = "Content-Length: 0\r\nContent-Length: 5\r\n";
    let outer = [
        // Two lengths, a length beside a coding, codings in disguise.
        format!("POST /ip HTTP/1.1\r\nHost: h\r\n{long}\r\n{hidden}"),
        format!(
            "POST /ip HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\
             Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}"
        ),
        format!(
            "POST /ip HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}"
        ),
        format!("POST /ip HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : x\r\n\r\n0\r\n\r\n{hidden}"),
        format!("POST /ip HTTP/1.1\r\nHost: h\r\nContent-Length: +0\r\n\r\n{hidden}"),
        format!("POST /ip HTTP/1.1\r\nHost: h\r\nContent-Length: 0,0\r\n\r\n{hidden}"),
        format!("POST /ip HTTP/1.1\r\nHost: h\r\nX: y\r\n Content-Length: 5\r\n\r\n{hidden}"),
        // Any tolerance costs the connection.
        format!("GET  /ip  HTTP/1.1\r\nHost: h\r\n\r\n{hidden}"),
        format!("GET /ip HTTP/1.1\nHost: h\n\n{hidden}"),
        format!("GET /ip HTTP/1.1\r\nHost : h\r\n\r\n{hidden}"),
        format!("get /ip HTTP/1.1\r\nHost: h\r\n\r\n{hidden}"),
        format!("GET /ip?a b HTTP/1.1\r\nHost: h\r\n\r\n{hidden}"),
        format!("GET /ip\r\n{hidden}"),
        // A body is a body.
        format!("POST /ip HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n{hidden}"),
    ];
    for octets in outer {
        let mut caller = service.call();
        caller.send(octets.as_bytes());
        caller.shut();
        let all = caller.rest();
        assert!(!all.contains("good"), "{octets}\n{all}");
        assert!(service.published("nas.own.example").is_empty(), "{octets}");
    }
    let mut caller = service.call();
    assert_eq!(caller.ask(hidden).body, "good 10.6.6.6\n", "alone it is taken");
}

#[test]
fn any_octets_are_survived_and_update_nothing() {
    let service = Service::start();
    let token = service.host("nas.own.example");
    let whole = request(&token, "hostname=nas.own.example&myip=10.6.6.6", "X-Y: z\r\n");
    let update = service.published("nas.own.example");
    // A linear congruential generator: the same octets in every run.
    let mut state = 7_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 8
    };
    for _ in 0..150 {
        let mut octets = whole.clone().into_bytes();
        // The token is damaged in any case, so that nothing may be changed.
        let secret = whole.find("Basic ").expect("credentials") + 20;
        octets[secret] = if octets[secret] == b'A' { b'B' } else { b'A' };
        for _ in 0..next() % 8 {
            let at = usize::try_from(next()).unwrap() % octets.len();
            match next() % 3 {
                0 => octets[at] = u8::try_from(next() % 256).unwrap(),
                1 => octets.truncate(at.max(1)),
                _ => octets.insert(at, u8::try_from(next() % 256).unwrap()),
            }
        }
        let mut caller = service.call();
        caller.try_send(&octets);
        caller.shut();
        let all = caller.rest();
        assert!(!all.contains("good"), "{:?}\n{all}", String::from_utf8_lossy(&octets));
    }
    assert_eq!(service.call().get("/healthz").status, 200);
    assert_eq!(service.published("nas.own.example"), update);
}

#[test]
fn stopping_closes_what_is_idle_and_listens_no_more() {
    let mut service = Service::start();
    let token = service.host("nas.own.example");
    let mut idle = service.call();
    assert_eq!(idle.ask(IP).status, 200);
    let mut busy = service.call();
    assert_eq!(busy.ask(IP).status, 200);
    let address = service.address();
    busy.send(request(&token, "hostname=nas.own.example&myip=10.0.0.1", "").as_bytes());
    assert_eq!(busy.reply().body, "good 10.0.0.1\n");
    service.close(Duration::from_secs(5));
    assert_eq!(idle.rest(), "");
    assert_eq!(busy.rest(), "");
    assert!(std::net::TcpStream::connect(address).is_err(), "nobody listens");
}

#[test]
fn stopping_waits_for_a_request_under_way_but_not_for_ever() {
    let mut service = Service::start();
    let token = service.host("nas.own.example");
    let whole = request(&token, "hostname=nas.own.example&myip=10.0.0.1", "");
    let (first, second) = whole.split_at(40);
    let (mut finished, mut never) = (service.call(), service.call());
    for caller in [&mut finished, &mut never] {
        // One piece: once the first request is answered, the beginning of the second was read.
        assert_eq!(caller.ask(format!("{IP}{first}")).status, 200);
    }
    std::thread::scope(|scope| {
        let closing = scope.spawn(|| {
            let began = Instant::now();
            service.close(Duration::from_secs(2));
            began.elapsed()
        });
        finished.send(second.as_bytes());
        let answer = finished.reply();
        assert_eq!(answer.body, "good 10.0.0.1\n");
        let took = closing.join().expect("an end");
        assert!(took < Duration::from_secs(10), "{took:?}");
    });
    assert!(never.rest().starts_with("HTTP/1.1 408 "));
}
