//! Answers, changes and snapshots against a small naive server, over generated zones.

#![expect(clippy::unwrap_used, reason = "a step that fails is a failed test")]

#[path = "model/drive.rs"]
mod drive;
#[path = "model/reference.rs"]
mod reference;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use ::wire::Serial;
use proptest::prelude::*;
use proptest::sample::select;
use zone::{Delta, judge, next_serial};

use reference::{
    A, AAAA, ANY, CNAME, DNAME, DS, Edit, KEY, Labels, MX, Model, NS, NSEC, PTR, Prerequisite, SOA,
    SRV, Set, TXT, labels, wire,
};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn answers_are_those_of_the_reference(
        model in a_zone(),
        questions in prop::collection::vec((a_name(), a_qtype(), any::<u64>()), 60),
    ) {
        let zone = drive::serve(&model);
        let owned: Vec<&(Labels, u16)> = model.sets.keys().collect();
        for (index, (qname, qtype, case)) in questions.into_iter().enumerate() {
            // Of most questions something is there: the RRset, the name, or one above it.
            let (known, known_type) = owned[index / 4 % owned.len()];
            let (qname, qtype) = match index % 4 {
                0 => (known.clone(), *known_type),
                1 => (known.clone(), qtype),
                2 => ([known.as_slice(), &[b"zz".to_vec()]].concat(), qtype),
                _ => (qname, qtype),
            };
            let qname = wire(&qname);
            if qname.len() <= 255 {
                drive::check_answer(&model, &zone, &mixed_case(&qname, case), qtype);
            }
        }
    }

    #[test]
    fn changes_are_those_of_the_reference_and_snapshots_stay(
        model in a_zone(),
        changes in prop::collection::vec((prerequisites(), edits()), 1..6),
        questions in prop::collection::vec((a_name(), a_qtype()), 8),
    ) {
        let mut model = model;
        let zone = drive::serve(&model);
        for (wanted, edits) in changes {
            let before = (zone.snapshot(), model.clone());
            drive::check_change(&mut model, &zone, &wanted, &edits);
            let kept = drive::snapshot_content(zone.apex(), &before.0);
            prop_assert_eq!(kept.sorted(), before.1.sorted());
            prop_assert_eq!(before.0.serial().0, before.1.serial());
            for (qname, qtype) in &questions {
                drive::check_answer(&model, &zone, &wire(qname), *qtype);
            }
        }
    }

    #[test]
    fn answers_beside_a_writer_are_those_of_one_state_between_question_and_answer(
        model in a_zone(),
        changes in prop::collection::vec(edits(), 30),
        questions in prop::collection::vec((a_name(), a_qtype()), 20),
    ) {
        let history = History::of(model, &changes);
        let zone = drive::serve(&history.models[0]);
        let (begun, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let asked = std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut asked = Vec::new();
                while done.load(Ordering::SeqCst) < history.commits.len() {
                    for question in &questions {
                        let after = done.load(Ordering::SeqCst);
                        let reply = drive::ask(&zone, &wire(&question.0), question.1, 65_535).reply;
                        asked.push((question, after, reply, begun.load(Ordering::SeqCst)));
                    }
                }
                asked
            });
            for (serial, deltas) in &history.commits {
                begun.fetch_add(1, Ordering::SeqCst);
                zone.apply(*serial, deltas);
                done.fetch_add(1, Ordering::SeqCst);
                // Lets the reader in on a machine with one core.
                std::thread::yield_now();
            }
            reader.join().unwrap()
        });
        for ((qname, qtype), after, reply, before) in asked {
            let fits = (after..=before).any(|at| {
                let mut expected = history.models[at].answer(qname, *qtype);
                expected.required.clear();
                expected == reply
            });
            prop_assert!(fits, "{qname:?} {qtype} {after}..={before}: {reply:?}");
        }
    }

    #[test]
    fn a_zone_that_is_emptied_is_as_new(model in a_zone()) {
        let zone = drive::serve(&model);
        let names: Vec<Edit> =
            model.sets.keys().map(|(owner, _)| Edit::DeleteName(owner.clone())).collect();
        let mut model = model;
        drive::check_change(&mut model, &zone, &[], &names);
        // Nothing is left of names that only stood above others.
        for (qname, qtype) in [("\u{1}a", A), ("\u{1}b\u{1}a", ANY), ("\u{1}*", TXT)] {
            let qname = [qname.as_bytes(), &wire(&apex())].concat();
            drive::check_answer(&model, &zone, &qname, qtype);
            let reply = drive::ask(&zone, &qname, qtype, 512).reply;
            prop_assert_eq!((reply.rcode, reply.answer.len()), (3, 0));
        }
    }
}

/// Changes that take effect, and the state before the first and after each of them.
struct History {
    models: Vec<Model>,
    commits: Vec<(Serial, Vec<Delta>)>,
}

impl History {
    fn of(model: Model, changes: &[Vec<Edit>]) -> History {
        let zone = drive::serve(&model);
        let mut history = History { models: vec![model], commits: Vec::new() };
        for edits in changes {
            let before = &history.models[history.models.len() - 1];
            let Ok(Some(after)) = before.change(&[], edits) else { continue };
            let deltas = judge(&zone, &drive::change(before, &[], edits)).unwrap();
            let serial = next_serial(zone.serial(), &deltas);
            zone.apply(serial, &deltas);
            history.commits.push((serial, deltas));
            history.models.push(after);
        }
        history
    }
}

fn apex() -> Labels {
    labels(b"\x02ex\x04test\0")
}

/// A zone as changes could have made it, rich in what answers depend on.
fn a_zone() -> impl Strategy<Value = Model> {
    let soa = (a_ttl(), select(vec![0_u32, 30, 7200]), any::<u32>());
    let records = prop::collection::vec(a_record(), 1..40);
    (soa, prop::collection::vec(a_target(), 1..3), records).prop_map(|(soa, servers, records)| {
        let (ttl, minimum, serial) = soa;
        let soa = Set { ttl, data: vec![soa_data(serial, minimum)] };
        let mut data: Vec<Vec<u8>> = servers.iter().map(|server| wire(server)).collect();
        data.sort();
        data.dedup();
        let ns = Set { ttl, data };
        let sets = BTreeMap::from([((apex(), SOA), soa), ((apex(), NS), ns)]);
        let edits: Vec<Edit> =
            records.into_iter().map(|(n, t, ttl, data)| Edit::Add(n, t, ttl, data)).collect();
        let model = Model { apex: apex(), sets };
        model.change(&[], &edits).ok().flatten().unwrap_or(model)
    })
}

fn soa_data(serial: u32, minimum: u32) -> Vec<u8> {
    let mut data = b"\x02NS\x02ex\x04test\0\x04host\0".to_vec();
    for number in [serial, 1, 2, 3, minimum] {
        data.extend_from_slice(&number.to_be_bytes());
    }
    data
}

/// Few labels, so that names meet: wildcards, escapes, and labels that make names too long.
fn a_label() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => Just(b"a".to_vec()),
        4 => Just(b"b".to_vec()),
        3 => Just(b"*".to_vec()),
        1 => Just(b"c".to_vec()),
        1 => Just(b"x.y".to_vec()),
        1 => Just(vec![0, 255, b'\\']),
        1 => Just(vec![b'l'; 63]),
    ]
}

/// Now and then the longest that there is.
fn a_name() -> impl Strategy<Value = Labels> {
    let below = prop_oneof![
        12 => prop::collection::vec(a_label(), 0..4),
        1 => Just([vec![vec![b'l'; 63]; 3], vec![vec![b'l'; 53]]].concat()),
    ];
    below.prop_map(|below| [apex(), below].concat())
}

fn a_target() -> impl Strategy<Value = Labels> {
    prop_oneof![
        12 => a_name(),
        1 => Just(labels(b"\x01a\x03out\0")),
        1 => Just(labels(b"\x01a\x02ex\x04test\x04test\0")),
        // One that leaves little room in front of it (RFC 6672 §2.2).
        1 => Just([apex(), vec![vec![b'l'; 63]; 3], vec![b"a".to_vec()]].concat()),
    ]
}

fn a_ttl() -> impl Strategy<Value = u32> {
    select(vec![0_u32, 60, 3600])
}

fn a_type() -> impl Strategy<Value = u16> {
    prop_oneof![
        5 => Just(A),
        2 => Just(AAAA),
        3 => Just(NS),
        4 => Just(CNAME),
        2 => Just(DNAME),
        3 => Just(MX),
        2 => Just(TXT),
        2 => select(vec![SRV, DS, PTR, KEY, 65_280]),
    ]
}

fn a_qtype() -> impl Strategy<Value = u16> {
    let rare = vec![SOA, CNAME, DNAME, MX, SRV, TXT, DS, PTR, KEY, NSEC, 65_280, 65_281];
    prop_oneof![4 => Just(A), 1 => Just(AAAA), 2 => Just(NS), 2 => Just(ANY), 5 => select(rare)]
}

fn a_record() -> impl Strategy<Value = (Labels, u16, u32, Vec<u8>)> {
    (a_name(), a_type(), a_ttl()).prop_flat_map(|(owner, rtype, ttl)| {
        // NS at a wildcard is undefined (RFC 4592 §4.2): it is allowed and takes part.
        (Just(owner), Just(rtype), Just(ttl), some_data(rtype))
    })
}

fn some_data(rtype: u16) -> BoxedStrategy<Vec<u8>> {
    let target = (a_target(), any::<u64>()).prop_map(|(t, case)| mixed_case(&wire(&t), case));
    let number = 0_u8..3;
    match rtype {
        A => number.prop_map(|n| vec![192, 0, 2, n]).boxed(),
        AAAA => number.prop_map(|n| [vec![0x20, 1, 0xd, 0xb8], vec![n; 12]].concat()).boxed(),
        MX => (number, target).prop_map(|(n, t)| [vec![0, n], t].concat()).boxed(),
        SRV => (number, target).prop_map(|(n, t)| [vec![0, 0, 0, 0, 0, n], t].concat()).boxed(),
        // Some are so large that their owner is kept apart from others.
        TXT => (number, select(vec![1, 1, 43]))
            .prop_map(|(n, strings)| [vec![200], vec![b'a' + n; 200]].concat().repeat(strings))
            .boxed(),
        DS => number.prop_map(|n| vec![0, 1, 8, 2, n]).boxed(),
        KEY => number.prop_map(|n| vec![0, 1, 3, 8, n]).boxed(),
        SOA => (any::<u32>(), 0..9_u32).prop_map(|(serial, m)| soa_data(serial, m)).boxed(),
        NS | CNAME | DNAME | PTR => target.boxed(),
        _ => prop::collection::vec(number, 0..3).boxed(),
    }
}

fn prerequisites() -> impl Strategy<Value = Vec<Prerequisite>> {
    let of_type = (a_edited_name(), a_type()).prop_flat_map(|(name, rtype)| {
        (Just(name), Just(rtype), prop::collection::vec(some_data(rtype), 0..3))
    });
    let one = (of_type, 0..5_u8).prop_map(|((name, rtype, data), kind)| match kind {
        0 => Prerequisite::InUse(name),
        1 => Prerequisite::NotInUse(name),
        2 => Prerequisite::Exists(name, rtype),
        3 => Prerequisite::Missing(name, rtype),
        _ => Prerequisite::Equals(name, rtype, data),
    });
    prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(one, 1..3)]
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let rtype = prop_oneof![12 => a_type(), 1 => Just(SOA), 1 => Just(ANY)];
    let about = (a_edited_name(), rtype, a_ttl()).prop_flat_map(|(name, rtype, ttl)| {
        let data = prop::collection::vec(some_data(rtype), 1..3);
        (Just(name), Just(rtype), Just(ttl), data)
    });
    let one = (about, 0..9_u8).prop_map(|((name, rtype, ttl, data), kind)| match kind {
        0..=3 => Edit::Add(name, rtype, ttl, data[0].clone()),
        4 => Edit::DeleteSet(name, rtype),
        5 => Edit::DeleteName(name),
        6..=7 => Edit::DeleteRecord(name, rtype, data[0].clone()),
        _ => Edit::Replace(name, rtype, ttl, data),
    });
    prop::collection::vec(one, 1..8)
}

/// Now and then a name that lies outside of the zone.
fn a_edited_name() -> impl Strategy<Value = Labels> {
    prop_oneof![40 => a_name(), 10 => Just(apex()), 1 => Just(labels(b"\x01a\x03out\0"))]
}

/// The same name with some of its letters in upper case.
fn mixed_case(wire: &[u8], case: u64) -> Vec<u8> {
    let mut mixed = wire.to_vec();
    for (index, octet) in mixed.iter_mut().enumerate() {
        if case >> (index % 64) & 1 == 1 {
            // Octets of length are below the letters.
            octet.make_ascii_uppercase();
        }
    }
    mixed
}
