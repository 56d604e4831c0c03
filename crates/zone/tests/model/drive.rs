//! Puts the same zone, questions and changes to the crate and to the reference, and compares.

#![expect(clippy::expect_used, clippy::panic, reason = "a step that fails is a failed test")]

use std::collections::BTreeSet;

use wire::{Message, Name, Query, Rdata, Rrset, Rtype, Section, Serial, Writer};
use zone::{Change, Refusal, Zone, judge, next_serial};

use super::reference::{self, Edit, Labels, Model, Prerequisite, Reply, Rr, fold, labels};

/// What came back: the reply, whether it is marked as cut, and its octets.
pub(crate) struct Asked {
    pub(crate) reply: Reply,
    pub(crate) tc: bool,
    pub(crate) octets: usize,
}

pub(crate) fn serve(model: &Model) -> Zone {
    let zone = Zone::new(&name(&model.apex), Serial(model.serial()));
    zone.load(model.sets.iter().map(|((owner, rtype), set)| {
        (name(owner), Rtype(*rtype), rrset(*rtype, set.ttl, &set.data))
    }));
    zone
}

/// Asks the zone with a question in wire form, letters as they are.
pub(crate) fn ask(zone: &Zone, qname: &[u8], qtype: u16, limit: usize) -> Asked {
    let message = query(qname, qtype);
    let query = Query::parse(&message).expect("a query");
    let mut buffer = Vec::new();
    let mut writer = Writer::reply(&mut buffer, limit, &query, 1232);
    zone.answer(&query, &mut writer);
    let octets = writer.finish();
    assert!(octets <= limit.max(512) && octets == buffer.len());
    assert_eq!(buffer.get(12..message.len()), message.get(12..), "the question, letter by letter");
    let message = Message::parse(&buffer).expect("a message");
    let header = message.header();
    assert!(header.qr && !header.ra && header.counts[0] == 1);
    let reply = Reply {
        rcode: message.rcode().0,
        aa: header.aa,
        answer: section(&message, Section::Answer),
        authority: section(&message, Section::Authority),
        additional: section(&message, Section::Additional),
        required: BTreeSet::new(),
    };
    Asked { reply, tc: header.tc, octets }
}

/// The whole answer, and the one of 512 octets, are what the reference says.
pub(crate) fn check_answer(model: &Model, zone: &Zone, qname: &[u8], qtype: u16) {
    let said = || format!("{:?} {}\n{model:?}", Name::from_wire(qname), Rtype(qtype));
    let mut expected = model.answer(&labels(qname), qtype);
    let required = std::mem::take(&mut expected.required);
    let whole = ask(zone, qname, qtype, 65_535);
    assert!(!whole.tc, "{}", said());
    assert_eq!(whole.reply, expected, "{}", said());

    let cut = ask(zone, qname, qtype, 512);
    if cut.tc {
        // The walk along a chain ends where the message does, so the code may be another one.
        assert!(whole.octets > 512, "cut without need: {}", said());
        assert!(is_whole(&cut.reply.answer, &expected.answer), "{}", said());
        assert!(is_whole(&cut.reply.authority, &expected.authority), "{}", said());
    } else {
        assert_eq!((cut.reply.rcode, cut.reply.aa), (expected.rcode, expected.aa), "{}", said());
        assert_eq!(cut.reply.answer, expected.answer, "{}", said());
        assert_eq!(cut.reply.authority, expected.authority, "{}", said());
        assert!(cut.reply.additional.is_superset(&required), "RFC 9471 §3.1: {}", said());
    }
    assert!(is_whole(&cut.reply.additional, &expected.additional), "{}", said());
}

/// Judges and applies a change on both sides; the zone after it is what the reference says.
pub(crate) fn check_change(
    model: &mut Model,
    zone: &Zone,
    wanted: &[Prerequisite],
    edits: &[Edit],
) {
    let before: &Model = model;
    let said = || format!("{wanted:?}\n{edits:?}\n{before:?}");
    let expected = model.change(wanted, edits);
    let judged = judge(zone, &change(model, wanted, edits));
    match (judged, expected) {
        (Err(refusal), Err(expected)) => assert_eq!(code(refusal), expected, "{}", said()),
        (Ok(deltas), Ok(None)) => assert!(deltas.is_empty(), "{deltas:?}\n{}", said()),
        (Ok(deltas), Ok(Some(after))) => {
            let keys: BTreeSet<_> =
                deltas.iter().map(|delta| (&delta.owner, delta.rtype)).collect();
            assert_eq!(keys.len(), deltas.len(), "one delta for each RRset: {}", said());
            assert!(deltas.iter().all(|delta| delta.before != delta.after), "{}", said());
            zone.apply(next_serial(zone.serial(), &deltas), &deltas);
            assert_eq!(content(zone).sorted(), after.sorted(), "{}", said());
            assert_eq!(zone.serial().0, after.serial(), "{}", said());
            assert_eq!(zone.rrset_count(), after.sets.len(), "{}", said());
            *model = after;
        }
        (judged, expected) => panic!("{judged:?}, not {expected:?}: {}", said()),
    }
}

/// The zone's content as a model.
pub(crate) fn content(zone: &Zone) -> Model {
    snapshot_content(zone.apex(), &zone.snapshot())
}

pub(crate) fn snapshot_content(apex: &Name, snapshot: &zone::Snapshot) -> Model {
    let sets = snapshot.rrsets().map(|(owner, rtype, rrset)| {
        let data = rrset.rdata.iter().map(|rdata| rdata.as_wire().to_vec()).collect();
        ((labels(owner.as_wire()), rtype.0), reference::Set { ttl: rrset.ttl_s, data })
    });
    Model { apex: labels(apex.as_wire()), sets: sets.collect() }
}

fn query(qname: &[u8], qtype: u16) -> Vec<u8> {
    let mut message = vec![7, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    message.extend_from_slice(qname);
    message.extend_from_slice(&qtype.to_be_bytes());
    message.extend_from_slice(&[0, 1]);
    message
}

/// The records of a section, none of them twice.
fn section(message: &Message<'_>, section: Section) -> BTreeSet<Rr> {
    let mut set = BTreeSet::new();
    for record in message.records(section) {
        let rdata = record.rdata().expect("data of its type");
        let data = fold(record.rtype.0, rdata.as_wire());
        let rr = (labels(record.owner.as_wire()), record.rtype.0, record.ttl, data);
        assert!(set.insert(rr.clone()), "twice in one section: {rr:?}");
    }
    set
}

/// Whether a section is a part of another one in which every RRset is whole.
fn is_whole(part: &BTreeSet<Rr>, of: &BTreeSet<Rr>) -> bool {
    let keys: BTreeSet<_> = part.iter().map(|rr| (&rr.0, rr.1)).collect();
    let whole = of.iter().filter(|rr| keys.contains(&(&rr.0, rr.1)));
    part.iter().eq(whole)
}

pub(crate) fn change(model: &Model, wanted: &[Prerequisite], edits: &[Edit]) -> Change {
    let prerequisites = wanted.iter().map(|wanted| match wanted {
        Prerequisite::InUse(owner) => zone::Prerequisite::NameInUse(name(owner)),
        Prerequisite::NotInUse(owner) => zone::Prerequisite::NameNotInUse(name(owner)),
        Prerequisite::Exists(owner, t) => zone::Prerequisite::RrsetExists(name(owner), Rtype(*t)),
        Prerequisite::Missing(owner, t) => {
            zone::Prerequisite::RrsetDoesNotExist(name(owner), Rtype(*t))
        }
        Prerequisite::Equals(owner, t, data) => {
            zone::Prerequisite::RrsetEquals(name(owner), Rtype(*t), rrset(*t, 0, data).rdata)
        }
    });
    let edits = edits.iter().map(|edit| match edit {
        Edit::Add(owner, t, ttl_s, data) => {
            let (owner, rtype, rdata) = (name(owner), Rtype(*t), rdata(*t, data));
            zone::Edit::Add { owner, rtype, ttl_s: *ttl_s, rdata }
        }
        Edit::DeleteSet(owner, t) => {
            zone::Edit::DeleteRrset { owner: name(owner), rtype: Rtype(*t) }
        }
        Edit::DeleteName(owner) => zone::Edit::DeleteName { owner: name(owner) },
        Edit::DeleteRecord(owner, t, data) => {
            let (owner, rtype, rdata) = (name(owner), Rtype(*t), rdata(*t, data));
            zone::Edit::DeleteRecord { owner, rtype, rdata }
        }
        Edit::Replace(owner, t, ttl_s, data) => {
            let (owner, rtype, rrset) = (name(owner), Rtype(*t), rrset(*t, *ttl_s, data));
            zone::Edit::Replace { owner, rtype, rrset }
        }
    });
    Change {
        zone: name(&model.apex),
        prerequisites: prerequisites.collect(),
        edits: edits.collect(),
        flaw: None,
    }
}

fn code(refusal: Refusal) -> u16 {
    match refusal {
        Refusal::Malformed(_) => 1,
        Refusal::NameMissing => 3,
        Refusal::NameExists => 6,
        Refusal::RrsetExists => 7,
        Refusal::RrsetMissing => 8,
        Refusal::NoSuchZone => 9,
        Refusal::OutsideZone => 10,
    }
}

fn name(labels: &Labels) -> Name {
    Name::from_wire(&reference::wire(labels)).expect("a name")
}

fn rdata(rtype: u16, data: &[u8]) -> Rdata {
    Rdata::new(Rtype(rtype), data).expect("data of the type")
}

fn rrset(rtype: u16, ttl_s: u32, data: &[Vec<u8>]) -> Rrset {
    Rrset { ttl_s, rdata: data.iter().map(|data| rdata(rtype, data)).collect() }
}
