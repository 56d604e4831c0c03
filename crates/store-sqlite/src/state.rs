//! The folded tables: `state.db`, a cache of the log that carries the position it stands at.

use std::path::{Path, PathBuf};

use account::Timestamp;
use rusqlite::{Connection, params};
use store::{Commit, Event, Fact, Hash, Item, Pos};

use crate::connection::{self, OpenError, Sync};
use crate::folder::Folder;
use crate::gather::Gathered;
use crate::load::{self, Piece, damaged, sum};
use crate::pack;
use crate::rows::{self, pos, sql_pos};

/// The folded tables.
#[derive(Debug)]
pub struct StateDb {
    path: PathBuf,
    connection: Connection,
    stands: Stands,
    /// What has changed since, up to another position.
    gathered: Gathered,
    ahead: Stands,
    /// Rows of entities, zones, RRsets, parts and leases.
    rows: u64,
}

/// Where tables stand: position, hash and moment of the last event in them.
type Stands = (Pos, Hash, Timestamp);

/// Why the tables cannot be used. They can always be thrown away and built anew.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// SQLite failed.
    #[error("the folded tables: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// What is stored makes no sense.
    #[error("the folded tables are damaged: {0}")]
    Damaged(String),
    /// The commits do not follow what is folded already.
    #[error("the tables stand at {}, and the commit starts at {}", .at.0, .first.0)]
    Gap {
        /// Where the tables stand.
        at: Pos,
        /// Where the commit starts.
        first: Pos,
    },
}

impl StateError {
    /// Whether the tables have to be thrown away: trying again does not help.
    pub fn is_damage(&self) -> bool {
        match self {
            StateError::Sqlite(why) => rows::is_damage(why),
            StateError::Damaged(_) | StateError::Gap { .. } => true,
        }
    }
}

impl StateDb {
    /// Opens the tables of a data directory, empty when they are not there.
    pub fn open(directory: &Path) -> Result<StateDb, OpenError> {
        StateDb::open_file(&directory.join("state.db"))
    }

    /// Removes the tables of a data directory, so that they are built anew.
    pub fn discard(directory: &Path) -> std::io::Result<()> {
        remove_database(&directory.join("state.db"))
    }

    pub(crate) fn open_file(path: &Path) -> Result<StateDb, OpenError> {
        let sqlite = |why| OpenError::Sqlite { path: path.to_owned(), why };
        let connection = connection::open(path, Sync::Normal, MIGRATIONS)?;
        let (stands, rows) = meta(&connection).map_err(|why| match why {
            MetaError::Sqlite(why) => sqlite(why),
            MetaError::Encoding(found) => OpenError::Encoding { path: path.to_owned(), found },
        })?;
        Ok(StateDb {
            path: path.to_owned(),
            connection,
            stands,
            gathered: Gathered::default(),
            ahead: stands,
            rows,
        })
    }

    /// The position that the tables stand at, and the hash of the event there.
    pub fn folded(&self) -> (Pos, Hash) {
        let (at, hash, _) = self.stands;
        (at, hash)
    }

    /// The position up to which commits were taken over: those after it are the next ones.
    pub fn gathered(&self) -> Pos {
        self.ahead.0
    }

    /// Folds commits into the tables, in one transaction: all or none.
    pub fn fold(&mut self, commits: &[Commit]) -> Result<(), StateError> {
        let new = self.new_events(commits)?;
        self.write(new)
    }

    /// Takes over commits, to be written together with others that follow; whether it is time for
    /// [`StateDb::flush`]. After an error the tables go on from where they stand.
    pub fn gather(&mut self, commits: &[Commit]) -> Result<bool, StateError> {
        let new = self.new_events(commits)?;
        let mut facts = new.iter().flat_map(|event| &event.body.facts);
        // Leases end with their records, one by one.
        let is_plain = facts.all(|fact| matches!(fact, Fact::Changed { .. }))
            && !Folder::new(&self.connection, 0).may_lease()?;
        if !is_plain {
            return self.write(new).map(|()| false);
        }
        let done = new.iter().flat_map(|event| &event.body.facts).try_for_each(|fact| match fact {
            Fact::Changed { zone, serial, deltas, .. } => {
                self.gathered.change(zone, *serial, deltas)
            }
            _ => Ok(()),
        });
        if let Err(why) = done {
            self.drop_gathered();
            return Err(why);
        }
        if let Some(last) = new.last() {
            self.ahead = (last.pos, last.hash, last.body.at);
        }
        Ok(self.gathered.is_full())
    }

    /// Writes what was gathered, in one transaction.
    pub fn flush(&mut self) -> Result<(), StateError> {
        if self.ahead.0 == self.stands.0 { Ok(()) } else { self.write(Vec::new()) }
    }

    /// The events of commits that are not folded or gathered yet.
    fn new_events<'e>(&self, commits: &'e [Commit]) -> Result<Vec<&'e Event>, StateError> {
        let events = commits.iter().flat_map(|commit| &commit.events);
        let at = self.ahead.0;
        let new: Vec<&Event> = events.skip_while(|event| event.pos <= at).collect();
        match new.first() {
            Some(first) if first.pos.0 != at.0 + 1 => Err(StateError::Gap { at, first: first.pos }),
            Some(_) | None => Ok(new),
        }
    }

    /// Writes what was gathered and what follows it.
    fn write(&mut self, new: Vec<&Event>) -> Result<(), StateError> {
        let written = self.write_all(new);
        if written.is_err() {
            self.drop_gathered();
        }
        written
    }

    fn write_all(&mut self, new: Vec<&Event>) -> Result<(), StateError> {
        let transaction = self.connection.transaction()?;
        let mut folder = Folder::new(&transaction, self.rows);
        let mut stands = self.ahead;
        for event in new {
            let mut facts = event.body.facts.iter();
            facts.try_for_each(|fact| folder.fact(fact, &mut self.gathered))?;
            stands = (event.pos, event.hash, event.body.at);
        }
        folder.write(&mut self.gathered)?;
        let rows = folder.finish();
        set_meta(&transaction, stands, rows)?;
        transaction.commit()?;
        (self.stands, self.ahead, self.rows) = (stands, stands, rows);
        Ok(())
    }

    fn drop_gathered(&mut self) {
        self.gathered.clear();
        self.ahead = self.stands;
    }

    /// Packs what has changed in a zone into its parts, for zones with so many changed RRsets at least
    /// and with about one in so many of their octets changed: then the next start is quick. Stops when
    /// `go_on` says no, and has then done nothing to the zone that it was at.
    pub fn pack(&mut self, worth: (u64, u64), go_on: &dyn Fn() -> bool) -> Result<(), StateError> {
        for zone in pack::worth(&self.connection, worth)? {
            let transaction = self.connection.transaction()?;
            let mut folder = Folder::new(&transaction, self.rows);
            if !pack::pack(&mut folder, &transaction, &zone, go_on)? {
                return Ok(());
            }
            let rows = folder.finish();
            set_meta(&transaction, self.stands, rows)?;
            transaction.commit()?;
            self.rows = rows;
        }
        Ok(())
    }

    /// Fills empty tables from the items of a snapshot, in one transaction.
    pub fn fill(
        &mut self,
        items: impl IntoIterator<Item = Result<Item, store::StoreError>>,
    ) -> Result<(), StateError> {
        let transaction = self.connection.transaction()?;
        let mut folder = Folder::new(&transaction, 0);
        let mut stands = Stands::default();
        for item in items {
            match item.map_err(damaged)? {
                Item::At { pos, hash, at } => stands = (pos, hash, at),
                Item::Entity(entity) => folder.put_entity(&entity)?,
                Item::Zone { apex, serial } => folder.put_zone(&apex, serial)?,
                Item::Rrset { zone, owner, rtype, rrset } => {
                    folder.gather(&zone, &owner, rtype, &rrset)?;
                }
                Item::Staged { import, zone, part } => folder.stage(import, &zone, &part)?,
                Item::Lease { zone, lease } => folder.leased(&zone, &[lease])?,
            }
        }
        folder.put_gathered()?;
        let rows = folder.finish();
        set_meta(&transaction, stands, rows)?;
        transaction.commit()?;
        (self.stands, self.ahead, self.rows) = (stands, stands, rows);
        Ok(())
    }

    /// Hands out every item of one consistent state, `At` first: for snapshots.
    pub fn load(
        &mut self,
        mut take: impl FnMut(Item) -> Result<(), StateError>,
    ) -> Result<(), StateError> {
        let transaction = self.connection.transaction()?;
        let (pos, hash, at) = self.stands;
        take(Item::At { pos, hash, at })?;
        let rows = load::items(&transaction, &mut take)?;
        whole(rows, self.rows)
    }

    /// Hands out every piece of one consistent state, where it stands first: for a start, and as
    /// quickly as it can be read.
    pub fn load_pieces(
        &mut self,
        mut take: impl FnMut(Piece<'_>) -> Result<(), StateError>,
    ) -> Result<(), StateError> {
        let transaction = self.connection.transaction()?;
        let (pos, hash, at) = self.stands;
        take(Piece::Item(Item::At { pos, hash, at }))?;
        let rows = load::pieces(&transaction, &mut take)?;
        whole(rows, self.rows)
    }

    /// Moves the write-ahead log into the tables.
    pub fn maintain(&self) -> Result<(), StateError> {
        Ok(connection::checkpoint(&self.connection, &self.wal())?)
    }

    /// Octets of the write-ahead log.
    pub fn wal_octets(&self) -> u64 {
        connection::octets(&self.wal())
    }

    /// Lets the write-ahead log stay when the tables are closed, in place of moving it then.
    pub fn leave_wal(&self) -> Result<(), StateError> {
        Ok(connection::leave_wal(&self.connection)?)
    }

    fn wal(&self) -> PathBuf {
        let mut wal = self.path.clone().into_os_string();
        wal.push("-wal");
        wal.into()
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }
}

/// A page that turned bad may hide rows and still look whole.
fn whole(found: u64, written: u64) -> Result<(), StateError> {
    if found == written {
        Ok(())
    } else {
        Err(damaged(format!("{found} rows are there, and {written} were written")))
    }
}

/// Removes a database with the files beside it; what is not there is fine.
pub(crate) fn remove_database(path: &Path) -> std::io::Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(suffix);
        match std::fs::remove_file(&file) {
            Ok(()) => {}
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => {}
            Err(why) => return Err(why),
        }
    }
    Ok(())
}

enum MetaError {
    Sqlite(rusqlite::Error),
    Encoding(u8),
}

impl From<rusqlite::Error> for MetaError {
    fn from(why: rusqlite::Error) -> MetaError {
        MetaError::Sqlite(why)
    }
}

/// Where tables stand and how many rows they have.
fn meta(connection: &Connection) -> Result<(Stands, u64), MetaError> {
    let mut select = connection.prepare("SELECT pos, hash, at, count, encoding, sum FROM meta")?;
    let mut rows = select.query([])?;
    let Some(row) = rows.next()? else { return Ok(Default::default()) };
    let encoding: u8 = row.get(4)?;
    if encoding != ENCODING {
        return Err(MetaError::Encoding(encoding));
    }
    let stands = (pos(row.get(0)?), Hash(row.get(1)?), Timestamp(row.get(2)?));
    let count = row.get::<_, i64>(3)?.cast_unsigned();
    if row.get::<_, u32>(5)? != meta_sum(stands, count) {
        // It is read as a whole or not at all, so this is the same as a column of another type.
        return Err(rusqlite::Error::IntegralValueOutOfRange(5, 0).into());
    }
    Ok((stands, count))
}

fn set_meta(connection: &Connection, stands: Stands, count: u64) -> Result<(), rusqlite::Error> {
    let (pos, hash, at) = stands;
    let sum = meta_sum(stands, count);
    let values = params![sql_pos(pos), hash.0, at.0, count.cast_signed(), ENCODING, sum];
    connection.execute("DELETE FROM meta", [])?;
    let sql = "INSERT INTO meta (pos, hash, at, count, encoding, sum)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    connection.execute(sql, values).map(|_| ())
}

fn meta_sum((pos, hash, at): Stands, count: u64) -> u32 {
    sum(&[&pos.0.to_be_bytes(), &hash.0, &at.0.to_be_bytes(), &count.to_be_bytes()])
}

/// Steps of the schema of `state.db`; `user_version` counts those taken. As it is a cache, a step may
/// throw away what was there.
///
/// What a zone holds is a base of parts, as they were imported or snapshotted, all under one number,
/// and over it the rows of what has changed since. An import becomes the base of its zone by one
/// number in the zone's row. The number of a base that comes of no import is negative. An owner
/// stands relative to its zone, lower-cased, in the wire form without the root; an empty body says
/// that the RRset is gone. A lease stands by owner and data in canonical form. RRsets and parts have
/// one form in all versions of the codec; the body of an entity is of the version that its row names,
/// so that tables of an older release are gone on with as they are. `sum` is the CRC-32 of all other
/// columns, without the version where that is 1; `count` is the number of rows in all tables but
/// `meta`.
pub(crate) const MIGRATIONS: &[&str] = &[
    "",
    "
    DROP TABLE IF EXISTS meta;
    DROP TABLE IF EXISTS entity;
    DROP TABLE IF EXISTS zone;
    DROP TABLE IF EXISTS rrset;
    DROP TABLE IF EXISTS staged;
    CREATE TABLE meta (
        pos INTEGER NOT NULL, hash BLOB NOT NULL, at INTEGER NOT NULL,
        count INTEGER NOT NULL, encoding INTEGER NOT NULL, sum INTEGER NOT NULL);
    CREATE TABLE entity (
        kind TEXT NOT NULL, key TEXT NOT NULL, zone TEXT, body BLOB NOT NULL,
        sum INTEGER NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID;
    CREATE INDEX entity_by_zone ON entity (zone) WHERE zone IS NOT NULL;
    CREATE TABLE zone (
        id INTEGER PRIMARY KEY, apex TEXT NOT NULL UNIQUE, serial INTEGER NOT NULL,
        base INTEGER, sum INTEGER NOT NULL);
    CREATE TABLE rrset (
        zone INTEGER NOT NULL, owner BLOB NOT NULL, type INTEGER NOT NULL, body BLOB NOT NULL,
        sum INTEGER NOT NULL, PRIMARY KEY (zone, owner, type)) WITHOUT ROWID;
    CREATE TABLE part (
        import INTEGER NOT NULL, part INTEGER NOT NULL, body BLOB NOT NULL,
        sum INTEGER NOT NULL, PRIMARY KEY (import, part));
",
    "
    ALTER TABLE entity ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
    CREATE TABLE lease (
        zone INTEGER NOT NULL, owner BLOB NOT NULL, type INTEGER NOT NULL, rdata BLOB NOT NULL,
        since INTEGER NOT NULL, lease_s INTEGER NOT NULL, until INTEGER NOT NULL,
        sum INTEGER NOT NULL, PRIMARY KEY (zone, owner, type, rdata)) WITHOUT ROWID;
    UPDATE meta SET encoding = 3 WHERE encoding = 2;
",
];
/// What `meta` names: how these tables are laid out.
const ENCODING: u8 = 3;
