//! Octets as a zone, changes and questions: everything is what the small reference server says.
#![no_main]

#[path = "../../crates/zone/tests/model/drive.rs"]
#[allow(dead_code, reason = "the property tests use more of it")]
mod drive;
#[path = "../../crates/zone/tests/model/reference.rs"]
#[allow(dead_code, reason = "the property tests use more of it")]
mod reference;

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use reference::{
    A, AAAA, ANY, CNAME, DNAME, DS, Edit, KEY, Labels, MX, Model, NS, NSEC, Prerequisite, SOA, SRV,
    Set, TXT, labels, wire,
};

fuzz_target!(|octets: &[u8]| {
    let mut from = Octets(octets);
    let (minimum, serial) = (u32::from(from.next()), u32::from(from.next()) << 24);
    let soa = Set { ttl: 60, data: vec![soa(serial, minimum)] };
    let ns = Set { ttl: 60, data: vec![wire(&from.name())] };
    let sets = BTreeMap::from([((apex(), SOA), soa), ((apex(), NS), ns)]);
    let mut model = Model { apex: apex(), sets };
    let zone = drive::serve(&model);
    for _ in 0..ROUNDS {
        let edits: Vec<Edit> = (0..from.next() % 16).map(|_| from.edit()).collect();
        let wanted: Vec<Prerequisite> =
            (0..from.next().saturating_sub(250)).map(|_| from.prerequisite()).collect();
        drive::check_change(&mut model, &zone, &wanted, &edits);
        for _ in 0..from.next() % 8 {
            let (qname, qtype) = (from.name(), from.pick(&QTYPES));
            // A zone is never asked about names that are not its own.
            if qname.starts_with(&apex()) {
                drive::check_answer(&model, &zone, &wire(&qname), qtype);
            }
        }
        if from.0.is_empty() {
            return;
        }
    }
});

/// Choices, one octet each; zeros when there are no more.
struct Octets<'a>(&'a [u8]);

impl Octets<'_> {
    fn next(&mut self) -> u8 {
        let Some((&octet, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        octet
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::from(self.next()) % of.len()]
    }

    fn name(&mut self) -> Labels {
        let depth = self.next();
        if depth == 255 {
            return labels(b"\x01a\x03out\0");
        }
        let mut name = apex();
        if depth == 254 {
            // The longest that there is.
            name.extend([63, 63, 63, 53].map(|len| vec![b'l'; len]));
            return name;
        }
        for _ in 0..depth % 4 {
            name.push(match self.next() % 6 {
                0 => b"*".to_vec(),
                1 => b"a".to_vec(),
                2 => b"b".to_vec(),
                3 => b"x.y".to_vec(),
                4 => vec![0, 255],
                _ => vec![b'l'; 63],
            });
        }
        name
    }

    fn data(&mut self, rtype: u16) -> Vec<u8> {
        match rtype {
            A => vec![192, 0, 2, self.next() % 4],
            AAAA => [vec![0x20; 15], vec![self.next() % 4]].concat(),
            TXT => {
                let choice = self.next();
                // From 128 on so large that its owner is kept apart from others.
                let strings = if choice < 128 { 1 } else { 43 };
                [vec![200], vec![choice % 4; 200]].concat().repeat(strings)
            }
            DS | KEY => vec![0, 1, 2, 3, self.next() % 4],
            MX => [vec![0, self.next() % 4], wire(&self.name())].concat(),
            SRV => [vec![0, 0, 0, 0, 0, self.next() % 4], wire(&self.name())].concat(),
            SOA => soa(u32::from(self.next()) << 24, 9),
            NS | CNAME | DNAME => wire(&self.name()),
            _ => vec![self.next()],
        }
    }

    fn edit(&mut self) -> Edit {
        let (kind, name, rtype) = (self.next() % 10, self.name(), self.pick(&TYPES));
        let (ttl, data) = (u32::from(self.next()), self.data(rtype));
        match kind {
            0 => Edit::DeleteSet(name, rtype),
            1 => Edit::DeleteName(name),
            2 => Edit::DeleteRecord(name, rtype, data),
            3 => Edit::Replace(name, rtype, ttl, vec![data, self.data(rtype)]),
            _ => Edit::Add(name, rtype, ttl, data),
        }
    }

    fn prerequisite(&mut self) -> Prerequisite {
        let (kind, name, rtype) = (self.next() % 5, self.name(), self.pick(&TYPES));
        match kind {
            0 => Prerequisite::InUse(name),
            1 => Prerequisite::NotInUse(name),
            2 => Prerequisite::Exists(name, rtype),
            3 => Prerequisite::Missing(name, rtype),
            _ => Prerequisite::Equals(name, rtype, vec![self.data(rtype)]),
        }
    }
}

fn apex() -> Labels {
    labels(b"\x02ex\x04test\0")
}

fn soa(serial: u32, minimum: u32) -> Vec<u8> {
    let mut data = b"\x02ns\x02ex\x04test\0\x04host\0".to_vec();
    for number in [serial, 1, 2, 3, minimum] {
        data.extend_from_slice(&number.to_be_bytes());
    }
    data
}

const ROUNDS: usize = 4;
const TYPES: [u16; 14] = [A, A, AAAA, NS, NS, CNAME, CNAME, DNAME, DNAME, MX, SRV, TXT, DS, SOA];
const QTYPES: [u16; 14] =
    [A, AAAA, NS, CNAME, DNAME, MX, SRV, TXT, DS, SOA, ANY, KEY, NSEC, 65_280];
