//! Commits read one by one, and source addresses erased event by event: what history needs.

use rusqlite::{Connection, OptionalExtension, params};
use store::{Event, Pos, StoreError, codec};

use crate::log::{SqliteStore, lock};
use crate::rows::{self, damaged, failed, pos, sql_pos};

/// A commit as it stands in the log; its events are read one by one.
#[derive(Debug)]
pub struct StoredCommit {
    first: Pos,
    last: Pos,
    body: Vec<u8>,
    /// Where each event begins.
    frames: Vec<(Pos, usize)>,
}

impl StoredCommit {
    /// Position of its first event.
    pub fn first(&self) -> Pos {
        self.first
    }

    /// Position of its last event.
    pub fn last(&self) -> Pos {
        self.last
    }

    /// Octets of its events.
    pub fn octets(&self) -> usize {
        self.body.len()
    }

    /// The event at a position; `None` when it is not of this commit.
    pub fn event(&self, pos: Pos) -> Result<Option<Event>, StoreError> {
        let found = self.frames.binary_search_by_key(&pos, |(pos, _)| *pos).ok();
        let frame = found.and_then(|index| self.frames.get(index));
        let Some(octets) = frame.and_then(|(_, at)| self.body.get(*at..)) else { return Ok(None) };
        let read = codec::decode_event(octets).map_err(|why| damaged(self.last, why))?;
        Ok(Some(read.0))
    }
}

impl SqliteStore {
    /// The commit with the event at a position; `None` when the log does not have it (any more).
    pub fn commit_with(&self, at: Pos) -> Result<Option<StoredCommit>, StoreError> {
        let reader = lock(self.reader());
        let sql = "SELECT first, last, body, sum FROM log WHERE last >= ?1 ORDER BY last LIMIT 1";
        let mut select = reader.prepare_cached(sql).map_err(failed)?;
        let row = select.query_row([sql_pos(at)], |row| {
            Ok((pos(row.get(0)?), pos(row.get(1)?), row.get::<_, Vec<u8>>(2)?, row.get(3)?))
        });
        let Some((first, last, body, sum)) = row.optional().map_err(failed)? else {
            return Ok(None);
        };
        if first > at {
            return Ok(None);
        }
        rows::check_sum(last, &body, sum)?;
        let frames = codec::frames(&body).map_err(|why| damaged(last, why))?;
        Ok(Some(StoredCommit { first, last, body, frames }))
    }

    /// Position of the oldest event in the log, or of the next one when there is none.
    pub fn oldest(&self) -> Result<Pos, StoreError> {
        let reader = lock(self.reader());
        match rows::oldest(&reader).map_err(failed)? {
            Some(oldest) => Ok(oldest),
            None => Ok(Pos(rows::head_and_epoch(&reader).map_err(failed)?.0.0 + 1)),
        }
    }

    /// Erases the source addresses of those events of which `of` says so, all through the log; how
    /// many there were. It is asked about every event, in order. The chain stays whole.
    pub fn erase_origins(&self, of: &mut dyn FnMut(&Event) -> bool) -> Result<u64, StoreError> {
        self.with_upkeep(|upkeep| {
            let (mut after, mut erased) = (Pos(0), 0);
            loop {
                // In small steps, so that commits get in between.
                let commits = rows::bodies(upkeep, after, Pos(i64::MAX.unsigned_abs()))?;
                let Some(&(last, _)) = commits.last() else { return Ok(erased) };
                let mut changed = Vec::new();
                for (last, body) in commits {
                    erased += self::erased(last, &body, of, &mut changed)?;
                }
                if !changed.is_empty() {
                    self.write_bodies(&changed)?;
                }
                after = last;
            }
        })
    }

    fn write_bodies(&self, changed: &[(Pos, Vec<u8>)]) -> Result<(), StoreError> {
        self.with_log(|log: &mut Connection| {
            let transaction = log.transaction()?;
            let sql = "UPDATE log SET body = ?2, sum = ?3 WHERE last = ?1";
            let mut update = transaction.prepare_cached(sql)?;
            for (last, body) in changed {
                update.execute(params![sql_pos(*last), body, crc32fast::hash(body)])?;
            }
            drop(update);
            transaction.commit()
        })
        .map_err(failed)
    }
}

/// Takes origins out of one commit; how many.
fn erased(
    last: Pos,
    body: &[u8],
    of: &mut dyn FnMut(&Event) -> bool,
    changed: &mut Vec<(Pos, Vec<u8>)>,
) -> Result<u64, StoreError> {
    let mut chosen = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        let (event, after) = codec::decode_event(rest).map_err(|why| damaged(last, why))?;
        if of(&event) && event.origin.is_some() {
            chosen.push(event.pos);
        }
        rest = after;
    }
    if chosen.is_empty() {
        return Ok(0);
    }
    let forget = |pos: Pos| chosen.binary_search(&pos).is_ok();
    let without = codec::without_origins_of(body, &forget).map_err(|why| damaged(last, why))?;
    changed.extend(without.map(|body| (last, body)));
    Ok(chosen.len() as u64)
}
