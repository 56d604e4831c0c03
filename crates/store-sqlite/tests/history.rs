//! `history.db`: what the notes find is what looking at every event finds.

#![expect(clippy::unwrap_used, reason = "a step that fails is a failed test")]

#[path = "sample/chain.rs"]
mod chain;

use account::AccountId;
use chain::{Chain, name, zone};
use store::{Event, Pos, Subject, subjects};
use store_sqlite::{HistoryIndex, block, bounds};
use tempfile::TempDir;

fn fresh() -> TempDir {
    TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// Positions of a block that may be about somebody.
fn found(index: &HistoryIndex, block: u64, subject: Subject) -> Vec<u64> {
    let ranges = index.find(block, &[subject]).unwrap();
    assert!(ranges.windows(2).all(|pair| pair[0].1.0 + 1 < pair[1].0.0), "in order and apart");
    ranges.into_iter().flat_map(|(first, last)| first.0..=last.0).collect()
}

/// Positions of a block that are about somebody.
fn about(events: &[Event], at: u64, subject: Subject) -> Vec<u64> {
    let mut positions = Vec::new();
    for event in events.iter().filter(|event| block(event.pos) == at) {
        let mut is_about = false;
        subjects(&event.body, &mut |other| is_about |= other == subject);
        positions.extend(is_about.then_some(event.pos.0));
    }
    positions
}

fn check(index: &HistoryIndex, events: &[Event]) {
    let last = events.last().unwrap().pos;
    let names = (0..40).map(|number| Subject::name(&name(&format!("h{number}.dyn.example"))));
    let never = Subject::name(&name("never.dyn.example"));
    for at in block(events[0].pos)..=block(last) {
        for subject in names.clone().chain([never]) {
            let mut exactly = about(events, at, subject);
            // What is not noted may be about anybody.
            exactly.extend(bounds(at).0.0.max(index.at().0 + 1)..=bounds(at).1.0);
            exactly.sort_unstable();
            exactly.dedup();
            let mut found = found(index, at, subject);
            found.retain(|pos| *pos >= events[0].pos.0);
            assert_eq!(found, exactly, "block {at}");
        }
        for subject in [Subject::zone(&zone()), Subject::account(AccountId(0))] {
            let found = found(index, at, subject);
            for pos in about(events, at, subject) {
                assert!(found.binary_search(&pos).is_ok(), "{pos} in block {at}");
            }
        }
    }
}

#[test]
fn notes_find_what_looking_at_every_event_finds() {
    let directory = fresh();
    let mut chain = Chain::new();
    let events = chain.take(150_000);
    let mut index = HistoryIndex::open(directory.path()).unwrap();
    for part in events.chunks(7_001) {
        index.note(part).unwrap();
    }
    assert_eq!(index.at(), Pos(150_000));
    check(&index, &events);
    // Complete blocks stand on the disk; the rest is noted anew.
    drop(index);
    let mut index = HistoryIndex::open(directory.path()).unwrap();
    assert_eq!(index.at(), Pos(131_071));
    assert_eq!(index.written().1, events[131_070].hash);
    check(&index, &events);
    index.note(&events[130_000..140_000]).unwrap();
    assert_eq!(index.at(), Pos(140_000));
    check(&index, &events);
}

#[test]
fn notes_of_what_is_trimmed_go_and_the_rest_is_found() {
    let directory = fresh();
    let mut chain = Chain::new();
    let events = chain.take(140_000);
    let mut index = HistoryIndex::open(directory.path()).unwrap();
    index.note(&events).unwrap();
    index.trim(Pos(70_000)).unwrap();
    let zone = Subject::zone(&zone());
    assert_eq!(found(&index, 0, zone), Vec::<u64>::new());
    check(&index, &events[70_000..]);
    // A log that begins later than the notes end.
    let later = fresh();
    let mut index = HistoryIndex::open(later.path()).unwrap();
    index.skip_to(Pos(69_999));
    index.note(&events[69_999..]).unwrap();
    assert_eq!(index.at(), Pos(140_000));
    check(&index, &events[69_999..]);
}

#[test]
fn events_that_do_not_follow_are_passed_over() {
    let directory = fresh();
    let events = Chain::new().take(100);
    let mut index = HistoryIndex::open(directory.path()).unwrap();
    index.note(&events[10..]).unwrap();
    assert_eq!(index.at(), Pos(0));
    index.note(&events[..60]).unwrap();
    index.note(&events[20..]).unwrap();
    assert_eq!(index.at(), Pos(100));
    check(&index, &events);
}
