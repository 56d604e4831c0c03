//! What every store must do, as tests: one suite for all of them.
//!
//! A store's tests hand a [`Subject`] to [`contract_tests`](crate::contract_tests), which makes one
//! test of every case. A case gets a fresh, empty store.

#![expect(clippy::expect_used, clippy::panic, reason = "a step that fails is a failed test")]

mod append;
mod feed;
mod snapshot;

pub use append::*;
pub use feed::*;
pub use snapshot::*;

use account::{Account, AccountId, Entity, Timestamp};

use crate::api::{AppendError, BatchId, NodeId, ShardId, Store, Writer};
use crate::event::{ActorRef, Event, EventBody, Fact, Hash, Pos};

/// A store under test.
pub trait Subject {
    /// The store.
    fn store(&self) -> &dyn Store;

    /// Closes the store and opens it again, as a restart does. Nothing for a store that says
    /// [`crate::Durability::Volatile`].
    fn reopen(&mut self);

    /// Runs jobs at the same time, each on a thread of its own, and waits for all of them.
    fn at_once(&self, jobs: Vec<Job<'_>>);
}

/// What one thread does with the store.
pub type Job<'a> = Box<dyn FnOnce(&dyn Store) + Send + 'a>;

/// Makes a test of every case of the contract; the argument makes a fresh [`Subject`].
#[macro_export]
macro_rules! contract_tests {
    ($make:expr; $($case:ident)*) => {
        $(#[test]
        fn $case() {
            $crate::contract::$case(&mut $make());
        })*
    };
    ($make:expr) => {
        $crate::contract_tests! { $make;
            positions_are_dense
            a_batch_is_taken_whole_or_not_at_all
            a_batch_id_is_accepted_once
            a_writer_with_a_wrong_head_learns_the_right_one
            an_older_writer_is_fenced
            a_writer_of_before_a_restart_is_fenced
            two_writers_at_once_leave_one_chain
            a_batch_that_is_too_large_is_refused
            the_outcome_of_a_batch_is_told
            shards_are_told_once_acquired
            what_was_acknowledged_survives_a_restart
            reading_resumes_at_every_position
            reading_takes_as_much_as_asked_for
            reading_at_the_head_yields_nothing
            a_follower_catches_up_and_goes_on_live
            following_resumes_at_every_position
            a_quiet_feed_yields_nothing
            a_feed_that_is_overtaken_by_a_trim_says_so
            a_snapshot_comes_back_as_it_was_put
            a_newer_snapshot_replaces_an_older_one
            a_snapshot_that_cannot_be_read_replaces_nothing
            a_snapshot_ahead_of_the_log_is_refused
            a_trim_past_the_snapshot_is_refused
            a_trimmed_log_sends_to_the_snapshot
            a_trim_keeps_a_commit_that_it_only_touches
            the_newest_commit_survives_every_trim
            trims_and_commits_at_once_leave_no_gap
        }
    };
}

/// The only shard that every store has.
pub(crate) const SHARD: ShardId = ShardId(0);

/// A writer that knows where its chain of events stands.
pub(crate) struct Pen {
    pub(crate) writer: Writer,
    pub(crate) head: Pos,
    hash: Hash,
}

impl Pen {
    /// Becomes the writer, wherever the log stands.
    pub(crate) fn acquire(store: &dyn Store) -> Pen {
        let writer = store.acquire(SHARD, &NodeId("pen".to_owned())).expect("the right to write");
        let (head, hash) = tip(store);
        Pen { writer, head, hash }
    }

    /// The next events of the chain.
    pub(crate) fn events(&self, count: u64) -> Vec<Event> {
        let mut previous = self.hash;
        let event = |pos| {
            let event = event(previous, Pos(pos));
            previous = event.hash;
            event
        };
        (self.head.0 + 1..=self.head.0 + count).map(event).collect()
    }

    pub(crate) fn try_append(
        &mut self,
        store: &dyn Store,
        count: u64,
    ) -> Result<Vec<Event>, AppendError> {
        let events = self.events(count);
        let last = Pos(self.head.0 + count);
        let told = store.append(&self.writer, self.head, batch(&self.writer, last), &events)?;
        assert_eq!(told, last, "the new head is told");
        self.head = last;
        self.hash = events.last().map_or(self.hash, |event| event.hash);
        Ok(events)
    }

    /// Appends the next events as one commit.
    pub(crate) fn append(&mut self, store: &dyn Store, count: u64) -> Vec<Event> {
        self.try_append(store, count).expect("an append")
    }
}

/// The batch id of the writer's commit that ends there.
pub(crate) fn batch(writer: &Writer, last: Pos) -> BatchId {
    let id = u128::from(writer.epoch) << 64 | u128::from(last.0);
    BatchId(id.to_be_bytes())
}

/// Every event of a log that was never trimmed.
pub(crate) fn whole(store: &dyn Store) -> Vec<Event> {
    after(store, Pos(0))
}

/// Every event of the commits after a position, read piece by piece.
pub(crate) fn after(store: &dyn Store, mut at: Pos) -> Vec<Event> {
    let mut events = Vec::new();
    loop {
        let commits = store.read(SHARD, at, PIECE).expect("commits");
        let Some(last) = commits.last() else { return events };
        at = last.last;
        events.extend(commits.into_iter().flat_map(|commit| commit.events));
    }
}

/// The events follow each other by position and by hash.
pub(crate) fn assert_chain(events: &[Event]) {
    for pair in events.windows(2) {
        if let [before, event] = pair {
            assert_eq!(event.pos.0, before.pos.0 + 1, "positions are dense");
            let sealed = Event::seal(before.hash, event.pos, event.body.clone(), None);
            assert_eq!(event.hash, sealed.hash, "event {} follows the one before", event.pos.0);
        }
    }
}

fn tip(store: &dyn Store) -> (Pos, Hash) {
    match store.head(SHARD) {
        Ok(Pos(0)) | Err(_) => (Pos(0), Hash::default()),
        Ok(head) => {
            let commits = store.read(SHARD, Pos(head.0 - 1), 0).unwrap_or_default();
            let last = commits.last().and_then(|commit| commit.events.last());
            last.map_or((head, Hash::default()), |event| (event.pos, event.hash))
        }
    }
}

fn event(previous: Hash, pos: Pos) -> Event {
    let created = Timestamp(pos.0.cast_signed());
    let account = Account::new(AccountId(pos.0), &format!("account {}", pos.0), created);
    let body = EventBody {
        at: account.created,
        actor: ActorRef::System,
        facts: vec![Fact::Entity { before: None, after: Some(Entity::Account(account)) }],
        origin_commitment: None,
    };
    Event::seal(previous, pos, body, None)
}

/// How much is read at once, in octets: a few events.
const PIECE: usize = 300;
