//! What is served here, and ways to ask.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use server::{Counters, Served, Server, Settings, Transport, respond};
use tokio::runtime::Runtime;
use wire::{Name, Rdata, Rrset, Rtype, Serial, zonefile};
use zone::{Zone, Zones};

const ZONE: &str = r#"
$TTL 300
@        SOA ns1 hostmaster 1 3600 600 86400 60
@        NS  ns1
@        NS  ns2
ns1      A   192.0.2.53
ns1      AAAA 2001:db8::53
ns2      A   192.0.2.54
www      A   192.0.2.1
www      AAAA 2001:db8::1
alias    CNAME www
tobig    CNAME big
*.wild   A   192.0.2.7
sub      NS  ns.sub
ns.sub   A   192.0.2.60
moved    DNAME www
a.b.ent  TXT "below an empty name"
"#;

/// A zone with one of everything, and RRsets of about 500, 3,000 and 60,000 octets.
pub(crate) fn zones() -> Arc<Zones> {
    let apex = Name::parse("t.example").expect("a name");
    let mut rrsets: BTreeMap<(Name, Rtype), Rrset> = BTreeMap::new();
    for record in zonefile::Records::parse(text().as_bytes(), &apex) {
        let record = record.expect("a record");
        let empty = Rrset { ttl_s: record.ttl_s, rdata: Vec::new() };
        rrsets.entry((record.owner, record.rtype)).or_insert(empty).rdata.push(record.rdata);
    }
    let zone = Zone::new(&apex, Serial(1));
    zone.load(rrsets.into_iter().map(|((owner, rtype), rrset)| (owner, rtype, rrset)));
    let huge = (0..240_u32).map(|number| txt(&format!("{number:0>250}"))).collect();
    let huge = Rrset { ttl_s: 300, rdata: huge };
    zone.load([(apex.child(b"huge").expect("a name"), Rtype::TXT, huge)]);
    let zones = Zones::new();
    zones.insert(Arc::new(zone));
    Arc::new(zones)
}

fn text() -> String {
    let mut text = ZONE.to_owned();
    for number in 0..12 {
        text.push_str(&format!("big TXT \"{number:0>250}\"\n"));
    }
    for number in 0..20 {
        text.push_str(&format!("post MX {number} mail{number}\nmail{number} A 192.0.2.99\n"));
    }
    text
}

fn txt(text: &str) -> Rdata {
    Rdata::txt(&[text.as_bytes()]).expect("a short string")
}

/// The answer of the pure step, of a server that is ready.
pub(crate) fn ask(transport: Transport, message: &[u8]) -> Option<Vec<u8>> {
    ask_when(true, transport, message)
}

/// The answer of the pure step.
pub(crate) fn ask_when(ready: bool, transport: Transport, message: &[u8]) -> Option<Vec<u8>> {
    let mut buffer = Vec::new();
    let counters = Counters::new();
    let served = Served { ready: Arc::new(AtomicBool::new(ready)), ..Served::new(zones()) };
    let length = respond(&served, transport, message, (&mut buffer, &counters))?;
    assert_eq!(length, buffer.len());
    Some(buffer)
}

/// Open doors and what they need.
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) runtime: Runtime,
}

/// Opens doors at addresses; `change` sets what the test is about.
pub(crate) fn open(addresses: &[&str], change: impl FnOnce(&mut Settings)) -> World {
    let addresses = addresses.iter().map(|address| address.parse().expect("an address")).collect();
    let mut settings = Settings { addresses, workers: 2, ..Settings::default() };
    change(&mut settings);
    let runtime = Runtime::new().expect("a runtime");
    let server =
        Server::start(&settings, &Served::new(zones()), runtime.handle()).expect("open doors");
    World { server, runtime }
}

impl World {
    /// The first address.
    pub(crate) fn address(&self) -> SocketAddr {
        *self.server.addresses().first().expect("an address")
    }

    /// A connection to the first address.
    pub(crate) fn connect(&self) -> TcpStream {
        connect(self.address())
    }
}

/// Asks over UDP from a fresh port; only an answer from the address asked counts.
pub(crate) fn ask_udp(address: SocketAddr, message: &[u8]) -> Vec<u8> {
    let local = if address.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" };
    let socket = UdpSocket::bind(local).expect("a socket");
    socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    socket.connect(address).expect("a route");
    socket.send(message).expect("sent");
    let mut answer = vec![0; 65_535];
    let length = socket.recv(&mut answer).expect("an answer from the address asked");
    answer.truncate(length);
    answer
}

/// A TCP connection.
pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.set_write_timeout(Some(PATIENCE)).expect("a timeout");
    stream
}

/// A message with its length in front.
pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    let length = u16::try_from(message.len()).expect("a message");
    [&length.to_be_bytes(), message].concat()
}

/// Asks over TCP.
pub(crate) fn ask_tcp(stream: &mut TcpStream, message: &[u8]) -> Vec<u8> {
    stream.write_all(&framed(message)).expect("sent");
    next_answer(stream).expect("an answer")
}

/// The next answer of a stream; `None` when the other side ended it.
pub(crate) fn next_answer(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).ok()?;
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut answer).expect("the whole answer");
    Some(answer)
}

/// Whether the other side ends a stream without saying more.
pub(crate) fn ends(stream: &mut TcpStream) -> bool {
    let mut octet = [0];
    match stream.read(&mut octet) {
        Ok(length) => length == 0,
        Err(why) => why.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

/// How long anything may take before a test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
