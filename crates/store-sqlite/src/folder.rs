//! What each fact does to the tables: the same as it does to memory.

use std::collections::HashMap;

use account::{Entity, Timestamp, TokenId};
use rusqlite::{Connection, Params, params};
use store::{Fact, ImportId, Item, Part, PartWriter, Pos, RecordLease, codec};
use wire::{Name, Rdata, Rrset, Rtype, Serial};
use zone::Delta;

use crate::gather::Gathered;
use crate::load::{
    self, ZoneRow, damaged, entity_key, entity_row, lease_sum, relative, sum, version_octets,
    zone_sum,
};
use crate::rows::sql_pos;
use crate::state::StateError;

type Done = Result<(), StateError>;

/// Folds facts within one transaction.
pub(crate) struct Folder<'c> {
    connection: &'c Connection,
    /// Zones looked up before: number, and that of the base.
    zones: HashMap<Name, (i64, Option<i64>)>,
    body: Vec<u8>,
    /// RRsets of one zone that become a part of its base.
    gathered: Option<(Name, PartWriter)>,
    /// Whether there may be leases; looked up once.
    may_lease: Option<bool>,
    /// Rows in all tables.
    rows: u64,
}

impl<'c> Folder<'c> {
    /// Goes on from tables with so many rows.
    pub(crate) fn new(connection: &'c Connection, rows: u64) -> Folder<'c> {
        Folder {
            connection,
            zones: HashMap::new(),
            body: Vec::new(),
            gathered: None,
            may_lease: None,
            rows,
        }
    }

    /// How many rows there are now.
    pub(crate) fn finish(self) -> u64 {
        self.rows
    }

    /// Writes the changes that were gathered, which are none any more then.
    pub(crate) fn write(&mut self, gathered: &mut Gathered) -> Done {
        for of_zone in gathered.by_zone() {
            // A zone that is not known went after the change.
            let Some((id, base)) = self.zone(of_zone.zone)? else { continue };
            let (more, gone) = of_zone.write(self.connection, (id, base.is_some()))?;
            self.rows = (self.rows + more).saturating_sub(gone);
            self.put_zone(of_zone.zone, of_zone.serial)?;
        }
        gathered.clear();
        Ok(())
    }

    /// Writes a row: over the one with its key, which is there more often than not, else as a new
    /// one. Both statements take the same values.
    fn put(&mut self, update: &str, insert: &str, values: impl Params + Clone) -> Done {
        if self.connection.prepare_cached(update)?.execute(values.clone())? == 0 {
            self.connection.prepare_cached(insert)?.execute(values)?;
            self.rows += 1;
        }
        Ok(())
    }

    fn delete(&mut self, sql: &str, values: impl Params) -> Done {
        let gone = self.connection.prepare_cached(sql)?.execute(values)?;
        self.rows = self.rows.saturating_sub(gone as u64);
        Ok(())
    }

    /// Folds a fact; changes of RRsets are gathered, and written before anything that rests on them.
    pub(crate) fn fact(&mut self, fact: &Fact, gathered: &mut Gathered) -> Done {
        let rests = match fact {
            Fact::Changed { .. }
            | Fact::Entity { .. }
            | Fact::Seen { .. }
            | Fact::Used { .. }
            | Fact::Leased { .. } => false,
            Fact::ZoneDropped { .. }
            | Fact::Staged { .. }
            | Fact::Imported { .. }
            | Fact::ImportDropped { .. } => true,
        };
        if rests {
            self.write(gathered)?;
        }
        match fact {
            Fact::Changed { zone, serial, deltas, .. } => {
                self.end_leases(zone, deltas)?;
                gathered.change(zone, *serial, deltas)
            }
            Fact::Entity { after: Some(entity), .. } => self.put_entity(entity),
            Fact::Entity { before: Some(entity), after: None } => self.remove_entity(entity),
            Fact::Entity { before: None, after: None } => Ok(()),
            Fact::ZoneDropped { zone } => self.drop_zone(zone),
            Fact::Staged { import, zone, part } => self.stage(*import, zone, part),
            Fact::Imported { import, zone, serial } => self.import(*import, zone, *serial),
            Fact::ImportDropped { import } => self.drop_import(*import),
            Fact::Seen { hosts } => hosts.iter().try_for_each(|(host, at)| self.seen(host, *at)),
            Fact::Used { tokens } => tokens.iter().try_for_each(|(id, at)| self.used(*id, *at)),
            Fact::Leased { zone, leases } => self.leased(zone, leases),
        }
    }

    pub(crate) fn put_entity(&mut self, entity: &Entity) -> Done {
        let (kind, key, zone) = entity_row(entity);
        self.body.clear();
        codec::encode_item(&Item::Entity(entity.clone()), &mut self.body);
        let in_zone = zone.as_deref().unwrap_or_default().as_bytes();
        let version = codec::VERSION;
        let version_octets = version_octets(&version);
        let sum = sum(&[version_octets, kind.as_bytes(), key.as_bytes(), in_zone, &self.body]);
        let update = "UPDATE entity SET zone = ?3, body = ?4, version = ?5, sum = ?6
            WHERE kind = ?1 AND key = ?2";
        let insert = "INSERT INTO entity (kind, key, zone, body, version, sum)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let body = std::mem::take(&mut self.body);
        self.put(update, insert, (kind, &key, &zone, &body, version, sum))?;
        self.body = body;
        Ok(())
    }

    /// Writes the serial of a zone, which is made when it is not there.
    pub(crate) fn put_zone(&mut self, apex: &Name, serial: Serial) -> Done {
        let base = self.zone(apex)?.and_then(|(_, base)| base);
        self.put_zone_row(apex, serial, base)
    }

    fn put_zone_row(&mut self, apex: &Name, serial: Serial, base: Option<i64>) -> Done {
        let id = match self.zone(apex)? {
            Some((id, _)) => id,
            None => {
                let sql = "SELECT coalesce(max(id), 0) + 1 FROM zone";
                self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?
            }
        };
        let update = "UPDATE zone SET apex = ?2, serial = ?3, base = ?4, sum = ?5 WHERE id = ?1";
        let insert = "INSERT INTO zone (id, apex, serial, base, sum) VALUES (?1, ?2, ?3, ?4, ?5)";
        let text = apex.to_lowercase().to_string();
        let sum = zone_sum(id, &text, serial, base);
        self.put(update, insert, (id, &text, serial.0, base, sum))?;
        self.zones.insert(apex.clone(), (id, base));
        Ok(())
    }

    /// Takes an RRset of a snapshot into the base of its zone, sooner or later.
    pub(crate) fn gather(
        &mut self,
        zone: &Name,
        owner: &Name,
        rtype: Rtype,
        rrset: &Rrset,
    ) -> Done {
        let is_other = |(of, part): &(Name, PartWriter)| of != zone || part.octets() > PART_OCTETS;
        if self.gathered.as_ref().is_some_and(is_other) {
            self.put_gathered()?;
        }
        let owner = owner.to_lowercase();
        let below = relative(&owner, zone)?;
        let (_, part) = self.gathered.get_or_insert_with(|| (zone.clone(), PartWriter::default()));
        part.push(below, rtype, rrset.ttl_s, rrset.rdata.iter().map(Rdata::as_wire));
        Ok(())
    }

    /// Writes what was gathered.
    pub(crate) fn put_gathered(&mut self) -> Done {
        let Some((zone, mut part)) = self.gathered.take() else { return Ok(()) };
        let Some(ZoneRow { id, serial, base, .. }) = load::zone_row(self.connection, &zone)? else {
            return Ok(());
        };
        let number = base.unwrap_or(-2 * id);
        self.put_part(number, &zone, &part.finish())?;
        self.put_zone_row(&zone, serial, Some(number))
    }

    pub(crate) fn stage(&mut self, import: ImportId, zone: &Name, part: &Part) -> Done {
        self.put_part(sql_pos(Pos(import.0)), zone, part)
    }

    /// Appends a part to those of a number.
    pub(crate) fn put_part(&mut self, number: i64, zone: &Name, part: &Part) -> Done {
        let import = ImportId(number.cast_unsigned());
        let item = Item::Staged { import, zone: zone.clone(), part: part.clone() };
        self.body.clear();
        codec::encode_item(&item, &mut self.body);
        let place = load::next_part(self.connection, number)?;
        let sum = sum(&[&number.to_be_bytes(), &place.to_be_bytes(), &self.body]);
        let sql = "INSERT INTO part (import, part, body, sum) VALUES (?1, ?2, ?3, ?4)";
        let values = params![number, place, self.body, sum];
        self.connection.prepare_cached(sql)?.execute(values)?;
        self.rows += 1;
        Ok(())
    }

    /// Writes leases of records of a zone; those of 0 seconds are removed.
    pub(crate) fn leased(&mut self, zone: &Name, leases: &[RecordLease]) -> Done {
        let Some((id, _)) = self.zone(zone)? else { return Ok(()) };
        for lease in leases {
            let lease = lease.canonical();
            let owner = relative(&lease.owner, zone)?;
            let rdata = lease.rdata.as_wire();
            if lease.lease_s == 0 {
                self.delete(DELETE_LEASE, params![id, owner, lease.rtype.0, rdata])?;
                continue;
            }
            let sum = lease_sum(id, owner, &lease);
            let update = "UPDATE lease SET since = ?5, lease_s = ?6, until = ?7, sum = ?8
                WHERE zone = ?1 AND owner = ?2 AND type = ?3 AND rdata = ?4";
            let insert = "INSERT INTO lease (zone, owner, type, rdata, since, lease_s, until, sum)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
            let (from, until) = (lease.from.0, lease.until.0);
            let key = (id, owner, lease.rtype.0, rdata);
            let values = (key.0, key.1, key.2, key.3, from, lease.lease_s, until, sum);
            self.put(update, insert, values)?;
            self.may_lease = Some(true);
        }
        Ok(())
    }

    /// The leases of records end when the records go.
    fn end_leases(&mut self, zone: &Name, deltas: &[Delta]) -> Done {
        if !self.may_lease()? {
            return Ok(());
        }
        let Some((id, _)) = self.zone(zone)? else { return Ok(()) };
        deltas.iter().try_for_each(|delta| self.end_leases_of(id, zone, delta))
    }

    fn end_leases_of(&mut self, id: i64, zone: &Name, delta: &Delta) -> Done {
        let owner = delta.owner.to_lowercase();
        let owner = relative(&owner, zone)?;
        let mut select = self.connection.prepare_cached(LEASED_RECORDS)?;
        let leased = select.query_map(params![id, owner, delta.rtype.0], |row| row.get(0))?;
        let leased = leased.collect::<Result<Vec<Vec<u8>>, _>>()?;
        drop(select);
        if leased.is_empty() {
            return Ok(());
        }
        let after = delta.after.as_ref().map_or(&[][..], |rrset| &rrset.rdata);
        let kept: Vec<Rdata> = after.iter().map(|rdata| rdata.canonical(delta.rtype)).collect();
        for rdata in leased {
            if !kept.iter().any(|kept| kept.as_wire() == rdata) {
                self.delete(DELETE_LEASE, params![id, owner, delta.rtype.0, rdata])?;
            }
        }
        Ok(())
    }

    /// Whether there may be leases.
    pub(crate) fn may_lease(&mut self) -> Result<bool, StateError> {
        if let Some(known) = self.may_lease {
            return Ok(known);
        }
        let found = self.connection.prepare_cached("SELECT 1 FROM lease LIMIT 1")?.exists([])?;
        self.may_lease = Some(found);
        Ok(found)
    }

    fn remove_entity(&mut self, entity: &Entity) -> Done {
        let (kind, key) = entity_key(&entity.key());
        self.delete("DELETE FROM entity WHERE kind = ?1 AND key = ?2", params![kind, key])
    }

    fn drop_zone(&mut self, zone: &Name) -> Done {
        if let Some(row) = self.zone(zone)? {
            self.empty_zone(row)?;
            self.delete(DELETE_LEASES, [row.0])?;
            self.delete("DELETE FROM zone WHERE id = ?1", [row.0])?;
            self.zones.clear();
        }
        let apex = zone.to_lowercase().to_string();
        self.delete("DELETE FROM entity WHERE zone = ?1", [apex])
    }

    fn empty_zone(&mut self, (id, base): (i64, Option<i64>)) -> Done {
        self.delete("DELETE FROM rrset WHERE zone = ?1", [id])?;
        base.map_or(Ok(()), |base| self.drop_parts(base))
    }

    /// Gives a zone another base, in which everything is that has changed since the old one.
    pub(crate) fn rebase(&mut self, zone: &ZoneRow, base: i64) -> Done {
        self.empty_zone((zone.id, zone.base))?;
        self.put_zone_row(&zone.apex, zone.serial, Some(base))
    }

    /// The parts stay where they are and become the base of the zone.
    fn import(&mut self, import: ImportId, zone: &Name, serial: Serial) -> Done {
        let number = sql_pos(Pos(import.0));
        if !load::has_parts(self.connection, number)? {
            return Ok(());
        }
        if let Some(row) = self.zone(zone)? {
            self.empty_zone(row)?;
            self.delete(DELETE_LEASES, [row.0])?;
        }
        self.put_zone_row(zone, serial, Some(number))
    }

    fn drop_import(&mut self, import: ImportId) -> Done {
        self.drop_parts(sql_pos(Pos(import.0)))
    }

    fn drop_parts(&mut self, number: i64) -> Done {
        self.delete("DELETE FROM part WHERE import = ?1", [number])
    }

    fn seen(&mut self, host: &Name, at: Timestamp) -> Done {
        let key = host.to_lowercase().to_string();
        match load::entity(self.connection, "host", &key)? {
            None => Ok(()),
            Some(Item::Entity(Entity::Host(mut host))) => {
                host.last_seen = host.last_seen.max(Some(at));
                self.put_entity(&Entity::Host(host))
            }
            Some(_) => Err(damaged("a host that is none")),
        }
    }

    fn used(&mut self, token: TokenId, at: Timestamp) -> Done {
        match load::entity(self.connection, "token", &token.0.to_string())? {
            None => Ok(()),
            Some(Item::Entity(Entity::Token(mut token))) => {
                token.last_used = token.last_used.max(Some(at));
                self.put_entity(&Entity::Token(token))
            }
            Some(_) => Err(damaged("a token that is none")),
        }
    }

    /// Number of a zone, and that of its base.
    fn zone(&mut self, zone: &Name) -> Result<Option<(i64, Option<i64>)>, StateError> {
        if let Some(&row) = self.zones.get(zone) {
            return Ok(Some(row));
        }
        let row = load::zone_row(self.connection, zone)?.map(|row| (row.id, row.base));
        if let Some(row) = row {
            self.zones.insert(zone.clone(), row);
        }
        Ok(row)
    }
}

/// The records of an RRset that have a lease.
const LEASED_RECORDS: &str = "SELECT rdata FROM lease WHERE zone = ?1 AND owner = ?2 AND type = ?3";
/// The end of one lease.
const DELETE_LEASE: &str =
    "DELETE FROM lease WHERE zone = ?1 AND owner = ?2 AND type = ?3 AND rdata = ?4";
/// The end of all leases of a zone.
const DELETE_LEASES: &str = "DELETE FROM lease WHERE zone = ?1";
/// Octets from which a part that is gathered is written.
pub(crate) const PART_OCTETS: usize = 1024 * 1024;
