//! The core, step by step: growth, snapshots, and a writer that stops in the middle.

#![expect(clippy::unwrap_used, reason = "a step that fails is a failed test")]

use std::collections::BTreeMap;

use wire::{Rdata, Rrset, Rtype, Serial};

use super::commit::Commit;
use super::image::Node;
use super::key::Seed;
use super::segment::{Recipe, Segment};
use super::set::Set;
use super::{Index, Kept};

fn name(number: u32) -> Vec<u8> {
    let label = format!("host-{number}");
    [&[label.len() as u8], label.as_bytes()].concat()
}

fn a(number: u32) -> Set {
    let rdata = vec![Rdata::a(number.into())];
    Set::pack(Rtype::A, &Rrset { ttl_s: 60, rdata })
}

fn texts(count: u32) -> Set {
    let text = |n: u32| Rdata::txt(&[&[b'x'; 200], n.to_string().as_bytes()]).unwrap();
    Set::pack(Rtype::TXT, &Rrset { ttl_s: 60, rdata: (0..count).map(text).collect() })
}

/// The address that readers see.
fn seen(index: &Index, name: &[u8]) -> Option<u32> {
    index.consistent(|state| {
        Ok(state.node(name).and_then(|node| node.set(Rtype::A)).and_then(|set| address(&set)))
    })
}

fn address(set: &Set) -> Option<u32> {
    Some(u32::from_be_bytes(set.records().next()?.try_into().ok()?))
}

fn text_count(index: &Index, name: &[u8]) -> usize {
    let set = index.consistent(|state| Ok(state.node(name).and_then(|n| n.set(Rtype::TXT))));
    set.map_or(0, |set| set.records().count())
}

fn kept(state: &Kept) -> BTreeMap<Vec<u8>, u32> {
    state
        .images()
        .filter_map(|image| Some((image.name(), address(&image.set(Rtype::A)?)?)))
        .collect()
}

fn filled(names: u32) -> Index {
    let index = Index::new(Serial(1));
    let mut loader = index.loader();
    (0..names).for_each(|number| loader.put(&name(number), &[a(number).as_ref()]));
    drop(loader);
    index
}

#[test]
fn what_is_loaded_and_what_is_committed_is_the_same() {
    let loaded = filled(30_000);
    let committed = Index::new(Serial(1));
    for from in (0..30_000).step_by(500) {
        committed.commit(|commit| {
            (from..from + 500).for_each(|number| commit.put(&name(number), a(number)));
        });
    }
    for index in [&loaded, &committed] {
        assert!((0..30_000).all(|number| seen(index, &name(number)) == Some(number)));
        assert_eq!(seen(index, &name(30_000)), None);
        let facts = index.consistent(|state| Ok(state.facts()));
        assert_eq!((facts.rrsets, facts.cuts), (30_000, 0));
    }
    assert_eq!(kept(&loaded.keep()), kept(&committed.keep()));
}

#[test]
fn memory_is_given_back_when_names_go() {
    let index = filled(50_000);
    let full = index.octets();
    let remove = |numbers: std::ops::Range<u32>| {
        index.commit(|commit| numbers.for_each(|number| commit.remove(&name(number), Rtype::A)));
    };
    remove(0..45_000);
    assert!(index.octets() < full / 5, "{} of {full}", index.octets());
    assert!((45_000..50_000).all(|number| seen(&index, &name(number)) == Some(number)));
    remove(45_000..50_000);
    assert!(index.octets() < 1024, "{}", index.octets());
}

#[test]
fn a_name_that_changes_all_the_time_takes_no_more_and_more_memory() {
    let index = filled(1000);
    let full = index.octets();
    for round in 0..5000 {
        // Addresses come and go, so the image changes its size each time.
        index.commit(|commit| match round % 2 {
            0 => commit.put(&name(7), texts(1)),
            _ => commit.remove(&name(7), Rtype::TXT),
        });
    }
    assert!(index.octets() < full * 2, "{} after {full}", index.octets());
    assert_eq!(seen(&index, &name(7)), Some(7));
}

#[test]
fn a_name_that_owns_much_stands_on_its_own() {
    let index = filled(100);
    for count in [1, 30, 200, 250, 250, 3, 200] {
        index.commit(|commit| commit.put(&name(5), texts(count)));
        assert_eq!(text_count(&index, &name(5)), count as usize);
        assert_eq!(seen(&index, &name(5)), Some(5));
    }
    // Others in its segment, another one alike, snapshots, growth, and its end.
    index.commit(|commit| commit.put(&name(6), texts(201)));
    let state = index.keep();
    index.loader().put(&name(5), &[texts(202).as_ref()]);
    (200..9000).for_each(|number| index.commit(|commit| commit.put(&name(number), a(number))));
    assert_eq!((text_count(&index, &name(5)), text_count(&index, &name(6))), (202, 201));
    let was = state.images().find(|image| image.name() == name(5)).unwrap();
    assert_eq!(was.set(Rtype::TXT).unwrap().records().count(), 200);
    index.commit(|commit| commit.remove(&name(5), Rtype::TXT));
    index.commit(|commit| commit.remove(&name(5), Rtype::A));
    assert_eq!((seen(&index, &name(5)), text_count(&index, &name(6))), (None, 201));
}

#[test]
fn a_segment_that_cannot_be_split_grows_beyond_the_usual_slots() {
    let seed = Seed::new();
    let made_of = |from: &[&Segment]| {
        let recipe =
            Recipe { from, seed: &seed, born: 1, depth: 0, spare: 2, without: None, room: 8 };
        recipe.whole()
    };
    let mut segment = Segment::empty(1);
    for number in 0..5000 {
        let (name, mut node) = (name(number), Node::default());
        node.put(a(number));
        let (key, image) = (seed.key(&name), node.encode(&name));
        if segment.put(&key, &image).is_err() {
            segment = made_of(&[&segment]);
            assert_eq!(segment.put(&key, &image), Ok(()), "{number}");
        }
    }
    assert_eq!((segment.names(), segment.images().count()), (5000, 5000));
}

#[test]
fn snapshots_stay_while_names_come_change_and_go() {
    let index = filled(9000);
    let first = (index.keep(), kept(&index.keep()));
    index.commit(|commit| (0..9000).step_by(3).for_each(|n| commit.put(&name(n), a(n + 1))));
    let second = (index.keep(), kept(&index.keep()));
    index.commit(|commit| (0..9000).step_by(2).for_each(|n| commit.remove(&name(n), Rtype::A)));
    index.commit(|commit| (9000..20_000).for_each(|n| commit.put(&name(n), a(n))));
    assert_eq!((kept(&first.0), kept(&second.0)), (first.1.clone(), second.1));
    assert!(first.1.iter().all(|(name, address)| *name == self::name(*address)));
}

/// The commit that the steps below are about: two names change, one comes, one goes.
fn change(commit: &mut Commit<'_>) {
    commit.put(&name(1), a(1001));
    commit.put(&name(2), a(1002));
    commit.put(&name(100), a(1100));
    commit.remove(&name(3), Rtype::A);
    commit.set_serial(Serial(2));
}

fn is_before(index: &Index) -> bool {
    let all = [1, 2, 3, 100].map(|number| seen(index, &name(number)));
    all == [Some(1), Some(2), Some(3), None]
}

fn is_after(index: &Index) -> bool {
    let all = [1, 2, 3, 100].map(|number| seen(index, &name(number)));
    all == [Some(1001), Some(1002), None, Some(1100)]
}

#[test]
fn a_writer_that_stops_in_the_middle_keeps_no_reader_waiting() {
    let index = filled(50);
    let mut writer = index.write();
    let mut commit = Commit::new(&writer.table, writer.facts);
    change(&mut commit);
    let overlay = commit.overlay(index.sequence.next());
    assert!(is_before(&index));
    // Stopped before the number: not visible yet.
    index.overlay.store(Some(std::sync::Arc::clone(&overlay)));
    assert!(is_before(&index));
    // Stopped before anything is in its place: all of it is visible.
    index.sequence.publish();
    let begun_now = index.read();
    assert!(is_after(&index));
    // Stopped in the middle of an address: half of the places are written, one of them torn.
    writer.table.put(&index.seed.key(&name(1)), &{
        let mut node = Node::default();
        node.put(a(0xdead));
        node.encode(&name(1))
    });
    writer.table.remove(&index.seed.key(&name(3)));
    assert!(is_after(&index));
    assert_eq!(index.consistent(|state| Ok(state.facts().serial)), 2);
    // Stopped before the end.
    index.put_in_place(&mut writer, &overlay);
    assert!(is_after(&index));
    index.retire(&mut writer, &overlay);
    assert!(is_after(&index));
    // What was begun while it was written is still good, until the next one.
    assert!(begun_now.check().is_ok());
    drop(writer);
    index.commit(|commit| commit.put(&name(1), a(7)));
    assert!(begun_now.check().is_err());
}

#[test]
fn what_is_read_across_a_commit_is_not_believed() {
    let index = filled(10);
    let state = index.read();
    assert!(state.check().is_ok());
    index.commit(|commit| commit.put(&name(1), a(5)));
    assert!(state.check().is_err());
}
