//! The background of a node: folding the log into tables, checkpoints, retention.

use std::io::{Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use account::Timestamp;
use store::codec::{StateReader, StateWriter};
use store::{Commit, FeedError, Pos, ShardId, Store};
use store_sqlite::{HistoryIndex, HookDb, SqliteStore, StateDb, StateError};

use crate::node::{NodeError, open_index, open_tables};
use crate::writer::now;

/// What the folding thread owns.
pub(crate) struct Folder {
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) tables: StateDb,
    /// Which events are about whom.
    pub(crate) index: Arc<Mutex<HistoryIndex>>,
    /// Something was committed; disconnected when the writer has ended.
    pub(crate) wake: Receiver<()>,
    /// The node stops: what is not folded is left to the next start.
    pub(crate) stopping: Arc<AtomicBool>,
    /// The node is there for one order: nothing is folded beside it.
    pub(crate) is_brief: bool,
    /// Events folded since it was last looked whether the tables are worth packing.
    pub(crate) unpacked: u64,
    /// Since when commits are taken over that are not written.
    pub(crate) gathering: Option<Instant>,
    /// So much is changed that everything else is put off as far as it can be.
    pub(crate) is_busy: bool,
    /// When the write-ahead logs were last moved into their databases.
    pub(crate) kept_up: Instant,
    pub(crate) log_ms: Option<u64>,
    pub(crate) origins_ms: Option<u64>,
}

impl Folder {
    /// Runs until the writer has ended, and a moment longer: what is not folded then is folded after
    /// the next start, which is none the slower for it.
    pub(crate) fn run(mut self) {
        let mut retained: Option<Instant> = None;
        let mut failed: Option<Instant> = None;
        loop {
            let open = match self.wake.recv_timeout(self.patience()) {
                Ok(()) => {
                    // More commits will follow: fold them together.
                    std::thread::park_timeout(GATHER);
                    true
                }
                Err(RecvTimeoutError::Timeout) => true,
                Err(RecvTimeoutError::Disconnected) => false,
            };
            if open && self.is_brief {
                continue;
            }
            // A full disk is not tried again with every commit.
            if !open || failed.is_none_or(|last| last.elapsed() >= UPKEEP) {
                failed = (!self.fold()).then(Instant::now);
            }
            if !open {
                return self.end();
            }
            if retained.is_none_or(|last| last.elapsed() >= RETENTION) {
                retained = Some(Instant::now());
                if let Err(why) = self.retain() {
                    tracing::warn!(%why, "old parts of the log could not be dropped");
                }
            }
        }
    }

    /// How long nothing need be done when nothing is committed.
    fn patience(&self) -> Duration {
        let left = |since: Instant| GATHER_MAX.saturating_sub(since.elapsed());
        self.gathering.map_or(UPKEEP, left)
    }

    /// A long write-ahead log is left as it is: the next start reads it in a moment, and moving it
    /// takes long.
    fn end(&mut self) {
        if self.store.wal_octets() + self.tables.wal_octets() <= STOP_WAL_OCTETS {
            return self.maintain();
        }
        let left = self.store.leave_wal().map_err(NodeError::Store);
        let left = left.and_then(|()| self.tables.leave_wal().map_err(NodeError::State));
        if let Err(why) = left {
            tracing::warn!(%why, "the end may take longer");
        }
    }

    /// Folds what there is, or some of it when the node stops; whether that succeeded.
    fn fold(&mut self) -> bool {
        let mut stopping: Option<Instant> = None;
        loop {
            if self.stopping.load(Ordering::Relaxed)
                && stopping.get_or_insert_with(Instant::now).elapsed() >= STOP_FOLD
            {
                return true;
            }
            // Also in the middle of a long catch-up: the write-ahead logs grow meanwhile.
            if self.kept_up.elapsed() >= UPKEEP {
                self.maintain();
            }
            match self.fold_some() {
                Ok(true) => {}
                Ok(false) => return self.pack(),
                Err(why) => {
                    // The tables go on from where they stand.
                    self.gathering = None;
                    metrics::counter!("byname_fold_failures_total").increment(1);
                    tracing::warn!(
                        %why,
                        hint = "nothing is lost: the log has everything, and folding is tried again",
                        "the log could not be folded into tables"
                    );
                    self.reopen(&why);
                    return false;
                }
            }
        }
    }

    /// Packs the tables when much has been folded; whether that succeeded.
    fn pack(&mut self) -> bool {
        if self.unpacked < PACK_EVENTS || self.stopping.load(Ordering::Relaxed) {
            return true;
        }
        self.unpacked = 0;
        let share = if self.is_busy { PACK_SHARE_BUSY } else { PACK_SHARE };
        let stopping = Arc::clone(&self.stopping);
        match self.tables.pack((PACK_ROWS, share), &|| !stopping.load(Ordering::Relaxed)) {
            Ok(()) => true,
            Err(why) => {
                tracing::warn!(%why, "the folded tables could not be packed");
                self.reopen(&NodeError::State(why));
                false
            }
        }
    }

    /// Folds some commits; whether there may be more.
    fn fold_some(&mut self) -> Result<bool, NodeError> {
        if self.tables.folded().0 == Pos(0)
            && let Some(snapshot) = self.store.snapshot(ShardId(0))?
        {
            self.tables.fill(StateReader::new(snapshot.body)?)?;
        }
        let at = self.tables.folded().0;
        let commits = self.store.read(ShardId(0), self.tables.gathered(), FOLD_BYTES)?;
        let is_last = commits.is_empty();
        let started = Instant::now();
        let is_full = self.tables.gather(&commits)?;
        if is_full || is_last && self.is_due() {
            self.tables.flush()?;
        }
        let folded = self.tables.folded().0;
        if folded > at {
            self.gathering = None;
            self.is_busy = folded.0 - at.0 > BUSY_EVENTS;
        }
        if self.tables.gathered() > folded {
            self.gathering.get_or_insert(started);
        }
        if !is_last {
            self.note(&commits);
            metrics::histogram!("byname_fold_seconds").record(started.elapsed().as_secs_f64());
        }
        self.unpacked += folded.0 - at.0;
        let lag = self.store.head(ShardId(0))?.0.saturating_sub(folded.0);
        metrics::gauge!("byname_fold_lag_events").set(lag as f64);
        Ok(!is_last || self.note_more())
    }

    /// Whether what was gathered is written, when nothing more can be added to it now.
    fn is_due(&self) -> bool {
        let Some(since) = self.gathering else { return false };
        // What takes long is left to the next start.
        let ends = self.stopping.load(Ordering::Relaxed)
            && self.tables.gathered().0 - self.tables.folded().0.0 <= STOP_EVENTS;
        ends || since.elapsed() >= GATHER_MAX
    }

    /// Notes what the index does not have yet, for example after a start; whether there may be more.
    fn note_more(&self) -> bool {
        let at = self.index.lock().unwrap_or_else(PoisonError::into_inner).at();
        if at >= self.tables.folded().0 {
            return false;
        }
        match self.store.read(ShardId(0), at, FOLD_BYTES) {
            Ok(commits) => self.note(&commits),
            Err(FeedError::Trimmed { oldest }) => {
                let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
                index.skip_to(Pos(oldest.0.saturating_sub(1)));
                true
            }
            Err(FeedError::Store(why)) => {
                tracing::warn!(%why, "the index of the history cannot go on");
                false
            }
        }
    }

    /// Notes who some commits are about; whether that succeeded. Reading a history goes on without.
    fn note(&self, commits: &[Commit]) -> bool {
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        let noted = index.note(commits.iter().flat_map(|commit| &commit.events));
        let Err(why) = noted else { return true };
        tracing::warn!(%why, "the index of the history could not be written");
        if why.is_damage()
            && HistoryIndex::discard(self.store.directory()).is_ok()
            && let Ok(fresh) = open_index(&self.store)
        {
            *index = fresh;
        }
        false
    }

    /// Tables that are damaged are thrown away; the next round builds them anew.
    fn reopen(&mut self, why: &NodeError) {
        let gone = match why {
            NodeError::State(why) => why.is_damage(),
            NodeError::Log(FeedError::Trimmed { .. }) => true,
            _ => false,
        };
        if !gone || StateDb::discard(self.store.directory()).is_err() {
            return;
        }
        match open_tables(self.store.directory()) {
            Ok(tables) => self.tables = tables,
            Err(why) => tracing::error!(%why, "the folded tables cannot be built anew"),
        }
    }

    fn maintain(&mut self) {
        self.kept_up = Instant::now();
        let done = self.store.maintain().map_err(NodeError::Store);
        let done = done.and_then(|()| self.tables.maintain().map_err(NodeError::State));
        let index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        let done = done.and_then(|()| index.maintain().map_err(NodeError::State));
        if let Err(why) = done {
            tracing::warn!(%why, "a write-ahead log could not be moved into its database");
        }
        metrics::gauge!("byname_log_octets").set(self.store.log_octets() as f64);
    }

    /// Drops what is older than it should be kept: source addresses, then whole commits, after a
    /// snapshot that stands in for them.
    fn retain(&mut self) -> Result<(), NodeError> {
        if let Some(age) = self.origins_ms {
            self.store.forget_origins(self.store.last_before(before(age))?)?;
            if self.store.directory().join(HookDb::NAME).exists() {
                HookDb::open(self.store.directory())?.forget_networks_before(before(age))?;
            }
        }
        let Some(age) = self.log_ms else { return Ok(()) };
        let upto = self.store.last_before(before(age))?;
        let kept = self.store.shards()?.first().map_or(Pos(0), |shard| shard.oldest);
        if upto.0 < kept.0.saturating_add(TRIM_LEAST) {
            return Ok(());
        }
        self.tables.flush()?;
        self.snapshot()?;
        let upto = upto.min(self.tables.folded().0);
        self.store.trim(ShardId(0), upto)?;
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        index.trim(self.store.oldest()?)?;
        tracing::info!(upto = upto.0, "dropped the old part of the log");
        Ok(())
    }

    /// Writes the tables into a snapshot of the store.
    fn snapshot(&mut self) -> Result<(), NodeError> {
        let path = self.store.directory().join("snapshot.tmp");
        let written = self.snapshot_through(&path);
        let removed = std::fs::remove_file(&path);
        written?;
        removed.map_err(unavailable)
    }

    fn snapshot_through(&mut self, path: &Path) -> Result<(), NodeError> {
        let file = std::fs::OpenOptions::new()
            .create(true)
            .truncate(true)
            .read(true)
            .write(true)
            // It holds what the tables hold: hashes of tokens and secrets of keys.
            .mode(0o600)
            .open(path)
            .map_err(unavailable)?;
        let buffered = std::io::BufWriter::new(file);
        let mut writer = StateWriter::new(buffered).map_err(unavailable)?;
        let mut failed = None;
        let loaded = self.tables.load(|item| {
            writer.push(&item).map_err(|why| {
                let told = StateError::Damaged(why.to_string());
                failed = Some(why);
                told
            })
        });
        // A full disk is no damage of the tables.
        if let Some(why) = failed {
            return Err(unavailable(why));
        }
        loaded?;
        let at = self.tables.folded().0;
        let written = writer.finish().map_err(unavailable)?;
        let mut file = written.into_inner().map_err(|why| unavailable(why.into_error()))?;
        file.seek(SeekFrom::Start(0)).map_err(unavailable)?;
        Ok(self.store.put_snapshot(ShardId(0), at, &mut file)?)
    }
}

fn unavailable(why: std::io::Error) -> NodeError {
    NodeError::Store(store::StoreError::Unavailable(why.to_string()))
}

fn before(age_ms: u64) -> Timestamp {
    Timestamp(now().0.saturating_sub(i64::try_from(age_ms).unwrap_or(i64::MAX)))
}

/// How long commits are gathered before they are folded.
const GATHER: Duration = Duration::from_millis(100);
/// How long they are gathered at most, when there are few.
const GATHER_MAX: Duration = Duration::from_secs(1);
/// Events folded at once from which on much is changed.
const BUSY_EVENTS: u64 = 10_000;
/// How often the write-ahead logs are moved into their databases.
const UPKEEP: Duration = Duration::from_secs(2);
/// How often old parts of the log are looked for.
const RETENTION: Duration = Duration::from_secs(3600);
/// Fewest events that are worth a snapshot.
const TRIM_LEAST: u64 = 10_000;
/// How much of the log is read at once, in octets.
const FOLD_BYTES: usize = 2 * 1024 * 1024;
/// Changed RRsets of a zone from which it may be worth packing them.
const PACK_ROWS: u64 = 20_000;
/// Events after which it is looked whether it is: looking reads all that has changed.
pub(crate) const PACK_EVENTS: u64 = 100_000;
/// They are packed when one in so many octets of a zone has changed; and while much is changed.
const PACK_SHARE: u64 = 8;
const PACK_SHARE_BUSY: u64 = 2;
/// Events that are folded when the node stops, as far as they are gathered.
const STOP_EVENTS: u64 = 4096;
/// For how long is folded when the node stops.
const STOP_FOLD: Duration = Duration::from_millis(50);
/// Octets of write-ahead logs that are moved into their databases when the node stops.
const STOP_WAL_OCTETS: u64 = 8 * 1024 * 1024;
