//! Batches over loopback.

use std::net::UdpSocket;
use std::time::Duration;

use super::*;

fn pair(address: &str) -> (Socket, UdpSocket) {
    let server = UdpSocket::bind(address).unwrap();
    server.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let at = server.local_addr().unwrap();
    let ip = match at {
        SocketAddr::V4(_) => "127.0.0.1".parse().unwrap(),
        SocketAddr::V6(_) => "::1".parse().unwrap(),
    };
    let client = UdpSocket::bind(SocketAddr::new(ip, 0)).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    client.connect(SocketAddr::new(ip, at.port())).unwrap();
    (Socket::new(server).unwrap(), client)
}

/// Receives so many datagrams and sends each back.
fn echo(socket: &Socket, wanted: usize) -> Vec<Vec<u8>> {
    let mut batch = Batch::new();
    let mut all = Vec::new();
    while all.len() < wanted {
        socket.receive(&mut batch).unwrap();
        let messages: Vec<_> = batch.messages().collect();
        all.extend(messages.iter().map(|(message, _)| message.to_vec()));
        for some in messages.chunks(BATCH) {
            assert_eq!(socket.send(some.iter().copied()), 0);
        }
    }
    all
}

fn answers(client: &UdpSocket, wanted: usize) -> Vec<Vec<u8>> {
    let mut room = [0; 2048];
    (0..wanted).map(|_| client.recv(&mut room).map(|n| room[..n].to_vec()).unwrap()).collect()
}

#[test]
fn many_datagrams_come_back_whole_and_from_the_address_that_was_asked() {
    for address in ["127.0.0.1:0", "[::1]:0", "0.0.0.0:0", "[::]:0"] {
        let (socket, client) = pair(address);
        let sent: Vec<Vec<u8>> = (0..100_u8).map(|n| vec![n; usize::from(n) * 11]).collect();
        sent.iter().for_each(|message| assert_eq!(client.send(message).unwrap(), message.len()));
        assert_eq!(echo(&socket, sent.len()), sent, "{address}");
        assert_eq!(answers(&client, sent.len()), sent, "{address}");
    }
}

#[test]
fn datagrams_that_were_sent_as_one_are_told_apart_and_answered_each() {
    for address in ["127.0.0.1:0", "[::1]:0", "0.0.0.0:0", "[::]:0"] {
        let (socket, client) = pair(address);
        setsockopt(&client, sockopt::UdpGsoSegment, &40).unwrap();
        let octets: Vec<u8> = (0..50 * 40 + 7).map(|n| (n / 40) as u8).collect();
        assert_eq!(client.send(&octets).unwrap(), octets.len());
        setsockopt(&client, sockopt::UdpGsoSegment, &0).unwrap();
        let each: Vec<Vec<u8>> = octets.chunks(40).map(<[u8]>::to_vec).collect();
        assert_eq!(echo(&socket, each.len()), each, "{address}");
        assert_eq!(answers(&client, each.len()), each, "{address}");
        assert!(socket.joins.load(Ordering::Relaxed));
    }
}

#[test]
fn where_the_system_joins_nothing_answers_leave_one_by_one() {
    let (mut socket, client) = pair("127.0.0.1:0");
    socket.joins = AtomicBool::new(false);
    let asker = Asker { from: client.local_addr().unwrap(), asked: Asked::Bound };
    assert_eq!(socket.send((0..20).map(|_| (&[7_u8; 90][..], asker))), 0);
    assert_eq!(answers(&client, 20), vec![vec![7; 90]; 20]);
}

#[test]
fn a_run_that_nobody_can_get_does_not_end_joining() {
    let (socket, client) = pair("127.0.0.1:0");
    let asker = Asker { from: client.local_addr().unwrap(), asked: Asked::Bound };
    let nobody = Asker { from: "127.0.0.1:0".parse().unwrap(), ..asker };
    let all = [nobody, nobody, nobody, asker, asker];
    assert_eq!(socket.send(all.iter().map(|to| (&[7_u8; 90][..], *to))), 3);
    assert_eq!(answers(&client, 2), vec![vec![7; 90]; 2]);
    assert!(socket.joins.load(Ordering::Relaxed));
}

#[test]
fn who_cannot_be_answered_keeps_nobody_else_from_it() {
    let (socket, client) = pair("127.0.0.1:0");
    let asker = Asker { from: client.local_addr().unwrap(), asked: Asked::Bound };
    // Nobody can be reached at port 0, nor over IPv6 from this socket.
    let nobody = Asker { from: "127.0.0.1:0".parse().unwrap(), ..asker };
    let other = Asker { from: "[::1]:53".parse().unwrap(), ..asker };
    let all = [asker, nobody, other, nobody, asker, other, asker];
    let sent =
        all.iter().enumerate().map(|(n, to)| ([b"0", b"1", b"2", b"3", b"4", b"5", b"6"][n], *to));
    assert_eq!(socket.send(sent.map(|(octets, to)| (&octets[..], to))), 4);
    assert_eq!(answers(&client, 3), [b"0", b"4", b"6"]);
}

#[test]
fn a_run_is_of_one_asker_and_of_one_length_but_for_its_end() {
    let asker =
        |port| Some(Asker { from: SocketAddr::from(([127, 0, 0, 1], port)), asked: Asked::Bound });
    let check = |lengths: &[usize], ports: &[u16], expected: usize| {
        let octets = [0; 40_000];
        let parts: Vec<_> = lengths.iter().map(|&n| IoSlice::new(&octets[..n])).collect();
        let askers: Vec<_> = ports.iter().map(|&port| asker(port)).collect();
        assert_eq!(run(&parts, &askers), expected, "{lengths:?} {ports:?}");
    };
    check(&[5], &[1], 1);
    check(&[5, 5, 5], &[1, 1, 1], 3);
    check(&[5, 5, 3, 5], &[1, 1, 1, 1], 3);
    check(&[5, 6, 5], &[1, 1, 1], 1);
    check(&[5, 5, 5], &[1, 1, 2], 2);
    check(&[40_000, 40_000], &[1, 1], 1);
}

#[test]
fn what_is_dropped_is_counted() {
    let server = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None).unwrap();
    server.set_recv_buffer_size(4096).unwrap();
    server.bind(&"127.0.0.1:0".parse::<SocketAddr>().unwrap().into()).unwrap();
    let server = UdpSocket::from(server);
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.connect(server.local_addr().unwrap()).unwrap();
    let socket = Socket::new(server).unwrap();
    (0..200).for_each(|_| assert!(client.send(&[0; 500]).is_ok()));
    let mut batch = Batch::new();
    socket.receive(&mut batch).unwrap();
    // What comes after the loss tells of it.
    client.send(&[1]).unwrap();
    while batch.messages().all(|(message, _)| message != [1]) {
        socket.receive(&mut batch).unwrap();
    }
    assert!(batch.dropped() > 0);
}

#[test]
fn only_link_local_exchanges_are_bound_to_their_interface() {
    let table = [
        ("2001:db8::53", "[2001:db8::1]:1024", false),
        ("::1", "[::1]:1024", false),
        ("fe80::53", "[fe80::1%2]:1024", true),
        ("2001:db8::53", "[fe80::1%2]:1024", true),
        ("fe80::53", "[2001:db8::1]:1024", true),
    ];
    for (asked, from, link_local) in table {
        let found = is_link_local(asked.parse().unwrap(), from.parse().unwrap());
        assert_eq!(found, link_local, "{asked} {from}");
    }
}
