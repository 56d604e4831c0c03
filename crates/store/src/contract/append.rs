//! Appending: dense, whole, once, and by one writer.

use wire::{Name, Rdata, Rrset, Rtype};

use super::{Pen, SHARD, Subject, assert_chain, batch, whole};
use crate::api::{AppendError, BatchId, NodeId, Store};
use crate::event::{ActorRef, Event, EventBody, Fact, Hash, ImportId, Pos};
use crate::part::Part;

/// Positions are 1, 2, 3 …, over commits of every size and over a restart.
pub fn positions_are_dense(subject: &mut dyn Subject) {
    let mut pen = Pen::acquire(subject.store());
    for count in [1, 3, 2] {
        pen.append(subject.store(), count);
    }
    subject.reopen();
    let mut pen = Pen::acquire(subject.store());
    assert_eq!(pen.head, Pos(6));
    pen.append(subject.store(), 4);
    let positions: Vec<u64> = whole(subject.store()).iter().map(|event| event.pos.0).collect();
    assert_eq!(positions, Vec::from_iter(1..=10));
    assert_chain(&whole(subject.store()));
}

/// Events that are not exactly the next ones leave nothing behind.
pub fn a_batch_is_taken_whole_or_not_at_all(subject: &mut dyn Subject) {
    let mut pen = Pen::acquire(subject.store());
    pen.append(subject.store(), 2);
    let before = whole(subject.store());
    let next = pen.events(3);
    let with_a_gap = [next.get(..1), next.get(2..)].into_iter().flatten().flatten().cloned();
    let twice = next.iter().chain(next.first()).cloned();
    let backwards = next.iter().rev().cloned();
    let late = next.iter().skip(1).cloned();
    let malformed: [Vec<Event>; 5] =
        [with_a_gap.collect(), twice.collect(), backwards.collect(), late.collect(), Vec::new()];
    for events in malformed {
        let id = batch(&pen.writer, Pos(99));
        let refused = subject.store().append(&pen.writer, pen.head, id, &events);
        assert!(matches!(refused, Err(AppendError::Malformed(_))), "{refused:?}");
        assert_eq!(whole(subject.store()), before, "nothing was written");
    }
    subject.reopen();
    assert_eq!(whole(subject.store()), before);
    let mut pen = Pen::acquire(subject.store());
    assert_eq!(pen.append(subject.store(), 3), next, "the log goes on as if nothing had been");
}

/// A batch id that is in the log is refused, and nothing is written twice.
pub fn a_batch_id_is_accepted_once(subject: &mut dyn Subject) {
    let mut pen = Pen::acquire(subject.store());
    pen.append(subject.store(), 2);
    let id = batch(&pen.writer, Pos(2));
    for _ in 0..2 {
        let again = subject.store().append(&pen.writer, Pos(2), id, &pen.events(1));
        assert!(matches!(again, Err(AppendError::Malformed(_))), "{again:?}");
        assert_eq!(subject.store().head(SHARD).ok(), Some(Pos(2)));
        assert_eq!(subject.store().outcome(SHARD, id).ok(), Some(Some(Pos(2))));
        subject.reopen();
        pen = Pen::acquire(subject.store());
    }
    pen.append(subject.store(), 1);
    assert_eq!(whole(subject.store()).len(), 3);
}

/// `HeadMoved` carries the head, whether the writer was behind or ahead.
pub fn a_writer_with_a_wrong_head_learns_the_right_one(subject: &mut dyn Subject) {
    let mut pen = Pen::acquire(subject.store());
    pen.append(subject.store(), 3);
    for wrong in [Pos(0), Pos(2), Pos(4)] {
        let stray = Pen { writer: pen.writer.clone(), head: wrong, hash: Hash::default() };
        let id = batch(&stray.writer, Pos(50));
        let refused = subject.store().append(&stray.writer, wrong, id, &stray.events(1));
        assert!(matches!(refused, Err(AppendError::HeadMoved(Pos(3)))), "{refused:?}");
    }
    pen.append(subject.store(), 1);
    assert_eq!(whole(subject.store()).len(), 4);
}

/// `acquire` takes the right to write from whoever had it.
pub fn an_older_writer_is_fenced(subject: &mut dyn Subject) {
    let mut old = Pen::acquire(subject.store());
    old.append(subject.store(), 1);
    let mut new = Pen::acquire(subject.store());
    assert!(new.writer.epoch > old.writer.epoch, "epochs grow");
    let refused = old.try_append(subject.store(), 1);
    assert!(matches!(refused, Err(AppendError::Fenced)), "{refused:?}");
    new.append(subject.store(), 1);
    let refused = old.try_append(subject.store(), 1);
    assert!(matches!(refused, Err(AppendError::Fenced)), "{refused:?}");
    assert_eq!(whole(subject.store()).len(), 2);
}

/// Epochs go on over a restart.
pub fn a_writer_of_before_a_restart_is_fenced(subject: &mut dyn Subject) {
    let mut old = Pen::acquire(subject.store());
    old.append(subject.store(), 1);
    subject.reopen();
    let mut new = Pen::acquire(subject.store());
    let refused = old.try_append(subject.store(), 1);
    assert!(matches!(refused, Err(AppendError::Fenced)), "{refused:?}");
    new.append(subject.store(), 1);
    assert_eq!(whole(subject.store()).len(), 2);
}

/// Two nodes that keep taking the shard from each other: one chain, and no commit of a writer
/// after one of its successor.
pub fn two_writers_at_once_leave_one_chain(subject: &mut dyn Subject) {
    let contender = |store: &dyn Store| {
        let mut written = 0;
        while written < 30 {
            let mut pen = Pen::acquire(store);
            loop {
                match pen.try_append(store, 1 + written % 3) {
                    Ok(_) => written += 1,
                    Err(AppendError::Fenced | AppendError::HeadMoved(_)) => break,
                    Err(other) => panic!("{other}"),
                }
                if written % 7 == 0 {
                    break;
                }
            }
        }
    };
    subject.at_once(vec![Box::new(contender), Box::new(contender)]);
    assert_chain(&whole(subject.store()));
    let commits = subject.store().read(SHARD, Pos(0), usize::MAX).unwrap_or_default();
    assert!(commits.len() >= 60, "all that was acknowledged is there");
    assert!(commits.is_sorted_by_key(|commit| commit.epoch), "epochs never go back");
}

/// More than `caps().max_batch_bytes` is refused, and told what the limit is.
pub fn a_batch_that_is_too_large_is_refused(subject: &mut dyn Subject) {
    let limit = subject.store().caps().max_batch_bytes;
    let mut pen = Pen::acquire(subject.store());
    let event = bulky(Pos(1), limit);
    let id = BatchId([7; 16]);
    let refused = subject.store().append(&pen.writer, Pos(0), id, &[event]);
    assert!(
        matches!(refused, Err(AppendError::TooLarge { bytes, limit: told })
            if bytes > limit && told == limit),
        "{refused:?}"
    );
    let large = bulky(Pos(1), 1024 * 1024);
    assert!(subject.store().append(&pen.writer, Pos(0), id, &[large]).is_ok(), "1 MiB is fine");
    pen.head = Pos(1);
    pen.append(subject.store(), 1);
    assert_eq!(subject.store().head(SHARD).ok(), Some(Pos(2)));
}

/// `outcome` knows every batch that is in the log, and no other.
pub fn the_outcome_of_a_batch_is_told(subject: &mut dyn Subject) {
    let mut pen = Pen::acquire(subject.store());
    pen.append(subject.store(), 3);
    let first = batch(&pen.writer, pen.head);
    pen.append(subject.store(), 2);
    let second = batch(&pen.writer, pen.head);
    let refused = BatchId([9; 16]);
    assert!(subject.store().append(&pen.writer, Pos(1), refused, &pen.events(1)).is_err());
    for _ in 0..2 {
        let outcome = |id| subject.store().outcome(SHARD, id).ok();
        assert_eq!(outcome(first), Some(Some(Pos(3))));
        assert_eq!(outcome(second), Some(Some(Pos(5))));
        assert_eq!(outcome(refused), Some(None), "it was refused");
        assert_eq!(outcome(BatchId([8; 16])), Some(None), "it never was");
        subject.reopen();
    }
}

/// A shard is listed with its head, oldest position, epoch and owner.
pub fn shards_are_told_once_acquired(subject: &mut dyn Subject) {
    assert_eq!(subject.store().shards().ok(), Some(Vec::new()));
    assert_eq!(subject.store().head(SHARD).ok(), Some(Pos(0)));
    let mut pen = Pen::acquire(subject.store());
    pen.append(subject.store(), 2);
    let owner = NodeId("somebody else".to_owned());
    let epoch = subject.store().acquire(SHARD, &owner).map(|writer| writer.epoch).ok();
    subject.reopen();
    let shards = subject.store().shards().unwrap_or_default();
    assert_eq!(shards.len(), 1);
    for shard in shards {
        assert_eq!((shard.shard, shard.head, shard.oldest), (SHARD, Pos(2), Pos(1)));
        assert_eq!((Some(shard.epoch), &shard.owner), (epoch, &owner));
    }
}

/// Commits come back with all that was given, after a restart too.
pub fn what_was_acknowledged_survives_a_restart(subject: &mut dyn Subject) {
    let mut pen = Pen::acquire(subject.store());
    let mut given = pen.append(subject.store(), 2);
    given.extend(pen.append(subject.store(), 5));
    subject.reopen();
    assert_eq!(whole(subject.store()), given);
    let commits = subject.store().read(SHARD, Pos(0), usize::MAX).unwrap_or_default();
    let told: Vec<_> =
        commits.iter().map(|c| (c.first, c.last, c.epoch, c.batch, c.at.0)).collect();
    let id = |last| batch(&pen.writer, Pos(last));
    let epoch = pen.writer.epoch;
    assert_eq!(told, [(Pos(1), Pos(2), epoch, id(2), 2), (Pos(3), Pos(7), epoch, id(7), 7)]);
}

/// An event with more than so many octets.
fn bulky(pos: Pos, octets: usize) -> Event {
    let rtype = Rtype(65_280);
    let rdata = Rdata::new(rtype, &[0xab; 60_000]).expect("rdata of a private type");
    let rrset = Rrset { ttl_s: 1, rdata: vec![rdata] };
    let count = octets / 60_000 + 1;
    let rrsets = vec![(Name::root(), rtype, rrset); count];
    let part = Part::pack(&Name::root(), &rrsets);
    let import = ImportId(pos.0);
    let body = EventBody {
        at: account::Timestamp(0),
        actor: ActorRef::Operator,
        facts: vec![Fact::Staged { import, zone: Name::root(), part }],
        origin_commitment: None,
    };
    Event::seal(Hash::default(), pos, body, None)
}
