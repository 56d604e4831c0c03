//! Reading the tables: piece by piece as they stand, or item by item as the state is.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use account::{Entity, EntityKey, Timestamp};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};
use store::{Item, Part, RecordLease, codec};
use wire::{Name, Rdata, Rrset, Rtype, Serial};
use zone::Delta;

use crate::state::StateError;

/// A piece of a state, as it stands in the tables. Pieces are taken over in the order in which they
/// come: later RRsets of one owner and type replace earlier ones.
pub enum Piece<'a> {
    /// An item; never an RRset.
    Item(Item),
    /// RRsets of a zone. An error ends them, and is to be handed back.
    Parts {
        /// Apex of the zone.
        zone: Name,
        /// The RRsets, read one part after the other.
        parts: &'a mut dyn Iterator<Item = Result<Part, StateError>>,
    },
    /// What has changed in a zone since its parts were written.
    Deltas {
        /// Apex of the zone.
        zone: Name,
        /// RRsets as they are now; how they were before is not known.
        deltas: Vec<Delta>,
    },
}

/// Takes a piece.
type Take<'a> = &'a mut dyn FnMut(Piece<'_>) -> Result<(), StateError>;

/// Every piece of the tables but where they stand; the number of rows that they stood in.
pub(crate) fn pieces(connection: &Connection, take: Take<'_>) -> Result<u64, StateError> {
    let rows = Cell::new(0);
    let mut take = |piece: Piece<'_>| {
        if let Piece::Item(_) = piece {
            rows.update(|rows| rows + 1);
        }
        take(piece)
    };
    entities(connection, &mut take)?;
    for zone in zones(connection)? {
        take(Piece::Item(Item::Zone { apex: zone.apex.clone(), serial: zone.serial }))?;
        if let Some(base) = zone.base {
            let mut select = connection.prepare_cached(PARTS)?;
            let mut parts = select.query_and_then([base], |row| {
                rows.update(|rows| rows + 1);
                let Item::Staged { part, .. } = read_part(row, base)? else {
                    return Err(damaged("a part of a zone is something else"));
                };
                Ok(part)
            })?;
            take(Piece::Parts { zone: zone.apex.clone(), parts: &mut parts })?;
        }
        changes(connection, &zone, &mut |deltas| {
            rows.update(|rows| rows + deltas.len() as u64);
            take(Piece::Deltas { zone: zone.apex.clone(), deltas })
        })?;
        leases(connection, &zone, &mut take)?;
    }
    staged(connection, &mut take)?;
    Ok(rows.get())
}

/// Every item of the state but where it stands; the number of rows that they stood in.
pub(crate) fn items(
    connection: &Connection,
    take: &mut dyn FnMut(Item) -> Result<(), StateError>,
) -> Result<u64, StateError> {
    let mut changed = Changed::of(connection)?;
    // The number of the zone that parts and deltas belong to.
    let mut at = 0;
    pieces(connection, &mut |piece| match piece {
        Piece::Item(Item::Zone { apex, serial }) => {
            at = zone_row(connection, &apex)?.map_or(0, |row| row.id);
            changed.look_at(at)?;
            take(Item::Zone { apex, serial })
        }
        Piece::Item(item) => take(item),
        Piece::Parts { zone, parts } => {
            for part in parts {
                for (owner, rtype, rrset) in part?.rrsets(&zone) {
                    if !changed.holds(at, &zone, &owner, rtype)? {
                        take(Item::Rrset { zone: zone.clone(), owner, rtype, rrset })?;
                    }
                }
            }
            Ok(())
        }
        Piece::Deltas { zone, deltas } => {
            for Delta { owner, rtype, after, .. } in deltas {
                if let Some(rrset) = after {
                    take(Item::Rrset { zone: zone.clone(), owner, rtype, rrset })?;
                }
            }
            Ok(())
        }
    })
}

/// What a state comes to, whatever rows it stands in and in what order.
#[derive(Default)]
pub(crate) struct Digests {
    pub(crate) entities: Digest,
    /// The RRsets of each zone.
    pub(crate) zones: BTreeMap<String, Digest>,
}

/// Sum and number of things in any order.
#[derive(Default, PartialEq)]
pub(crate) struct Digest {
    sum: u64,
    count: u64,
}

impl Digest {
    fn add(&mut self, of: impl Hash) {
        let mut hash = DefaultHasher::new();
        of.hash(&mut hash);
        self.sum = self.sum.wrapping_add(hash.finish());
        self.count += 1;
    }
}

pub(crate) fn digests(connection: &Connection) -> Result<Digests, StateError> {
    let mut digests = Digests::default();
    let mut body = Vec::new();
    items(connection, &mut |item| {
        match &item {
            Item::Entity(_) => {
                body.clear();
                codec::encode_item(&item, &mut body);
                digests.entities.add(&body);
            }
            Item::Rrset { zone, owner, rtype, rrset } => {
                let zone = digests.zones.entry(zone.to_string()).or_default();
                zone.add((owner, rtype, rrset.ttl_s, &rrset.rdata));
            }
            // These are compared row by row.
            Item::At { .. } | Item::Zone { .. } | Item::Staged { .. } | Item::Lease { .. } => {}
        }
        Ok(())
    })?;
    Ok(digests)
}

/// Looks up whether an RRset of a part has changed since.
struct Changed<'c> {
    any: CachedStatement<'c>,
    one: CachedStatement<'c>,
    /// Whether anything of the zone has.
    has_any: bool,
}

impl<'c> Changed<'c> {
    fn of(connection: &'c Connection) -> Result<Changed<'c>, StateError> {
        let any = connection.prepare_cached("SELECT 1 FROM rrset WHERE zone = ?1 LIMIT 1")?;
        let one = connection.prepare_cached(ONE_CHANGE)?;
        Ok(Changed { any, one, has_any: false })
    }

    fn look_at(&mut self, zone_id: i64) -> Result<(), StateError> {
        self.has_any = self.any.exists([zone_id])?;
        Ok(())
    }

    fn holds(
        &mut self,
        zone_id: i64,
        zone: &Name,
        owner: &Name,
        rtype: Rtype,
    ) -> Result<bool, StateError> {
        if !self.has_any {
            return Ok(false);
        }
        let owner = owner.to_lowercase();
        let relative = owner.strip_suffix(zone).unwrap_or_default();
        Ok(self.one.exists(params![zone_id, relative, rtype.0])?)
    }
}

/// A row of the table of zones.
pub(crate) struct ZoneRow {
    pub(crate) id: i64,
    pub(crate) apex: Name,
    pub(crate) serial: Serial,
    /// Number that the parts of its content have.
    pub(crate) base: Option<i64>,
}

pub(crate) fn zone_sum(id: i64, apex: &str, serial: Serial, base: Option<i64>) -> u32 {
    let base = base.map(i64::to_be_bytes);
    let base = base.as_ref().map_or(&[][..], |base| base.as_slice());
    sum(&[&id.to_be_bytes(), apex.as_bytes(), &serial.0.to_be_bytes(), base])
}

/// The row of one zone.
pub(crate) fn zone_row(
    connection: &Connection,
    apex: &Name,
) -> Result<Option<ZoneRow>, StateError> {
    let sql = "SELECT id, apex, serial, base, sum FROM zone WHERE apex = ?1";
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query([apex.to_lowercase().to_string()])?;
    rows.next()?.map(read_zone).transpose()
}

pub(crate) fn zones(connection: &Connection) -> Result<Vec<ZoneRow>, StateError> {
    let mut select = connection.prepare("SELECT id, apex, serial, base, sum FROM zone")?;
    let mut rows = select.query([])?;
    let mut zones = Vec::new();
    while let Some(row) = rows.next()? {
        zones.push(read_zone(row)?);
    }
    Ok(zones)
}

fn read_zone(row: &Row<'_>) -> Result<ZoneRow, StateError> {
    let (id, apex, base): (_, String, _) = (row.get(0)?, row.get(1)?, row.get(3)?);
    let serial = Serial(row.get(2)?);
    if row.get::<_, u32>(4)? != zone_sum(id, &apex, serial, base) {
        return Err(damaged(format!("the row of zone {apex}")));
    }
    let apex = Name::parse(&apex).map_err(damaged)?;
    Ok(ZoneRow { id, apex, serial, base })
}

fn entities(connection: &Connection, take: Take<'_>) -> Result<(), StateError> {
    let sql = "SELECT body, sum, kind, key, zone, version FROM entity";
    let mut select = connection.prepare(sql)?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        take(Piece::Item(read_entity(row)?))?;
    }
    Ok(())
}

/// One entity, as it stands in its table.
pub(crate) fn entity(
    connection: &Connection,
    kind: &str,
    key: &str,
) -> Result<Option<Item>, StateError> {
    let sql = "SELECT body, sum, kind, key, zone, version FROM entity
        WHERE kind = ?1 AND key = ?2";
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query([kind, key])?;
    rows.next()?.map(read_entity).transpose()
}

fn read_entity(row: &Row<'_>) -> Result<Item, StateError> {
    let text = |column| row.get_ref(column).map_err(StateError::from);
    let zone = text(4)?.as_bytes_or_null().map_err(damaged)?.unwrap_or_default();
    let (kind, key) = (text(2)?, text(3)?);
    let (kind, key) = (kind.as_bytes().map_err(damaged)?, key.as_bytes().map_err(damaged)?);
    let version = row.get(5)?;
    item(version, body(row, &[version_octets(&version), kind, key, zone])?)
}

/// What the version of a row adds to its sum: nothing where the row was written before there was
/// one.
pub(crate) fn version_octets(version: &u8) -> &[u8] {
    if *version == 1 { &[] } else { std::slice::from_ref(version) }
}

/// How an entity stands in its table: kind, key, and the zone that it goes with.
pub(crate) fn entity_row(entity: &Entity) -> (&'static str, String, Option<String>) {
    let (kind, key) = entity_key(&entity.key());
    let zone = match entity {
        Entity::Host(host) => Some(host.zone.to_lowercase().to_string()),
        Entity::Released(released) => Some(released.zone.to_lowercase().to_string()),
        Entity::Account(_)
        | Entity::Zone(_)
        | Entity::Token(_)
        | Entity::Key(_)
        | Entity::Webhook(_) => None,
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
        EntityKey::Released(name) => ("released", name.to_lowercase().to_string()),
        EntityKey::Webhook(id) => ("webhook", id.0.to_string()),
    }
}

/// What has changed since the parts of a zone were written, some at a time.
pub(crate) fn changes(
    connection: &Connection,
    zone: &ZoneRow,
    take: &mut dyn FnMut(Vec<Delta>) -> Result<(), StateError>,
) -> Result<(), StateError> {
    let sql = "SELECT body, sum, owner, type FROM rrset WHERE zone = ?1";
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query([zone.id])?;
    let mut deltas = Vec::new();
    while let Some(row) = rows.next()? {
        let owner = row.get_ref(2)?.as_blob().map_err(damaged)?;
        let rtype = Rtype(row.get(3)?);
        let body = body(row, &[&zone.id.to_be_bytes(), owner, &rtype.0.to_be_bytes()])?;
        let owner = Name::join(owner, &zone.apex).map_err(damaged)?;
        deltas.push(Delta { owner, rtype, before: None, after: rrset(rtype, body)? });
        if deltas.len() == DELTAS {
            take(std::mem::take(&mut deltas))?;
        }
    }
    if deltas.is_empty() { Ok(()) } else { take(deltas) }
}

/// An empty body stands for an RRset of a part that is gone.
fn rrset(rtype: Rtype, body: &[u8]) -> Result<Option<Rrset>, StateError> {
    if body.is_empty() {
        return Ok(None);
    }
    codec::decode_rrset(rtype, body).map(Some).map_err(damaged)
}

/// The leases of a zone.
fn leases(connection: &Connection, zone: &ZoneRow, take: Take<'_>) -> Result<(), StateError> {
    let sql = "SELECT owner, type, rdata, since, lease_s, until, sum FROM lease WHERE zone = ?1";
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query([zone.id])?;
    while let Some(row) = rows.next()? {
        let lease = read_lease(row, zone)?;
        take(Piece::Item(Item::Lease { zone: zone.apex.clone(), lease }))?;
    }
    Ok(())
}

fn read_lease(row: &Row<'_>, zone: &ZoneRow) -> Result<RecordLease, StateError> {
    let owner = row.get_ref(0)?.as_blob().map_err(damaged)?;
    let rtype = Rtype(row.get(1)?);
    let rdata = row.get_ref(2)?.as_blob().map_err(damaged)?;
    let lease = RecordLease {
        owner: Name::join(owner, &zone.apex).map_err(damaged)?,
        rtype,
        rdata: Rdata::new(rtype, rdata).map_err(damaged)?,
        from: Timestamp(row.get(3)?),
        lease_s: row.get(4)?,
        until: Timestamp(row.get(5)?),
    };
    if row.get::<_, u32>(6)? == lease_sum(zone.id, owner, &lease) {
        Ok(lease)
    } else {
        Err(damaged("the checksum of a lease does not fit"))
    }
}

/// The checksum of a lease, whose owner is given as it stands in its row.
pub(crate) fn lease_sum(zone_id: i64, owner: &[u8], lease: &RecordLease) -> u32 {
    sum(&[
        &zone_id.to_be_bytes(),
        owner,
        &lease.rtype.0.to_be_bytes(),
        lease.rdata.as_wire(),
        &lease.from.0.to_be_bytes(),
        &lease.lease_s.to_be_bytes(),
        &lease.until.0.to_be_bytes(),
    ])
}

/// Parts of imports that are not visible.
fn staged(connection: &Connection, take: Take<'_>) -> Result<(), StateError> {
    let sql = "SELECT DISTINCT import FROM part
        WHERE import NOT IN (SELECT base FROM zone WHERE base IS NOT NULL) ORDER BY import";
    let mut select = connection.prepare(sql)?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let import = row.get(0)?;
        let mut select = connection.prepare_cached(PARTS)?;
        let mut parts = select.query([import])?;
        while let Some(part) = parts.next()? {
            take(Piece::Item(read_part(part, import)?))?;
        }
    }
    Ok(())
}

pub(crate) fn read_part(row: &Row<'_>, import: i64) -> Result<Item, StateError> {
    let part: i64 = row.get(2)?;
    item(codec::VERSION, body(row, &[&import.to_be_bytes(), &part.to_be_bytes()])?)
}

/// Whether there is any part of this number.
pub(crate) fn has_parts(connection: &Connection, import: i64) -> Result<bool, StateError> {
    let sql = "SELECT 1 FROM part WHERE import = ?1 LIMIT 1";
    let mut select = connection.prepare_cached(sql)?;
    Ok(select.query_row([import], |_| Ok(())).optional()?.is_some())
}

/// The number that the next part of an import has.
pub(crate) fn next_part(connection: &Connection, import: i64) -> Result<i64, StateError> {
    let sql = "SELECT coalesce(max(part) + 1, 0) FROM part WHERE import = ?1";
    Ok(connection.prepare_cached(sql)?.query_row([import], |row| row.get(0))?)
}

pub(crate) fn relative<'n>(owner: &'n Name, zone: &Name) -> Result<&'n [u8], StateError> {
    let outside = || damaged(format!("{owner} lies outside {zone}"));
    owner.strip_suffix(zone).ok_or_else(outside)
}

fn item(version: u8, body: &[u8]) -> Result<Item, StateError> {
    codec::decode_item(version, body).map_err(damaged)
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

pub(crate) fn damaged(why: impl std::fmt::Display) -> StateError {
    StateError::Damaged(why.to_string())
}

/// The parts of one number, in order.
pub(crate) const PARTS: &str = "SELECT body, sum, part FROM part WHERE import = ?1 ORDER BY part";
/// Whether one RRset has changed since the parts of its zone were written.
pub(crate) const ONE_CHANGE: &str =
    "SELECT 1 FROM rrset WHERE zone = ?1 AND owner = ?2 AND type = ?3";
/// Changes that are handed out at once.
const DELTAS: usize = 1000;
