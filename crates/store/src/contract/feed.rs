//! Reading and following: from every position, without gap or duplicate.

use std::time::Duration;

use super::{Pen, SHARD, Subject, after, assert_chain, whole};
use crate::api::{Feed, FeedError, Store};
use crate::event::{Event, Pos};

/// From every position on come exactly the commits that reach past it, in order.
pub fn reading_resumes_at_every_position(subject: &mut dyn Subject) {
    let mut pen = Pen::acquire(subject.store());
    SIZES.iter().for_each(|&count| drop(pen.append(subject.store(), count)));
    for _ in 0..2 {
        let all = whole(subject.store());
        assert_chain(&all);
        assert_eq!(all.len() as u64, pen.head.0);
        for at in (0..pen.head.0).map(Pos) {
            let commits = subject.store().read(SHARD, at, usize::MAX).unwrap_or_default();
            let first = commits.first().map_or(Pos(0), |commit| commit.first);
            assert!(first.0 <= at.0 + 1, "no gap after {}", at.0);
            assert!(commits.iter().all(|commit| commit.last > at), "nothing that is known");
            let read: Vec<Event> = commits.into_iter().flat_map(|commit| commit.events).collect();
            assert_eq!(Some(read.as_slice()), all.get(first.0 as usize - 1..), "after {}", at.0);
            assert_eq!(after(subject.store(), at), read, "the same in pieces");
        }
        subject.reopen();
    }
}

/// `max_bytes` bounds what is read, but one commit comes always.
pub fn reading_takes_as_much_as_asked_for(subject: &mut dyn Subject) {
    let mut pen = Pen::acquire(subject.store());
    (0..20).for_each(|_| drop(pen.append(subject.store(), 2)));
    let count = |bytes| subject.store().read(SHARD, Pos(0), bytes).map_or(0, |read| read.len());
    assert_eq!(count(0), 1);
    assert_eq!(count(usize::MAX), 20);
    let some = count(1000);
    assert!((2..10).contains(&some), "{some} commits of about 200 octets in 1000");
}

/// There is nothing after the head, nor after what was never written.
pub fn reading_at_the_head_yields_nothing(subject: &mut dyn Subject) {
    let nothing = |store: &dyn Store, at| store.read(SHARD, Pos(at), usize::MAX).ok();
    assert_eq!(nothing(subject.store(), 0), Some(Vec::new()), "an empty log");
    let mut pen = Pen::acquire(subject.store());
    assert_eq!(nothing(subject.store(), 0), Some(Vec::new()));
    pen.append(subject.store(), 3);
    for at in [3, 4, 1_000_000] {
        assert_eq!(nothing(subject.store(), at), Some(Vec::new()), "after {at}");
    }
}

/// One stream: what is there, then what is appended meanwhile.
pub fn a_follower_catches_up_and_goes_on_live(subject: &mut dyn Subject) {
    let mut pen = Pen::acquire(subject.store());
    (0..20).for_each(|round| drop(pen.append(subject.store(), 1 + round % 4)));
    let head = pen.head.0 + 100 * 2;
    let write = move |store: &dyn Store| {
        (0..100).for_each(|_| drop(pen.append(store, 2)));
    };
    let follow = |store: &dyn Store| {
        assert_chain(&followed(store, Pos(0), Pos(head)));
    };
    subject.at_once(vec![Box::new(write), Box::new(follow), Box::new(follow)]);
    assert_eq!(whole(subject.store()).len() as u64, head);
}

/// A follower that went away goes on where it was, wherever that was.
pub fn following_resumes_at_every_position(subject: &mut dyn Subject) {
    let mut pen = Pen::acquire(subject.store());
    SIZES.iter().for_each(|&count| drop(pen.append(subject.store(), count)));
    let starts = 0..pen.head.0;
    pen.append(subject.store(), 3);
    subject.reopen();
    for at in starts.map(Pos) {
        assert_eq!(followed(subject.store(), at, pen.head), after(subject.store(), at));
    }
}

/// `next` says `None` when nothing came, and nothing is lost by that.
pub fn a_quiet_feed_yields_nothing(subject: &mut dyn Subject) {
    let mut pen = Pen::acquire(subject.store());
    pen.append(subject.store(), 2);
    let mut feed = subject.store().follow(SHARD, Pos(2)).expect("a feed");
    for _ in 0..3 {
        assert!(matches!(feed.next(Duration::from_millis(1)), Ok(None)));
    }
    pen.append(subject.store(), 1);
    assert_eq!(take(feed.as_mut()).map(|(first, _)| first), Some(Pos(3)));
    assert!(matches!(feed.next(Duration::ZERO), Ok(None)), "nothing comes twice");
}

/// A follower that is so slow that its next commit is gone must start from a snapshot.
pub fn a_feed_that_is_overtaken_by_a_trim_says_so(subject: &mut dyn Subject) {
    let mut pen = Pen::acquire(subject.store());
    (0..4).for_each(|_| drop(pen.append(subject.store(), 2)));
    let mut feed = subject.store().follow(SHARD, Pos(0)).expect("a feed");
    assert!(subject.store().put_snapshot(SHARD, Pos(8), &mut [].as_slice()).is_ok());
    assert!(subject.store().trim(SHARD, Pos(6)).is_ok());
    let told = feed.next(Duration::ZERO).map(|commit| commit.map(|commit| commit.first));
    assert!(matches!(told, Err(FeedError::Trimmed { oldest: Pos(7) })), "{told:?}");
    let refused = subject.store().follow(SHARD, Pos(5)).map(|_| ());
    assert!(matches!(refused, Err(FeedError::Trimmed { oldest: Pos(7) })), "{refused:?}");
    assert_eq!(followed(subject.store(), Pos(6), Pos(8)), after(subject.store(), Pos(6)));
}

/// All events that a feed yields from a position until it has reached another one.
fn followed(store: &dyn Store, at: Pos, until: Pos) -> Vec<Event> {
    let mut feed = store.follow(SHARD, at).expect("a feed");
    let mut events: Vec<Event> = Vec::new();
    while events.last().is_none_or(|event| event.pos < until) {
        let commit = feed.next(DEADLINE).expect("a working feed").expect("a commit in time");
        assert_eq!(commit.events.last().map(|event| event.pos), Some(commit.last));
        events.extend(commit.events);
    }
    events
}

fn take(feed: &mut dyn Feed) -> Option<(Pos, Pos)> {
    feed.next(DEADLINE).ok().flatten().map(|commit| (commit.first, commit.last))
}

/// Events in each commit: some that span positions to resume at.
const SIZES: &[u64] = &[1, 3, 1, 5, 2, 1, 7];
/// How long a commit may take to come through a feed.
const DEADLINE: Duration = Duration::from_secs(20);
