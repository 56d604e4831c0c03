//! A store that forgets everything when it goes: the reference for all others, and for tests.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::api::{
    AppendError, BatchId, Caps, Commit, Durability, Feed, FeedError, FeedKind, NodeId, ShardId,
    ShardInfo, Snapshot, Store, StoreError, Writer,
};
use crate::bell::{Bell, BellFeed};
use crate::codec;
use crate::event::{Event, Pos};

/// Shards in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    shards: Arc<Mutex<BTreeMap<ShardId, Shard>>>,
    bells: Mutex<BTreeMap<ShardId, Arc<Bell>>>,
}

#[derive(Debug)]
struct Shard {
    epoch: u64,
    owner: NodeId,
    head: Pos,
    commits: Vec<Commit>,
    /// Last position of every batch that is kept.
    batches: BTreeMap<BatchId, Pos>,
    snapshot: Option<(Pos, Vec<u8>)>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }

    /// Every shard has its own: positions of one say nothing of another.
    fn bell(&self, shard: ShardId) -> Arc<Bell> {
        let mut bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(bells.entry(shard).or_default())
    }
}

impl Store for MemoryStore {
    fn caps(&self) -> Caps {
        Caps {
            durability: Durability::Volatile,
            feed: FeedKind::InProcess,
            max_batch_bytes: BATCH_BYTES_MAX,
            multi_node: false,
        }
    }

    fn shards(&self) -> Result<Vec<ShardInfo>, StoreError> {
        let info = |(&id, shard): (&ShardId, &Shard)| ShardInfo {
            shard: id,
            head: shard.head,
            oldest: shard.commits.first().map_or(Pos(0), |commit| commit.first),
            epoch: shard.epoch,
            owner: shard.owner.clone(),
        };
        Ok(lock(&self.shards).iter().map(info).collect())
    }

    fn acquire(&self, shard: ShardId, owner: &NodeId) -> Result<Writer, StoreError> {
        let mut shards = lock(&self.shards);
        let entry = shards.entry(shard).or_insert_with(|| Shard {
            epoch: 0,
            owner: owner.clone(),
            head: Pos(0),
            commits: Vec::new(),
            batches: BTreeMap::new(),
            snapshot: None,
        });
        entry.epoch += 1;
        entry.owner = owner.clone();
        Ok(Writer { shard, epoch: entry.epoch })
    }

    fn append(
        &self,
        writer: &Writer,
        expect_head: Pos,
        batch: BatchId,
        events: &[Event],
    ) -> Result<Pos, AppendError> {
        let mut shards = lock(&self.shards);
        let shard = shards.get_mut(&writer.shard).ok_or(AppendError::Fenced)?;
        if shard.epoch != writer.epoch {
            return Err(AppendError::Fenced);
        }
        if shard.head != expect_head {
            return Err(AppendError::HeadMoved(shard.head));
        }
        let (first, last) = crate::api::positions(expect_head, events)?;
        if shard.batches.contains_key(&batch) {
            return Err(AppendError::Malformed("the batch id was used before"));
        }
        let mut octets = Vec::new();
        events.iter().for_each(|event| codec::encode_event(event, &mut octets));
        if octets.len() > BATCH_BYTES_MAX {
            return Err(AppendError::TooLarge { bytes: octets.len(), limit: BATCH_BYTES_MAX });
        }
        let at = events.last().map(|event| event.body.at).unwrap_or_default();
        shard.commits.push(Commit {
            shard: writer.shard,
            first,
            last,
            epoch: writer.epoch,
            at,
            batch,
            events: events.to_vec(),
        });
        shard.batches.insert(batch, last);
        shard.head = last;
        drop(shards);
        self.bell(writer.shard).ring(last);
        Ok(last)
    }

    fn outcome(&self, shard: ShardId, batch: BatchId) -> Result<Option<Pos>, StoreError> {
        let shards = lock(&self.shards);
        Ok(shards.get(&shard).and_then(|shard| shard.batches.get(&batch).copied()))
    }

    fn head(&self, shard: ShardId) -> Result<Pos, StoreError> {
        Ok(lock(&self.shards).get(&shard).map_or(Pos(0), |shard| shard.head))
    }

    fn read(&self, shard: ShardId, after: Pos, max_bytes: usize) -> Result<Vec<Commit>, FeedError> {
        read(&self.shards, shard, after, max_bytes)
    }

    fn follow(&self, shard: ShardId, after: Pos) -> Result<Box<dyn Feed>, FeedError> {
        self.read(shard, after, 0)?;
        let shards = Arc::clone(&self.shards);
        let read = move |after| read(&shards, shard, after, FEED_BYTES);
        Ok(Box::new(BellFeed::new(read, self.bell(shard), after)))
    }

    fn put_snapshot(&self, shard: ShardId, at: Pos, body: &mut dyn Read) -> Result<(), StoreError> {
        let mut octets = Vec::new();
        body.read_to_end(&mut octets).map_err(|e| StoreError::Unavailable(e.to_string()))?;
        let mut shards = lock(&self.shards);
        let unknown = || StoreError::Refused("there is no such shard".to_owned());
        let shard = shards.get_mut(&shard).ok_or_else(unknown)?;
        if at > shard.head {
            return Err(StoreError::Refused("the snapshot is ahead of the log".to_owned()));
        }
        if shard.snapshot.as_ref().is_none_or(|(kept, _)| *kept <= at) {
            shard.snapshot = Some((at, octets));
        }
        Ok(())
    }

    fn snapshot(&self, shard: ShardId) -> Result<Option<Snapshot>, StoreError> {
        let shards = lock(&self.shards);
        let kept = shards.get(&shard).and_then(|shard| shard.snapshot.clone());
        Ok(kept.map(|(at, octets)| Snapshot { at, body: Box::new(Cursor::new(octets)) }))
    }

    fn trim(&self, shard: ShardId, upto: Pos) -> Result<(), StoreError> {
        let mut shards = lock(&self.shards);
        let Some(shard) = shards.get_mut(&shard) else { return Ok(()) };
        if shard.snapshot.as_ref().is_none_or(|(at, _)| *at < upto) {
            return Err(StoreError::Refused("no snapshot stands at or after that".to_owned()));
        }
        let head = shard.head;
        let batches = &mut shard.batches;
        shard.commits.retain(|commit| {
            let kept = commit.last > upto || commit.last == head;
            if !kept {
                batches.remove(&commit.batch);
            }
            kept
        });
        Ok(())
    }
}

fn read(
    shards: &Mutex<BTreeMap<ShardId, Shard>>,
    shard: ShardId,
    after: Pos,
    max_bytes: usize,
) -> Result<Vec<Commit>, FeedError> {
    let shards = lock(shards);
    let Some(shard) = shards.get(&shard) else { return Ok(Vec::new()) };
    let oldest = shard.commits.first().map_or(Pos(shard.head.0 + 1), |commit| commit.first);
    if after.0 + 1 < oldest.0 {
        return Err(FeedError::Trimmed { oldest });
    }
    let from = shard.commits.partition_point(|commit| commit.last <= after);
    let mut bytes = 0;
    let mut found = Vec::new();
    for commit in shard.commits.iter().skip(from) {
        let mut octets = Vec::new();
        commit.events.iter().for_each(|event| codec::encode_event(event, &mut octets));
        bytes += octets.len();
        if bytes > max_bytes && !found.is_empty() {
            break;
        }
        found.push(commit.clone());
    }
    Ok(found)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Largest encoded batch, in octets.
const BATCH_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How much a follower reads at once, in octets.
const FEED_BYTES: usize = 1024 * 1024;
