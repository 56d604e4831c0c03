//! Connections through real sockets (RFC 7766).

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};
use wire::Rtype;

use crate::raw::{query, read, summary, with_id};
use crate::world::{PATIENCE, World, ask_tcp, connect, ends, framed, next_answer, open};

const ANSWERED: &str = "NOERROR qr aa 1/1/0/0";

fn one() -> World {
    open(&["127.0.0.1:0"], |_| ())
}

/// A connection that is given up soon when nothing is said.
fn impatient() -> World {
    open(&["127.0.0.1:0"], |settings| settings.tcp_idle = Duration::from_millis(300))
}

fn www() -> Vec<u8> {
    query("www.t.example", Rtype::A)
}

#[test]
fn rfc7766_6_2_1_pipelined_queries_in_one_segment_are_answered_in_order() {
    let world = one();
    let mut stream = world.connect();
    let burst: Vec<u8> = (0..1_000).flat_map(|id| framed(&with_id(&www(), id))).collect();
    stream.write_all(&burst).expect("sent");
    for id in 0..1_000 {
        let answer = next_answer(&mut stream).expect("an answer");
        assert_eq!(read(&answer).metadata.id, id);
    }
}

#[test]
fn rfc7766_6_2_1_answers_of_more_octets_than_are_composed_at_once_all_come() {
    let world = one();
    let mut stream = world.connect();
    let huge = query("huge.t.example", Rtype::TXT);
    let burst: Vec<u8> = (0..20).flat_map(|id| framed(&with_id(&huge, id))).collect();
    stream.write_all(&burst).expect("sent");
    stream.shutdown(Shutdown::Write).expect("half closed");
    for id in 0..20 {
        let answer = read(&next_answer(&mut stream).expect("an answer"));
        assert_eq!((answer.metadata.id, answer.answers.len()), (id, 240));
    }
    assert!(ends(&mut stream));
}

#[test]
fn rfc7766_8_messages_may_come_octet_by_octet() {
    let world = one();
    let mut stream = world.connect();
    stream.set_nodelay(true).expect("no delay");
    for octet in framed(&www()) {
        stream.write_all(&[octet]).expect("sent");
    }
    assert_eq!(summary(&next_answer(&mut stream).expect("an answer")), ANSWERED);
}

#[test]
fn rfc7766_8_messages_may_be_split_anywhere() {
    let world = one();
    let mut stream = world.connect();
    stream.set_nodelay(true).expect("no delay");
    let two = [framed(&www()), framed(&with_id(&www(), 2))].concat();
    for at in 1..two.len() {
        let (first, second) = two.split_at(at);
        stream.write_all(first).expect("sent");
        stream.write_all(second).expect("sent");
        assert_eq!(summary(&next_answer(&mut stream).expect("an answer")), ANSWERED, "{at}");
        assert_eq!(read(&next_answer(&mut stream).expect("another")).metadata.id, 2, "{at}");
    }
}

#[test]
fn rfc7766_6_1_1_answers_and_their_length_come_without_delay() {
    let world = one();
    let mut stream = world.connect();
    let mut times: Vec<Duration> = (0..100)
        .map(|_| {
            let begin = Instant::now();
            assert_eq!(summary(&ask_tcp(&mut stream, &www())), ANSWERED);
            begin.elapsed()
        })
        .collect();
    times.sort();
    // Most would take 40 ms if acknowledgements were waited for; a few may for other reasons.
    assert!(times[50] < Duration::from_millis(35), "{times:?}");
}

#[test]
fn rfc7766_6_2_3_a_half_closed_connection_gets_its_answers() {
    let world = one();
    let mut stream = world.connect();
    stream.write_all(&[framed(&www()), framed(&www())].concat()).expect("sent");
    stream.shutdown(Shutdown::Write).expect("half closed");
    for _ in 0..2 {
        assert_eq!(summary(&next_answer(&mut stream).expect("an answer")), ANSWERED);
    }
    assert!(ends(&mut stream));
}

#[test]
fn malformed_queries_do_not_end_a_connection() {
    let world = one();
    let mut stream = world.connect();
    let malformed = [www(), vec![0]].concat();
    assert_eq!(summary(&ask_tcp(&mut stream, &malformed)), "FORMERR qr 0/0/0/0");
    assert_eq!(summary(&ask_tcp(&mut stream, &www())), ANSWERED);
}

#[test]
fn what_is_never_answered_ends_a_connection_after_the_answers_before_it() {
    let world = one();
    let mut response = www();
    response[2] |= 0x80;
    for nonsense in [&[][..], &[0], &www()[..11], &response] {
        let mut stream = world.connect();
        let burst = [framed(&www()), framed(nonsense), framed(&www())].concat();
        stream.write_all(&burst).expect("sent");
        assert_eq!(summary(&next_answer(&mut stream).expect("an answer")), ANSWERED);
        assert!(ends(&mut stream), "{nonsense:?}");
    }
}

#[test]
fn ending_a_connection_with_octets_unread_does_not_destroy_answers_on_their_way() {
    let world = one();
    let huge = framed(&query("huge.t.example", Rtype::TXT));
    for _ in 0..20 {
        // So little room that most of the answer waits on the other side.
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.set_recv_buffer_size(4_096).expect("an option");
        socket.connect(&world.address().into()).expect("a connection");
        let mut stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        // The empty message ends the connection; what follows it is more than is read at once.
        let burst = [&huge[..], &[0, 0], &framed(&www()).repeat(1_000)].concat();
        stream.write_all(&burst).expect("sent");
        let answer = next_answer(&mut stream).expect("an answer");
        assert_eq!(read(&answer).answers.len(), 240);
        assert!(stream.read(&mut [0]).is_ok_and(|length| length == 0), "an orderly end");
    }
}

#[test]
fn rfc7766_6_2_3_an_idle_connection_is_closed() {
    let world = impatient();
    let mut stream = world.connect();
    let begin = Instant::now();
    assert_eq!(summary(&ask_tcp(&mut stream, &www())), ANSWERED);
    assert!(ends(&mut stream));
    assert!(begin.elapsed() >= Duration::from_millis(300), "{:?}", begin.elapsed());
}

#[test]
fn rfc7766_6_2_3_a_connection_in_use_is_not_closed() {
    let world = open(&["127.0.0.1:0"], |settings| settings.tcp_idle = Duration::from_secs(2));
    let mut stream = world.connect();
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(3) {
        assert_eq!(summary(&ask_tcp(&mut stream, &www())), ANSWERED);
        assert!(stays_open_for(&mut stream, Duration::from_millis(500)));
    }
}

#[test]
fn a_message_that_begins_late_in_the_idle_time_has_its_own_time() {
    let world = open(&["127.0.0.1:0"], |settings| settings.tcp_idle = Duration::from_secs(3));
    let mut stream = world.connect();
    let asked = framed(&www());
    let (first, second) = asked.split_at(1);
    assert!(stays_open_for(&mut stream, Duration::from_secs(2)));
    stream.write_all(first).expect("sent");
    assert!(stays_open_for(&mut stream, Duration::from_millis(1_500)));
    stream.write_all(second).expect("sent");
    assert_eq!(summary(&next_answer(&mut stream).expect("an answer")), ANSWERED);
}

/// Whether the other side says and ends nothing for so long.
fn stays_open_for(stream: &mut TcpStream, time: Duration) -> bool {
    stream.set_read_timeout(Some(time)).expect("a timeout");
    let silent = stream.read(&mut [0]).is_err_and(|why| why.kind() == ErrorKind::WouldBlock);
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    silent
}

#[test]
fn a_message_that_is_begun_and_never_completed_is_not_waited_for() {
    let world = impatient();
    for begun in [&[0xff, 0xff][..], &[0], &framed(&www())[..20]] {
        let mut stream = world.connect();
        stream.write_all(begun).expect("sent");
        assert!(ends(&mut stream), "{begun:?}");
    }
}

#[test]
fn a_message_that_trickles_is_not_waited_for_longer_than_one_that_rests() {
    let world = impatient();
    let mut stream = world.connect();
    stream.set_read_timeout(Some(Duration::from_millis(20))).expect("a timeout");
    let begin = Instant::now();
    let trickle = std::iter::once(0xff).chain(std::iter::repeat(0));
    for octet in trickle {
        // The read is the pause between two octets.
        let ended = stream.write_all(&[octet]).is_err()
            || matches!(stream.read(&mut [0]), Ok(0))
            || begin.elapsed() > PATIENCE;
        if ended {
            break;
        }
    }
    assert!(begin.elapsed() < PATIENCE / 2, "{:?}", begin.elapsed());
}

#[test]
fn who_never_reads_answers_is_cut_off_and_keeps_nobody_waiting() {
    let world = impatient();
    let mut deaf = world.connect();
    let huge = framed(&query("huge.t.example", Rtype::TXT));
    let begin = Instant::now();
    // As answers are not taken, neither are queries: in the end writing fails.
    while deaf.write_all(&huge).is_ok() {
        assert!(begin.elapsed() < PATIENCE, "still connected");
    }
    assert_eq!(summary(&ask_tcp(&mut world.connect(), &www())), ANSWERED);
}

#[test]
fn connections_are_limited_in_total() {
    let world = open(&["0.0.0.0:0"], |settings| {
        settings.tcp_connections = 2;
        settings.tcp_per_source = 2;
    });
    refused_until_one_ends(&world);
}

#[test]
fn connections_are_limited_for_each_source() {
    let world = open(&["127.0.0.1:0", "[::1]:0"], |settings| settings.tcp_per_source = 2);
    refused_until_one_ends(&world);
    // Another source has places of its own.
    let _two = [world.connect(), world.connect()];
    let other = world.server.addresses().last().expect("an address");
    assert_eq!(summary(&ask_tcp(&mut connect(*other), &www())), ANSWERED);
}

/// Two connections are answered, a third is closed, and is answered once one has ended.
fn refused_until_one_ends(world: &World) {
    let address =
        std::net::SocketAddr::new("127.0.0.1".parse().expect("an address"), world.address().port());
    let mut first = connect(address);
    let mut second = connect(address);
    assert_eq!(summary(&ask_tcp(&mut first, &www())), ANSWERED);
    assert_eq!(summary(&ask_tcp(&mut second, &www())), ANSWERED);
    assert!(ends(&mut connect(address)));
    drop((first, second));
    let begin = Instant::now();
    loop {
        let mut third = connect(address);
        let sent = third.write_all(&framed(&www()));
        if sent.is_ok() && next_answer(&mut third).is_some() {
            return;
        }
        assert!(begin.elapsed() < PATIENCE, "no place became free");
    }
}

#[test]
fn rfc7766_6_2_3_a_crowded_server_closes_idle_connections_sooner() {
    let world = open(&["127.0.0.1:0"], |settings| settings.tcp_connections = 4);
    let mut all: Vec<TcpStream> = (0..4).map(|_| world.connect()).collect();
    let begin = Instant::now();
    assert!(ends(all.last_mut().expect("four")));
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}
