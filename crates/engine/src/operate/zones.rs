//! Zones and imports.

use std::collections::BTreeSet;

use account::{Directory, Entity, Scavenge, TsigKey, ZoneEntry};
use store::{Fact, ImportId, Part, PartOwner, PartSet};
use wire::{Name, Rdata, Rtype};

use super::{Operate, changed, check_ttl, created, removed, replaced};
use crate::engine::Judged;
use crate::request::{NewZone, Refused, ZonePatch};

impl Operate<'_> {
    pub(super) fn add_zone(&self, new: &NewZone) -> Result<Judged, Refused> {
        let directory = self.live.directory();
        if directory.zone(&new.apex).is_some() {
            return Err(Refused::Exists("zone"));
        }
        let zone = new.apex.to_lowercase();
        let part = Part::pack(&zone, &new.rrsets);
        check_part(&zone, &part)?;
        let has = |rtype| new.rrsets.iter().any(|(o, t, _)| *o == new.apex && *t == rtype);
        if !has(Rtype::SOA) || !has(Rtype::NS) {
            return Err(Refused::Invalid("a zone needs a SOA and an NS record at its apex"));
        }
        let entity = self.zone_entity(&directory, new)?;
        // An import of one part: the zone becomes visible whole.
        let import = ImportId(self.next_pos.0);
        Ok(Judged {
            facts: vec![
                created(Entity::Zone(entity)),
                Fact::Staged { import, zone: zone.clone(), part },
                Fact::Imported { import, zone, serial: new.serial },
            ],
            serial: Some(new.serial),
            made: None,
        })
    }

    fn zone_entity(&self, directory: &Directory, new: &NewZone) -> Result<ZoneEntry, Refused> {
        directory.account(new.account).ok_or(Refused::Missing("account"))?;
        check_ttl(new.host_ttl_s)?;
        // A host is updated in the zone that it was made in. If that no longer answered for its
        // name, its updates would be acknowledged and never seen.
        let mut below = directory.hosts(Some(&new.apex), None);
        if below.any(|host| !host.zone.is_subdomain_of(&new.apex)) {
            return Err(Refused::Invalid("hosts of the zone above lie in it: remove them first"));
        }
        Ok(ZoneEntry {
            suffix: new.suffix,
            host_ttl_s: new.host_ttl_s,
            ..ZoneEntry::new(new.apex.to_lowercase(), new.account, self.at)
        })
    }

    pub(super) fn set_zone(&self, apex: &Name, policy: &ZonePatch) -> Result<Judged, Refused> {
        let directory = self.live.directory();
        let zone = directory.zone(apex).ok_or(Refused::Missing("zone"))?;
        let scavenge = policy.scavenge.unwrap_or(zone.scavenge);
        scavenge.map_or(Ok(()), check_scavenge)?;
        let reserved = policy.reserved.as_ref().map(|labels| reserved(labels)).transpose()?;
        let quarantine_s = policy.quarantine_s.unwrap_or(zone.quarantine_s);
        if quarantine_s.is_some_and(|seconds| seconds > QUARANTINE_S_MAX) {
            return Err(Refused::Invalid("a name is kept from others for ten years at most"));
        }
        let ttl_min_s = policy.ttl_min_s.unwrap_or(zone.ttl_min_s);
        check_ttl(ttl_min_s)?;
        let reserved = reserved.unwrap_or_else(|| zone.reserved.clone());
        let after = ZoneEntry { scavenge, reserved, quarantine_s, ttl_min_s, ..zone.clone() };
        let facts = changed(Entity::Zone(zone.clone()), Entity::Zone(after));
        Ok(Judged { facts, ..Judged::default() })
    }

    /// Hosts go with the fact that the zone is dropped; keys lose their hold on it, so that they do
    /// not get it back with the next zone of this name.
    pub(super) fn remove_zone(&self, apex: &Name) -> Result<Judged, Refused> {
        let directory = self.live.directory();
        let zone = directory.zone(apex).ok_or(Refused::Missing("zone"))?;
        let keys = directory.keys().into_iter().filter(|key| key.zones.contains(apex));
        let mut facts: Vec<Fact> = keys.map(|key| without_zone(key, apex)).collect();
        facts.push(Fact::ZoneDropped { zone: zone.apex.clone() });
        facts.push(removed(Entity::Zone(zone.clone())));
        Ok(Judged { facts, ..Judged::default() })
    }

    pub(super) fn stage(
        &self,
        import: Option<ImportId>,
        zone: &Name,
        part: &Part,
    ) -> Result<Judged, Refused> {
        let import = match import {
            None if self.staging.len() >= IMPORTS_MAX => {
                return Err(Refused::Limit("imports at the same time"));
            }
            None => ImportId(self.next_pos.0),
            Some(import) => {
                let staged = self.staging.get(&import).ok_or(Refused::Missing("import"))?;
                if staged.zone != *zone {
                    return Err(Refused::Invalid("the import is of another zone"));
                }
                import
            }
        };
        if part.is_empty() {
            return Err(Refused::Invalid("a part of an import has at least one RRset"));
        }
        let zone = zone.to_lowercase();
        check_part(&zone, part)?;
        Ok(Judged {
            facts: vec![Fact::Staged { import, zone, part: part.clone() }],
            serial: None,
            made: Some(import.0),
        })
    }

    pub(super) fn import(&self, import: ImportId, new: &NewZone) -> Result<Judged, Refused> {
        let staged = self.staging.get(&import).ok_or(Refused::Missing("import"))?;
        if staged.zone != new.apex {
            return Err(Refused::Invalid("the import is of another zone"));
        }
        if !staged.has_soa || !staged.has_ns {
            return Err(Refused::Invalid("a zone needs a SOA and an NS record at its apex"));
        }
        let directory = self.live.directory();
        let mut facts = Vec::new();
        if directory.zone(&new.apex).is_none() {
            facts.push(created(Entity::Zone(self.zone_entity(&directory, new)?)));
        }
        // What was served before stays older (RFC 1982).
        let current = self.live.zones().get(&new.apex).map(|zone| zone.serial());
        let serial = match current {
            Some(current) if !new.serial.is_newer_than(current) => current.next(),
            Some(_) | None => new.serial,
        };
        facts.push(Fact::Imported { import, zone: new.apex.to_lowercase(), serial });
        Ok(Judged { facts, serial: Some(serial), made: None })
    }

    pub(super) fn drop_import(&self, import: ImportId) -> Result<Judged, Refused> {
        self.staging.get(&import).ok_or(Refused::Missing("import"))?;
        Ok(Judged { facts: vec![Fact::ImportDropped { import }], ..Judged::default() })
    }
}

fn without_zone(key: &TsigKey, apex: &Name) -> Fact {
    let zones: Vec<Name> = key.zones.iter().filter(|zone| *zone != apex).cloned().collect();
    if zones.is_empty() {
        return removed(Entity::Key(key.clone()));
    }
    replaced(Entity::Key(key.clone()), Entity::Key(TsigKey { zones, ..key.clone() }))
}

/// Without time for repetitions every record would go, whoever repeats it.
fn check_scavenge(scavenge: Scavenge) -> Result<(), Refused> {
    let Scavenge { no_refresh_s, refresh_s } = scavenge;
    if refresh_s == 0 || no_refresh_s.saturating_add(refresh_s) > SCAVENGE_S_MAX {
        return Err(Refused::Invalid(
            "records are scavenged after ten years at most, and can be repeated for a second at least",
        ));
    }
    Ok(())
}

/// Labels as they are kept: lower-cased, each once.
fn reserved(labels: &[String]) -> Result<Vec<String>, Refused> {
    let is_label = |label: &String| {
        let inner = label.strip_suffix('*').unwrap_or(label);
        let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-_".contains(&octet);
        (1..=63).contains(&label.len()) && inner.bytes().all(is_plain)
    };
    if labels.len() > RESERVED_MAX {
        return Err(Refused::Limit("labels that a zone reserves: 1000"));
    }
    if !labels.iter().all(is_label) {
        return Err(Refused::Invalid(
            "a reserved label is of letters, digits, `-` and `_`; with `*` at its end, all that begin so",
        ));
    }
    let labels: BTreeSet<String> = labels.iter().map(|label| label.to_ascii_lowercase()).collect();
    Ok(labels.into_iter().collect())
}

/// What can be told of one part of a zone alone.
fn check_part(zone: &Name, part: &Part) -> Result<(), Refused> {
    if part.len() > STAGE_RRSETS_MAX || part.as_octets().len() > STAGE_OCTETS_MAX {
        return Err(Refused::Limit("size of one part of an import"));
    }
    for set in part.sets() {
        let is_inside = match set.owner {
            PartOwner::Below(below) => Name::can_join(below, zone),
            PartOwner::Whole(_) => {
                set.owner.name(zone).is_some_and(|owner| owner.is_subdomain_of(zone))
            }
        };
        if !is_inside {
            return Err(Refused::Invalid("a name lies outside the zone"));
        }
        if set.rtype.is_meta() || set.records().next().is_none() {
            return Err(Refused::Invalid("a record has a type that cannot be stored"));
        }
        if set.ttl_s > TTL_S_MAX {
            return Err(Refused::Invalid("a TTL has more than 31 bits"));
        }
        if set.rtype == Rtype::SOA && !is_soa_of(zone, &set) {
            return Err(Refused::Invalid("a zone has one SOA record, at its apex"));
        }
    }
    Ok(())
}

fn is_soa_of(zone: &Name, set: &PartSet<'_>) -> bool {
    let mut records = set.records();
    let soa = records.next().and_then(|soa| Rdata::new(Rtype::SOA, soa).ok());
    soa.is_some_and(|soa| soa.soa_fields().is_some())
        && records.next().is_none()
        && set.owner.name(zone).is_some_and(|owner| owner == *zone)
}

/// Most imports that are not finished.
const IMPORTS_MAX: usize = 16;
/// Most RRsets in one part of an import.
const STAGE_RRSETS_MAX: usize = 200_000;
/// Most octets in one part of an import: it is one event, and a store takes it whole.
const STAGE_OCTETS_MAX: usize = 32 * 1024 * 1024;
/// Longest life of a record that nobody repeats, in seconds: ten years.
const SCAVENGE_S_MAX: u32 = 10 * 366 * 86_400;
/// Most labels that a zone reserves.
const RESERVED_MAX: usize = 1000;
/// Longest time that a name is kept from others, in seconds: ten years.
const QUARANTINE_S_MAX: u32 = 10 * 366 * 86_400;
/// RFC 2181 §8.
const TTL_S_MAX: u32 = (1 << 31) - 1;
