//! Snapshots, and trimming what they stand in for.

use std::io::{self, Read};

use super::{Pen, SHARD, Subject, after, assert_chain, batch};
use crate::api::{FeedError, Store, StoreError};
use crate::event::Pos;

/// The octets and the position of a snapshot, after a restart too.
pub fn a_snapshot_comes_back_as_it_was_put(subject: &mut dyn Subject) {
    let mut pen = Pen::acquire(subject.store());
    assert!(matches!(subject.store().snapshot(SHARD), Ok(None)));
    pen.append(subject.store(), 3);
    let body: Vec<u8> = (0..100_000u32).flat_map(u32::to_be_bytes).collect();
    put(subject.store(), 2, &body);
    assert_eq!(kept(subject.store()), Some((Pos(2), body.clone())));
    subject.reopen();
    assert_eq!(kept(subject.store()), Some((Pos(2), body)));
}

/// The newest snapshot is the one that is kept.
pub fn a_newer_snapshot_replaces_an_older_one(subject: &mut dyn Subject) {
    let mut pen = Pen::acquire(subject.store());
    pen.append(subject.store(), 3);
    put(subject.store(), 1, b"a longer one that is replaced");
    put(subject.store(), 3, b"newer");
    put(subject.store(), 2, b"late");
    assert_eq!(kept(subject.store()), Some((Pos(3), b"newer".to_vec())));
    put(subject.store(), 3, b"again");
    subject.reopen();
    assert_eq!(kept(subject.store()), Some((Pos(3), b"again".to_vec())));
}

/// A body that fails half way leaves the older snapshot in place.
pub fn a_snapshot_that_cannot_be_read_replaces_nothing(subject: &mut dyn Subject) {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("gone"))
        }
    }
    let mut pen = Pen::acquire(subject.store());
    pen.append(subject.store(), 3);
    put(subject.store(), 1, b"whole");
    let mut half = b"half".chain(Failing);
    assert!(subject.store().put_snapshot(SHARD, Pos(2), &mut half).is_err());
    assert_eq!(kept(subject.store()), Some((Pos(1), b"whole".to_vec())));
    subject.reopen();
    assert_eq!(kept(subject.store()), Some((Pos(1), b"whole".to_vec())));
    put(subject.store(), 2, b"later");
    assert_eq!(kept(subject.store()), Some((Pos(2), b"later".to_vec())));
}

/// What is not in the log cannot be in a snapshot.
pub fn a_snapshot_ahead_of_the_log_is_refused(subject: &mut dyn Subject) {
    let mut pen = Pen::acquire(subject.store());
    pen.append(subject.store(), 3);
    let refused = subject.store().put_snapshot(SHARD, Pos(4), &mut b"x".as_slice());
    assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
    assert!(matches!(subject.store().snapshot(SHARD), Ok(None)));
}

/// The log is the only copy of what no snapshot has.
pub fn a_trim_past_the_snapshot_is_refused(subject: &mut dyn Subject) {
    let mut pen = Pen::acquire(subject.store());
    (0..4).for_each(|_| drop(pen.append(subject.store(), 1)));
    let refused = |upto| {
        let refused = subject.store().trim(SHARD, Pos(upto));
        assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
    };
    refused(1);
    put(subject.store(), 2, b"x");
    refused(3);
    assert_eq!(after(subject.store(), Pos(0)).len(), 4, "nothing is gone");
}

/// A reader of what is gone is told where the log starts, and can start from the snapshot.
pub fn a_trimmed_log_sends_to_the_snapshot(subject: &mut dyn Subject) {
    let mut pen = Pen::acquire(subject.store());
    (0..6).for_each(|_| drop(pen.append(subject.store(), 2)));
    put(subject.store(), 8, b"state at 8");
    assert!(subject.store().trim(SHARD, Pos(6)).is_ok());
    for _ in 0..2 {
        for at in 0..6 {
            let told = subject.store().read(SHARD, Pos(at), usize::MAX);
            assert!(matches!(told, Err(FeedError::Trimmed { oldest: Pos(7) })), "{told:?}");
        }
        let at = kept(subject.store()).map_or(Pos(0), |(at, _)| at);
        let rest = after(subject.store(), at);
        assert_eq!(rest.first().map(|event| event.pos), Some(Pos(9)), "no gap after the snapshot");
        assert_eq!(rest.last().map(|event| event.pos), Some(pen.head));
        assert_chain(&rest);
        let shards = subject.store().shards().unwrap_or_default();
        assert_eq!(shards.first().map(|shard| (shard.oldest, shard.head)), Some((Pos(7), Pos(12))));
        subject.reopen();
    }
    assert!(subject.store().trim(SHARD, Pos(3)).is_ok(), "what is gone may be trimmed again");
}

/// A commit is forgotten as a whole or not at all.
pub fn a_trim_keeps_a_commit_that_it_only_touches(subject: &mut dyn Subject) {
    let mut pen = Pen::acquire(subject.store());
    (0..3).for_each(|_| drop(pen.append(subject.store(), 3)));
    put(subject.store(), 9, b"x");
    assert!(subject.store().trim(SHARD, Pos(5)).is_ok());
    let rest = after(subject.store(), Pos(3));
    assert_eq!(rest.first().map(|event| event.pos), Some(Pos(4)));
    assert_eq!(after(subject.store(), Pos(4)), rest, "it spans the position");
}

/// The newest commit stays whatever is trimmed: its outcome may still be asked for, and the chain
/// goes on from it.
pub fn the_newest_commit_survives_every_trim(subject: &mut dyn Subject) {
    let mut pen = Pen::acquire(subject.store());
    (0..5).for_each(|_| drop(pen.append(subject.store(), 2)));
    put(subject.store(), 10, b"x");
    assert!(subject.store().trim(SHARD, Pos(10)).is_ok());
    subject.reopen();
    assert_eq!(subject.store().head(SHARD).ok(), Some(Pos(10)));
    let newest = batch(&pen.writer, Pos(10));
    assert_eq!(subject.store().outcome(SHARD, newest).ok(), Some(Some(Pos(10))));
    let trimmed = batch(&pen.writer, Pos(8));
    assert_eq!(subject.store().outcome(SHARD, trimmed).ok(), Some(None), "forgotten");
    let mut pen = Pen::acquire(subject.store());
    pen.append(subject.store(), 1);
    let rest = after(subject.store(), Pos(8));
    assert_eq!(rest.iter().map(|event| event.pos.0).collect::<Vec<_>>(), [9, 10, 11]);
    assert_chain(&rest);
}

/// Whoever reads while others append and trim finds a dense rest of the log, or is sent to the
/// snapshot, which then reaches to the log.
pub fn trims_and_commits_at_once_leave_no_gap(subject: &mut dyn Subject) {
    let mut pen = Pen::acquire(subject.store());
    pen.append(subject.store(), 1);
    put(subject.store(), 1, b"x");
    let write = |store: &dyn Store| {
        (0..200).for_each(|_| drop(pen.append(store, 2)));
    };
    let trim = |store: &dyn Store| {
        for _ in 0..50 {
            let head = store.head(SHARD).unwrap_or_default();
            put(store, head.0, b"y");
            assert!(store.trim(SHARD, Pos(head.0.saturating_sub(3))).is_ok());
        }
    };
    let read = |store: &dyn Store| {
        let mut at = Pos(0);
        while at < Pos(401) {
            match store.read(SHARD, at, 0) {
                Ok(commits) => {
                    let first = commits.first().map_or(at.0 + 1, |commit| commit.first.0);
                    assert!(first <= at.0 + 1, "a gap after {}", at.0);
                    at = commits.last().map_or(at, |commit| commit.last);
                }
                Err(FeedError::Trimmed { oldest }) => {
                    let from = kept(store).map_or(Pos(0), |(at, _)| at);
                    assert!(from.0 + 1 >= oldest.0, "the snapshot reaches to the log");
                    at = from;
                }
                Err(other) => panic!("{other}"),
            }
        }
    };
    subject.at_once(vec![Box::new(write), Box::new(trim), Box::new(read)]);
}

fn put(store: &dyn Store, at: u64, mut body: &[u8]) {
    let done = store.put_snapshot(SHARD, Pos(at), &mut body);
    assert!(done.is_ok(), "{done:?}");
}

fn kept(store: &dyn Store) -> Option<(Pos, Vec<u8>)> {
    let snapshot = store.snapshot(SHARD).expect("a snapshot or none");
    snapshot.map(|mut snapshot| {
        let mut body = Vec::new();
        snapshot.body.read_to_end(&mut body).expect("its octets");
        (snapshot.at, body)
    })
}
