//! The folded tables: `state.db`, a cache of the log that carries the position it stands at.

use std::path::{Path, PathBuf};

use account::{Entity, EntityKey, Timestamp};
use rusqlite::{Connection, OptionalExtension};
use store::{Commit, Hash, ImportId, Item, Pos, codec};
use wire::{Name, Rtype, Serial};

use crate::connection::{self, OpenError, Sync};
use crate::folder::Folder;
use crate::log::{pos, sql_pos};

/// The folded tables.
#[derive(Debug)]
pub struct StateDb {
    path: PathBuf,
    connection: Connection,
    stands: Stands,
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
        let stands = connection
            .query_row("SELECT pos, hash, at FROM meta", [], |row| {
                Ok((pos(row.get(0)?), Hash(row.get(1)?), Timestamp(row.get(2)?)))
            })
            .optional()
            .map_err(sqlite)?
            .unwrap_or_default();
        Ok(StateDb { path: path.to_owned(), connection, stands })
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
        let mut folder = Folder::new(&transaction);
        let mut stands = self.stands;
        for event in new {
            event.body.facts.iter().try_for_each(|fact| folder.fact(fact))?;
            stands = (event.pos, event.hash, event.body.at);
        }
        set_meta(&transaction, stands)?;
        transaction.commit()?;
        self.stands = stands;
        Ok(())
    }

    /// Fills empty tables from the items of a snapshot, in one transaction.
    pub fn fill(
        &mut self,
        items: impl IntoIterator<Item = Result<Item, store::StoreError>>,
    ) -> Result<(), StateError> {
        let transaction = self.connection.transaction()?;
        let mut folder = Folder::new(&transaction);
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
        set_meta(&transaction, stands)?;
        transaction.commit()?;
        self.stands = stands;
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
        load_entities(&transaction, &mut take)?;
        load_zones(&transaction, &mut take)?;
        load_staged(&transaction, &mut take)
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

fn set_meta(connection: &Connection, (stands, hash, at): Stands) -> Result<(), rusqlite::Error> {
    connection.execute("DELETE FROM meta", [])?;
    connection
        .execute(
            "INSERT INTO meta (pos, hash, at) VALUES (?1, ?2, ?3)",
            (sql_pos(stands), hash.0, at.0),
        )
        .map(|_| ())
}

type Take<'a> = &'a mut dyn FnMut(Item) -> Result<(), StateError>;

fn load_entities(connection: &Connection, take: Take<'_>) -> Result<(), StateError> {
    let mut select = connection.prepare("SELECT body FROM entity")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        take(item(row.get_ref(0)?)?)?;
    }
    Ok(())
}

fn load_zones(connection: &Connection, take: Take<'_>) -> Result<(), StateError> {
    let mut select = connection.prepare("SELECT id, apex, serial FROM zone")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let (id, apex, serial): (i64, String, u32) = (row.get(0)?, row.get(1)?, row.get(2)?);
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
    let sql = "SELECT owner, type, body FROM rrset WHERE zone = ?1";
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query([zone_id])?;
    while let Some(row) = rows.next()? {
        let owner = row.get_ref(0)?.as_blob().map_err(damaged)?;
        let owner = Name::join(owner, zone).map_err(damaged)?;
        let rtype = Rtype(row.get(1)?);
        let body = row.get_ref(2)?.as_blob().map_err(damaged)?;
        let rrset = codec::decode_rrset(codec::VERSION, rtype, body).map_err(damaged)?;
        take(Item::Rrset { zone: zone.clone(), owner, rtype, rrset })?;
    }
    Ok(())
}

fn load_staged(connection: &Connection, take: Take<'_>) -> Result<(), StateError> {
    let mut select = connection.prepare("SELECT body FROM staged ORDER BY import, part")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        take(item(row.get_ref(0)?)?)?;
    }
    Ok(())
}

/// The staged parts of one import.
pub(crate) fn staged(
    connection: &Connection,
    import: ImportId,
    mut take: impl FnMut(Item) -> Result<(), StateError>,
) -> Result<(), StateError> {
    let sql = "SELECT body FROM staged WHERE import = ?1 ORDER BY part";
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query([sql_pos(Pos(import.0))])?;
    while let Some(row) = rows.next()? {
        take(item(row.get_ref(0)?)?)?;
    }
    Ok(())
}

fn item(body: rusqlite::types::ValueRef<'_>) -> Result<Item, StateError> {
    let body = body.as_blob().map_err(damaged)?;
    codec::decode_item(codec::VERSION, body).map_err(damaged)
}

/// Steps of the schema of `state.db`; `user_version` counts those taken.
///
/// An owner stands relative to its zone, lower-cased, in the wire form without the root.
pub(crate) const MIGRATIONS: &[&str] = &["
    CREATE TABLE meta (pos INTEGER NOT NULL, hash BLOB NOT NULL, at INTEGER NOT NULL);
    CREATE TABLE entity (
        kind TEXT NOT NULL, key TEXT NOT NULL, zone TEXT, body BLOB NOT NULL,
        PRIMARY KEY (kind, key)) WITHOUT ROWID;
    CREATE INDEX entity_by_zone ON entity (zone) WHERE zone IS NOT NULL;
    CREATE TABLE zone (
        id INTEGER PRIMARY KEY, apex TEXT NOT NULL UNIQUE, serial INTEGER NOT NULL);
    CREATE TABLE rrset (
        zone INTEGER NOT NULL, owner BLOB NOT NULL, type INTEGER NOT NULL, body BLOB NOT NULL,
        PRIMARY KEY (zone, owner, type)) WITHOUT ROWID;
    CREATE TABLE staged (
        import INTEGER NOT NULL, part INTEGER NOT NULL, body BLOB NOT NULL,
        PRIMARY KEY (import, part));
"];
