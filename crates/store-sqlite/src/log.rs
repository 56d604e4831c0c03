//! The log: `log.db` and the newest snapshot.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use account::Timestamp;
use rusqlite::{Connection, ErrorCode, OptionalExtension, params};
use store::{
    AppendError, BatchId, Bell, BellFeed, Caps, Commit, Durability, Event, Feed, FeedError,
    FeedKind, NodeId, Pos, ShardId, ShardInfo, Snapshot, Store, StoreError, Writer, codec,
};

use crate::connection::{self, OpenError, Sync};
use crate::rows::{self, failed, head_and_epoch, oldest, pos, read, sql_pos};
use crate::{snapshot, state};

/// The embedded store: shard 0 in one directory, used by one process at a time.
#[derive(Debug)]
pub struct SqliteStore {
    directory: PathBuf,
    durability: Durability,
    log: Mutex<Log>,
    reader: Arc<Mutex<Connection>>,
    /// Checkpoints; and trimming and backups, which exclude each other.
    upkeep: Mutex<Connection>,
    bell: Arc<Bell>,
    /// Held open: closing it gives the directory free.
    _lock: File,
}

/// The connection that appends, with what it knows.
#[derive(Debug)]
struct Log {
    connection: Connection,
    head: Pos,
    epoch: u64,
    /// A commit failed in a way that may have left it on the disk.
    doubtful: bool,
}

impl SqliteStore {
    /// Opens the store in a directory, which is made when it is not there.
    pub fn open(directory: &Path) -> Result<SqliteStore, OpenError> {
        SqliteStore::open_with(directory, Sync::Full)
    }

    /// As [`SqliteStore::open`], but what was acknowledged last may be lost with the power: for
    /// proving that the tests of durability find such a loss.
    #[doc(hidden)]
    pub fn open_without_durability(directory: &Path) -> Result<SqliteStore, OpenError> {
        SqliteStore::open_with(directory, Sync::Normal)
    }

    fn open_with(directory: &Path, sync: Sync) -> Result<SqliteStore, OpenError> {
        let lock = connection::lock(directory)?;
        let path = directory.join("log.db");
        let sqlite = |why| OpenError::Sqlite { path: path.clone(), why };
        sweep(directory)?;
        if !path.exists() {
            fits(directory, Pos(0))?;
        }
        let log = connection::open(&path, sync, MIGRATIONS)?;
        // What is erased or trimmed shall not be found in the free pages of the file.
        log.pragma_update(None, "secure_delete", true).map_err(sqlite)?;
        let durability = durability(&log, directory).map_err(sqlite)?;
        let (head, epoch) = head_and_epoch(&log).map_err(sqlite)?;
        fits(directory, head)?;
        let reader = connection::connect(&path, sync).map_err(sqlite)?;
        let upkeep = connection::connect(&path, sync).map_err(sqlite)?;
        let bell = Arc::new(Bell::default());
        bell.ring(head);
        Ok(SqliteStore {
            directory: directory.to_owned(),
            durability,
            log: Mutex::new(Log { connection: log, head, epoch, doubtful: false }),
            reader: Arc::new(Mutex::new(reader)),
            upkeep: Mutex::new(upkeep),
            bell,
            _lock: lock,
        })
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Whether the store was made from a backup and nobody has acted on it yet: what secondaries
    /// hold may be newer than what is here.
    pub fn is_restored(&self) -> Result<bool, StoreError> {
        let sql = "SELECT restored FROM shard WHERE id = 0";
        let found = lock(&self.reader).query_row(sql, [], |row| row.get(0)).optional();
        Ok(found.map_err(failed)?.unwrap_or(false))
    }

    /// Notes that the serials have been moved past those of the time before the backup.
    pub fn clear_restored(&self) -> Result<(), StoreError> {
        let log = lock(&self.log);
        let done = log.connection.execute("UPDATE shard SET restored = 0 WHERE id = 0", []);
        done.map(|_| ()).map_err(failed)
    }

    /// Moves the write-ahead log into the database. To be called now and then, off the path of
    /// commits; a failure harms nothing but the length of the file.
    pub fn maintain(&self) -> Result<(), StoreError> {
        // A backup or check that is under way reads the log: the next call comes soon.
        let Ok(upkeep) = self.upkeep.try_lock() else { return Ok(()) };
        connection::checkpoint(&upkeep, &self.directory.join("log.db-wal")).map_err(failed)
    }

    /// Octets of the write-ahead log.
    pub fn wal_octets(&self) -> u64 {
        connection::octets(&self.directory.join("log.db-wal"))
    }

    /// Lets the write-ahead log stay when the store is closed, in place of moving it then. To be
    /// called at the end only.
    pub fn leave_wal(&self) -> Result<(), StoreError> {
        connection::leave_wal(&lock(&self.log).connection).map_err(failed)?;
        connection::leave_wal(&lock(&self.reader)).map_err(failed)?;
        connection::leave_wal(&lock(&self.upkeep)).map_err(failed)
    }

    /// Octets of log that are kept, without the snapshot.
    pub fn log_octets(&self) -> u64 {
        connection::octets(&self.directory.join("log.db")) + self.wal_octets()
    }

    /// The last position of the commits made at or before a moment; 0 when there is none.
    ///
    /// Moments in the log never go back, so this halves the range until it has one commit.
    pub fn last_before(&self, at: Timestamp) -> Result<Pos, StoreError> {
        let reader = lock(&self.reader);
        let (mut low, mut high) = (0, head_and_epoch(&reader).map_err(failed)?.0.0);
        let sql = "SELECT last, at FROM log WHERE last > ?1 ORDER BY last LIMIT 1";
        let mut found = 0;
        while low < high {
            let middle = Pos(low + (high - low) / 2);
            let commit = reader.query_row(sql, [sql_pos(middle)], |row| {
                Ok((pos(row.get(0)?), row.get::<_, i64>(1)?))
            });
            match commit.optional().map_err(failed)? {
                Some((last, made)) if made <= at.0 => (low, found) = (last.0, last.0),
                Some(_) | None => high = middle.0,
            }
        }
        Ok(Pos(found))
    }

    /// Erases the source addresses of the events at or before a position; the chain stays whole.
    pub fn forget_origins(&self, upto: Pos) -> Result<(), StoreError> {
        let _upkeep = lock(&self.upkeep);
        loop {
            // In small steps, so that commits get in between.
            if !lock(&self.log).forget_origins(upto)? {
                return Ok(());
            }
        }
    }

    /// Runs `f` with a connection that nobody else uses; trims wait for it.
    pub(crate) fn with_upkeep<T>(&self, f: impl FnOnce(&mut Connection) -> T) -> T {
        f(&mut lock(&self.upkeep))
    }

    pub(crate) fn reader(&self) -> &Mutex<Connection> {
        &self.reader
    }

    /// Runs `f` with the connection that appends; commits wait for it.
    pub(crate) fn with_log<T>(&self, f: impl FnOnce(&mut Connection) -> T) -> T {
        f(&mut lock(&self.log).connection)
    }

    pub(crate) fn snapshot_path(&self) -> PathBuf {
        self.directory.join(snapshot::NAME)
    }

    fn snapshot_at(&self) -> Result<Option<(Pos, File)>, StoreError> {
        snapshot::open(&self.snapshot_path())
            .map_err(|why| StoreError::Unavailable(format!("the snapshot: {why}")))
    }
}

impl Store for SqliteStore {
    fn caps(&self) -> Caps {
        Caps {
            durability: self.durability,
            feed: FeedKind::InProcess,
            max_batch_bytes: BATCH_BYTES_MAX,
            multi_node: false,
        }
    }

    fn shards(&self) -> Result<Vec<ShardInfo>, StoreError> {
        let reader = lock(&self.reader);
        let found = reader
            .query_row("SELECT epoch, owner FROM shard WHERE id = 0 AND epoch > 0", [], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
            })
            .optional()
            .map_err(failed)?;
        let Some((epoch, owner)) = found else { return Ok(Vec::new()) };
        let (head, _) = head_and_epoch(&reader).map_err(failed)?;
        let oldest = oldest(&reader).map_err(failed)?.unwrap_or(Pos(0));
        let epoch = epoch.cast_unsigned();
        Ok(vec![ShardInfo { shard: ShardId(0), head, oldest, epoch, owner: NodeId(owner) }])
    }

    fn acquire(&self, shard: ShardId, owner: &NodeId) -> Result<Writer, StoreError> {
        only_shard(shard)?;
        let mut log = lock(&self.log);
        let epoch = log.epoch + 1;
        let sql = "INSERT INTO shard (id, epoch, owner) VALUES (0, ?1, ?2)
            ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, owner = excluded.owner";
        let done = log.connection.execute(sql, params![epoch.cast_signed(), owner.0]);
        done.map_err(failed)?;
        log.epoch = epoch;
        Ok(Writer { shard, epoch })
    }

    fn append(
        &self,
        writer: &Writer,
        expect_head: Pos,
        batch: BatchId,
        events: &[Event],
    ) -> Result<Pos, AppendError> {
        let mut body = Vec::with_capacity(events.len() * 160);
        events.iter().for_each(|event| codec::encode_event(event, &mut body));
        if body.len() > BATCH_BYTES_MAX {
            return Err(AppendError::TooLarge { bytes: body.len(), limit: BATCH_BYTES_MAX });
        }
        let mut log = lock(&self.log);
        log.settle_doubt().map_err(|why| AppendError::Unavailable(why.to_string()))?;
        if writer.shard != ShardId(0) || writer.epoch != log.epoch {
            return Err(AppendError::Fenced);
        }
        if expect_head != log.head {
            return Err(AppendError::HeadMoved(log.head));
        }
        let (first, last) = store::positions(expect_head, events)?;
        let at = events.last().map(|event| event.body.at).unwrap_or_default();
        log.write((first, last), at, batch, &body)?;
        log.head = last;
        drop(log);
        self.bell.ring(last);
        Ok(last)
    }

    fn outcome(&self, shard: ShardId, batch: BatchId) -> Result<Option<Pos>, StoreError> {
        only_shard(shard)?;
        let mut log = lock(&self.log);
        // What the failed commit may have left on the disk is overwritten first, so that "not
        // there" holds for ever.
        log.settle_doubt().map_err(failed)?;
        let sql = "SELECT last FROM log WHERE batch = ?1";
        let found = log.connection.query_row(sql, [batch.0], |row| row.get::<_, i64>(0));
        Ok(found.optional().map_err(failed)?.map(pos))
    }

    fn head(&self, shard: ShardId) -> Result<Pos, StoreError> {
        only_shard(shard)?;
        Ok(lock(&self.log).head)
    }

    fn read(&self, shard: ShardId, after: Pos, max_bytes: usize) -> Result<Vec<Commit>, FeedError> {
        only_shard(shard)?;
        read(&lock(&self.reader), after, max_bytes)
    }

    fn follow(&self, shard: ShardId, after: Pos) -> Result<Box<dyn Feed>, FeedError> {
        self.read(shard, after, 0)?;
        let reader = Arc::clone(&self.reader);
        let read = move |after| read(&lock(&reader), after, FEED_BYTES);
        Ok(Box::new(BellFeed::new(read, Arc::clone(&self.bell), after)))
    }

    fn put_snapshot(&self, shard: ShardId, at: Pos, body: &mut dyn Read) -> Result<(), StoreError> {
        only_shard(shard)?;
        if at > self.head(shard)? {
            return Err(StoreError::Refused("the snapshot is ahead of the log".to_owned()));
        }
        let _upkeep = lock(&self.upkeep);
        if self.snapshot_at()?.is_some_and(|(kept, _)| kept > at) {
            return Ok(());
        }
        let written = snapshot::write(&self.directory, at, body);
        written.map_err(|why| StoreError::Unavailable(format!("writing a snapshot: {why}")))
    }

    fn snapshot(&self, shard: ShardId) -> Result<Option<Snapshot>, StoreError> {
        only_shard(shard)?;
        let found = self.snapshot_at()?;
        Ok(found.map(|(at, file)| Snapshot { at, body: Box::new(BufReader::new(file)) }))
    }

    fn trim(&self, shard: ShardId, upto: Pos) -> Result<(), StoreError> {
        only_shard(shard)?;
        let _upkeep = lock(&self.upkeep);
        if self.snapshot_at()?.is_none_or(|(at, _)| at < upto) {
            return Err(StoreError::Refused("no snapshot stands at or after that".to_owned()));
        }
        loop {
            // In small steps, so that commits get in between.
            if lock(&self.log).trim(upto).map_err(failed)? == 0 {
                return Ok(());
            }
        }
    }
}

impl Log {
    fn write(
        &mut self,
        (first, last): (Pos, Pos),
        at: Timestamp,
        batch: BatchId,
        body: &[u8],
    ) -> Result<(), AppendError> {
        let unavailable = |why: rusqlite::Error| AppendError::Unavailable(why.to_string());
        let epoch = self.epoch.cast_signed();
        let sum = crc32fast::hash(body);
        let transaction = self.connection.transaction().map_err(unavailable)?;
        let sql = "INSERT INTO log (last, first, epoch, at, batch, sum, body)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let inserted = transaction.prepare_cached(sql).and_then(|mut insert| {
            insert.execute(params![sql_pos(last), sql_pos(first), epoch, at.0, batch.0, sum, body])
        });
        match inserted {
            Ok(_) => {}
            Err(why) if why.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                return Err(AppendError::Malformed("the batch id was used before"));
            }
            Err(why) => return Err(unavailable(why)),
        }
        match transaction.commit() {
            Ok(()) => Ok(()),
            // A full disk is told by the call that writes the frames, before the last of them, which
            // makes the commit, is complete.
            Err(why) if why.sqlite_error_code() == Some(ErrorCode::DiskFull) => {
                Err(AppendError::Unavailable(why.to_string()))
            }
            Err(why) => {
                self.doubtful = true;
                Err(AppendError::Unknown(why.to_string()))
            }
        }
    }

    /// After a doubtful commit: makes a commit that succeeds, which overwrites what the other may
    /// have left in the write-ahead log, and looks where the log stands.
    fn settle_doubt(&mut self) -> Result<(), rusqlite::Error> {
        if !self.doubtful {
            return Ok(());
        }
        self.connection.execute("UPDATE shard SET doubts = doubts + 1 WHERE id = 0", [])?;
        let (head, epoch) = head_and_epoch(&self.connection)?;
        (self.head, self.epoch, self.doubtful) = (head, epoch, false);
        Ok(())
    }

    fn trim(&mut self, upto: Pos) -> Result<usize, rusqlite::Error> {
        let transaction = self.connection.transaction()?;
        let sql = "DELETE FROM log WHERE last IN
            (SELECT last FROM log WHERE last <= ?1 AND last < (SELECT max(last) FROM log)
            ORDER BY last LIMIT ?2)";
        let gone = transaction.execute(sql, params![sql_pos(upto), rows::STEP])?;
        transaction.commit()?;
        Ok(gone)
    }

    /// One step; whether there may be more.
    fn forget_origins(&mut self, upto: Pos) -> Result<bool, StoreError> {
        let transaction = self.connection.transaction().map_err(failed)?;
        let done: i64 = transaction
            .query_row("SELECT forgotten FROM shard WHERE id = 0", [], |row| row.get(0))
            .optional()
            .map_err(failed)?
            .unwrap_or(0);
        let commits = rows::bodies(&transaction, pos(done), upto)?;
        let Some(&(reached, _)) = commits.last() else { return Ok(false) };
        let sql = "UPDATE log SET body = ?2, sum = ?3 WHERE last = ?1";
        let mut update = transaction.prepare_cached(sql).map_err(failed)?;
        for (last, body) in &commits {
            let erased = codec::without_origins(body).map_err(|why| rows::damaged(*last, why))?;
            let Some(body) = erased else { continue };
            let values = params![sql_pos(*last), body, crc32fast::hash(&body)];
            update.execute(values).map_err(failed)?;
        }
        drop(update);
        let sql = "UPDATE shard SET forgotten = ?1 WHERE id = 0";
        transaction.execute(sql, [sql_pos(reached)]).map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(true)
    }
}

/// Removes what was left behind when the power went while it was being written.
fn sweep(directory: &Path) -> Result<(), OpenError> {
    let paths = |names: &'static [&str]| names.iter().map(|name| directory.join(name));
    let failed = |path: &Path, why| OpenError::File { path: path.to_owned(), why };
    for path in paths(LEFT_BEHIND) {
        snapshot::remove(&path).map_err(|why| failed(&path, why))?;
    }
    for path in paths(DATABASES_LEFT_BEHIND) {
        state::remove_database(&path).map_err(|why| failed(&path, why))?;
    }
    Ok(())
}

/// A snapshot that is ahead of the log is not of this log: going on would hand out positions again.
fn fits(directory: &Path, head: Pos) -> Result<(), OpenError> {
    let path = directory.join(snapshot::NAME);
    let found = snapshot::open(&path).map_err(|why| OpenError::File { path, why })?;
    match found {
        Some((at, _)) if at > head => {
            Err(OpenError::Ahead { path: directory.to_owned(), snapshot: at, head })
        }
        Some(_) | None => Ok(()),
    }
}

/// What an acknowledged commit survives, as far as the settings and the file system tell.
fn durability(log: &Connection, directory: &Path) -> Result<Durability, rusqlite::Error> {
    let synchronous: i64 = log.query_row("PRAGMA synchronous", [], |row| row.get(0))?;
    let journal: String = log.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
    let volatile = rustix::fs::statfs(directory).is_ok_and(|fs| fs.f_type == TMPFS_MAGIC);
    Ok(if synchronous >= SYNCHRONOUS_FULL && journal == "wal" && !volatile {
        Durability::LocalDisk
    } else {
        Durability::Volatile
    })
}

fn only_shard(shard: ShardId) -> Result<(), StoreError> {
    if shard == ShardId(0) {
        Ok(())
    } else {
        Err(StoreError::Refused("an embedded store has shard 0 only".to_owned()))
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Steps of the schema of `log.db`; `user_version` counts those taken.
pub(crate) const MIGRATIONS: &[&str] = &["
    CREATE TABLE shard (
        id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, owner TEXT NOT NULL,
        restored INTEGER NOT NULL DEFAULT 0, doubts INTEGER NOT NULL DEFAULT 0,
        forgotten INTEGER NOT NULL DEFAULT 0);
    CREATE TABLE log (
        last INTEGER PRIMARY KEY, first INTEGER NOT NULL, epoch INTEGER NOT NULL,
        at INTEGER NOT NULL, batch BLOB NOT NULL UNIQUE, sum INTEGER NOT NULL,
        body BLOB NOT NULL);
"];
/// Largest encoded batch, in octets.
const BATCH_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How much a follower reads at once, in octets.
const FEED_BYTES: usize = 1024 * 1024;
/// What an interrupted snapshot, check or restore leaves behind.
const LEFT_BEHIND: &[&str] = &["snapshot.new", "snapshot.tmp"];
const DATABASES_LEFT_BEHIND: &[&str] = &["check.db", "log.db.new"];
/// `synchronous = FULL`.
const SYNCHRONOUS_FULL: i64 = 2;
/// statfs(2): a file system in memory.
const TMPFS_MAGIC: rustix::fs::FsWord = 0x0102_1994;
