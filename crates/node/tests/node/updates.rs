//! DNS updates over real sockets, from the client's octets to the store and back.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use account::Actor;
use engine::Outcome;
use gateway::{Inbox, Letter, Letters, Random, UpdateSettings, Updates};
use node::Node;
use node::admin::{Command, KeySettings, SecretText};
use server::{Intake, Served, Server, Settings};
use tokio::runtime::Runtime;
use tsig::{Client, ClientError, Key};
use wire::{Message, Name, Rcode, Rdata, Rtype, Section, TsigAlgorithm, UpdateLease};
use zone::{Change, Edit, Prerequisite, View};

use crate::playground::{Playground, ZONE, order};

/// A service with its doors for DNS open.
struct World {
    node: Node,
    server: Server,
    updates: Updates,
    ready: Arc<AtomicBool>,
    runtime: Runtime,
    _playground: Playground,
}

impl World {
    fn open(settings: UpdateSettings) -> World {
        World::open_before(settings, |node| node.client().clone())
    }

    /// With its doors before another writer than the node's.
    fn open_before(
        settings: UpdateSettings,
        client: impl FnOnce(&Node) -> gateway::Client,
    ) -> World {
        let playground = Playground::new();
        let node = Node::open(&playground.options()).expect("a node");
        let ready = Arc::new(AtomicBool::new(true));
        let inbox = Arc::new(Inbox::new());
        let live = node.live();
        let served = Served {
            zones: Arc::clone(live.zones()),
            ready: Arc::clone(&ready),
            keys: Arc::clone(live.keys()),
            updates: Some(Arc::clone(&inbox) as Arc<dyn Intake>),
        };
        let updates =
            Updates::start(settings, client(&node), inbox, Arc::clone(&ready)).expect("a thread");
        let addresses = vec!["127.0.0.1:0".parse().expect("an address")];
        let doors = Settings { addresses, workers: 1, ..Settings::default() };
        let runtime = Runtime::new().expect("a runtime");
        let server = Server::start(&doors, &served, runtime.handle()).expect("open doors");
        let world = World { node, server, updates, ready, runtime, _playground: playground };
        world.add_key("k.test", SECRET);
        world
    }

    /// Its doors before a writer that takes messages and decides nothing.
    fn open_before_nobody() -> (World, Letters) {
        let (queue, letters) = gateway::letters(65_536);
        let client = |node: &Node| {
            let writable = Arc::new(AtomicBool::new(true));
            gateway::Client::new(Arc::clone(node.live()), queue, writable, Random::new())
        };
        (World::open_before(UpdateSettings::default(), client), letters)
    }

    fn add_key(&self, key: &str, secret: &str) {
        let (key, algorithm) = (key.to_owned(), "hmac-sha256".to_owned());
        let secret = Some(SecretText(secret.to_owned()));
        let (zones, settings) = (vec![ZONE.to_owned()], KeySettings::default());
        let (update, transfer) = (true, false);
        let add = Command::KeyAdd { key, algorithm, secret, zones, update, transfer, settings };
        order(&self.node, &add);
    }

    fn address(&self) -> SocketAddr {
        *self.server.addresses().first().expect("an address")
    }

    fn udp(&self) -> UdpSocket {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.connect(self.address()).expect("loopback");
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        socket
    }

    fn tcp(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address()).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream
    }

    fn address_of(&self, label: &str) -> Option<Rdata> {
        let zone = self.node.live().zones().get(&name(ZONE)).expect("the zone");
        zone.rrset(&name(&format!("{label}.{ZONE}")), Rtype::A)?.rdata.first().cloned()
    }

    /// As the program ends: doors first, then what they have handed over, then the node.
    fn stop(mut self) {
        self.server.stop();
        self.runtime.block_on(self.server.closed());
        self.updates.stop();
        self.node.stop();
    }
}

fn name(text: &str) -> Name {
    Name::parse(text).expect("a name")
}

fn key(secret: &[u8]) -> Arc<Key> {
    Arc::new(Key::new(name("k.test"), TsigAlgorithm::HmacSha256, secret, false))
}

fn now_s() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.expect("after 1970").as_secs()
}

fn add(label: &str, octet: u8) -> Change {
    let owner = name(&format!("{label}.{ZONE}"));
    let rdata = Rdata::a([192, 0, 2, octet].into());
    Change::new(name(ZONE), vec![Edit::Add { owner, rtype: Rtype::A, ttl_s: 60, rdata }])
}

/// A host that must not exist yet.
fn claim(label: &str, octet: u8) -> Change {
    let owner = name(&format!("{label}.{ZONE}"));
    Change { prerequisites: vec![Prerequisite::NameNotInUse(owner)], ..add(label, octet) }
}

fn sign(id: u16, change: &Change, lease: Option<UpdateLease>) -> (Vec<u8>, Client) {
    let mut message = update::compose(id, change, lease);
    let client = Client::sign(&key(b"0123456789abcdef"), &mut message, now_s());
    (message, client)
}

/// Asks over UDP: the answer as it came.
fn ask(world: &World, message: &[u8]) -> Vec<u8> {
    let socket = world.udp();
    socket.send(message).expect("loopback");
    receive(&socket)
}

fn receive(socket: &UdpSocket) -> Vec<u8> {
    let mut buffer = [0; 2048];
    let length = socket.recv(&mut buffer).expect("an answer");
    buffer.get(..length).expect("no longer").to_vec()
}

fn rcode(answer: &[u8]) -> Rcode {
    Message::parse(answer).expect("a message").rcode()
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u16).to_be_bytes()[..], message].concat()
}

fn next(stream: &mut TcpStream) -> Vec<u8> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).expect("a length");
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut answer).expect("an answer");
    answer
}

#[test]
fn rfc2136_3_8_an_update_is_answered_when_it_is_visible_and_durable() {
    let world = World::open(UpdateSettings::default());
    let (message, mut client) = sign(1, &add("nas", 7), None);
    let answer = ask(&world, &message);
    assert_eq!(client.verify(&answer, now_s()), Ok(()));
    assert_eq!(rcode(&answer), Rcode::NOERROR);
    assert_eq!(world.address_of("nas"), Some(Rdata::a([192, 0, 2, 7].into())));
    let World { node, server, updates, _playground: playground, .. } = world;
    drop((server, updates, node));
    playground.with(|node| {
        let zone = node.live().zones().get(&name(ZONE)).expect("the zone");
        assert!(zone.rrset(&name(&format!("nas.{ZONE}")), Rtype::A).is_some());
    });
}

#[test]
fn a_message_that_comes_again_gets_the_answer_of_its_first_copy() {
    let world = World::open(UpdateSettings::default());
    let (mut message, mut client) = sign(1, &claim("nas", 7), None);
    let first = ask(&world, &message);
    assert_eq!(rcode(&first), Rcode::NOERROR);
    assert_eq!(ask(&world, &message), first, "octet by octet");
    // A forwarder gives it an id of its own (RFC 8945 §5.3).
    message[0] ^= 0xff;
    let mut again = ask(&world, &message);
    assert_eq!(again.get(..2), message.get(..2));
    assert_eq!(again.get(2..), first.get(2..));
    // The forwarder gives the client its own id back, and the signature holds.
    again[0] ^= 0xff;
    assert_eq!(client.verify(&again, now_s()), Ok(()));
    // The same wish, signed anew, is another message.
    let (message, _) = sign(2, &claim("nas", 7), None);
    assert_eq!(rcode(&ask(&world, &message)), Rcode::YXDOMAIN);
    world.stop();
}

#[test]
fn copies_that_come_together_are_all_answered_alike() {
    let world = World::open(UpdateSettings::default());
    let (message, mut client) = sign(1, &claim("nas", 7), None);
    let socket = world.udp();
    for _ in 0..5 {
        socket.send(&message).expect("loopback");
    }
    let answers: Vec<Vec<u8>> = (0..5).map(|_| receive(&socket)).collect();
    assert!(answers.iter().all(|answer| rcode(answer) == Rcode::NOERROR));
    assert_eq!(client.verify(&answers[0], now_s()), Ok(()));
    world.stop();
}

#[test]
fn claims_of_one_name_have_exactly_one_winner() {
    let world = World::open(UpdateSettings::default());
    for round in 0..20_u8 {
        let label = format!("h{round}");
        let mut streams: Vec<TcpStream> = (0..4).map(|_| world.tcp()).collect();
        for (octet, stream) in (0..).zip(&mut streams) {
            let (message, _) = sign(octet, &claim(&label, octet as u8), None);
            stream.write_all(&framed(&message)).expect("loopback");
        }
        let won: Vec<u8> = (0..)
            .zip(&mut streams)
            .map(|(octet, stream)| (octet, rcode(&next(stream))))
            .filter(|(_, rcode)| *rcode == Rcode::NOERROR)
            .map(|(octet, _)| octet)
            .collect();
        assert_eq!(won.len(), 1, "round {round}");
        assert_eq!(world.address_of(&label), Some(Rdata::a([192, 0, 2, won[0]].into())));
    }
    world.stop();
}

#[test]
fn many_updates_of_one_connection_are_all_answered_even_when_it_is_half_closed() {
    let world = World::open(UpdateSettings::default());
    let mut stream = world.tcp();
    // More than may be under way at once.
    let count = 3000_u16;
    let messages: Vec<u8> = (0..count)
        .flat_map(|id| framed(&sign(id, &add(&format!("h{id}"), id as u8), None).0))
        .collect();
    let mut writing = stream.try_clone().expect("a clone");
    let writer = std::thread::spawn(move || {
        writing.write_all(&messages).expect("the server reads on");
        writing.shutdown(Shutdown::Write).expect("a connection");
    });
    let mut ids: Vec<u16> = (0..count)
        .map(|_| {
            let answer = next(&mut stream);
            assert_eq!(rcode(&answer), Rcode::NOERROR);
            Message::parse(&answer).expect("a message").header().id
        })
        .collect();
    writer.join().expect("written");
    ids.sort_unstable();
    assert!(ids.into_iter().eq(0..count));
    let mut rest = Vec::new();
    assert_eq!(stream.read_to_end(&mut rest).expect("the end"), 0);
    world.stop();
}

#[test]
fn queries_and_updates_share_a_connection() {
    let world = World::open(UpdateSettings::default());
    let mut stream = world.tcp();
    let (message, _) = sign(1, &add("nas", 7), None);
    let mut query = vec![0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    query.extend_from_slice(name(ZONE).as_wire());
    query.extend_from_slice(&[0, 6, 0, 1]);
    stream.write_all(&[framed(&message), framed(&query)].concat()).expect("loopback");
    let mut ids: Vec<u16> = (0..2)
        .map(|_| Message::parse(&next(&mut stream)).expect("a message").header().id)
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, [1, 2]);
    world.stop();
}

#[test]
fn rfc8945_5_2_signatures_that_are_not_accepted_are_told_so() {
    let world = World::open(UpdateSettings::default());
    let change = add("nas", 7);
    let signed = |key: &Arc<Key>, at_s| {
        let mut message = update::compose(1, &change, None);
        let client = Client::sign(key, &mut message, at_s);
        (message, client)
    };
    let other = Arc::new(Key::new(name("other.test"), TsigAlgorithm::HmacSha256, b"x", false));
    let now_s = now_s();
    for (key, at_s, code, is_signed) in [
        (&other, now_s, 17, false),
        (&key(b"wrong"), now_s, 16, false),
        (&key(b"0123456789abcdef"), now_s - 4000, 18, true),
        // Within the time that the client allows, but from before the start: it may be a replay.
        (&key(b"0123456789abcdef"), now_s - 100, 18, true),
    ] {
        let (message, mut client) = signed(key, at_s);
        let answer = ask(&world, &message);
        assert_eq!(rcode(&answer), Rcode::NOTAUTH);
        let Err(ClientError::Refused { code: told, signed, .. }) = client.verify(&answer, at_s)
        else {
            unreachable!("it is refused")
        };
        assert_eq!((told, signed), (code, is_signed));
    }
    let unsigned =
        update::compose(1, &change, Some(UpdateLease { lease_s: 60, key_lease_s: None }));
    let answer = ask(&world, &unsigned);
    assert_eq!(rcode(&answer), Rcode::REFUSED);
    assert!(answer.ends_with(b"updates must be signed"));
    assert_eq!(world.address_of("nas"), None);
    world.stop();
}

/// The letter that is there.
fn take_one(letters: &Letters) -> Option<Letter> {
    let mut one = None;
    letters.take(1, |letter| one = Some(letter));
    one
}

#[test]
fn a_key_that_sends_more_than_its_share_is_told_so_and_others_are_heard() {
    let (world, letters) = World::open_before_nobody();
    world.add_key("other.test", SECRET);
    let sender = world.udp();
    let mut taken = Vec::new();
    // As many as the door lets in; the next one is told.
    let (answer, mut client) = loop {
        let id = taken.len() as u16;
        let (message, client) = sign(id, &claim(&format!("h{id}"), 7), None);
        sender.send(&message).expect("loopback");
        match letter_or_answer(&letters, &sender, id) {
            Ok(letter) => taken.push(letter),
            Err(answer) => break (answer, client),
        }
        assert!(taken.len() < 65_536 / 2, "one key has half the queue");
    };
    assert_eq!(rcode(&answer), Rcode::SERVFAIL);
    assert_eq!(client.verify(&answer, now_s()), Ok(()));
    let mut other = update::compose(1, &add("other", 7), None);
    let key = Key::new(name("other.test"), TsigAlgorithm::HmacSha256, b"0123456789abcdef", false);
    Client::sign(&Arc::new(key), &mut other, now_s());
    sender.send(&other).expect("loopback");
    letters.wait(PATIENCE);
    let letter = take_one(&letters).expect("another key is heard");
    assert_eq!(letter.request.actor, Actor::Key(name("other.test")));
    // What is decided makes room again.
    let decided = taken.pop().expect("a letter").reply;
    gateway::tell([(decided, Outcome::Unchanged)]);
    let last = taken.len() as u16;
    let answer = letter_or_answer(&letters, &sender, last).expect_err("an answer");
    assert_eq!(rcode(&answer), Rcode::NOERROR);
    let (message, _) = sign(60_000, &claim("again", 7), None);
    sender.send(&message).expect("loopback");
    assert!(letter_or_answer(&letters, &sender, 60_000).is_ok(), "there is room again");
    drop((letters, taken));
    world.stop();
}

/// What comes first: a message at the writer, or an answer with this id.
fn letter_or_answer(letters: &Letters, socket: &UdpSocket, id: u16) -> Result<Letter, Vec<u8>> {
    socket.set_nonblocking(true).expect("a socket");
    let until = Instant::now() + PATIENCE;
    let mut buffer = [0; 2048];
    loop {
        if let Some(letter) = take_one(letters) {
            return Ok(letter);
        }
        let length = socket.recv(&mut buffer).unwrap_or_default();
        if buffer.get(..2) == Some(&id.to_be_bytes()) && length > 2 {
            return Err(buffer.get(..length).expect("no longer").to_vec());
        }
        assert!(Instant::now() < until, "neither came");
        std::thread::yield_now();
    }
}

#[test]
fn while_zones_are_being_loaded_no_key_is_unknown() {
    let world = World::open(UpdateSettings::default());
    world.ready.store(false, Ordering::Release);
    let (message, _) = sign(1, &add("nas", 7), None);
    assert_eq!(rcode(&ask(&world, &message)), Rcode::SERVFAIL);
    world.ready.store(true, Ordering::Release);
    assert_eq!(rcode(&ask(&world, &message)), Rcode::NOERROR, "that was not final");
    world.stop();
}

#[test]
fn updates_are_taken_where_the_operator_wants_them_only() {
    let elsewhere = Some(vec!["192.0.2.0/24".parse().expect("a network")]);
    let listener = Some(vec!["192.0.2.1:53".parse().expect("an address")]);
    for settings in [
        UpdateSettings { networks: elsewhere, ..UpdateSettings::default() },
        UpdateSettings { listeners: listener, ..UpdateSettings::default() },
    ] {
        let world = World::open(settings);
        let (message, mut client) = sign(1, &add("nas", 7), None);
        let answer = ask(&world, &message);
        assert_eq!((rcode(&answer), client.verify(&answer, now_s())), (Rcode::REFUSED, Ok(())));
        world.stop();
    }
}

#[test]
fn rfc9664_4_granted_times_are_told_within_limits() {
    let world = World::open(UpdateSettings::default());
    let table = [(7200, None, 7200, None), (1, Some(u32::MAX), 30, Some(30 * 24 * 3600))];
    for (number, (lease_s, key_lease_s, granted_s, key_granted_s)) in (0_u8..).zip(table) {
        let asked = UpdateLease { lease_s, key_lease_s };
        let change = add(&format!("h{number}"), number);
        let (message, _) = sign(1, &change, Some(asked));
        let answer = ask(&world, &message);
        let answer = Message::parse(&answer).expect("a message");
        let opt = answer.records(Section::Additional).next().expect("OPT");
        let granted = UpdateLease { lease_s: granted_s, key_lease_s: key_granted_s };
        let (octets, length) = granted.to_wire();
        assert_eq!(opt.raw_data(), &octets[..length]);
    }
    assert_eq!(world.node.live().leases().len(), 2);
    world.stop();
}

#[test]
fn a_message_that_is_no_update_is_told_so_under_the_signature_that_it_has() {
    let world = World::open(UpdateSettings::default());
    let mut message = update::compose(1, &add("nas", 7), None);
    // The type of the zone section: A.
    let at = 12 + name(ZONE).as_wire().len() + 1;
    message[at] = 1;
    let mut client = Client::sign(&key(b"0123456789abcdef"), &mut message, now_s());
    let answer = ask(&world, &message);
    assert_eq!((rcode(&answer), client.verify(&answer, now_s())), (Rcode::FORMERR, Ok(())));
    let mut cut = sign(1, &add("nas", 7), None).0;
    cut.pop();
    assert_eq!(rcode(&ask(&world, &cut)), Rcode::FORMERR);
    world.stop();
}

/// `0123456789abcdef` in base64.
const SECRET: &str = "MDEyMzQ1Njc4OWFiY2RlZg==";
/// Longest that an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);
