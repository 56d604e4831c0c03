//! What each fact does to the tables: the same as it does to memory.

use std::collections::HashMap;

use account::{Entity, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};
use store::{Fact, ImportId, Item, Pos, codec};
use wire::{Name, Rrset, Rtype, Serial};
use zone::Delta;

use crate::log::sql_pos;
use crate::state::{self, StateError, damaged, entity_key, entity_row};

/// Folds facts within one transaction.
pub(crate) struct Folder<'c> {
    connection: &'c Connection,
    /// Numbers of zones looked up before.
    zones: HashMap<Name, i64>,
    body: Vec<u8>,
}

impl<'c> Folder<'c> {
    pub(crate) fn new(connection: &'c Connection) -> Folder<'c> {
        Folder { connection, zones: HashMap::new(), body: Vec::new() }
    }

    pub(crate) fn fact(&mut self, fact: &Fact) -> Result<(), StateError> {
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

    pub(crate) fn put_entity(&mut self, entity: &Entity) -> Result<(), StateError> {
        let (kind, key, zone) = entity_row(entity);
        self.body.clear();
        codec::encode_item(&Item::Entity(entity.clone()), &mut self.body);
        let sql = "INSERT OR REPLACE INTO entity (kind, key, zone, body) VALUES (?1, ?2, ?3, ?4)";
        self.connection.prepare_cached(sql)?.execute(params![kind, key, zone, self.body])?;
        Ok(())
    }

    pub(crate) fn put_zone(&mut self, apex: &Name, serial: Serial) -> Result<(), StateError> {
        let sql = "INSERT INTO zone (apex, serial) VALUES (?1, ?2)
            ON CONFLICT (apex) DO UPDATE SET serial = excluded.serial";
        let apex = apex.to_lowercase().to_string();
        self.connection.prepare_cached(sql)?.execute(params![apex, serial.0])?;
        Ok(())
    }

    pub(crate) fn load_rrset(
        &mut self,
        zone: &Name,
        owner: &Name,
        rtype: Rtype,
        rrset: &Rrset,
    ) -> Result<(), StateError> {
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
    ) -> Result<(), StateError> {
        let item = Item::Staged { import, zone: zone.clone(), rrsets: rrsets.to_vec() };
        self.body.clear();
        codec::encode_item(&item, &mut self.body);
        let sql = "INSERT INTO staged (import, part, body)
            VALUES (?1, (SELECT count(*) FROM staged WHERE import = ?1), ?2)";
        let import = sql_pos(Pos(import.0));
        self.connection.prepare_cached(sql)?.execute(params![import, self.body])?;
        Ok(())
    }

    fn changed(&mut self, zone: &Name, serial: Serial, deltas: &[Delta]) -> Result<(), StateError> {
        let Some(id) = self.zone_id(zone)? else { return Ok(()) };
        for delta in deltas {
            self.put_rrset(id, zone, &delta.owner, (delta.rtype, delta.after.as_ref()))?;
        }
        let sql = "UPDATE zone SET serial = ?2 WHERE id = ?1";
        self.connection.prepare_cached(sql)?.execute(params![id, serial.0])?;
        Ok(())
    }

    fn put_rrset(
        &mut self,
        zone_id: i64,
        zone: &Name,
        owner: &Name,
        (rtype, rrset): (Rtype, Option<&Rrset>),
    ) -> Result<(), StateError> {
        let owner = owner.to_lowercase();
        let outside = || damaged(format!("{owner} lies outside {zone}"));
        let relative = owner.strip_suffix(zone).ok_or_else(outside)?;
        let Some(rrset) = rrset else {
            let sql = "DELETE FROM rrset WHERE zone = ?1 AND owner = ?2 AND type = ?3";
            let mut delete = self.connection.prepare_cached(sql)?;
            delete.execute(params![zone_id, relative, rtype.0])?;
            return Ok(());
        };
        self.body.clear();
        codec::encode_rrset(rrset, &mut self.body);
        let sql = "INSERT OR REPLACE INTO rrset (zone, owner, type, body) VALUES (?1, ?2, ?3, ?4)";
        let mut insert = self.connection.prepare_cached(sql)?;
        insert.execute(params![zone_id, relative, rtype.0, self.body])?;
        Ok(())
    }

    fn remove_entity(&mut self, entity: &Entity) -> Result<(), StateError> {
        let (kind, key) = entity_key(&entity.key());
        let sql = "DELETE FROM entity WHERE kind = ?1 AND key = ?2";
        self.connection.prepare_cached(sql)?.execute(params![kind, key])?;
        Ok(())
    }

    fn drop_zone(&mut self, zone: &Name) -> Result<(), StateError> {
        if let Some(id) = self.zone_id(zone)? {
            self.connection.execute("DELETE FROM rrset WHERE zone = ?1", [id])?;
            self.connection.execute("DELETE FROM zone WHERE id = ?1", [id])?;
            self.zones.clear();
        }
        let apex = zone.to_lowercase().to_string();
        self.connection.execute("DELETE FROM entity WHERE zone = ?1", [apex])?;
        Ok(())
    }

    fn import(&mut self, import: ImportId, zone: &Name, serial: Serial) -> Result<(), StateError> {
        let mut parts = Vec::new();
        state::staged(self.connection, import, |item| {
            parts.push(item);
            Ok(())
        })?;
        if parts.is_empty() {
            return Ok(());
        }
        if let Some(id) = self.zone_id(zone)? {
            self.connection.execute("DELETE FROM rrset WHERE zone = ?1", [id])?;
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

    fn drop_import(&mut self, import: ImportId) -> Result<(), StateError> {
        let import = sql_pos(Pos(import.0));
        self.connection.execute("DELETE FROM staged WHERE import = ?1", [import])?;
        Ok(())
    }

    fn seen(&mut self, host: &Name, at: Timestamp) -> Result<(), StateError> {
        let sql = "SELECT body FROM entity WHERE kind = 'host' AND key = ?1";
        let key = host.to_lowercase().to_string();
        let mut select = self.connection.prepare_cached(sql)?;
        let found: Option<Vec<u8>> = select.query_row([&key], |row| row.get(0)).optional()?;
        let Some(body) = found else { return Ok(()) };
        match codec::decode_item(codec::VERSION, &body).map_err(damaged)? {
            Item::Entity(Entity::Host(mut host)) => {
                host.last_seen = host.last_seen.max(Some(at));
                self.put_entity(&Entity::Host(host))
            }
            _ => Err(damaged("a host that is none")),
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
