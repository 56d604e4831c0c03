//! One node of the service over one data directory.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::JoinHandle;
use std::time::Instant;

use account::{Actor, Timestamp};
use engine::{Engine, Live, Operation, Outcome, Request};
use gateway::{Client, Letters, Random, SubmitError};
use store::{Caps, FeedError, NodeId, Pos, ShardId, Store, StoreError};
use store_sqlite::backup::BackupError;
use store_sqlite::{
    ErrorCode, HistoryIndex, LockError, OpenError, SqliteStore, StateDb, StateError,
};

use crate::appender::Appender;
use crate::boot;
use crate::expirer::Expirer;
use crate::folder::{self, Folder};
use crate::history::feed::Feed;
use crate::tide::Tide;
use crate::writer::{self, Writer};

/// How a node is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The data directory; made when it is not there.
    pub data: PathBuf,
    /// Name of this node, for people.
    pub name: String,
    /// How long the log is kept, in milliseconds; `None`: for ever.
    pub log_ms: Option<u64>,
    /// How long source addresses are kept in the log, in milliseconds; `None`: as long as it is.
    pub origins_ms: Option<u64>,
}

/// Why a node cannot start.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The data directory cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] FeedError),
    /// The folded tables failed, and could not be built anew.
    #[error(transparent)]
    State(#[from] StateError),
    /// The folded tables stand where the log has not been: acknowledged changes are missing in it, or
    /// it is of another directory.
    #[error("`state.db` stands at {}, and `log.db` ends at {}: the log is missing or of another time", .tables.0, .log.0)]
    Ahead {
        /// Position of the folded tables.
        tables: Pos,
        /// Last position of the log.
        log: Pos,
    },
    /// A backup or restore failed.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// Files of the folded tables could not be removed.
    #[error("the folded tables cannot be removed: {0}")]
    Discard(std::io::Error),
    /// A thread could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
    /// The serials could not be moved forward after a restore.
    #[error("the serials could not be moved forward after a restore: {0}")]
    Jump(String),
}

impl NodeError {
    /// Whether another process has the data directory.
    pub fn is_held(&self) -> bool {
        matches!(self.open_error(), Some(OpenError::Lock(LockError::Held(_))))
    }

    /// What an operator can do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            NodeError::State(_) => {
                return Some("start it again: the folded tables are built anew from the log");
            }
            NodeError::Store(StoreError::Unavailable(_)) => return Some(DISK_HINT),
            NodeError::Store(StoreError::Damaged(_))
            | NodeError::Log(FeedError::Store(StoreError::Damaged(_)))
            | NodeError::Ahead { .. } => return Some(DAMAGE_HINT),
            NodeError::Jump(_) => return Some("start it again: the move is tried again"),
            _ => {}
        }
        match self.open_error()? {
            OpenError::Lock(LockError::Held(_)) => {
                Some("stop the other one, or choose another directory with `--data DIR`")
            }
            OpenError::Lock(LockError::Failed { .. }) => {
                Some("the file system must have locks; choose another directory with `--data DIR`")
            }
            OpenError::File { why, .. } => file_hint(why.kind()),
            OpenError::Sqlite { why, .. } => match why.sqlite_error_code() {
                Some(ErrorCode::DiskFull) => file_hint(ErrorKind::StorageFull),
                Some(ErrorCode::ReadOnly) => file_hint(ErrorKind::ReadOnlyFilesystem),
                Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                    file_hint(ErrorKind::PermissionDenied)
                }
                Some(ErrorCode::SystemIoFailure) => Some(DISK_HINT),
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Some(DAMAGE_HINT),
                Some(_) | None => None,
            },
            OpenError::Newer { .. } => Some("run the release that wrote it, or a newer one"),
            OpenError::Ahead { .. } => Some("restore the newest backup into a new directory"),
            OpenError::Encoding { .. } => None,
        }
    }

    fn open_error(&self) -> Option<&OpenError> {
        match self {
            NodeError::Open(why) | NodeError::Backup(BackupError::Open(why)) => Some(why),
            _ => None,
        }
    }
}

fn file_hint(kind: ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::PermissionDenied => {
            Some("give the directory to this user, or choose another with `--data DIR`")
        }
        ErrorKind::ReadOnlyFilesystem => {
            Some("the file system is read-only: choose another directory with `--data DIR`")
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            Some("the disk is full: make room, then start again; nothing is lost")
        }
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            Some("a file is in the way: choose another directory with `--data DIR`")
        }
        _ => None,
    }
}

/// A data directory that is ours, before anything of it is loaded: doors can be opened already.
///
/// What its client submits waits for [`Claimed::load`].
pub struct Claimed {
    options: Options,
    client: Client,
    store: Arc<SqliteStore>,
    letters: Letters,
    writable: Arc<AtomicBool>,
}

impl Claimed {
    /// A door's access to the writer to be.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Loads the state and starts the writer.
    pub fn load(self) -> Result<Node, NodeError> {
        self.load_for(false)
    }

    fn load_for(self, is_brief: bool) -> Result<Node, NodeError> {
        let Claimed { options, client, store, letters, writable } = self;
        let owner = NodeId(options.name);
        let fence = store.acquire(ShardId(0), &owner)?;
        let mut engine = Engine::new(Arc::clone(client.live()));
        let tables = boot::load(&store, &mut engine)?;
        client.live().prepare_keys();
        memory::give_back();
        let unfinished = engine.unfinished_imports();
        let index = Arc::new(Mutex::new(open_index(&store)?));
        let tide = Arc::new(Tide::default());
        tide.rise(engine.stands_at().0);
        // One wake-up is enough: it stands for all commits since the last one.
        let (wake_folder, wake) = sync_channel(1);
        let stopping = Arc::new(AtomicBool::new(false));
        let writer = Writer {
            engine,
            store: Arc::clone(&store) as Arc<dyn Store>,
            fence,
            letters,
            wake_folder,
            writable,
            stopping: Arc::clone(&stopping),
            probed: Instant::now(),
            owner,
            random: Random::new(),
            expirer: Expirer::new(writer::now()),
            freed: None,
            appender: Appender::start(Arc::clone(&store) as Arc<dyn Store>)
                .map_err(NodeError::Thread)?,
            flying: None,
            tide: Arc::clone(&tide),
        };
        let folder = Folder {
            store: Arc::clone(&store),
            tables,
            index: Arc::clone(&index),
            wake,
            stopping: Arc::clone(&stopping),
            is_brief,
            // What was left by the last run is looked at once.
            unpacked: folder::PACK_EVENTS,
            gathering: None,
            is_busy: false,
            kept_up: Instant::now(),
            log_ms: options.log_ms,
            origins_ms: options.origins_ms,
        };
        let threads = Threads {
            writer: spawn("writer", move || writer.run())?,
            folder: spawn("folder", move || folder.run())?,
        };
        let importing = Mutex::new(());
        let (feed, threads) = (Arc::new(Feed::default()), Mutex::new(Some(threads)));
        let node = Node { client, store, importing, index, tide, feed, stopping, threads };
        for import in unfinished {
            // Whoever began it is gone. If this fails, the next start tries again.
            let _ = node.client.operate(Operation::DropImport(import));
        }
        node.move_serials_after_restore()?;
        Ok(node)
    }
}

impl std::fmt::Debug for Claimed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Claimed").field("options", &self.options).finish_non_exhaustive()
    }
}

/// A node whose state is loaded and whose writer runs.
pub struct Node {
    client: Client,
    store: Arc<SqliteStore>,
    /// Held while a zone file is read into memory: one at a time.
    importing: Mutex<()>,
    /// Which events are about whom.
    index: Arc<Mutex<HistoryIndex>>,
    /// How far the log is visible.
    tide: Arc<Tide>,
    /// Where those who listen to changes get them from.
    feed: Arc<Feed>,
    /// Tells the writer that the node stops.
    stopping: Arc<AtomicBool>,
    /// `None` once the node has stopped.
    threads: Mutex<Option<Threads>>,
}

#[derive(Debug)]
struct Threads {
    writer: JoinHandle<()>,
    folder: JoinHandle<()>,
}

impl Node {
    /// Takes the data directory, which is made when it is not there, for this process.
    pub fn claim(options: &Options) -> Result<Claimed, NodeError> {
        let store = Arc::new(SqliteStore::open(&options.data)?);
        let (queue, letters) = gateway::letters(QUEUE);
        let writable = Arc::new(AtomicBool::new(true));
        let live = Arc::new(Live::new());
        let client = Client::new(live, queue, Arc::clone(&writable), Random::new());
        Ok(Claimed { options: options.clone(), client, store, letters, writable })
    }

    /// Takes the data directory, loads the state, and starts the writer.
    pub fn open(options: &Options) -> Result<Node, NodeError> {
        Node::claim(options)?.load()
    }

    /// The same for one order, after which the node stops: nothing is done beside it.
    pub(crate) fn open_briefly(options: &Options) -> Result<Node, NodeError> {
        Node::claim(options)?.load_for(true)
    }

    /// A door's access to the writer.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The visible state.
    pub fn live(&self) -> &Arc<Live> {
        self.client.live()
    }

    /// What the store can do.
    pub fn caps(&self) -> Caps {
        self.store.caps()
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        self.store.directory()
    }

    /// The right to read a zone file into memory; `None` while somebody else has it.
    pub(crate) fn begin_import(&self) -> Option<MutexGuard<'_, ()>> {
        match self.importing.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    pub(crate) fn store(&self) -> &SqliteStore {
        &self.store
    }

    pub(crate) fn store_handle(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store) as Arc<dyn Store>
    }

    pub(crate) fn index(&self) -> &Mutex<HistoryIndex> {
        &self.index
    }

    pub(crate) fn tide(&self) -> &Arc<Tide> {
        &self.tide
    }

    pub(crate) fn feed(&self) -> &Arc<Feed> {
        &self.feed
    }

    /// The moment, by the system's clock.
    pub fn now(&self) -> Timestamp {
        writer::now()
    }

    /// Answers what is queued, writes down what is only in memory, and ends the threads. Later
    /// submissions are refused.
    ///
    /// When the store cannot tell whether the last commit was written, it is asked for a few seconds
    /// more; then whoever waits is left unconfirmed, and the next start finds out.
    pub fn stop(&self) {
        self.client.close();
        self.stopping.store(true, Ordering::Relaxed);
        let Some(threads) = lock(&self.threads).take() else { return };
        for ended in [threads.writer.join(), threads.folder.join()] {
            if ended.is_err() {
                tracing::error!("a thread of the node panicked");
            }
        }
        self.tide.end();
        self.feed.close();
    }

    /// Secondaries may hold serials of the time after the backup: ours must be newer (RFC 1982).
    fn move_serials_after_restore(&self) -> Result<(), NodeError> {
        if !self.store.is_restored()? {
            return Ok(());
        }
        let operation = Operation::JumpSerials { by: SERIAL_JUMP };
        let request = Request { actor: Actor::System, origin: None, operation };
        let outcome =
            self.client.submit(request).map(tokio::sync::oneshot::Receiver::blocking_recv);
        match outcome {
            Ok(Ok(Outcome::Done { .. } | Outcome::Unchanged)) => {
                self.store.clear_restored()?;
                tracing::info!(by = SERIAL_JUMP, "moved all serials forward after a restore");
                Ok(())
            }
            Ok(Ok(other)) => Err(NodeError::Jump(format!("{other:?}"))),
            Ok(Err(_)) => Err(NodeError::Jump(SubmitError::Unconfirmed.to_string())),
            Err(why) => Err(NodeError::Jump(why.to_string())),
        }
    }
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node").field("data", &self.data()).finish_non_exhaustive()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.stop();
    }
}

fn spawn<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, NodeError> {
    std::thread::Builder::new().name(name.to_owned()).spawn(run).map_err(NodeError::Thread)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens the folded tables, or empty ones in place of those that cannot be opened.
pub(crate) fn open_tables(directory: &Path) -> Result<StateDb, NodeError> {
    match StateDb::open(directory) {
        Err(why) if why.is_damage() => {
            tracing::warn!(%why, "building the folded tables anew");
            StateDb::discard(directory).map_err(NodeError::Discard)?;
            Ok(StateDb::open(directory)?)
        }
        other => Ok(other?),
    }
}

/// Opens the notes of the history, or empty ones in place of those that are not of this log.
pub(crate) fn open_index(store: &SqliteStore) -> Result<HistoryIndex, NodeError> {
    let directory = store.directory();
    let anew = || {
        HistoryIndex::discard(directory).map_err(NodeError::Discard)?;
        Ok(HistoryIndex::open(directory)?)
    };
    let index = match HistoryIndex::open(directory) {
        Err(why) if why.is_damage() => {
            tracing::warn!(%why, "making the index of the history anew");
            return anew();
        }
        other => other?,
    };
    let (at, hash) = index.written();
    let fits = match store.commit_with(at)? {
        _ if at == Pos(0) => true,
        Some(commit) => commit.event(at)?.is_none_or(|event| event.hash == hash),
        // Trimmed; or the log has never been there.
        None => at <= store.head(ShardId(0))?,
    };
    if fits { Ok(index) } else { anew() }
}

/// What SQLite says is too little to tell which of these it is.
const DISK_HINT: &str =
    "the disk is full, read-only or failing: look with `df` and at the system's log";
/// What was acknowledged may be in one file only: nothing is thrown away.
const DAMAGE_HINT: &str =
    "keep a copy of the directory, and restore the newest backup into a new one";
/// Most requests that wait for the writer.
const QUEUE: usize = 65_536;
/// How far serials jump after a restore: more changes than a backup can be old, and less than
/// 2^31, so that the new serial is newer by RFC 1982.
const SERIAL_JUMP: u32 = 1 << 28;
