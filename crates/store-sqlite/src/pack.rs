//! Packing what has changed in a zone back into its base: a start reads parts several times as fast
//! as rows.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use rusqlite::{Connection, params};
use store::{Item, PartOwner, PartSet, PartWriter};
use wire::{Name, Rdata, Rtype};

use crate::folder::{Folder, PART_OCTETS};
use crate::load::{self, ZoneRow, damaged};
use crate::state::StateError;

/// Zones in which so much has changed that it is worth writing them anew.
pub(crate) fn worth(
    connection: &Connection,
    least: (u64, u64),
) -> Result<Vec<ZoneRow>, StateError> {
    let mut zones = load::zones(connection)?;
    let mut failed = None;
    zones.retain(|zone| {
        is_worth(connection, zone, least).unwrap_or_else(|why| {
            failed = Some(why);
            false
        })
    });
    failed.map_or(Ok(zones), |why| Err(why.into()))
}

fn is_worth(
    connection: &Connection,
    zone: &ZoneRow,
    (rows_least, share): (u64, u64),
) -> Result<bool, rusqlite::Error> {
    let Some(base) = zone.base else { return Ok(false) };
    let count = |sql: &str, of: i64| -> Result<u64, rusqlite::Error> {
        let count: i64 = connection.prepare_cached(sql)?.query_row([of], |row| row.get(0))?;
        Ok(count.cast_unsigned())
    };
    let rows = count("SELECT count(*) FROM rrset WHERE zone = ?1", zone.id)?;
    let sql = "SELECT coalesce(sum(length(body)), 0) FROM part WHERE import = ?1";
    Ok(rows >= rows_least && rows * ROW_OCTETS * share >= count(sql, base)?)
}

/// Writes the base of a zone anew, with what has changed, within a transaction; whether `go_on` said
/// yes to the end. What was done is to be rolled back otherwise.
pub(crate) fn pack(
    folder: &mut Folder<'_>,
    connection: &Connection,
    zone: &ZoneRow,
    go_on: &dyn Fn() -> bool,
) -> Result<bool, StateError> {
    let Some(old) = zone.base else { return Ok(true) };
    // Both numbers are those of no import.
    let (even, odd) = (-2 * zone.id, -2 * zone.id - 1);
    let new = if old == even { odd } else { even };
    let changed = Changed::of(connection, zone.id)?;
    let mut writer = PartWriter::default();
    let mut select = connection.prepare_cached(load::PARTS)?;
    let mut parts = select.query([old])?;
    while let Some(row) = parts.next()? {
        if !go_on() {
            return Ok(false);
        }
        let Item::Staged { part, .. } = load::read_part(row, old)? else {
            return Err(damaged("a part of a zone is something else"));
        };
        for set in part.sets() {
            push_unless_changed(&mut writer, &set, &changed, &zone.apex)?;
            put_full(folder, &mut writer, new, &zone.apex)?;
        }
    }
    load::changes(connection, zone, &mut |deltas| {
        for delta in deltas {
            let Some(rrset) = delta.after else { continue };
            let below = load::relative(&delta.owner, &zone.apex)?;
            let records = rrset.rdata.iter().map(Rdata::as_wire);
            writer.push(below, delta.rtype, rrset.ttl_s, records);
            put_full(folder, &mut writer, new, &zone.apex)?;
        }
        Ok(())
    })?;
    if !writer.is_empty() {
        folder.put_part(new, &zone.apex, &writer.finish())?;
    }
    folder.rebase(zone, new)?;
    Ok(go_on())
}

fn push_unless_changed(
    writer: &mut PartWriter,
    set: &PartSet<'_>,
    changed: &Changed<'_>,
    apex: &Name,
) -> Result<(), StateError> {
    let mut folded = [0; 255];
    let name;
    let below = match set.owner {
        PartOwner::Below(below) => wire::fold_into(below, &mut folded),
        PartOwner::Whole(_) => {
            name = set.owner.name(apex).ok_or_else(|| damaged("a name in a part"))?.to_lowercase();
            load::relative(&name, apex)?
        }
    };
    if !changed.holds(below, set.rtype)? {
        writer.push(below, set.rtype, set.ttl_s, set.records());
    }
    Ok(())
}

fn put_full(
    folder: &mut Folder<'_>,
    writer: &mut PartWriter,
    number: i64,
    apex: &Name,
) -> Result<(), StateError> {
    if writer.octets() < PART_OCTETS {
        return Ok(());
    }
    folder.put_part(number, apex, &writer.finish())
}

/// The RRsets that have changed, by hash; a hit is looked up.
struct Changed<'c> {
    connection: &'c Connection,
    zone_id: i64,
    hashes: HashSet<u64>,
    hasher: RandomState,
}

impl<'c> Changed<'c> {
    fn of(connection: &'c Connection, zone_id: i64) -> Result<Changed<'c>, StateError> {
        let hasher = RandomState::new();
        let mut select =
            connection.prepare_cached("SELECT owner, type FROM rrset WHERE zone = ?1")?;
        let hashes = select.query_and_then([zone_id], |row| {
            let owner = row.get_ref(0)?.as_blob().map_err(damaged)?;
            Ok(hasher.hash_one((owner, row.get::<_, u16>(1)?)))
        })?;
        let hashes = hashes.collect::<Result<_, StateError>>()?;
        Ok(Changed { connection, zone_id, hashes, hasher })
    }

    fn holds(&self, below: &[u8], rtype: Rtype) -> Result<bool, StateError> {
        if !self.hashes.contains(&self.hasher.hash_one((below, rtype.0))) {
            return Ok(false);
        }
        let mut select = self.connection.prepare_cached(load::ONE_CHANGE)?;
        Ok(select.exists(params![self.zone_id, below, rtype.0])?)
    }
}

/// About as many octets of a part does a row become.
const ROW_OCTETS: u64 = 24;
