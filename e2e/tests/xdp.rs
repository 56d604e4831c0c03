//! Queries past the kernel: which path answers what, and that the answers are the same.
#![expect(clippy::expect_used, reason = "a step that fails is a failed test")]

use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use e2e::neighbour::{ITS_ADDRESSES, ITS_END, Neighbour, OUR_ADDRESSES, OUR_END, ip};
use e2e::{
    DEADLINE, Finished, Service, admin, eventually, http, namespace, new_folder, ours, program,
};
use socket2::{Domain, Protocol, Socket, Type};
use tempfile::TempDir;

#[test]
fn xdp_answers_are_those_of_the_sockets() {
    if !namespace::enter("xdp_answers_are_those_of_the_sockets") {
        return;
    }
    let neighbour = Neighbour::connect();
    let (_folder, service) = serve(&["--xdp", OUR_END]);
    assert!(service.talk().contains("answered past the kernel"), "{}", service.talk());
    let local = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    for ours in OUR_ADDRESSES {
        let far = neighbour.here(|| asker(ours));
        for (what, query) in queries() {
            let before = Counts::of(&service);
            let past_kernel = ask(&far, &query).expect("an answer");
            let between = Counts::of(&service);
            let over_sockets = ask_at(&local, "127.0.0.1", &query).expect("an answer");
            let after = Counts::of(&service);
            assert_eq!(past_kernel, over_sockets, "{what} at {ours}");
            assert_eq!(between.since(&before), Counts { xdp: 1, sockets: 0, dropped: 0 }, "{what}");
            assert_eq!(after.since(&between), Counts { xdp: 0, sockets: 1, dropped: 0 }, "{what}");
        }
        let before = Counts::of(&service);
        // Answers are not answered; the query behind it shows that it was looked at.
        far.send(&message(1, 0x8000, "www", A, &[])).expect("sent");
        ask(&far, &message(2, 0, "www", A, &[])).expect("an answer");
        assert_eq!(Counts::of(&service).since(&before), Counts { xdp: 1, sockets: 0, dropped: 1 });
    }
}

#[test]
fn xdp_leaves_to_the_kernel_what_is_not_a_plain_query() {
    if !namespace::enter("xdp_leaves_to_the_kernel_what_is_not_a_plain_query") {
        return;
    }
    let neighbour = Neighbour::connect();
    let (_folder, service) = serve(&["--xdp", OUR_END]);
    let other = UdpSocket::bind((OUR_ADDRESSES[0], 5354)).expect("a socket");
    other.set_read_timeout(Some(DEADLINE)).expect("a timeout");
    let before = Counts::of(&service);
    for ours in OUR_ADDRESSES {
        neighbour.here(|| {
            let far = asker(ours);
            // More than fits into one packet, so it comes in fragments.
            let padding = [&[0, 12, 8, 0][..], &[0; 2048]].concat();
            ask(&far, &message(3, 0, "www", A, &padding)).expect("an answer to fragments");
            let mut stream = TcpStream::connect((ours, PORT)).expect("a connection");
            stream.set_read_timeout(Some(DEADLINE)).expect("a timeout");
            let query = message(4, 0, "www", A, &[]);
            let length = u16::try_from(query.len()).expect("short").to_be_bytes();
            stream.write_all(&[&length[..], &query].concat()).expect("sent");
            stream.read_exact(&mut [0; 20]).expect("an answer over TCP");
        });
    }
    assert_eq!(Counts::of(&service).since(&before), Counts { xdp: 0, sockets: 2, dropped: 0 });
    // Another port of the same address.
    neighbour
        .here(|| asker(OUR_ADDRESSES[0]).send_to(b"for another", (OUR_ADDRESSES[0], 5354)))
        .expect("sent");
    assert_eq!(other.recv(&mut [0; 64]).expect("a datagram"), 11);
    // IPv4 with an option (a no-operation): answered all the same, by the kernel's path.
    let far = neighbour.here(|| asker(OUR_ADDRESSES[0]));
    let raw = neighbour.here(raw_socket);
    let before = Counts::of(&service);
    let query = message(5, 0, "www", A, &[]);
    send_raw(&raw, &far, &[1, 1, 1, 1], &query, 0);
    far.recv(&mut [0; 512]).expect("an answer to options");
    assert_eq!(Counts::of(&service).since(&before), Counts { xdp: 0, sockets: 1, dropped: 0 });
    // A length that is not that of the packet: nobody answers, and we have seen it.
    send_raw(&raw, &far, &[], &query, 9);
    ask(&far, &message(6, 0, "www", A, &[])).expect("an answer");
    assert_eq!(Counts::of(&service).since(&before), Counts { xdp: 1, sockets: 1, dropped: 1 });
    // The same by hand without a fault.
    send_raw(&raw, &far, &[], &query, 0);
    far.recv(&mut [0; 512]).expect("an answer");
    assert_eq!(Counts::of(&service).since(&before), Counts { xdp: 2, sockets: 1, dropped: 1 });
}

#[test]
fn xdp_serves_every_queue_of_an_interface() {
    if !namespace::enter("xdp_serves_every_queue_of_an_interface") {
        return;
    }
    let neighbour = Neighbour::connect_by(2);
    let (_folder, service) = serve(&["--xdp", OUR_END]);
    assert!(service.talk().contains("queues=2"), "{}", service.talk());
    let before = Counts::of(&service);
    // The kernel spreads senders over the queues by their ports: with so many, each gets some.
    for _ in 0..64 {
        let far = neighbour.here(|| asker(OUR_ADDRESSES[0]));
        ask(&far, &message(23, 0, "www", A, &[])).expect("an answer");
    }
    assert_eq!(Counts::of(&service).since(&before), Counts { xdp: 64, sockets: 0, dropped: 0 });
}

#[test]
fn xdp_goes_on_when_the_cable_is_out_for_a_while_and_ends_with_the_interface() {
    if !namespace::enter(
        "xdp_goes_on_when_the_cable_is_out_for_a_while_and_ends_with_the_interface",
    ) {
        return;
    }
    let neighbour = Neighbour::connect();
    let (_folder, service) = serve(&["--xdp", OUR_END]);
    let far = neighbour.here(|| asker(OUR_ADDRESSES[0]));
    let query = message(24, 0, "www", A, &[]);
    ip(&["link", "set", OUR_END, "down"]);
    ip(&["link", "set", OUR_END, "up"]);
    let before = Counts::of(&service);
    ask(&far, &query).expect("an answer");
    assert_eq!(Counts::of(&service).since(&before), Counts { xdp: 1, sockets: 0, dropped: 0 });
    ip(&["link", "del", OUR_END]);
    eventually("word of the end", DEADLINE, || {
        let talk = service.talk();
        talk.contains("the interface of AF_XDP went away").then_some(()).ok_or(talk)
    });
    // Everything else goes on.
    let local = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    ask_at(&local, "127.0.0.1", &query).expect("an answer");
    assert!(service.stop().success());
}

#[test]
fn xdp_leaves_addresses_of_other_links_to_the_kernel() {
    if !namespace::enter("xdp_leaves_addresses_of_other_links_to_the_kernel") {
        return;
    }
    let neighbour = Neighbour::connect();
    // One address on another link, one that belongs to the machine.
    ip(&["link", "add", "other0", "type", "veth", "peer", "name", "other1"]);
    ip(&["addr", "add", "10.8.0.1/24", "dev", "other0"]);
    ip(&["link", "set", "other0", "up"]);
    ip(&["addr", "add", "10.7.0.1/32", "dev", "lo"]);
    neighbour.ip(&["route", "add", "10.0.0.0/8", "via", OUR_ADDRESSES[0]]);
    let (_folder, service) = serve(&["--xdp", OUR_END]);
    for (ours, xdp) in [("10.8.0.1", 0), ("10.7.0.1", 1)] {
        let before = Counts::of(&service);
        let far = neighbour.here(|| asker(ours));
        ask(&far, &message(25, 0, "www", A, &[])).expect("an answer");
        let expected = Counts { xdp, sockets: 1 - xdp, dropped: 0 };
        assert_eq!(Counts::of(&service).since(&before), expected, "{ours}");
    }
}

#[test]
fn xdp_works_behind_a_driver_that_cannot_run_the_program() {
    if !namespace::enter("xdp_works_behind_a_driver_that_cannot_run_the_program") {
        return;
    }
    let neighbour = Neighbour::connect();
    // Frames as long as that are more than this driver takes with a program.
    ip(&["link", "set", OUR_END, "mtu", "9000"]);
    neighbour.ip(&["link", "set", ITS_END, "mtu", "9000"]);
    let (_folder, service) = serve(&["--xdp", OUR_END]);
    assert!(service.talk().contains("mode=Generic"), "{}", service.talk());
    let before = Counts::of(&service);
    for ours in OUR_ADDRESSES {
        let far = neighbour.here(|| asker(ours));
        ask(&far, &message(21, 0, "www", A, &[])).expect("an answer");
        // In one frame, but in a longer one than a piece of our memory.
        let padding = [&[0, 12, 8, 0][..], &[0; 2048]].concat();
        ask(&far, &message(22, 0, "www", A, &padding)).expect("an answer to a long query");
    }
    assert_eq!(Counts::of(&service).since(&before), Counts { xdp: 2, sockets: 2, dropped: 0 });
}

#[test]
fn xdp_follows_the_addresses_of_the_machine() {
    if !namespace::enter("xdp_follows_the_addresses_of_the_machine") {
        return;
    }
    let neighbour = Neighbour::connect();
    let (_folder, service) = serve(&["--xdp", OUR_END]);
    let query = message(7, 0, "www", A, &[]);
    ip(&["addr", "add", "10.9.0.3/24", "dev", OUR_END]);
    let far = neighbour.here(|| asker("10.9.0.3"));
    eventually("answers at a new address past the kernel", DEADLINE, || {
        let before = Counts::of(&service);
        ask(&far, &query).map_err(|error| error.to_string())?;
        let counts = Counts::of(&service).since(&before);
        (counts.xdp == 1).then_some(()).ok_or_else(|| format!("{counts:?}"))
    });
}

#[test]
fn xdp_ends_with_the_service_however_that_ends() {
    if !namespace::enter("xdp_ends_with_the_service_however_that_ends") {
        return;
    }
    let neighbour = Neighbour::connect();
    for hard in [false, true] {
        let (folder, service) = serve(&["--xdp", OUR_END]);
        assert!(program_is_attached(), "{}", service.talk());
        if hard {
            service.kill_hard();
        } else {
            let begun = Instant::now();
            assert!(service.stop().success());
            assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        }
        // What the kernel takes down behind a killed process takes it a moment.
        eventually("an interface without the program", DEADLINE, || {
            if program_is_attached() { Err("still there".to_owned()) } else { Ok(()) }
        });
        let service = serve_again(&folder, &[]);
        let before = Counts::of(&service);
        let far = neighbour.here(|| asker(OUR_ADDRESSES[0]));
        ask(&far, &message(8, 0, "www", A, &[])).expect("an answer over sockets");
        assert_eq!(Counts::of(&service).since(&before), Counts { xdp: 0, sockets: 1, dropped: 0 });
    }
}

#[test]
fn xdp_falls_back_to_sockets_where_it_cannot_be_had() {
    if !namespace::enter("xdp_falls_back_to_sockets_where_it_cannot_be_had") {
        return;
    }
    let neighbour = Neighbour::connect();
    let far = neighbour.here(|| asker(OUR_ADDRESSES[0]));
    let query = message(9, 0, "www", A, &[]);
    let answers_and_says = |service: Service, text: &str| {
        let before = Counts::of(&service);
        ask(&far, &query).expect("an answer over sockets");
        assert_eq!(Counts::of(&service).since(&before), Counts { xdp: 0, sockets: 1, dropped: 0 });
        let talk = service.talk();
        let warning = talk.lines().rfind(|line| line.contains("AF_XDP is not available"));
        assert!(warning.is_some_and(|line| line.contains(text) && line.contains("hint")), "{talk}");
    };
    let (folder, service) = serve(&["--xdp", "nowhere0"]);
    answers_and_says(service, "there is no interface `nowhere0`");
    answers_and_says(serve_again(&folder, &["--xdp", "lo"]), "`lo` is not an Ethernet interface");
    ip(&["link", "set", OUR_END, "mtu", "1200"]);
    answers_and_says(serve_again(&folder, &["--xdp", OUR_END]), "the MTU of `sv0` is 1200");
    ip(&["link", "set", OUR_END, "mtu", "1500"]);
    let mut powerless = program("setpriv");
    // Enough to bind the port, and nothing else.
    powerless.args(["--bounding-set", "-all,+net_bind_service", "--inh-caps", "-all"]);
    powerless.arg(ours("bynamed").get_program());
    let data = folder.path().join("data");
    let arguments = [&["--xdp", OUR_END], PLACES, HTTP].concat();
    let powerless = Service::serve_with(powerless, &data, &arguments);
    answers_and_says(powerless, "Operation not permitted");
    // Two at one interface: the second one has it over sockets.
    let (_other_folder, first) = serve(&["--xdp", OUR_END]);
    let second = serve_at(&folder, &["--xdp", OUR_END, "--dns", "127.0.0.1:5301"]);
    assert!(second.talk().contains("another program has this interface"), "{}", second.talk());
    assert!(program_is_attached(), "the first one still has it");
    drop(first);
}

/// What was answered where, since the service was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counts {
    xdp: u64,
    sockets: u64,
    dropped: u64,
}

impl Counts {
    fn of(service: &Service) -> Counts {
        let read = |name, label| http::counter(service.http, name, label).expect("metrics");
        let xdp = read("byname_dns_xdp_answers_total", "");
        let all = read("byname_dns_answers_total", "transport=\"udp\"");
        Counts { xdp, sockets: all - xdp, dropped: read("byname_dns_xdp_dropped_total", "") }
    }

    fn since(&self, before: &Counts) -> Counts {
        Counts {
            xdp: self.xdp - before.xdp,
            sockets: self.sockets - before.sockets,
            dropped: self.dropped - before.dropped,
        }
    }
}

fn serve(arguments: &[&str]) -> (TempDir, Service) {
    let folder = new_folder();
    let (data, file) = (folder.path().join("data"), folder.path().join("zone"));
    let mut text = "@ 300 SOA ns1 h 1 3600 600 86400 60\n@ 300 NS ns1\nns1 A 192.0.2.1\n\
                    www A 192.0.2.7\nwww AAAA 2001:db8::7\n"
        .to_owned();
    for number in 0..12 {
        text.push_str(&format!("big TXT \"{number:0>250}\"\n"));
    }
    for number in 0..40 {
        text.push_str(&format!("some A 192.0.2.{number}\n"));
    }
    fs::write(&file, text).expect("a file");
    admin(&data, &["zone", "import", "t.example", file.to_str().expect("a path")]);
    let service = serve_again(&folder, arguments);
    (folder, service)
}

fn serve_again(folder: &TempDir, arguments: &[&str]) -> Service {
    serve_at(folder, &[arguments, PLACES].concat())
}

fn serve_at(folder: &TempDir, arguments: &[&str]) -> Service {
    let arguments = [arguments, HTTP].concat();
    Service::serve_with(ours("bynamed"), &folder.path().join("data"), &arguments)
}

/// Queries by name.
fn queries() -> Vec<(&'static str, Vec<u8>)> {
    let mut unknown_opcode = message(16, 0, "www", A, &[]);
    unknown_opcode[2] = 0x78;
    let mut cut = message(17, 0, "www", A, &[]);
    cut.truncate(20);
    vec![
        ("an address", message(11, 0x0100, "www", A, &[])),
        ("another type", message(12, 0, "www", 28, &[])),
        ("no such name", message(13, 0, "nobody", A, &[])),
        ("a long answer", message(14, 0, "some", A, EDNS)),
        ("an answer that is cut off", message(15, 0, "big", 16, EDNS)),
        ("an unknown opcode", unknown_opcode),
        ("a query that is cut off", cut),
        ("only a header", vec![0, 18, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    ]
}

/// A query for a name in the zone; `options` of EDNS, none: without EDNS.
fn message(id: u16, flags: u16, name: &str, rtype: u16, options: &[u8]) -> Vec<u8> {
    let mut message = [&id.to_be_bytes()[..], &flags.to_be_bytes(), &[0, 1, 0, 0, 0, 0]].concat();
    message.extend([0, u8::from(!options.is_empty())]);
    for label in [name, "t", "example", ""] {
        message.push(u8::try_from(label.len()).expect("a label"));
        message.extend(label.as_bytes());
    }
    message.extend([rtype.to_be_bytes(), [0, 1]].concat());
    if !options.is_empty() {
        let length = u16::try_from(options.len()).expect("short").to_be_bytes();
        message.extend([&[0, 0, 41, 0x10, 0, 0, 0, 0, 0][..], &length, options].concat());
    }
    message
}

/// A socket that asks one server.
fn asker(server: &str) -> UdpSocket {
    let server = SocketAddr::new(server.parse::<IpAddr>().expect("an address"), PORT);
    let own = ITS_ADDRESSES[usize::from(server.is_ipv6())];
    let socket = UdpSocket::bind((own, 0)).expect("a socket");
    socket.set_read_timeout(Some(DEADLINE)).expect("a timeout");
    socket.connect(server).expect("a route");
    socket
}

fn ask(socket: &UdpSocket, query: &[u8]) -> std::io::Result<Vec<u8>> {
    socket.send(query)?;
    let mut answer = vec![0; 65_535];
    let length = socket.recv(&mut answer)?;
    answer.truncate(length);
    Ok(answer)
}

fn ask_at(socket: &UdpSocket, server: &str, query: &[u8]) -> std::io::Result<Vec<u8>> {
    socket.set_read_timeout(Some(DEADLINE))?;
    socket.connect((server, PORT))?;
    ask(socket, query)
}

/// A socket for packets with a header of our own.
fn raw_socket() -> Socket {
    let protocol = Protocol::from(IPPROTO_RAW);
    Socket::new(Domain::IPV4, Type::RAW, Some(protocol)).expect("a raw socket")
}

/// Sends a query as `from` would, with options in the header and a length that is wrong by some.
fn send_raw(raw: &Socket, from: &UdpSocket, options: &[u8], query: &[u8], wrong: usize) {
    let [source, to] = [from.local_addr(), from.peer_addr()].map(|end| end.expect("connected"));
    let ip = |end: SocketAddr| match end.ip() {
        IpAddr::V4(v4) => v4.octets(),
        IpAddr::V6(v6) => unreachable!("{v6}: raw packets here are IPv4"),
    };
    let words = u8::try_from((20 + options.len()) / 4).expect("short");
    // The kernel sets what is zero: length, identification and checksum.
    let head = [0x40 | words, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0];
    let length = u16::try_from(8 + query.len() + wrong).expect("short");
    // A checksum of zero says that there is none.
    let udp = [source.port().to_be_bytes(), to.port().to_be_bytes(), length.to_be_bytes(), [0; 2]];
    let packet = [&head[..], &ip(source), &ip(to), options, &udp.concat(), query].concat();
    raw.send_to(&packet, &to.into()).expect("sent");
}

fn program_is_attached() -> bool {
    Finished::run(program("ip").args(["-d", "link", "show", OUR_END])).ok().out.contains("prog/xdp")
}

const PORT: u16 = 53;
const PLACES: &[&str] = &["--dns", "0.0.0.0:53,[::]:53"];
const HTTP: &[&str] = &["--http", "127.0.0.1:0"];
const A: u16 = 1;
/// One option that nobody knows, and no octets in it.
const EDNS: &[u8] = &[0xff, 0, 0, 0];
const IPPROTO_RAW: i32 = 255;
