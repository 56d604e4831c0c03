//! Opening and closing the doors, and what is counted.

use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use metrics_exporter_prometheus::PrometheusBuilder;
use server::{ListenError, Served, Server, Settings};
use socket2::{Domain, Socket, Type};
use tokio::runtime::Runtime;
use wire::Rtype;

use crate::raw::{opcode, query, summary};
use crate::world::{PATIENCE, ask_tcp, ask_udp, ends, framed, next_answer, open, zones};

fn www() -> Vec<u8> {
    query("www.t.example", Rtype::A)
}

fn start(address: SocketAddr, runtime: &Runtime) -> Result<Server, ListenError> {
    let settings = Settings { addresses: vec![address], workers: 2, ..Settings::default() };
    Server::start(&settings, &Served::new(zones()), runtime.handle())
}

#[test]
fn port_0_gives_the_same_port_for_udp_and_tcp() {
    let world = open(&["127.0.0.1:0", "[::1]:0", "0.0.0.0:0", "[::]:0"], |_| ());
    for address in world.server.addresses() {
        let local = if address.is_ipv4() { "127.0.0.1" } else { "::1" };
        let address = SocketAddr::new(local.parse().expect("an address"), address.port());
        assert_ne!(address.port(), 0);
        let answer = ask_udp(address, &www());
        assert_eq!(answer, ask_tcp(&mut crate::world::connect(address), &www()), "{address}");
    }
}

#[test]
fn both_wildcards_share_a_port() {
    let first = open(&["0.0.0.0:0"], |_| ());
    let port = first.address().port();
    let second = open(&[&format!("[::]:{port}")], |_| ());
    let v4 = SocketAddr::new("127.0.0.1".parse().expect("an address"), port);
    let v6 = SocketAddr::new("::1".parse().expect("an address"), port);
    assert_eq!(ask_udp(v4, &www()), ask_udp(v6, &www()));
    drop(second);
}

#[test]
fn a_second_service_on_the_same_port_is_refused_and_takes_no_query() {
    let world = open(&["127.0.0.1:0"], |_| ());
    let refused = start(world.address(), &world.runtime).expect_err("the port is taken");
    assert_eq!(refused.why.kind(), ErrorKind::AddrInUse);
    let text = refused.to_string();
    let begin = format!("cannot listen for DNS at {}: ", world.address());
    assert!(text.starts_with(&begin) && text.contains("in use"), "{text}");
    for _ in 0..50 {
        assert_eq!(summary(&ask_udp(world.address(), &www())), "NOERROR qr aa 1/1/0/0");
    }
}

#[test]
fn a_port_that_another_service_would_share_is_refused() {
    let runtime = Runtime::new().expect("a runtime");
    // SO_REUSEPORT lets every process of a user join: then queries would be spread over both.
    let other = Socket::new(Domain::IPV4, Type::DGRAM, None).expect("a socket");
    other.set_reuse_port(true).expect("an option");
    let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
    other.bind(&any.into()).expect("bound");
    let other = UdpSocket::from(other);
    let refused = start(other.local_addr().expect("an address"), &runtime);
    assert_eq!(refused.expect_err("the port is taken").why.kind(), ErrorKind::AddrInUse);
}

#[test]
fn a_port_of_one_worker_is_shared_with_nobody() {
    let world = open(&["127.0.0.1:0"], |settings| settings.workers = 1);
    let other = Socket::new(Domain::IPV4, Type::DGRAM, None).expect("a socket");
    other.set_reuse_port(true).expect("an option");
    let refused = other.bind(&world.address().into()).expect_err("the port is taken");
    assert_eq!(refused.kind(), ErrorKind::AddrInUse);
}

#[test]
fn a_port_that_only_tcp_has_taken_is_refused() {
    let runtime = Runtime::new().expect("a runtime");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let address = taken.local_addr().expect("an address");
    let refused = start(address, &runtime).expect_err("the port is taken");
    assert_eq!((refused.address, refused.why.kind()), (address, ErrorKind::AddrInUse));
    UdpSocket::bind(address).expect("UDP was left alone");
}

#[test]
fn an_address_that_is_not_ours_is_refused() {
    let runtime = Runtime::new().expect("a runtime");
    let refused = start("192.0.2.1:0".parse().expect("an address"), &runtime);
    assert_eq!(refused.expect_err("not ours").why.kind(), ErrorKind::AddrNotAvailable);
}

#[test]
fn stop_ends_workers_and_connections_and_frees_the_port() {
    let mut world = open(&["127.0.0.1:0"], |_| ());
    let address = world.address();
    let mut idle = world.connect();
    let mut begun = world.connect();
    begun.write_all(&[0]).expect("sent");
    assert_eq!(summary(&ask_tcp(&mut world.connect(), &www())), "NOERROR qr aa 1/1/0/0");
    world.server.stop();
    let closing = async { tokio::time::timeout(PATIENCE, world.server.closed()).await };
    world.runtime.block_on(closing).expect("closed in time");
    assert!(ends(&mut idle) && ends(&mut begun));
    assert_eq!(
        TcpStream::connect(address).expect_err("closed").kind(),
        ErrorKind::ConnectionRefused
    );
    let mut again = start(address, &world.runtime).expect("the port is free");
    assert_eq!(summary(&ask_udp(address, &www())), "NOERROR qr aa 1/1/0/0");
    again.stop();
    UdpSocket::bind(address).expect("the port is free again");
}

#[test]
fn stop_lets_an_answer_on_its_way_reach_its_reader() {
    let mut world = open(&["127.0.0.1:0"], |_| ());
    let mut stream = world.connect();
    // More than the buffers of both sides hold, so that the last ones wait for us to read.
    let huge = framed(&query("huge.t.example", Rtype::TXT));
    let mut writer = stream.try_clone().expect("the same connection");
    let writing = std::thread::spawn(move || (0..200).all(|_| writer.write_all(&huge).is_ok()));
    assert!(next_answer(&mut stream).is_some());
    world.server.stop();
    let closed = world.server.closed();
    let reading = std::thread::spawn(move || {
        let mut answers = 1;
        while next_answer(&mut stream).is_some() {
            answers += 1;
        }
        answers
    });
    let closing = async { tokio::time::timeout(PATIENCE, closed).await };
    world.runtime.block_on(closing).expect("closed in time");
    // Every answer that came was whole; the rest of the queries was not read any more.
    assert!(reading.join().expect("whole answers") >= 1);
    writing.join().expect("a thread that ended");
}

#[test]
fn dropping_the_server_ends_connections_too() {
    let world = open(&["127.0.0.1:0"], |_| ());
    let mut idle = world.connect();
    drop(world.server);
    assert!(ends(&mut idle));
    drop(world.runtime);
}

#[test]
fn readiness_is_seen_at_once() {
    let runtime = Runtime::new().expect("a runtime");
    let ready = Arc::new(AtomicBool::new(false));
    let served = Served { ready: Arc::clone(&ready), ..Served::new(zones()) };
    let settings = Settings {
        addresses: vec!["127.0.0.1:0".parse().expect("an address")],
        ..Settings::default()
    };
    let server = Server::start(&settings, &served, runtime.handle());
    let server = server.expect("open doors");
    let address = *server.addresses().first().expect("an address");
    let mut stream = crate::world::connect(address);
    assert_eq!(summary(&ask_udp(address, &www())), "SERVFAIL qr 1/0/0/0");
    assert_eq!(summary(&ask_tcp(&mut stream, &www())), "SERVFAIL qr 1/0/0/0");
    ready.store(true, Ordering::Relaxed);
    assert_eq!(summary(&ask_udp(address, &www())), "NOERROR qr aa 1/1/0/0");
    assert_eq!(summary(&ask_tcp(&mut stream, &www())), "NOERROR qr aa 1/1/0/0");
}

#[test]
fn what_was_asked_and_answered_is_published_as_metrics() {
    let world = open(&["127.0.0.1:0"], |settings| settings.tcp_per_source = 1);
    let address = world.address();
    let mut update = www();
    update[2] |= u8::try_from(opcode(5) >> 8).expect("one octet");
    let mut stream = world.connect();
    for _ in 0..3 {
        ask_udp(address, &www());
        ask_tcp(&mut stream, &query("t.example", Rtype::SOA));
    }
    ask_udp(address, &query("other.example", Rtype::AAAA));
    ask_udp(address, &query("no.t.example", Rtype::TXT));
    ask_udp(address, &update);
    assert!(ends(&mut world.connect()), "one connection for each source");
    let mut response = www();
    response[2] |= 0x80;
    stream.write_all(&framed(&response)).expect("sent");
    assert!(ends(&mut stream));
    let recorder = PrometheusBuilder::new().build_recorder();
    metrics::with_local_recorder(&recorder, || world.server.publish());
    let text = recorder.handle().render();
    for line in [
        r#"byname_dns_answers_total{transport="udp",rcode="NOERROR"} 3"#,
        r#"byname_dns_answers_total{transport="tcp",rcode="NOERROR"} 3"#,
        r#"byname_dns_answers_total{transport="udp",rcode="REFUSED"} 1"#,
        r#"byname_dns_answers_total{transport="udp",rcode="NXDOMAIN"} 1"#,
        r#"byname_dns_answers_total{transport="udp",rcode="NOTIMP"} 1"#,
        r#"byname_dns_queries_total{type="A"} 3"#,
        r#"byname_dns_queries_total{type="AAAA"} 1"#,
        r#"byname_dns_queries_total{type="SOA"} 3"#,
        r#"byname_dns_queries_total{type="NS"} 0"#,
        r#"byname_dns_queries_total{type="other"} 1"#,
        "byname_dns_silenced_total 1",
        "byname_dns_failed_sends_total 0",
        "byname_dns_udp_dropped_total 0",
        "byname_dns_connections_total 1",
        "byname_dns_refused_connections_total 1",
    ] {
        assert!(text.lines().any(|published| published == line), "{line} in\n{text}");
    }
}
