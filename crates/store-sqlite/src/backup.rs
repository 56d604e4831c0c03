//! Backup, restore and check of a data directory.
//!
//! A backup is one SQLite file with the log and the snapshot that it starts from.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params};
use store::codec::{self, StateReader};
use store::{Hash, Item, Pos, StoreError};

use crate::connection::{self, OpenError, Sync};
use crate::history::HistoryIndex;
use crate::load;
use crate::log::{self, SqliteStore};
use crate::rows::{failed, pos};
use crate::snapshot;
use crate::state::{self, StateDb, StateError};

/// Why a backup, restore or check could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The data directory cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folded tables failed.
    #[error(transparent)]
    State(#[from] StateError),
    /// A database failed.
    #[error("{}: {why}", path.display())]
    Sqlite {
        /// The database.
        path: PathBuf,
        /// Why.
        why: rusqlite::Error,
    },
    /// A file failed.
    #[error("{}: {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// The file is not a backup that this release can read.
    #[error("{} is not a backup of byname", .0.display())]
    NotABackup(PathBuf),
    /// There is data already.
    #[error("{} holds data already; restore into an empty directory", .0.display())]
    NotEmpty(PathBuf),
    /// The chain of events does not hold.
    #[error("the log is damaged: {0}")]
    Broken(String),
}

/// What a log holds, as verified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Events whose hash was verified.
    pub events: u64,
    /// Position of the last event.
    pub head: Pos,
    /// Position of the snapshot that the log starts from; 0 when it starts from nothing.
    pub snapshot: Pos,
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The log.
    pub log: Verified,
    /// Hash of its last event: whoever notes it with the position can prove later that nothing up to
    /// there was changed.
    pub hash: Hash,
    /// Position of the folded tables that were compared; `None` when they could not be.
    pub tables: Option<Pos>,
    /// What is wrong, in words for people; empty when all is well.
    pub problems: Vec<String>,
}

/// Whether a log has an event that was noted before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// It is there.
    Yes,
    /// Another event stands in its place.
    No,
    /// The log does not reach back to it any more.
    Trimmed,
    /// The log does not reach to it: it has lost its end, or is of another time.
    Ahead,
}

/// Writes a consistent copy of the store into a file, while it is in use. The file appears, or
/// takes the place of an older one, when it is complete and durable.
pub fn backup(store: &SqliteStore, to: &Path) -> Result<Verified, BackupError> {
    let new = beside(to, ".new");
    let file = |why| BackupError::File { path: new.clone(), why };
    state::remove_database(&new).map_err(file)?;
    let made = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&new);
    made.map_err(file)?;
    let written = write_backup(store, &new).and_then(|()| verify_backup(&new)).and_then(|found| {
        std::fs::File::open(&new).and_then(|file| file.sync_all()).map_err(file)?;
        std::fs::rename(&new, to).map_err(file)?;
        connection::sync_directory(to).map_err(file)?;
        Ok(found)
    });
    if written.is_err() {
        // Best effort: the error that is told is the one that matters.
        let _ = state::remove_database(&new);
    }
    written
}

/// Makes a data directory from a backup. Nothing is written before the whole backup is verified.
pub fn restore(from: &Path, directory: &Path) -> Result<Verified, BackupError> {
    let _lock = connection::lock(directory)?;
    let target = directory.join("log.db");
    if target.exists() {
        return Err(BackupError::NotEmpty(directory.to_owned()));
    }
    let found = verify_backup(from)?;
    let new = directory.join("log.db.new");
    let file = |why| BackupError::File { path: directory.to_owned(), why };
    let sqlite = |why| BackupError::Sqlite { path: new.clone(), why };
    state::remove_database(&new).map_err(file)?;
    StateDb::discard(directory).map_err(file)?;
    HistoryIndex::discard(directory).map_err(file)?;
    let database = connection::open(&new, Sync::Full, log::MIGRATIONS)?;
    attach(&database, from).map_err(sqlite)?;
    database.execute_batch(COPY_BACK).map_err(sqlite)?;
    write_snapshot(&database, directory)?;
    database.execute_batch("DETACH backup").map_err(sqlite)?;
    // The last connection to close moves the write-ahead log into the database.
    database.close().map_err(|(_, why)| sqlite(why))?;
    std::fs::rename(&new, &target).map_err(file)?;
    connection::sync_directory(&target).map_err(file)?;
    Ok(found)
}

/// Verifies the chain of the log, and that the folded tables are what the log says.
pub fn check(store: &SqliteStore) -> Result<Report, BackupError> {
    // Nothing is trimmed or erased meanwhile, and there is one check at a time.
    store.with_upkeep(|connection| {
        let mut report = Report::default();
        match verify_log(store, connection) {
            Ok((found, hash)) => (report.log, report.hash) = (found, hash),
            Err(BackupError::Broken(why) | BackupError::Store(StoreError::Damaged(why))) => {
                report.problems.push(why);
                return Ok(report);
            }
            Err(other) => return Err(other),
        }
        match compare_tables(store, &mut report) {
            Err(BackupError::State(why)) if why.is_damage() => {
                report
                    .problems
                    .push(format!("state.db: {why}; hint: it is built anew by a restart"));
            }
            Err(BackupError::Open(why)) if why.is_damage() => {
                report.problems.push(format!("{why}; hint: it is built anew by a restart"));
            }
            other => other?,
        }
        Ok(report)
    })
}

/// Whether the log still has an event that somebody has noted. Says something only of a log whose
/// chain holds ([`check`]).
pub fn holds(store: &SqliteStore, at: Pos, hash: Hash) -> Result<Held, StoreError> {
    use store::Store;
    let found = match store.commit_with(at)? {
        Some(commit) => commit.event(at)?.map(|event| event.hash),
        None if at > store.head(store::ShardId(0))? => return Ok(Held::Ahead),
        None => return Ok(Held::Trimmed),
    };
    Ok(if found == Some(hash) { Held::Yes } else { Held::No })
}

fn verify_log(
    store: &SqliteStore,
    connection: &mut Connection,
) -> Result<(Verified, Hash), BackupError> {
    let path = store.directory().join("log.db");
    let sqlite = |why| BackupError::Sqlite { path: path.clone(), why };
    let snapshot = snapshot::open(&store.snapshot_path());
    let snapshot =
        snapshot.map_err(|why| BackupError::File { path: store.snapshot_path(), why })?;
    let stands = snapshot.map(|(at, file)| snapshot_stands(at, file)).transpose()?;
    let transaction = connection.transaction().map_err(sqlite)?;
    verify_chain(&transaction, "main", stands)
}

fn write_backup(store: &SqliteStore, new: &Path) -> Result<(), BackupError> {
    let sqlite = |why| BackupError::Sqlite { path: new.to_owned(), why };
    store.with_upkeep(|connection| {
        let snapshot = snapshot::open(&store.snapshot_path());
        let snapshot =
            snapshot.map_err(|why| BackupError::File { path: store.snapshot_path(), why })?;
        attach(connection, new).map_err(sqlite)?;
        let copied = copy_out(connection, snapshot.map(|(_, file)| file));
        connection.execute_batch("DETACH backup").map_err(sqlite)?;
        copied.map_err(|why| match why {
            CopyError::Sqlite(why) => sqlite(why),
            CopyError::Io(why) => BackupError::File { path: store.snapshot_path(), why },
        })
    })
}

enum CopyError {
    Sqlite(rusqlite::Error),
    Io(io::Error),
}

impl From<rusqlite::Error> for CopyError {
    fn from(why: rusqlite::Error) -> CopyError {
        CopyError::Sqlite(why)
    }
}

fn copy_out(connection: &mut Connection, snapshot: Option<std::fs::File>) -> Result<(), CopyError> {
    connection
        .execute_batch("PRAGMA backup.journal_mode = off; PRAGMA backup.synchronous = off")?;
    let transaction = connection.transaction()?;
    transaction.execute_batch(COPY_OUT)?;
    if let Some(mut file) = snapshot {
        file.seek(SeekFrom::Start(0)).map_err(CopyError::Io)?;
        let sql = "INSERT INTO backup.snapshot (part, body) VALUES (?1, ?2)";
        for part in 0.. {
            let mut body = Vec::new();
            (&mut file).take(PART_OCTETS).read_to_end(&mut body).map_err(CopyError::Io)?;
            if body.is_empty() {
                break;
            }
            transaction.execute(sql, params![part, body])?;
        }
    }
    Ok(transaction.commit()?)
}

fn verify_backup(path: &Path) -> Result<Verified, BackupError> {
    let sqlite = |why| BackupError::Sqlite { path: path.to_owned(), why };
    if !path.is_file() {
        return Err(BackupError::NotABackup(path.to_owned()));
    }
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let backup = Connection::open_with_flags(path, flags).map_err(sqlite)?;
    // The file may be anybody's: nothing that it brings along is run.
    if !holds_plain_tables(&backup).unwrap_or(false) {
        return Err(BackupError::NotABackup(path.to_owned()));
    }
    let version = backup.query_row("SELECT version FROM byname_backup", [], |row| row.get(0));
    if version.optional().ok().flatten() != Some(BACKUP_VERSION) {
        return Err(BackupError::NotABackup(path.to_owned()));
    }
    let stands = match Parts::open(&backup).map_err(sqlite)? {
        Some(mut parts) => {
            let mut at = [0; 8];
            parts.read_exact(&mut at).map_err(|why| BackupError::Broken(why.to_string()))?;
            Some(snapshot_stands(Pos(u64::from_be_bytes(at)), parts)?)
        }
        None => None,
    };
    verify_chain(&backup, "main", stands).map(|(found, _)| found)
}

/// Whether a backup is made of its four tables and nothing else: a view, a generated column, an
/// index on an expression or a virtual table would run what its author likes, without end.
fn holds_plain_tables(backup: &Connection) -> Result<bool, rusqlite::Error> {
    backup.pragma_update(None, "trusted_schema", false)?;
    backup.query_row(PLAIN_TABLES, [], |row| row.get(0))
}

fn attach(connection: &Connection, path: &Path) -> Result<(), rusqlite::Error> {
    let path = path.to_string_lossy();
    connection.execute("ATTACH ?1 AS backup", [path]).map(|_| ())
}

fn write_snapshot(connection: &Connection, directory: &Path) -> Result<(), BackupError> {
    let path = directory.join(snapshot::NAME);
    let sqlite = |why| BackupError::Sqlite { path: path.clone(), why };
    let written = match Parts::open(connection).map_err(sqlite)? {
        Some(mut parts) => snapshot::replace(directory, &mut parts),
        // One that an interrupted restore of another backup has left is not of this log.
        None => snapshot::remove(&path),
    };
    written.map_err(|why| BackupError::File { path, why })
}

/// The parts of the snapshot in a backup, as one stream of octets.
struct Parts<'c> {
    connection: &'c Connection,
    next: i64,
    part: io::Cursor<Vec<u8>>,
}

impl<'c> Parts<'c> {
    /// `None` when the backup has no snapshot.
    fn open(connection: &'c Connection) -> Result<Option<Parts<'c>>, rusqlite::Error> {
        let sql = "SELECT count(*) FROM snapshot";
        let count: i64 = connection.query_row(sql, [], |row| row.get(0))?;
        let parts = Parts { connection, next: 0, part: io::Cursor::default() };
        Ok((count > 0).then_some(parts))
    }
}

impl Read for Parts<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.part.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let sql = "SELECT body FROM snapshot WHERE part = ?1";
            let next = self.connection.query_row(sql, [self.next], |row| row.get(0)).optional();
            match next.map_err(io::Error::other)? {
                Some(body) => self.part = io::Cursor::new(body),
                None => return Ok(0),
            }
            self.next += 1;
        }
    }
}

/// Reads a whole snapshot and tells where it stands, which must be where its file says.
fn snapshot_stands(at: Pos, body: impl Read) -> Result<(Pos, Hash), BackupError> {
    let mut stands = None;
    for item in StateReader::new(io::BufReader::new(body))? {
        if let Item::At { pos, hash, .. } = item? {
            stands = Some((pos, hash));
        }
    }
    match stands {
        Some((pos, hash)) if pos == at => Ok((pos, hash)),
        Some(_) | None => {
            Err(BackupError::Broken("the snapshot does not say where it stands".to_owned()))
        }
    }
}

/// Walks the whole log: positions without a gap, every hash right, and the snapshot on the chain.
fn verify_chain(
    connection: &Connection,
    schema: &str,
    snapshot: Option<(Pos, Hash)>,
) -> Result<(Verified, Hash), BackupError> {
    let failed = |why| BackupError::Store(failed(why));
    let sql = format!("SELECT first, last, body, sum FROM {schema}.log ORDER BY last");
    let mut select = connection.prepare(&sql).map_err(failed)?;
    let mut rows = select.query([]).map_err(failed)?;
    let mut chain = Chain::new(snapshot);
    while let Some(row) = rows.next().map_err(failed)? {
        let first = pos(row.get(0).map_err(failed)?);
        let last = pos(row.get(1).map_err(failed)?);
        let body: Vec<u8> = row.get(2).map_err(failed)?;
        if crc32fast::hash(&body) != row.get::<_, u32>(3).map_err(failed)? {
            return Err(broken(last, "its checksum does not fit"));
        }
        chain.commit(first, last, &body)?;
    }
    chain.finish()
}

/// The chain of hashes up to some event.
struct Chain {
    snapshot: Option<(Pos, Hash)>,
    /// The event before the next one, when it is known.
    before: Option<(Pos, Hash)>,
    events: u64,
}

impl Chain {
    fn new(snapshot: Option<(Pos, Hash)>) -> Chain {
        Chain { snapshot, before: None, events: 0 }
    }

    fn commit(&mut self, first: Pos, last: Pos, body: &[u8]) -> Result<(), BackupError> {
        let (at, before) = match self.before {
            Some((at, hash)) => (at, Some(hash)),
            None if first.0 == 1 => (Pos(0), Some(Hash::default())),
            // The log was trimmed: the snapshot must reach to its start at least.
            None => match self.snapshot {
                Some((at, hash)) if at.0 + 1 == first.0 => (at, Some(hash)),
                Some((at, _)) if at >= first => (Pos(first.0 - 1), None),
                Some(_) | None => {
                    return Err(broken(last, "events before it are missing"));
                }
            },
        };
        if first.0 != at.0 + 1 {
            return Err(broken(last, "positions are missing before it"));
        }
        self.before = Some(self.events(at, before, body)?);
        match self.before {
            Some((at, _)) if at == last => Ok(()),
            Some(_) | None => Err(broken(last, "it does not end where it says")),
        }
    }

    fn events(
        &mut self,
        mut at: Pos,
        mut before: Option<Hash>,
        body: &[u8],
    ) -> Result<(Pos, Hash), BackupError> {
        let mut rest = body;
        let mut stands = (at, before.unwrap_or_default());
        while !rest.is_empty() {
            let read = match before {
                Some(hash) => codec::verify_event(rest, hash),
                None => codec::decode_event(rest),
            };
            let (event, after) = read.map_err(|why| broken(at, why))?;
            if event.pos.0 != at.0 + 1 {
                return Err(broken(event.pos, "it does not follow the event before"));
            }
            if self.snapshot.is_some_and(|(pos, hash)| pos == event.pos && hash != event.hash) {
                return Err(broken(event.pos, "the snapshot is of another log"));
            }
            stands = (event.pos, event.hash);
            (at, before, rest) = (event.pos, Some(event.hash), after);
            self.events += 1;
        }
        Ok(stands)
    }

    fn finish(self) -> Result<(Verified, Hash), BackupError> {
        let (snapshot, _) = self.snapshot.unwrap_or_default();
        let (head, hash) = self.before.or(self.snapshot).unwrap_or_default();
        if snapshot > head {
            return Err(BackupError::Broken("the snapshot is ahead of the log".to_owned()));
        }
        Ok((Verified { events: self.events, head, snapshot }, hash))
    }
}

fn broken(at: Pos, why: impl std::fmt::Display) -> BackupError {
    BackupError::Broken(format!("at position {}: {why}", at.0))
}

/// Builds the tables anew from the snapshot and the log, up to where those in use stand, and
/// compares.
fn compare_tables(store: &SqliteStore, report: &mut Report) -> Result<(), BackupError> {
    if !store.directory().join("state.db").exists() {
        // It is being built, or was deleted: there is nothing to compare.
        return Ok(());
    }
    let fresh_path = store.directory().join("check.db");
    let file = |why| BackupError::File { path: fresh_path.clone(), why };
    state::remove_database(&fresh_path).map_err(file)?;
    let compared = compare_with(store, &fresh_path, report);
    state::remove_database(&fresh_path).map_err(file)?;
    compared
}

fn compare_with(
    store: &SqliteStore,
    fresh_path: &Path,
    report: &mut Report,
) -> Result<(), BackupError> {
    let mut fresh = StateDb::open_file(fresh_path)?;
    let tables = StateDb::open(store.directory())?;
    let connection = tables.connection();
    let state = |why| BackupError::State(StateError::Sqlite(why));
    connection.execute("ATTACH ?1 AS fresh", [fresh_path.to_string_lossy()]).map_err(state)?;
    // One state of the tables from here on, whatever is folded meanwhile.
    let transaction = connection.unchecked_transaction().map_err(state)?;
    let at: Option<i64> = transaction
        .query_row("SELECT pos FROM main.meta", [], |row| row.get(0))
        .optional()
        .map_err(state)?;
    let at = at.map_or(Pos(0), pos);
    if at < report.log.snapshot {
        return Ok(());
    }
    build(store, &mut fresh, at)?;
    for (what, sql) in COMPARED {
        let sql = format!(
            "SELECT (SELECT count(*) FROM ({a} EXCEPT {b})) + (SELECT count(*) FROM ({b} EXCEPT {a}))",
            a = sql.replace('@', "main"),
            b = sql.replace('@', "fresh"),
        );
        let differ: i64 = transaction.query_row(&sql, [], |row| row.get(0)).map_err(state)?;
        if differ > 0 {
            report.problems.push(format!("{differ} {what} of state.db are not what the log says"));
        }
    }
    report.tables = Some(at);
    if !report.problems.is_empty() {
        return Ok(());
    }
    // Where a state began from a snapshot, the same RRsets stand in other rows, and entities of an
    // older release stand in another encoding.
    let (used, right) = (load::digests(&transaction)?, load::digests(fresh.connection())?);
    if used.entities != right.entities {
        let what = "accounts, zones, hosts, tokens or keys";
        report.problems.push(format!("{what} of state.db are not what the log says"));
    }
    let (used, right) = (used.zones, right.zones);
    let zones: BTreeSet<&String> = used.keys().chain(right.keys()).collect();
    for zone in zones.into_iter().filter(|&zone| used.get(zone) != right.get(zone)) {
        report.problems.push(format!("RRsets of {zone} in state.db are not what the log says"));
    }
    Ok(())
}

/// Folds the snapshot and the log into empty tables, up to a position.
fn build(store: &SqliteStore, tables: &mut StateDb, upto: Pos) -> Result<(), BackupError> {
    use store::Store;
    if let Some(snapshot) = store.snapshot(store::ShardId(0))? {
        tables.fill(StateReader::new(snapshot.body)?)?;
    }
    while tables.folded().0 < upto {
        let read = store.read(store::ShardId(0), tables.folded().0, BUILD_BYTES);
        let mut commits = read.map_err(|why| BackupError::Broken(why.to_string()))?;
        commits.retain(|commit| commit.last <= upto);
        if commits.is_empty() {
            return Err(BackupError::Broken("the tables are ahead of the log".to_owned()));
        }
        tables.fold(&commits)?;
    }
    Ok(())
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

const COPY_OUT: &str = "
    CREATE TABLE backup.byname_backup (version INTEGER NOT NULL);
    INSERT INTO backup.byname_backup VALUES (1);
    CREATE TABLE backup.shard AS SELECT id, epoch, owner, forgotten FROM main.shard;
    CREATE TABLE backup.log (
        last INTEGER PRIMARY KEY, first INTEGER NOT NULL, epoch INTEGER NOT NULL,
        at INTEGER NOT NULL, batch BLOB NOT NULL, sum INTEGER NOT NULL, body BLOB NOT NULL);
    INSERT INTO backup.log SELECT last, first, epoch, at, batch, sum, body FROM main.log
        ORDER BY last;
    CREATE TABLE backup.snapshot (part INTEGER PRIMARY KEY, body BLOB NOT NULL);
";
const PLAIN_TABLES: &str = "
    SELECT count(*) = 4 AND min(type = 'table' AND rootpage > 0
            AND name IN ('byname_backup', 'shard', 'log', 'snapshot')
            AND NOT EXISTS (SELECT 1 FROM pragma_table_xinfo(made.name) WHERE hidden <> 0))
        FROM sqlite_schema AS made
";
/// Older writers are fenced, and the node learns that serials must jump.
const COPY_BACK: &str = "
    BEGIN;
    INSERT INTO main.shard (id, epoch, owner, forgotten, restored)
        SELECT id, epoch + 1, owner, forgotten, 1 FROM backup.shard;
    INSERT INTO main.log (last, first, epoch, at, batch, sum, body)
        SELECT last, first, epoch, at, batch, sum, body FROM backup.log ORDER BY last;
    COMMIT;
";
/// What is compared by a check: a name for people, and what to select from a schema `@`.
const COMPARED: &[(&str, &str)] = &[
    ("accounts, zones, hosts, tokens or keys", "SELECT kind, key, zone FROM @.entity"),
    ("serials of zones", "SELECT apex, serial FROM @.zone"),
    (
        "leases",
        "SELECT apex, owner, type, rdata, since, lease_s, until
            FROM @.lease JOIN @.zone ON lease.zone = zone.id",
    ),
    (
        "parts of imports",
        "SELECT import, part, body, sum FROM @.part
            WHERE import NOT IN (SELECT base FROM @.zone WHERE base IS NOT NULL)",
    ),
];
/// Version of the layout of a backup.
const BACKUP_VERSION: i64 = 1;
/// Octets of a snapshot in one row.
const PART_OCTETS: u64 = 4 * 1024 * 1024;
/// How much of the log is folded at once by a check, in octets.
const BUILD_BYTES: usize = 8 * 1024 * 1024;
