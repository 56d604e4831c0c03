//! The data directory: its lock, permissions, and connections with the right pragmas.

use std::fs::{DirBuilder, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use store::Pos;

use crate::rows;

/// Why a data directory cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be locked.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A file system call failed.
    #[error("{}: {why}", path.display())]
    File {
        /// What was touched.
        path: PathBuf,
        /// Why it failed.
        why: std::io::Error,
    },
    /// SQLite failed.
    #[error("{}: {why}", path.display())]
    Sqlite {
        /// The database.
        path: PathBuf,
        /// Why it failed.
        why: rusqlite::Error,
    },
    /// The files are of a release that we do not know.
    #[error("{} has version {found}, and this release knows up to {known}: it was written by a newer release", path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest that we know.
        known: u32,
    },
    /// The bodies of the folded tables are of another encoding.
    #[error("{} is in encoding {found} and has to be built anew", path.display())]
    Encoding {
        /// The database.
        path: PathBuf,
        /// Its encoding.
        found: u8,
    },
    /// The snapshot stands where the log has not been: one of them is not of this directory.
    #[error("the snapshot in {} stands at {}, and its log ends at {}: `log.db` is missing or of another time", path.display(), .snapshot.0, .head.0)]
    Ahead {
        /// The directory.
        path: PathBuf,
        /// Position of the snapshot.
        snapshot: Pos,
        /// Last position of the log.
        head: Pos,
    },
}

impl OpenError {
    /// Whether what is stored is not what was written, or of another release: trying again does
    /// not help.
    pub fn is_damage(&self) -> bool {
        match self {
            OpenError::Sqlite { why, .. } => rows::is_damage(why),
            OpenError::Newer { .. } | OpenError::Encoding { .. } | OpenError::Ahead { .. } => true,
            OpenError::Lock(_) | OpenError::File { .. } => false,
        }
    }
}

/// Why a data directory is not ours.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error("{} is in use by another bynamed", .0.display())]
    Held(PathBuf),
    /// The lock cannot be taken at all.
    #[error("cannot lock {}: {why}", path.display())]
    Failed {
        /// The directory.
        path: PathBuf,
        /// Why.
        why: std::io::Error,
    },
}

/// Makes the directory when it is not there, private to its owner, and locks it for this process.
pub(crate) fn lock(directory: &Path) -> Result<std::fs::File, OpenError> {
    let failed = |why| OpenError::File { path: directory.to_owned(), why };
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
    let mode = std::fs::metadata(directory).map_err(failed)?.permissions().mode();
    if mode & OTHERS_WRITE != 0 {
        return Err(failed(std::io::Error::other(
            "everybody may write to this directory, and could put files or links in place of ours; \
             take that away with `chmod o-w`, or name a new directory below it",
        )));
    }
    let path = directory.join("lock");
    let open = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
    let file = open.map_err(|why| OpenError::File { path, why })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LockError::Held(directory.to_owned()).into()),
        Err(TryLockError::Error(why)) => {
            Err(LockError::Failed { path: directory.to_owned(), why }.into())
        }
    }
}

/// How hard a database tries to keep what it acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sync {
    /// Every commit is on the disk when it returns.
    Full,
    /// Commits are in order, the last ones may be lost with the power.
    Normal,
}

/// Opens (and makes, when it is not there) a database and brings its schema up to date.
pub(crate) fn open(path: &Path, sync: Sync, migrations: &[&str]) -> Result<Connection, OpenError> {
    let is_new = !path.exists();
    let sqlite = |why| OpenError::Sqlite { path: path.to_owned(), why };
    let file = |why| OpenError::File { path: path.to_owned(), why };
    if is_new {
        // The mode counts from the first moment: the log holds hashes of secrets and keys.
        let made =
            OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path);
        made.and_then(|made| made.sync_all()).map_err(file)?;
        sync_directory(path).map_err(file)?;
    }
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).map_err(file)?;
    let mut connection = connect(path, sync).map_err(sqlite)?;
    migrate(&mut connection, path, migrations)?;
    Ok(connection)
}

/// Another connection to a database that [`open`] has made ready.
pub(crate) fn connect(path: &Path, sync: Sync) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    let synchronous = match sync {
        Sync::Full => "full",
        Sync::Normal => "normal",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    // Checkpoints are made in the background, never inside a commit.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Writes the WAL into the database. Waits for readers and writers only when the WAL is long, and
/// then has little left to write while they wait.
pub(crate) fn checkpoint(connection: &Connection, wal: &Path) -> Result<(), rusqlite::Error> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
    if octets(wal) > WAL_OCTETS_MAX {
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    }
    Ok(())
}

/// Keeps the last connection from moving the WAL into the database when it is closed.
pub(crate) fn leave_wal(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map(|_| ())
}

/// Length of a file; 0 when it is not there.
pub(crate) fn octets(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// Makes the entries of the directory that a file lies in durable.
pub(crate) fn sync_directory(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => std::fs::File::open(parent)?.sync_all(),
        Some(_) | None => std::fs::File::open(".")?.sync_all(),
    }
}

fn migrate(connection: &mut Connection, path: &Path, steps: &[&str]) -> Result<(), OpenError> {
    let sqlite = |why| OpenError::Sqlite { path: path.to_owned(), why };
    let known = u32::try_from(steps.len()).unwrap_or(u32::MAX);
    loop {
        let found = user_version(connection).map_err(sqlite)?;
        if found > known {
            return Err(OpenError::Newer { path: path.to_owned(), found, known });
        }
        let Some(step) = steps.get(found as usize) else { return Ok(()) };
        // Somebody else may be migrating it as well: who has the lock looks again.
        let behavior = TransactionBehavior::Immediate;
        let transaction = connection.transaction_with_behavior(behavior).map_err(sqlite)?;
        if user_version(&transaction).map_err(sqlite)? == found {
            transaction.execute_batch(step).map_err(sqlite)?;
            transaction.pragma_update(None, "user_version", found + 1).map_err(sqlite)?;
        }
        transaction.commit().map_err(sqlite)?;
    }
}

fn user_version(connection: &Connection) -> Result<u32, rusqlite::Error> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Permission of everybody to write (inode(7)).
const OTHERS_WRITE: u32 = 0o002;
/// How long a call waits for another connection's lock, for example that of a person's `sqlite3`.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Length of a WAL from which a checkpoint waits for others so that it can start anew.
const WAL_OCTETS_MAX: u64 = 256 * 1024 * 1024;
/// Page cache of one connection, in KiB.
const CACHE_KIB: i64 = 16 * 1024;

#[cfg(test)]
mod tests;
