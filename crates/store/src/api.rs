//! The trait that every store fulfils.

use std::io::Read;
use std::time::Duration;

use account::Timestamp;

use crate::event::{Event, Pos};

/// A durable, ordered log per shard, with snapshots. All calls block; callers give them a thread.
///
/// A shard has one fenced writer: `acquire` bumps the epoch, and an older writer's `append` fails
/// with [`AppendError::Fenced`] from then on.
pub trait Store: Send + Sync {
    /// What the store has verified that it can do.
    fn caps(&self) -> Caps;

    /// All shards that have been acquired at least once.
    fn shards(&self) -> Result<Vec<ShardInfo>, StoreError>;

    /// Becomes the writer of a shard (made when new) and fences older writers.
    fn acquire(&self, shard: ShardId, owner: &NodeId) -> Result<Writer, StoreError>;

    /// Appends events at `expect_head + 1` …, all or none, durable before `Ok(new head)`.
    ///
    /// The events' positions must be exactly those; a batch id is accepted once.
    fn append(
        &self,
        writer: &Writer,
        expect_head: Pos,
        batch: BatchId,
        events: &[Event],
    ) -> Result<Pos, AppendError>;

    /// Whether a batch is in the log: settles [`AppendError::Unknown`]. `Some(last position)`.
    ///
    /// A batch is forgotten when it is trimmed; the newest one never is. `None` holds for ever:
    /// the batch will not turn up later.
    fn outcome(&self, shard: ShardId, batch: BatchId) -> Result<Option<Pos>, StoreError>;

    /// The last position of a shard; 0 when empty.
    fn head(&self, shard: ShardId) -> Result<Pos, StoreError>;

    /// Commits after a position (whole commits, the first one may start at or before it when it
    /// spans it), about `max_bytes` of them, at least one when there is one.
    fn read(&self, shard: ShardId, after: Pos, max_bytes: usize) -> Result<Vec<Commit>, FeedError>;

    /// Commits after a position: those in the log, then live ones; no gap, no duplicate, nothing
    /// that is not durable.
    fn follow(&self, shard: ShardId, after: Pos) -> Result<Box<dyn Feed>, FeedError>;

    /// Keeps a snapshot of the state at a position, replacing an older one once it is durable. One
    /// that is older than what is kept is passed over; one ahead of the log is refused.
    fn put_snapshot(&self, shard: ShardId, at: Pos, body: &mut dyn Read) -> Result<(), StoreError>;

    /// The newest snapshot.
    fn snapshot(&self, shard: ShardId) -> Result<Option<Snapshot>, StoreError>;

    /// Forgets commits that end at or before a position, but never the newest commit; refuses past
    /// the newest snapshot.
    fn trim(&self, shard: ShardId, upto: Pos) -> Result<(), StoreError>;
}

/// A snapshot of the state of a shard.
pub struct Snapshot {
    /// The position that it stands at.
    pub at: Pos,
    /// Its octets, as `put_snapshot` took them: read by [`crate::codec::StateReader`], which also
    /// checks their sum.
    pub body: Box<dyn Read + Send>,
}

/// A stream of commits.
pub trait Feed: Send {
    /// The next commit; `None` when none came within `wait`.
    fn next(&mut self, wait: Duration) -> Result<Option<Commit>, FeedError>;
}

/// The first and last position of a batch that is to stand after `expect_head`, or why it is
/// malformed: what every store checks before it writes.
pub fn positions(expect_head: Pos, events: &[Event]) -> Result<(Pos, Pos), AppendError> {
    let Some(last) = events.last() else {
        return Err(AppendError::Malformed("it has no event"));
    };
    let dense = events.iter().zip(expect_head.0 + 1..).all(|(event, pos)| event.pos.0 == pos);
    if !dense {
        return Err(AppendError::Malformed("the positions do not follow the head"));
    }
    Ok((Pos(expect_head.0 + 1), last.pos))
}

/// What a store can do, as verified by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// What an acknowledged append survives.
    pub durability: Durability,
    /// How followers learn of commits.
    pub feed: FeedKind,
    /// Largest encoded batch, in octets.
    pub max_batch_bytes: usize,
    /// Whether several nodes can use the store at once.
    pub multi_node: bool,
}

/// What an acknowledged append survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Nothing: memory only, for tests.
    Volatile,
    /// Loss of power of this machine.
    LocalDisk,
    /// Loss of this machine: so many synchronous replicas.
    SyncReplica(u8),
}

/// How followers learn of commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedKind {
    /// Within the process.
    InProcess,
    /// By a hint, with polling behind it.
    NotifyAndPoll,
    /// By polling.
    Poll,
}

/// Number of a shard; 0 is the only one of an embedded store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardId(pub u32);

/// Name of a node, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeId(pub String);

/// Number of a batch, chosen at random by the writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId(pub [u8; 16]);

/// The right to append to a shard, while its epoch is the newest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writer {
    /// The shard.
    pub shard: ShardId,
    /// The epoch that `acquire` gave.
    pub epoch: u64,
}

/// What is known of a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardInfo {
    /// The shard.
    pub shard: ShardId,
    /// Last position.
    pub head: Pos,
    /// Oldest position still in the log; 0 when it is empty.
    pub oldest: Pos,
    /// Epoch of the newest writer.
    pub epoch: u64,
    /// Who that is.
    pub owner: NodeId,
}

/// A durable batch of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The shard.
    pub shard: ShardId,
    /// Position of its first event.
    pub first: Pos,
    /// Position of its last event.
    pub last: Pos,
    /// Epoch of its writer.
    pub epoch: u64,
    /// When it was appended, by the writer's clock: the moment of its last event.
    pub at: Timestamp,
    /// Its batch id.
    pub batch: BatchId,
    /// Its events.
    pub events: Vec<Event>,
}

/// Why an append failed. All but `Unknown` mean: nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// A newer writer has the shard; this one must stop.
    #[error("another writer has taken over the shard")]
    Fenced,
    /// The head is not where the caller believes.
    #[error("the log stands at {}, not where the writer expects", .0.0)]
    HeadMoved(Pos),
    /// The batch is larger than the store takes.
    #[error("the batch has {bytes} octets, more than {limit}")]
    TooLarge {
        /// Octets of the batch.
        bytes: usize,
        /// Octets that the store takes.
        limit: usize,
    },
    /// The events do not fit the call: wrong positions, no event, a batch id used before.
    #[error("the batch is malformed: {0}")]
    Malformed(&'static str),
    /// The store cannot write now: disk full, locked, gone. Nothing was written.
    #[error("the store cannot write: {0}")]
    Unavailable(String),
    /// It may or may not be written: ask `outcome` before anything is acknowledged.
    #[error("it is not known whether the batch was written: {0}")]
    Unknown(String),
}

/// Why a call other than `append` failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store cannot be used now; trying again may help.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// What is stored is not what was written, or of a version that we do not know.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// The call may not be done in this state.
    #[error("refused: {0}")]
    Refused(String),
}

/// Why commits cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The log has been trimmed past the position: start from a snapshot.
    #[error("the log starts at {}: start from a snapshot", .oldest.0)]
    Trimmed {
        /// Oldest position still there.
        oldest: Pos,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
