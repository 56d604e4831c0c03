//! A disk that does what it is told: each append waits for its word.

use std::io::Read;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use store::{
    AppendError, BatchId, Caps, Commit, Event, Feed, FeedError, MemoryStore, NodeId, Pos, ShardId,
    ShardInfo, Snapshot, Store, StoreError, Writer as Fence,
};

/// What becomes of an append.
#[derive(Clone, Copy, Debug)]
pub(super) enum Word {
    /// It is written, and said to be.
    Write,
    /// There is no room.
    NoRoom,
    /// It is written, but the word of that is lost; so many questions about it fail, too.
    Unsaid(u32),
    /// It is not written, and nobody says so; so many questions about it fail, too.
    Lost(u32),
    /// Somebody else has the log.
    Fenced,
    /// It is too much at once.
    TooLarge,
}

/// A store in memory behind such a disk.
pub(super) struct Disk {
    store: MemoryStore,
    words: Mutex<Receiver<Word>>,
    began: Mutex<SyncSender<Began>>,
    /// Questions that will not be answered.
    mute: Mutex<u32>,
}

/// An append that has begun and waits.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Began {
    /// Events in it.
    pub(super) events: usize,
    /// On a thread of its own, so that what comes next is judged meanwhile.
    pub(super) is_beside: bool,
}

/// The other end of a [`Disk`].
pub(super) struct Hand {
    words: SyncSender<Word>,
    began: Receiver<Began>,
}

impl Disk {
    pub(super) fn new() -> (Disk, Hand) {
        let ((say, words), (begin, began)) = (sync_channel(64), sync_channel(64));
        let (store, mute) = (MemoryStore::new(), Mutex::new(0));
        let disk = Disk { store, words: Mutex::new(words), began: Mutex::new(begin), mute };
        (disk, Hand { words: say, began })
    }
}

impl Hand {
    /// Waits until an append has begun.
    pub(super) fn began(&self) -> Began {
        self.began.recv_timeout(PATIENCE).expect("an append")
    }

    /// Lets it go on.
    pub(super) fn say(&self, word: Word) {
        self.words.send(word).expect("a disk");
    }

    /// Whether no append has begun that nobody has seen.
    pub(super) fn is_idle(&self) -> bool {
        self.began.try_recv().is_err()
    }
}

impl Store for Disk {
    fn append(
        &self,
        writer: &Fence,
        expect_head: Pos,
        batch: BatchId,
        events: &[Event],
    ) -> Result<Pos, AppendError> {
        let is_beside = std::thread::current().name() == Some("appender");
        let _ = lock(&self.began).send(Began { events: events.len(), is_beside });
        let write = || self.store.append(writer, expect_head, batch, events);
        match lock(&self.words).recv_timeout(PATIENCE).expect("a word") {
            Word::Write => write(),
            Word::NoRoom => Err(AppendError::Unavailable("no room".to_owned())),
            Word::Unsaid(mute) => {
                write()?;
                *lock(&self.mute) = mute;
                Err(AppendError::Unknown("the word was lost".to_owned()))
            }
            Word::Lost(mute) => {
                *lock(&self.mute) = mute;
                Err(AppendError::Unknown("the batch was lost".to_owned()))
            }
            Word::Fenced => Err(AppendError::Fenced),
            Word::TooLarge => Err(AppendError::TooLarge { bytes: 2, limit: 1 }),
        }
    }

    fn outcome(&self, shard: ShardId, batch: BatchId) -> Result<Option<Pos>, StoreError> {
        let mut mute = lock(&self.mute);
        if *mute > 0 {
            *mute -= 1;
            return Err(StoreError::Unavailable("it does not say".to_owned()));
        }
        self.store.outcome(shard, batch)
    }

    fn caps(&self) -> Caps {
        self.store.caps()
    }

    fn shards(&self) -> Result<Vec<ShardInfo>, StoreError> {
        self.store.shards()
    }

    fn acquire(&self, shard: ShardId, owner: &NodeId) -> Result<Fence, StoreError> {
        self.store.acquire(shard, owner)
    }

    fn head(&self, shard: ShardId) -> Result<Pos, StoreError> {
        self.store.head(shard)
    }

    fn read(&self, shard: ShardId, after: Pos, max_bytes: usize) -> Result<Vec<Commit>, FeedError> {
        self.store.read(shard, after, max_bytes)
    }

    fn follow(&self, shard: ShardId, after: Pos) -> Result<Box<dyn Feed>, FeedError> {
        self.store.follow(shard, after)
    }

    fn put_snapshot(&self, shard: ShardId, at: Pos, body: &mut dyn Read) -> Result<(), StoreError> {
        self.store.put_snapshot(shard, at, body)
    }

    fn snapshot(&self, shard: ShardId) -> Result<Option<Snapshot>, StoreError> {
        self.store.snapshot(shard)
    }

    fn trim(&self, shard: ShardId, upto: Pos) -> Result<(), StoreError> {
        self.store.trim(shard, upto)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Longest that the writer or the test may be away.
const PATIENCE: Duration = Duration::from_secs(30);
