//! The rows of `log.db`: how commits stand in it, and reading them.

use account::Timestamp;
use rusqlite::{Connection, ErrorCode, OptionalExtension, params};
use store::{BatchId, Commit, Event, FeedError, Pos, ShardId, StoreError, codec};

/// Last position and body of commits after a position and up to another one: some of them.
pub(crate) fn bodies(
    connection: &Connection,
    after: Pos,
    upto: Pos,
) -> Result<Vec<(Pos, Vec<u8>)>, StoreError> {
    let sql = "SELECT last, body, sum FROM log WHERE last > ?1 AND last <= ?2
        ORDER BY last LIMIT ?3";
    let mut select = connection.prepare_cached(sql).map_err(failed)?;
    let limits = params![sql_pos(after), sql_pos(upto), STEP];
    let mut rows = select.query(limits).map_err(failed)?;
    let mut commits = Vec::new();
    let mut octets = 0;
    while let Some(row) = rows.next().map_err(failed)? {
        let last = pos(row.get(0).map_err(failed)?);
        let body: Vec<u8> = row.get(1).map_err(failed)?;
        check_sum(last, &body, row.get(2).map_err(failed)?)?;
        octets += body.len();
        commits.push((last, body));
        if octets >= STEP_OCTETS {
            break;
        }
    }
    Ok(commits)
}

/// Commits after a position, read by any connection.
pub(crate) fn read(
    connection: &Connection,
    after: Pos,
    max_bytes: usize,
) -> Result<Vec<Commit>, FeedError> {
    let failed = |why| FeedError::Store(failed(why));
    // One state for both questions: a trim may come between them otherwise.
    let transaction = connection.unchecked_transaction().map_err(failed)?;
    let first_kept = match oldest(&transaction).map_err(failed)? {
        Some(oldest) => oldest,
        None => Pos(head_and_epoch(&transaction).map_err(failed)?.0.0 + 1),
    };
    if after.0 + 1 < first_kept.0 {
        return Err(FeedError::Trimmed { oldest: first_kept });
    }
    let sql = "SELECT last, first, epoch, at, batch, sum, body FROM log
        WHERE last > ?1 ORDER BY last";
    let mut select = transaction.prepare_cached(sql).map_err(failed)?;
    let mut rows = select.query([sql_pos(after)]).map_err(failed)?;
    let mut commits: Vec<Commit> = Vec::new();
    let mut bytes = 0;
    while let Some(row) = rows.next().map_err(failed)? {
        let body = row.get_ref(6).and_then(|body| Ok(body.as_blob()?)).map_err(failed)?;
        bytes += body.len();
        if bytes > max_bytes && !commits.is_empty() {
            break;
        }
        let commit = commit(row, body)?;
        // A page that turned bad may hide rows and still look whole: nothing is passed over.
        let missing = match commits.last() {
            Some(before) => commit.first.0 != before.last.0 + 1,
            None => commit.first.0 > after.0 + 1,
        };
        if missing {
            return Err(damaged(commit.last, "commits before it are missing").into());
        }
        commits.push(commit);
    }
    Ok(commits)
}

fn commit(row: &rusqlite::Row<'_>, body: &[u8]) -> Result<Commit, StoreError> {
    let last = pos(row.get(0).map_err(failed)?);
    check_sum(last, body, row.get(5).map_err(failed)?)?;
    let first = pos(row.get(1).map_err(failed)?);
    let events = decode(last, body)?;
    if !events.iter().map(|event| event.pos.0).eq(first.0..=last.0) {
        return Err(damaged(last, "its events are not those of its row"));
    }
    Ok(Commit {
        shard: ShardId(0),
        first,
        last,
        epoch: row.get::<_, i64>(2).map_err(failed)?.cast_unsigned(),
        at: Timestamp(row.get(3).map_err(failed)?),
        batch: BatchId(row.get(4).map_err(failed)?),
        events,
    })
}

pub(crate) fn check_sum(last: Pos, body: &[u8], sum: u32) -> Result<(), StoreError> {
    if crc32fast::hash(body) == sum {
        Ok(())
    } else {
        Err(damaged(last, "its checksum does not fit"))
    }
}

fn decode(last: Pos, body: &[u8]) -> Result<Vec<Event>, StoreError> {
    let mut events = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        let (event, after) = codec::decode_event(rest).map_err(|why| damaged(last, why))?;
        events.push(event);
        rest = after;
    }
    Ok(events)
}

pub(crate) fn damaged(last: Pos, why: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged(format!("the commit up to {}: {why}", last.0))
}

pub(crate) fn head_and_epoch(connection: &Connection) -> Result<(Pos, u64), rusqlite::Error> {
    let sql = "SELECT coalesce((SELECT max(last) FROM log), 0),
        coalesce((SELECT epoch FROM shard WHERE id = 0), 0)";
    connection
        .query_row(sql, [], |row| Ok((pos(row.get(0)?), row.get::<_, i64>(1)?.cast_unsigned())))
}

pub(crate) fn oldest(connection: &Connection) -> Result<Option<Pos>, rusqlite::Error> {
    let sql = "SELECT first FROM log ORDER BY last LIMIT 1";
    let found = connection.query_row(sql, [], |row| row.get::<_, i64>(0)).optional()?;
    Ok(found.map(pos))
}

pub(crate) fn failed(why: rusqlite::Error) -> StoreError {
    if is_damage(&why) {
        StoreError::Damaged(why.to_string())
    } else {
        StoreError::Unavailable(why.to_string())
    }
}

/// Whether a database is not what was written, so that trying again does not help. What SQLite makes
/// of such a file can be anything, down to a table that is missing; so these are the failures that
/// are not of the file's content.
pub(crate) fn is_damage(why: &rusqlite::Error) -> bool {
    let rusqlite::Error::SqliteFailure(failure, _) = why else { return true };
    match failure.code {
        ErrorCode::SystemIoFailure => failure.extended_code == SHORT_READ,
        ErrorCode::CannotOpen
        | ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::DiskFull
        | ErrorCode::FileLockingProtocolFailed
        | ErrorCode::OperationAborted
        | ErrorCode::OperationInterrupted
        | ErrorCode::OutOfMemory
        | ErrorCode::PermissionDenied
        | ErrorCode::ReadOnly => false,
        _ => true,
    }
}

pub(crate) fn pos(sql: i64) -> Pos {
    Pos(sql.cast_unsigned())
}

pub(crate) fn sql_pos(pos: Pos) -> i64 {
    pos.0.cast_signed()
}

/// Most commits in one step of a trim or of erasing origins.
pub(crate) const STEP: i64 = 256;
/// Octets from which such a step ends early.
const STEP_OCTETS: usize = 4 * 1024 * 1024;
/// `SQLITE_IOERR_SHORT_READ`: the file ends before its content does.
const SHORT_READ: i32 = 522;
