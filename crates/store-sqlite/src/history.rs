//! Which events are about whom: `history.db`, a cache of the log like the folded tables, and one
//! that only makes reading quick. Without it history is read by looking at every event.
//!
//! Positions are noted in blocks of 65,536. Those of a block that is not complete stand in memory
//! only: after a start they are noted anew. A complete block becomes 256 rows, sorted, of five octets
//! for each note, so what is written for an event is little, and in order; to find somebody, one row
//! of each block is read, and those rows lie side by side. Of zones and accounts not each event is
//! noted but each run of 256 positions that has one.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params};
use store::{Event, Hash, Pos, Subject, subjects};

use crate::connection::{self, OpenError, Sync};
use crate::load::damaged;
use crate::rows::{pos, sql_pos};
use crate::state::{StateError, remove_database};

/// The notes of a log.
#[derive(Debug)]
pub struct HistoryIndex {
    path: PathBuf,
    connection: Connection,
    /// The last event of the last block that is written, with its hash.
    written: (Pos, Hash),
    /// The last event that was noted.
    at: Pos,
    /// Notes of the block that is not complete: number and place in the block.
    notes: Vec<(u32, u16)>,
    /// The last run of positions in which a zone or account was noted.
    runs: HashMap<u32, u64>,
}

impl HistoryIndex {
    /// Opens the notes of a data directory, empty when they are not there.
    pub fn open(directory: &Path) -> Result<HistoryIndex, OpenError> {
        let path = directory.join(NAME);
        let connection = connection::open(&path, Sync::Normal, MIGRATIONS)?;
        let sqlite = |why| OpenError::Sqlite { path: path.clone(), why };
        let written = connection
            .query_row("SELECT pos, hash FROM meta", [], |row| {
                Ok((pos(row.get(0)?), Hash(row.get(1)?)))
            })
            .optional()
            .map_err(sqlite)?
            .unwrap_or_default();
        let (notes, runs) = (Vec::new(), HashMap::new());
        Ok(HistoryIndex { path, connection, written, at: written.0, notes, runs })
    }

    /// Removes the notes of a data directory, so that they are made anew.
    pub fn discard(directory: &Path) -> std::io::Result<()> {
        remove_database(&directory.join(NAME))
    }

    /// The last event that was noted.
    pub fn at(&self) -> Pos {
        self.at
    }

    /// The last event whose notes are written, and its hash: it must be that of the log.
    pub fn written(&self) -> (Pos, Hash) {
        self.written
    }

    /// Goes on behind a position up to which the log was trimmed.
    pub fn skip_to(&mut self, at: Pos) {
        if at > self.at {
            if block(at) != block(self.at) {
                self.forget_notes();
            }
            self.at = at;
        }
    }

    /// Notes events that follow those noted before; others are passed over. After an error the notes
    /// of the block stand where the last complete one ends.
    pub fn note<'e>(
        &mut self,
        events: impl IntoIterator<Item = &'e Event>,
    ) -> Result<(), StateError> {
        for event in events {
            if event.pos.0 != self.at.0 + 1 {
                continue;
            }
            let place = place(event.pos);
            let run = event.pos.0 / RUN;
            let (notes, runs) = (&mut self.notes, &mut self.runs);
            subjects(&event.body, &mut |subject| {
                if !subject.is_broad {
                    notes.push((subject.number, place));
                } else if runs.insert(subject.number, run) != Some(run) {
                    notes.push((subject.number, place - place % RUN as u16));
                }
            });
            self.at = event.pos;
            if place == u16::MAX
                && let Err(why) = self.write(event)
            {
                self.at = self.written.0;
                self.forget_notes();
                return Err(why);
            }
        }
        Ok(())
    }

    /// Where in a block there may be events about one of these, in order and without overlap: each a
    /// first and a last position. What is not noted may be about anybody.
    pub fn find(&self, block: u64, wanted: &[Subject]) -> Result<Vec<(Pos, Pos)>, StateError> {
        let (start, end) = bounds(block);
        let mut found = Vec::new();
        for subject in wanted {
            let mut take = |place: u16| {
                let first = start.0 + u64::from(place);
                let length = if subject.is_broad { RUN } else { 1 };
                found.push((Pos(first), Pos(first + length - 1)));
            };
            if end <= self.written.0 {
                self.find_written(block, subject.number, &mut take)?;
            } else if block == self::block(self.at) {
                let notes = self.notes.iter().filter(|(number, _)| *number == subject.number);
                notes.for_each(|(_, place)| take(*place));
            }
        }
        if self.at < end {
            found.push((start.max(Pos(self.at.0 + 1)), end));
        }
        Ok(merged(found))
    }

    /// Forgets the notes of blocks that the log has nothing of any more.
    pub fn trim(&mut self, oldest: Pos) -> Result<(), StateError> {
        let transaction = self.connection.transaction()?;
        for bucket in 0..BUCKETS {
            let sql = "DELETE FROM note WHERE id >= ?1 AND id < ?2";
            let mut delete = transaction.prepare_cached(sql)?;
            delete.execute(params![row(bucket, 0), row(bucket, block(oldest))])?;
        }
        Ok(transaction.commit()?)
    }

    /// Moves the write-ahead log into the database.
    pub fn maintain(&self) -> Result<(), StateError> {
        let mut wal = self.path.clone().into_os_string();
        wal.push("-wal");
        Ok(connection::checkpoint(&self.connection, Path::new(&wal))?)
    }

    fn find_written(
        &self,
        block: u64,
        number: u32,
        take: &mut dyn FnMut(u16),
    ) -> Result<(), StateError> {
        let sql = "SELECT body, sum FROM note WHERE id = ?1";
        let mut select = self.connection.prepare_cached(sql)?;
        let row = select.query_row([row(number >> BUCKET_SHIFT, block)], |row| {
            Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, u32>(1)?))
        });
        let Some((body, sum)) = row.optional()? else { return Ok(()) };
        if crc32fast::hash(&body) != sum || body.len() % NOTE_OCTETS != 0 {
            return Err(damaged("the checksum of a row of history.db does not fit"));
        }
        let (notes, _) = body.as_chunks::<NOTE_OCTETS>();
        let key = key(number);
        let from = notes.partition_point(|note| note[..3] < key[..]);
        for note in notes.iter().skip(from).take_while(|note| note[..3] == key[..]) {
            take(u16::from_be_bytes([note[3], note[4]]));
        }
        Ok(())
    }

    /// Writes the block that has become complete.
    fn write(&mut self, last: &Event) -> Result<(), StateError> {
        self.notes.sort_unstable();
        self.notes.dedup();
        let transaction = self.connection.transaction()?;
        let sql = "INSERT OR REPLACE INTO note (id, body, sum) VALUES (?1, ?2, ?3)";
        let mut insert = transaction.prepare_cached(sql)?;
        let block = block(last.pos);
        for notes in self.notes.chunk_by(|a, b| a.0 >> BUCKET_SHIFT == b.0 >> BUCKET_SHIFT) {
            let mut body = Vec::with_capacity(notes.len() * NOTE_OCTETS);
            for (number, place) in notes {
                body.extend_from_slice(&key(*number));
                body.extend_from_slice(&place.to_be_bytes());
            }
            let bucket = notes.first().map_or(0, |(number, _)| number >> BUCKET_SHIFT);
            insert.execute(params![row(bucket, block), body, crc32fast::hash(&body)])?;
        }
        drop(insert);
        transaction.execute("DELETE FROM meta", [])?;
        let sql = "INSERT INTO meta (pos, hash) VALUES (?1, ?2)";
        transaction.execute(sql, params![sql_pos(last.pos), last.hash.0])?;
        transaction.commit()?;
        self.written = (last.pos, last.hash);
        self.forget_notes();
        Ok(())
    }

    fn forget_notes(&mut self) {
        self.notes.clear();
        self.runs.clear();
    }
}

/// Number of the row of a bucket in a block: those of a bucket lie side by side.
fn row(bucket: u32, block: u64) -> i64 {
    (i64::from(bucket) << 40) | (block & ((1 << 40) - 1)).cast_signed()
}

/// The block that a position lies in.
pub fn block(at: Pos) -> u64 {
    at.0 / BLOCK
}

/// First and last position of a block.
pub fn bounds(block: u64) -> (Pos, Pos) {
    let start = block.saturating_mul(BLOCK);
    (Pos(start), Pos(start.saturating_add(BLOCK - 1)))
}

fn place(at: Pos) -> u16 {
    (at.0 % BLOCK) as u16
}

/// What of a number does not stand in its bucket's.
fn key(number: u32) -> [u8; 3] {
    let [_, a, b, c] = number.to_be_bytes();
    [a, b, c]
}

/// Ranges in order, those that touch as one.
fn merged(mut ranges: Vec<(Pos, Pos)>) -> Vec<(Pos, Pos)> {
    ranges.sort_unstable();
    let mut merged: Vec<(Pos, Pos)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match merged.last_mut() {
            Some(before) if first.0 <= before.1.0 + 1 => before.1 = before.1.max(last),
            Some(_) | None => merged.push((first, last)),
        }
    }
    merged
}

/// Steps of the schema of `history.db`.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE meta (pos INTEGER NOT NULL, hash BLOB NOT NULL);
    CREATE TABLE note (
        id INTEGER PRIMARY KEY, body BLOB NOT NULL, sum INTEGER NOT NULL);
"];
/// Name of the file.
const NAME: &str = "history.db";
/// Positions in a block.
const BLOCK: u64 = 1 << 16;
/// Positions in a run: what is noted of a zone or account.
const RUN: u64 = 256;
/// Rows of a block.
const BUCKETS: u32 = 256;
/// What of a number names its row.
const BUCKET_SHIFT: u32 = 24;
/// Octets of a note in a row.
const NOTE_OCTETS: usize = 5;
