//! The folded tables: `state.db`, a cache of the log that carries the position it stands at.

use std::path::{Path, PathBuf};

use account::{Entity, EntityKey, Timestamp};
use rusqlite::{Connection, Row, params};
use store::{Commit, Hash, ImportId, Item, Pos, codec};
use wire::{Name, Rtype, Serial};

use crate::connection::{self, OpenError, Sync};
use crate::folder::Folder;
use crate::rows::{self, pos, sql_pos};

/// The folded tables.
#[derive(Debug)]
pub struct StateDb {
    path: PathBuf,
    connection: Connection,
    stands: Stands,
    /// Rows of entities, zones, RRsets and staged parts.
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
        Ok(StateDb { path: path.to_owned(), connection, stands, rows })
    }

    /// The position that the tables stand at, and the hash of the event there.
    pub fn folded(&self) -> (Pos, Hash) {
        let (at, hash, _) = self.stands;
        (at, hash)
    }

    /// Folds commits into the tables, in one transaction: all or none.
    pub fn fold(&mut self, commits: &[Commit]) -> Result<(), StateError> {
        let events = commits.iter().flat_map(|commit| &commit.events);
        let at = self.stands.0;
        let mut new = events.skip_while(|event| event.pos <= at).peekable();
        let Some(first) = new.peek().map(|event| event.pos) else { return Ok(()) };
        if first.0 != at.0 + 1 {
            return Err(StateError::Gap { at, first });
        }
        let transaction = self.connection.transaction()?;
        let mut folder = Folder::new(&transaction, self.rows);
        let mut stands = self.stands;
        for event in new {
            event.body.facts.iter().try_for_each(|fact| folder.fact(fact))?;
            stands = (event.pos, event.hash, event.body.at);
        }
        let rows = folder.finish();
        set_meta(&transaction, stands, rows)?;
        transaction.commit()?;
        (self.stands, self.rows) = (stands, rows);
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
                    folder.load_rrset(&zone, &owner, rtype, &rrset)?;
                }
                Item::Staged { import, zone, rrsets } => folder.stage(import, &zone, &rrsets)?,
            }
        }
        let rows = folder.finish();
        set_meta(&transaction, stands, rows)?;
        transaction.commit()?;
        (self.stands, self.rows) = (stands, rows);
        Ok(())
    }

    /// Hands out every item of one consistent state, `At` first.
    pub fn load(
        &mut self,
        mut take: impl FnMut(Item) -> Result<(), StateError>,
    ) -> Result<(), StateError> {
        let transaction = self.connection.transaction()?;
        let (pos, hash, at) = self.stands;
        take(Item::At { pos, hash, at })?;
        let mut rows = 0;
        let mut take = |item| {
            rows += 1;
            take(item)
        };
        load_entities(&transaction, &mut take)?;
        load_zones(&transaction, &mut take)?;
        load_staged(&transaction, &mut take)?;
        // A page that turned bad may hide rows and still look whole.
        if rows == self.rows {
            Ok(())
        } else {
            Err(damaged(format!("{rows} rows are there, and {} were written", self.rows)))
        }
    }

    /// Moves the write-ahead log into the tables.
    pub fn maintain(&self) -> Result<(), StateError> {
        let mut wal = self.path.clone().into_os_string();
        wal.push("-wal");
        Ok(connection::checkpoint(&self.connection, Path::new(&wal))?)
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }
}

/// How an entity stands in its table: kind, key, and the zone of a host.
pub(crate) fn entity_row(entity: &Entity) -> (&'static str, String, Option<String>) {
    let (kind, key) = entity_key(&entity.key());
    let zone = match entity {
        Entity::Host(host) => Some(host.zone.to_lowercase().to_string()),
        Entity::Account(_) | Entity::Zone(_) | Entity::Token(_) | Entity::Key(_) => None,
    };
    (kind, key, zone)
}

pub(crate) fn entity_key(key: &EntityKey) -> (&'static str, String) {
    match key {
        EntityKey::Account(id) => ("account", id.0.to_string()),
        EntityKey::Zone(apex) => ("zone", apex.to_lowercase().to_string()),
        EntityKey::Host(name) => ("host", name.to_lowercase().to_string()),
        EntityKey::Token(id) => ("token", id.0.to_string()),
        EntityKey::Key(name) => ("tsig-key", name.to_lowercase().to_string()),
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

pub(crate) fn damaged(why: impl std::fmt::Display) -> StateError {
    StateError::Damaged(why.to_string())
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
    if encoding != codec::VERSION {
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
    let values = params![sql_pos(pos), hash.0, at.0, count.cast_signed(), codec::VERSION, sum];
    connection.execute("DELETE FROM meta", [])?;
    let sql = "INSERT INTO meta (pos, hash, at, count, encoding, sum)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    connection.execute(sql, values).map(|_| ())
}

fn meta_sum((pos, hash, at): Stands, count: u64) -> u32 {
    sum(&[&pos.0.to_be_bytes(), &hash.0, &at.0.to_be_bytes(), &count.to_be_bytes()])
}

type Take<'a> = &'a mut dyn FnMut(Item) -> Result<(), StateError>;

fn load_entities(connection: &Connection, take: Take<'_>) -> Result<(), StateError> {
    let mut select = connection.prepare("SELECT body, sum, kind, key FROM entity")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let (kind, key) = (row.get_ref(2)?, row.get_ref(3)?);
        take(item(row, &[kind.as_bytes().map_err(damaged)?, key.as_bytes().map_err(damaged)?])?)?;
    }
    Ok(())
}

/// One entity, as it stands in its table.
pub(crate) fn entity(
    connection: &Connection,
    kind: &str,
    key: &str,
) -> Result<Option<Item>, StateError> {
    let sql = "SELECT body, sum FROM entity WHERE kind = ?1 AND key = ?2";
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query([kind, key])?;
    let row = rows.next()?;
    row.map(|row| item(row, &[kind.as_bytes(), key.as_bytes()])).transpose()
}

fn load_zones(connection: &Connection, take: Take<'_>) -> Result<(), StateError> {
    let mut select = connection.prepare("SELECT id, apex, serial, sum FROM zone")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let (id, apex, serial): (i64, String, u32) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if row.get::<_, u32>(3)? != sum(&[apex.as_bytes(), &serial.to_be_bytes()]) {
            return Err(damaged(format!("the row of zone {apex}")));
        }
        let apex = Name::parse(&apex).map_err(damaged)?;
        take(Item::Zone { apex: apex.clone(), serial: Serial(serial) })?;
        load_rrsets(connection, id, &apex, take)?;
    }
    Ok(())
}

fn load_rrsets(
    connection: &Connection,
    zone_id: i64,
    zone: &Name,
    take: Take<'_>,
) -> Result<(), StateError> {
    let sql = "SELECT body, sum, owner, type FROM rrset WHERE zone = ?1";
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query([zone_id])?;
    while let Some(row) = rows.next()? {
        let owner = row.get_ref(2)?.as_blob().map_err(damaged)?;
        let rtype = Rtype(row.get(3)?);
        let body = body(row, &[owner, &rtype.0.to_be_bytes()])?;
        let owner = Name::join(owner, zone).map_err(damaged)?;
        let rrset = codec::decode_rrset(codec::VERSION, rtype, body).map_err(damaged)?;
        take(Item::Rrset { zone: zone.clone(), owner, rtype, rrset })?;
    }
    Ok(())
}

fn load_staged(connection: &Connection, take: Take<'_>) -> Result<(), StateError> {
    let mut select = connection.prepare("SELECT body, sum FROM staged ORDER BY import, part")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        take(item(row, &[])?)?;
    }
    Ok(())
}

/// The staged parts of one import.
pub(crate) fn staged(
    connection: &Connection,
    import: ImportId,
    mut take: impl FnMut(Item) -> Result<(), StateError>,
) -> Result<(), StateError> {
    let sql = "SELECT body, sum FROM staged WHERE import = ?1 ORDER BY part";
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query([sql_pos(Pos(import.0))])?;
    while let Some(row) = rows.next()? {
        take(item(row, &[])?)?;
    }
    Ok(())
}

fn item(row: &Row<'_>, key: &[&[u8]]) -> Result<Item, StateError> {
    codec::decode_item(codec::VERSION, body(row, key)?).map_err(damaged)
}

/// The body of a row that begins with body and sum.
fn body<'r>(row: &'r Row<'_>, key: &[&[u8]]) -> Result<&'r [u8], StateError> {
    let body = row.get_ref(0)?.as_blob().map_err(damaged)?;
    let parts: Vec<&[u8]> = key.iter().copied().chain([body]).collect();
    if row.get::<_, u32>(1)? == sum(&parts) {
        Ok(body)
    } else {
        Err(damaged("the checksum of a row does not fit"))
    }
}

/// The checksum of a row. SQLite keeps none of its own: without it an octet that turned over on the
/// disk would be served.
pub(crate) fn sum(parts: &[&[u8]]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    parts.iter().for_each(|part| sum.update(part));
    sum.finalize()
}

/// Steps of the schema of `state.db`; `user_version` counts those taken.
///
/// An owner stands relative to its zone, lower-cased, in the wire form without the root. Bodies are
/// of the encoding that `meta` names; `sum` is the CRC-32 of key and body;
/// `count` is the number of rows in all tables but `meta`.
pub(crate) const MIGRATIONS: &[&str] = &["
    CREATE TABLE meta (
        pos INTEGER NOT NULL, hash BLOB NOT NULL, at INTEGER NOT NULL,
        count INTEGER NOT NULL, encoding INTEGER NOT NULL, sum INTEGER NOT NULL);
    CREATE TABLE entity (
        kind TEXT NOT NULL, key TEXT NOT NULL, zone TEXT, body BLOB NOT NULL,
        sum INTEGER NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID;
    CREATE INDEX entity_by_zone ON entity (zone) WHERE zone IS NOT NULL;
    CREATE TABLE zone (
        id INTEGER PRIMARY KEY, apex TEXT NOT NULL UNIQUE, serial INTEGER NOT NULL,
        sum INTEGER NOT NULL);
    CREATE TABLE rrset (
        zone INTEGER NOT NULL, owner BLOB NOT NULL, type INTEGER NOT NULL, body BLOB NOT NULL,
        sum INTEGER NOT NULL, PRIMARY KEY (zone, owner, type)) WITHOUT ROWID;
    CREATE TABLE staged (
        import INTEGER NOT NULL, part INTEGER NOT NULL, body BLOB NOT NULL,
        sum INTEGER NOT NULL, PRIMARY KEY (import, part));
"];
