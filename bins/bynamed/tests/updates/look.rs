//! What is there: in a dump, and in the answers to queries.

use std::collections::BTreeSet;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use wire::{Message, Name, Section, zonefile};

use crate::bynamed::{Place, ZONE};
use crate::model::{DNAME, NS, Sets, Zone};
use crate::octets;

/// The zone as `bynamed zone export` writes it: from the service that runs, or else from what is on
/// the disk.
pub(crate) fn exported(place: &Place) -> Zone {
    let ended = place.run(&["zone", "export", ZONE]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.out.trim_end().ends_with("; end of dyn.example."), "cut off: {}", ended.out);
    let apex = Name::parse(ZONE).expect("a name");
    let mut sets = Sets::new();
    for record in zonefile::Records::parse(ended.out.as_bytes(), &apex) {
        let record = record.expect("a record");
        let key = (record.owner.to_lowercase().to_string(), record.rtype.0);
        let set = sets.entry(key).or_insert((record.ttl_s, BTreeSet::new()));
        assert_eq!(set.0, record.ttl_s, "one TTL for all");
        assert!(set.1.insert(record.rdata.as_wire().to_vec()), "none twice");
    }
    Zone { apex: apex.to_string(), sets }
}

/// The same after what is folded was thrown away: the history alone.
pub(crate) fn replayed(place: &Place) -> Zone {
    let files = std::fs::read_dir(place.data()).expect("the data directory").flatten();
    let folded = files.filter(|file| file.file_name().to_string_lossy().starts_with("state.db"));
    let removed = folded.map(|file| std::fs::remove_file(file.path()).expect("a file")).count();
    assert!(removed > 0, "there were no tables");
    exported(place)
}

/// Asks for RRsets of a zone and compares the answers with it; how many were compared.
pub(crate) fn compare(server: SocketAddr, zone: &Zone, keys: &BTreeSet<(String, u16)>) -> usize {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.connect(server).expect("loopback");
    let mut compared = 0;
    for (id, (owner, rtype)) in (0_u16..).zip(keys) {
        // What is there is not what is answered: see RFC 1034 §4.3.2 and RFC 6672 §2.3.
        if is_hidden(zone, owner) {
            continue;
        }
        let answer = exchange(&socket, &octets::query(id, owner, *rtype));
        let message = Message::parse(&answer).expect("a message");
        assert!(!message.header().tc, "{owner} {rtype}: truncated");
        let mut told = Sets::new();
        for record in message.records(Section::Answer) {
            if record.owner.to_lowercase().to_string() == *owner && record.rtype.0 == *rtype {
                let data = record.rdata().expect("data").as_wire().to_vec();
                let key = (owner.clone(), *rtype);
                told.entry(key).or_insert((record.ttl, BTreeSet::new())).1.insert(data);
            }
        }
        let key = (owner.clone(), *rtype);
        assert_eq!(told.get(&key), zone.sets.get(&key), "{owner} {rtype}");
        compared += 1;
    }
    compared
}

/// Sends a datagram until it is answered.
pub(crate) fn exchange(socket: &UdpSocket, message: &[u8]) -> Vec<u8> {
    socket.set_read_timeout(Some(RESEND)).expect("a timeout");
    let mut buffer = [0; 2048];
    for _ in 0..TRIES {
        socket.send(message).expect("loopback");
        while let Ok(length) = socket.recv(&mut buffer) {
            if buffer.get(..2) == message.get(..2) {
                return buffer.get(..length).expect("no longer").to_vec();
            }
        }
    }
    unreachable!("no answer to {message:?}")
}

/// Whether queries for a name are answered from a delegation or a DNAME.
fn is_hidden(zone: &Zone, name: &str) -> bool {
    let mut at = name;
    while at != zone.apex {
        let has = |rtype| zone.sets.contains_key(&(at.to_owned(), rtype));
        if has(NS) || at != name && has(DNAME) {
            return true;
        }
        at = at.split_once('.').map_or("", |(_, rest)| rest);
    }
    false
}

/// How long an answer may take before the question is sent again, and how often that is done.
const RESEND: Duration = Duration::from_secs(3);
const TRIES: usize = 10;
