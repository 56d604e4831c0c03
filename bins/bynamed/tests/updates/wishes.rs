//! Messages at random: every kind of prerequisite and update, and what is wrong about them.

use crate::dice::Dice;
use crate::model::{
    A, AAAA, ANY, AXFR, CLASS_ANY, CLASS_NONE, CNAME, DNAME, IN, KEY, MX, Message, NS, Record, SOA,
    TXT, Zone,
};
use crate::octets::{name, soa};

/// A message about some names of a zone.
pub(crate) fn message(dice: &mut Dice, zone: &Zone, names: &[String]) -> Message {
    let section = match dice.below(40) {
        0 => ("elsewhere.example.".to_owned(), SOA, IN),
        1 => (zone.apex.clone(), A, IN),
        2 => (zone.apex.clone(), SOA, 3),
        _ => (mixed(dice, &zone.apex), SOA, IN),
    };
    let mut prerequisites = Vec::new();
    for _ in 0..[0, 0, 1, 1, 2][dice.below(5)] {
        prerequisites.extend(prerequisite(dice, zone, names));
    }
    let updates = (0..[0, 1, 1, 2, 3, 5][dice.below(6)]).map(|_| update(dice, zone, names));
    Message { zone: section, prerequisites, updates: updates.collect() }
}

/// Records that state one prerequisite.
fn prerequisite(dice: &mut Dice, zone: &Zone, names: &[String]) -> Vec<Record> {
    let (there, owner) = (existing(dice, zone, names), dice.one_of(names).clone());
    let (owner, rtype) = there.filter(|_| dice.once_in(2)).unwrap_or((owner, rtype(dice)));
    let record = |rtype, class, data| Record { owner: owner.clone(), rtype, class, ttl_s: 0, data };
    let mut records = match dice.below(6) {
        0 => vec![record(ANY, CLASS_ANY, vec![])],
        1 => vec![record(ANY, CLASS_NONE, vec![])],
        2 => vec![record(rtype, CLASS_ANY, vec![])],
        3 => vec![record(rtype, CLASS_NONE, vec![])],
        _ => match zone.sets.get(&(owner.clone(), rtype)) {
            Some((_, all)) => all.iter().map(|data| record(rtype, IN, data.clone())).collect(),
            None => vec![record(rtype, IN, data(dice, rtype, names))],
        },
    };
    // Nearly the same data are others.
    if records[0].class == IN && dice.once_in(3) {
        if records.len() > 1 && dice.once_in(2) {
            records.pop();
        } else {
            let other = match rtype {
                SOA => soa(&zone.apex, zone.serial(), 7),
                _ => data(dice, rtype, names),
            };
            records.push(record(rtype, IN, other));
        }
    }
    if dice.once_in(20) {
        spoil(dice, &mut records[0]);
    }
    records
}

fn update(dice: &mut Dice, zone: &Zone, names: &[String]) -> Record {
    let owner = dice.one_of(names).clone();
    let (rtype, ttl_s) = (rtype(dice), [60, 60, 60, 300][dice.below(4)]);
    let mut record = match dice.below(12) {
        0 => Record { owner, rtype, class: CLASS_ANY, ttl_s: 0, data: vec![] },
        1 => Record { owner, rtype: ANY, class: CLASS_ANY, ttl_s: 0, data: vec![] },
        2 | 3 => {
            let there = existing(dice, zone, names);
            let (owner, rtype) = there.unwrap_or((owner, rtype));
            let data = match zone.sets.get(&(owner.clone(), rtype)) {
                Some((_, all)) => {
                    let all: Vec<&Vec<u8>> = all.iter().collect();
                    (*dice.one_of(&all)).clone()
                }
                None => data(dice, rtype, names),
            };
            Record { owner, rtype, class: CLASS_NONE, ttl_s: 0, data }
        }
        4 => {
            let serial = zone.serial().wrapping_add([0, 1, 10, 1000, u32::MAX][dice.below(5)]);
            let data = soa(&zone.apex, serial, dice.below(3) as u32);
            let at_apex = names.contains(&zone.apex) && dice.once_in(2);
            let owner = if at_apex { zone.apex.clone() } else { owner };
            Record { owner, rtype: SOA, class: IN, ttl_s, data }
        }
        5..=7 => {
            // Where something of the type is: it is added to, or replaced.
            let there = existing(dice, zone, names).filter(|(_, rtype)| *rtype != SOA);
            let (owner, rtype) = there.unwrap_or((owner, rtype));
            Record { owner, rtype, class: IN, ttl_s, data: data(dice, rtype, names) }
        }
        _ => Record { owner, rtype, class: IN, ttl_s, data: data(dice, rtype, names) },
    };
    // A DNAME there would take all names away from those who ask.
    if record.rtype == DNAME && record.owner == zone.apex {
        record.owner = format!("dname.{}", zone.apex);
    }
    record.owner = mixed(dice, &record.owner);
    if dice.once_in(25) {
        spoil(dice, &mut record);
    }
    record
}

/// An RRset that is there.
fn existing(dice: &mut Dice, zone: &Zone, names: &[String]) -> Option<(String, u16)> {
    let all: Vec<&(String, u16)> =
        zone.sets.keys().filter(|(owner, _)| names.contains(owner)).collect();
    (!all.is_empty()).then(|| (*dice.one_of(&all)).clone())
}

/// Makes a record one that is refused, in most cases.
fn spoil(dice: &mut Dice, record: &mut Record) {
    match dice.below(6) {
        0 => record.owner = "nas.elsewhere.example.".to_owned(),
        1 => record.class = 3,
        2 => record.ttl_s = 7,
        3 => (record.class, record.data) = (CLASS_ANY, vec![1, 2, 3]),
        4 => (record.rtype, record.class, record.data) = (A, IN, vec![192, 0, 2]),
        _ => (record.rtype, record.class) = (AXFR, IN),
    }
}

fn rtype(dice: &mut Dice) -> u16 {
    *dice.one_of(&[A, A, A, AAAA, TXT, TXT, CNAME, MX, NS, KEY, DNAME, OTHER])
}

/// Data of few values, so that they meet.
fn data(dice: &mut Dice, rtype: u16, names: &[String]) -> Vec<u8> {
    let number = dice.below(4) as u8;
    match rtype {
        A => vec![192, 0, 2, number],
        AAAA => [&[0x20, 1, 0x0d, 0xb8][..], &[0; 11], &[number]].concat(),
        TXT => vec![2, b't', b'0' + number],
        MX => [vec![0, number], name(dice.one_of::<String>(names))].concat(),
        NS | CNAME | DNAME => name(dice.one_of::<String>(names)),
        KEY => vec![2, 0, 3, 13, number],
        _ => vec![number; 1 + usize::from(number)],
    }
}

/// The same name in other letters.
fn mixed(dice: &mut Dice, name: &str) -> String {
    if dice.once_in(4) { name.to_ascii_uppercase() } else { name.to_owned() }
}

/// A type that nobody knows.
const OTHER: u16 = 65_280;
