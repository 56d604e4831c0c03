//! What each fact does to the tables: the same as it does to memory.

use std::collections::HashMap;

use account::{Entity, Timestamp};
use rusqlite::{Connection, OptionalExtension, Params, params};
use store::{Fact, ImportId, Item, Pos, codec};
use wire::{Name, Rrset, Rtype, Serial};
use zone::Delta;

use crate::rows::sql_pos;
use crate::state::{self, StateError, damaged, entity_key, entity_row, sum};

type Done = Result<(), StateError>;

/// Folds facts within one transaction.
pub(crate) struct Folder<'c> {
    connection: &'c Connection,
    /// Numbers of zones looked up before.
    zones: HashMap<Name, i64>,
    body: Vec<u8>,
    /// Rows in all tables.
    rows: u64,
}

impl<'c> Folder<'c> {
    /// Goes on from tables with so many rows.
    pub(crate) fn new(connection: &'c Connection, rows: u64) -> Folder<'c> {
        Folder { connection, zones: HashMap::new(), body: Vec::new(), rows }
    }

    /// How many rows there are now.
    pub(crate) fn finish(self) -> u64 {
        self.rows
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

    pub(crate) fn fact(&mut self, fact: &Fact) -> Done {
        match fact {
            Fact::Changed { zone, serial, deltas, .. } => self.changed(zone, *serial, deltas),
            Fact::Entity { after: Some(entity), .. } => self.put_entity(entity),
            Fact::Entity { before: Some(entity), after: None } => self.remove_entity(entity),
            Fact::Entity { before: None, after: None } => Ok(()),
            Fact::ZoneDropped { zone } => self.drop_zone(zone),
            Fact::Staged { import, zone, rrsets } => self.stage(*import, zone, rrsets),
            Fact::Imported { import, zone, serial } => self.import(*import, zone, *serial),
            Fact::ImportDropped { import } => self.drop_import(*import),
            Fact::Seen { hosts } => hosts.iter().try_for_each(|(host, at)| self.seen(host, *at)),
        }
    }

    pub(crate) fn put_entity(&mut self, entity: &Entity) -> Done {
        let (kind, key, zone) = entity_row(entity);
        self.body.clear();
        codec::encode_item(&Item::Entity(entity.clone()), &mut self.body);
        let sum = sum(&[kind.as_bytes(), key.as_bytes(), &self.body]);
        let update =
            "UPDATE entity SET zone = ?3, body = ?4, sum = ?5 WHERE kind = ?1 AND key = ?2";
        let insert = "INSERT INTO entity (kind, key, zone, body, sum) VALUES (?1, ?2, ?3, ?4, ?5)";
        let body = std::mem::take(&mut self.body);
        self.put(update, insert, (kind, &key, &zone, &body, sum))?;
        self.body = body;
        Ok(())
    }

    pub(crate) fn put_zone(&mut self, apex: &Name, serial: Serial) -> Done {
        let update = "UPDATE zone SET serial = ?2, sum = ?3 WHERE apex = ?1";
        let insert = "INSERT INTO zone (apex, serial, sum) VALUES (?1, ?2, ?3)";
        let apex = apex.to_lowercase().to_string();
        let sum = sum(&[apex.as_bytes(), &serial.0.to_be_bytes()]);
        self.put(update, insert, (&apex, serial.0, sum))
    }

    pub(crate) fn load_rrset(
        &mut self,
        zone: &Name,
        owner: &Name,
        rtype: Rtype,
        rrset: &Rrset,
    ) -> Done {
        match self.zone_id(zone)? {
            Some(id) => self.put_rrset(id, zone, owner, (rtype, Some(rrset))),
            None => Ok(()),
        }
    }

    pub(crate) fn stage(
        &mut self,
        import: ImportId,
        zone: &Name,
        rrsets: &[(Name, Rtype, Rrset)],
    ) -> Done {
        let item = Item::Staged { import, zone: zone.clone(), rrsets: rrsets.to_vec() };
        self.body.clear();
        codec::encode_item(&item, &mut self.body);
        let sql = "INSERT INTO staged (import, part, body, sum)
            VALUES (?1, (SELECT count(*) FROM staged WHERE import = ?1), ?2, ?3)";
        let import = sql_pos(Pos(import.0));
        let sum = sum(&[&self.body]);
        self.connection.prepare_cached(sql)?.execute(params![import, self.body, sum])?;
        self.rows += 1;
        Ok(())
    }

    fn changed(&mut self, zone: &Name, serial: Serial, deltas: &[Delta]) -> Done {
        let Some(id) = self.zone_id(zone)? else { return Ok(()) };
        for delta in deltas {
            self.put_rrset(id, zone, &delta.owner, (delta.rtype, delta.after.as_ref()))?;
        }
        self.put_zone(zone, serial)
    }

    fn put_rrset(
        &mut self,
        zone_id: i64,
        zone: &Name,
        owner: &Name,
        (rtype, rrset): (Rtype, Option<&Rrset>),
    ) -> Done {
        let owner = owner.to_lowercase();
        let outside = || damaged(format!("{owner} lies outside {zone}"));
        let relative = owner.strip_suffix(zone).ok_or_else(outside)?;
        let Some(rrset) = rrset else {
            let sql = "DELETE FROM rrset WHERE zone = ?1 AND owner = ?2 AND type = ?3";
            return self.delete(sql, params![zone_id, relative, rtype.0]);
        };
        self.body.clear();
        codec::encode_rrset(rrset, &mut self.body);
        let sum = sum(&[relative, &rtype.0.to_be_bytes(), &self.body]);
        let update = "UPDATE rrset SET body = ?4, sum = ?5
            WHERE zone = ?1 AND owner = ?2 AND type = ?3";
        let insert = "INSERT INTO rrset (zone, owner, type, body, sum) VALUES (?1, ?2, ?3, ?4, ?5)";
        let body = std::mem::take(&mut self.body);
        self.put(update, insert, (zone_id, relative, rtype.0, &body, sum))?;
        self.body = body;
        Ok(())
    }

    fn remove_entity(&mut self, entity: &Entity) -> Done {
        let (kind, key) = entity_key(&entity.key());
        self.delete("DELETE FROM entity WHERE kind = ?1 AND key = ?2", params![kind, key])
    }

    fn drop_zone(&mut self, zone: &Name) -> Done {
        if let Some(id) = self.zone_id(zone)? {
            self.delete("DELETE FROM rrset WHERE zone = ?1", [id])?;
            self.delete("DELETE FROM zone WHERE id = ?1", [id])?;
            self.zones.clear();
        }
        let apex = zone.to_lowercase().to_string();
        self.delete("DELETE FROM entity WHERE zone = ?1", [apex])
    }

    fn import(&mut self, import: ImportId, zone: &Name, serial: Serial) -> Done {
        let mut parts = Vec::new();
        state::staged(self.connection, import, |item| {
            parts.push(item);
            Ok(())
        })?;
        if parts.is_empty() {
            return Ok(());
        }
        if let Some(id) = self.zone_id(zone)? {
            self.delete("DELETE FROM rrset WHERE zone = ?1", [id])?;
        }
        self.put_zone(zone, serial)?;
        let id = self.zone_id(zone)?.ok_or_else(|| damaged("a zone that was just written"))?;
        for part in parts {
            let Item::Staged { rrsets, .. } = part else { continue };
            for (owner, rtype, rrset) in &rrsets {
                self.put_rrset(id, zone, owner, (*rtype, Some(rrset)))?;
            }
        }
        self.drop_import(import)
    }

    fn drop_import(&mut self, import: ImportId) -> Done {
        let import = sql_pos(Pos(import.0));
        self.delete("DELETE FROM staged WHERE import = ?1", [import])
    }

    fn seen(&mut self, host: &Name, at: Timestamp) -> Done {
        let key = host.to_lowercase().to_string();
        match state::entity(self.connection, "host", &key)? {
            None => Ok(()),
            Some(Item::Entity(Entity::Host(mut host))) => {
                host.last_seen = host.last_seen.max(Some(at));
                self.put_entity(&Entity::Host(host))
            }
            Some(_) => Err(damaged("a host that is none")),
        }
    }

    fn zone_id(&mut self, zone: &Name) -> Result<Option<i64>, StateError> {
        if let Some(&id) = self.zones.get(zone) {
            return Ok(Some(id));
        }
        let sql = "SELECT id FROM zone WHERE apex = ?1";
        let apex = zone.to_lowercase().to_string();
        let mut select = self.connection.prepare_cached(sql)?;
        let id = select.query_row([apex], |row| row.get(0)).optional()?;
        if let Some(id) = id {
            self.zones.insert(zone.clone(), id);
        }
        Ok(id)
    }
}
