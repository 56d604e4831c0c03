//! Datagrams through real sockets.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use wire::Rtype;

use crate::raw::{opt, query, query_with, read, summary, with_id};
use crate::world::{PATIENCE, ask_tcp, ask_udp, connect, open};

const ANSWERED: &str = "NOERROR qr aa 1/1/0/0";

#[test]
fn answers_on_ipv4_and_ipv6() {
    let world = open(&["127.0.0.1:0", "[::1]:0"], |_| ());
    for &address in world.server.addresses() {
        let answer = ask_udp(address, &query("www.t.example", Rtype::A));
        assert_eq!(summary(&answer), ANSWERED, "{address}");
    }
}

#[test]
fn a_wildcard_socket_answers_from_the_address_that_was_asked() {
    let world = open(&["0.0.0.0:0", "[::]:0"], |_| ());
    let [v4, v6] = world.server.addresses() else { panic!("two addresses") };
    for (asked, port) in [
        ("127.0.0.1", v4.port()),
        ("127.0.0.2", v4.port()),
        ("127.0.0.3", v4.port()),
        ("127.9.9.9", v4.port()),
        ("::1", v6.port()),
    ] {
        let address = SocketAddr::new(asked.parse::<IpAddr>().expect("an address"), port);
        // The asking socket is connected: it takes answers from no other address.
        let answer = ask_udp(address, &query("www.t.example", Rtype::A));
        assert_eq!(summary(&answer), ANSWERED, "{asked}");
        let answer = ask_tcp(&mut connect(address), &query("www.t.example", Rtype::A));
        assert_eq!(summary(&answer), ANSWERED, "{asked}");
    }
}

#[test]
fn rfc7766_5_a_truncated_answer_comes_whole_over_tcp() {
    let world = open(&["127.0.0.1:0"], |_| ());
    for (qname, records) in [("big.t.example", 12), ("huge.t.example", 240)] {
        let asked = query_with(qname, Rtype::TXT, opt(4096));
        let cut = read(&ask_udp(world.address(), &asked));
        assert_eq!((cut.metadata.truncation, cut.answers.len()), (true, 0));
        let whole = read(&ask_tcp(&mut world.connect(), &asked));
        assert_eq!((whole.metadata.truncation, whole.answers.len()), (false, records));
    }
}

#[test]
fn a_query_of_many_octets_is_read_whole() {
    let world = open(&["127.0.0.1:0", "0.0.0.0:0"], |_| ());
    for &address in world.server.addresses() {
        let address = SocketAddr::new("127.0.0.1".parse().expect("an address"), address.port());
        for padding in [4_000, 4_096, 9_000, 60_000] {
            let padding = vec![0; padding];
            let opt = crate::raw::opt_with(1232, 0, &[(12, &padding)]);
            let answer = ask_udp(address, &query_with("www.t.example", Rtype::A, opt));
            assert_eq!(summary(&answer), "NOERROR qr aa 1/1/0/0 opt1232");
        }
    }
}

#[test]
fn a_burst_of_10_000_queries_from_many_ports_is_answered_each_under_its_id() {
    let world = open(&["127.0.0.1:0"], |_| ());
    // So many are on their way at once that no buffer of the system overflows.
    const AT_ONCE: u16 = 100;
    let asked = query("www.t.example", Rtype::A);
    for round in 0..10_000 / AT_ONCE {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        socket.connect(world.address()).expect("a route");
        let ids = round * AT_ONCE..(round + 1) * AT_ONCE;
        for id in ids.clone() {
            socket.send(&with_id(&asked, id)).expect("sent");
        }
        let mut answered = HashSet::new();
        let mut buffer = [0; 1232];
        for _ in ids.clone() {
            let length = socket.recv(&mut buffer).expect("an answer");
            let answer = read(buffer.get(..length).expect("what was received"));
            assert_eq!(answer.answers.len(), 1);
            assert!(answered.insert(answer.metadata.id), "answered once");
        }
        assert_eq!(answered, ids.collect());
    }
}

#[test]
fn garbage_never_ends_a_worker() {
    let world = open(&["127.0.0.1:0"], |settings| settings.workers = 1);
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let garbage = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..64),
        proptest::collection::vec(any::<u8>(), 0..1500),
        // A header, so that it is read further.
        proptest::collection::vec(0..4_u8, 12..80),
    ];
    let mut runner = TestRunner::new(Config { cases: 3_000, ..Config::default() });
    runner
        .run(&garbage, |octets| {
            socket.send_to(&octets, world.address()).expect("sent");
            Ok(())
        })
        .expect("all sent");
    let answer = ask_udp(world.address(), &query("www.t.example", Rtype::A));
    assert_eq!(summary(&answer), ANSWERED);
}

#[test]
fn a_response_is_never_answered() {
    let world = open(&["127.0.0.1:0"], |settings| settings.workers = 1);
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let mut response = query("www.t.example", Rtype::A);
    response[2] |= 0x80;
    socket.send_to(&response, world.address()).expect("sent");
    socket.send_to(&with_id(&query("www.t.example", Rtype::A), 7), world.address()).expect("sent");
    let mut buffer = [0; 1232];
    let length = socket.recv(&mut buffer).expect("an answer");
    // One worker answers in order: what comes first belongs to the second message.
    assert_eq!(read(&buffer[..length]).metadata.id, 7);
}
