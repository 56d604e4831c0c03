//! Messages octet by octet, and a zone that they are sent to.

use std::collections::HashMap;

use update::{Unread, Verdict, answer, parse, refusal};
use wire::{Class, Message, Name, Opcode, Rcode, Rdata, Rtype, Serial};
use zone::{Change, Edit, Refusal, View, Zone, judge, next_serial};

/// How a client writes names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    /// With pointers to what stands before, in owners and in data of the old types.
    Compressed,
    /// In full.
    Plain,
}

/// A message for a zone. Each line is a record: owner relative to the zone (`@`: the apex), class,
/// type, and where it has them TTL and data.
pub(crate) fn message(zone: &str, names: Names, prerequisites: &[&str], edits: &[&str]) -> Vec<u8> {
    let mut writer = Writer { octets: Vec::new(), names, places: HashMap::new() };
    let counts = [prerequisites.len() as u16, edits.len() as u16];
    for number in [ID, u16::from(Opcode::UPDATE.0) << 11, 1, counts[0], counts[1], 0] {
        writer.octets.extend_from_slice(&number.to_be_bytes());
    }
    let apex = name(zone);
    writer.name(&apex);
    writer.octets.extend_from_slice(&[0, 6, 0, 1]);
    for line in prerequisites.iter().chain(edits) {
        writer.record(line, &apex);
    }
    writer.octets
}

/// The same with TSIG at its end, as every client of these sends it; the MAC is for others to check.
pub(crate) fn signed(mut message: Vec<u8>) -> Vec<u8> {
    message.extend_from_slice(b"\x03key\0\0\xfa\0\xff\0\0\0\0\0\x3d\x0bhmac-sha256\0");
    message.extend_from_slice(&[0, 0, 0x65, 0x53, 0xf1, 0, 0x01, 0x2c, 0, 32]);
    message.extend_from_slice(&[0xa5; 32]);
    message.extend_from_slice(&ID.to_be_bytes());
    message.extend_from_slice(&[0; 4]);
    message[11] = 1;
    message
}

/// A zone, and what a door does with messages for it.
pub(crate) struct World {
    apex: Name,
    zone: Zone,
}

impl World {
    /// A zone with these records, each `owner TTL TYPE data`, beside the SOA and NS of its apex.
    pub(crate) fn new(apex: &str, records: &[&str]) -> World {
        let apex = name(apex);
        let zone = Zone::new(&apex, Serial(1));
        let own = ["@ 60 SOA ns.example. host.example. 1 2 3 4 5", "@ 60 NS ns.example."];
        let edits = own.iter().chain(records).map(|line| {
            let [owner, ttl_s, rtype, data] = fields(line);
            let rtype: Rtype = rtype.parse().expect("a type");
            let rdata = Rdata::parse(rtype, data, &apex).expect("data");
            let ttl_s = ttl_s.parse().expect("a TTL");
            Edit::Add { owner: absolute(owner, &apex), rtype, ttl_s, rdata }
        });
        let deltas = judge(&zone, &Change::new(apex.clone(), edits.collect())).expect("a zone");
        zone.apply(Serial(1), &deltas);
        World { apex, zone }
    }

    /// Reads a message, judges it, makes it visible and answers it: the code of the answer.
    pub(crate) fn send(&self, message: &[u8]) -> Rcode {
        let (about, verdict) = match parse(message) {
            Ok(update) => (update.about, self.decide(&update.change)),
            Err(Unread::Refuse(about, rcode, why)) => (about, Verdict { rcode, why, lease: None }),
            Err(Unread::Silence) => panic!("no answer"),
        };
        let mut said = Vec::new();
        answer(&mut said, &about.envelope, about.zone, &verdict, (512, 1232));
        let said = Message::parse(&said).expect("a message");
        let header = said.header();
        assert!(header.qr && header.id == ID && header.opcode == Opcode::UPDATE);
        said.rcode()
    }

    fn decide(&self, change: &Change) -> Verdict {
        if change.zone != self.apex {
            return refusal(Refusal::NoSuchZone);
        }
        let deltas = match judge(&self.zone, change) {
            Ok(deltas) => deltas,
            Err(why) => return refusal(why),
        };
        if !deltas.is_empty() {
            self.zone.apply(next_serial(self.zone.serial(), &deltas), &deltas);
        }
        Verdict { rcode: Rcode::NOERROR, why: None, lease: None }
    }

    pub(crate) fn serial(&self) -> u32 {
        self.zone.serial().0
    }

    /// All records but the SOA and NS of the apex, each `owner TTL TYPE data`.
    pub(crate) fn check(&self, expected: &[&str]) {
        let mut found = Vec::new();
        for (owner, rtype, rrset) in self.zone.snapshot().rrsets() {
            if owner == self.apex && matches!(rtype, Rtype::SOA | Rtype::NS) {
                continue;
            }
            let owner = owner.to_string();
            let relative = owner.strip_suffix(&format!(".{}", self.apex)).unwrap_or("@");
            for rdata in &rrset.rdata {
                found.push(format!("{relative} {} {rtype} {}", rrset.ttl_s, rdata.display(rtype)));
            }
        }
        found.sort();
        let mut expected: Vec<String> = expected.iter().map(|&line| line.to_owned()).collect();
        expected.sort();
        assert_eq!(found, expected);
    }

    /// Number of records that an RRset has.
    pub(crate) fn count(&self, owner: &str, rtype: Rtype) -> usize {
        let rrset = self.zone.rrset(&absolute(owner, &self.apex), rtype);
        rrset.map_or(0, |rrset| rrset.rdata.len())
    }
}

/// Writes names as a client does.
struct Writer {
    octets: Vec<u8>,
    names: Names,
    places: HashMap<Vec<u8>, u16>,
}

impl Writer {
    fn record(&mut self, line: &str, apex: &Name) {
        let mut words = line.splitn(5, ' ');
        let mut word = || words.next().unwrap_or_default();
        let (owner, class, rtype) = (word(), word(), word());
        let (ttl, data) = (word(), word());
        let class: Class = class.parse().expect("a class");
        let rtype: Rtype = rtype.parse().expect("a type");
        let ttl: u32 = if ttl.is_empty() { 0 } else { ttl.parse().expect("a TTL") };
        self.name(&absolute(owner, apex));
        for number in [rtype.0, class.0] {
            self.octets.extend_from_slice(&number.to_be_bytes());
        }
        self.octets.extend_from_slice(&ttl.to_be_bytes());
        self.octets.extend_from_slice(&[0, 0]);
        let start = self.octets.len();
        if !data.is_empty() {
            let rdata = Rdata::parse(rtype, data, apex).expect("data");
            match rdata.target(rtype) {
                Some(target) if matches!(rtype, Rtype::PTR | Rtype::CNAME) => self.name(&target),
                _ => self.octets.extend_from_slice(rdata.as_wire()),
            }
        }
        let len = (self.octets.len() - start) as u16;
        self.octets[start - 2..start].copy_from_slice(&len.to_be_bytes());
    }

    fn name(&mut self, name: &Name) {
        let mut rest = name.as_wire();
        while rest[0] != 0 {
            let place = self.places.get(rest).filter(|_| self.names == Names::Compressed);
            if let Some(place) = place {
                self.octets.extend_from_slice(&(0xc000 | place).to_be_bytes());
                return;
            }
            self.places.insert(rest.to_vec(), self.octets.len() as u16);
            let (label, after) = rest.split_at(1 + usize::from(rest[0]));
            self.octets.extend_from_slice(label);
            rest = after;
        }
        self.octets.push(0);
    }
}

fn fields(line: &str) -> [&str; 4] {
    let fields: Vec<&str> = line.splitn(4, ' ').collect();
    fields.try_into().expect("owner, TTL, type and data")
}

fn absolute(owner: &str, apex: &Name) -> Name {
    match owner {
        "@" => apex.clone(),
        _ if owner.ends_with('.') => name(owner),
        _ => name(&format!("{owner}.{apex}")),
    }
}

fn name(text: &str) -> Name {
    Name::parse(text).expect("a name")
}

const ID: u16 = 0x4fce;
