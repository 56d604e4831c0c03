//! Memory is fold(log): making events and snapshot items part of the visible state.

use std::convert::Infallible;
use std::sync::Arc;

use account::{Directory, Entity};
use store::{Event, Fact, ImportId, Item, Part};
use wire::{Name, Serial};
use zone::{Delta, Zone};

use crate::expiry::Expiries;
use crate::hashed::HashMap;
use crate::leases::Leases;
use crate::live::Live;
use crate::staging::{self, Staged, Staging};

/// Makes the events of one batch visible; all that they change in a zone at once.
pub(crate) fn fold(live: &Live, staging: &mut Staging, events: &[Event]) {
    let mut pending = Pending::default();
    for event in events {
        for fact in &event.body.facts {
            match fact {
                Fact::Changed { zone, serial, deltas, .. } => pending.add(zone, *serial, deltas),
                Fact::Entity { .. }
                | Fact::Seen { .. }
                | Fact::Used { .. }
                | Fact::Leased { .. } => {}
                Fact::ZoneDropped { .. }
                | Fact::Staged { .. }
                | Fact::Imported { .. }
                | Fact::ImportDropped { .. } => pending.apply(live),
            }
            fold_other(live, staging, fact);
        }
    }
    pending.apply(live);
}

/// Makes one piece of a snapshot part of the state.
pub(crate) fn load(live: &Live, staging: &mut Staging, item: Item) {
    match item {
        Item::At { .. } => {}
        Item::Entity(entity) => put(live, entity),
        Item::Zone { apex, serial } => live.zones().insert(Arc::new(Zone::new(&apex, serial))),
        Item::Rrset { zone, owner, rtype, rrset } => {
            if let Some(zone) = live.zones().get(&zone) {
                // What is kept of a SOA is how it was last written; its serial goes on with the zone.
                let is_soa = rtype == wire::Rtype::SOA && owner == *zone.apex();
                zone.load([(owner, rtype, rrset)]);
                if is_soa {
                    zone.apply(zone.serial(), []);
                }
            }
        }
        Item::Staged { import, zone, part } => stage(staging, import, &zone, part),
        Item::Lease { zone, lease } => live.leases_mut().put(&zone, &[lease]),
    }
}

/// RRsets of a zone, in place of those that were there.
pub(crate) fn load_parts<E>(
    live: &Live,
    zone: &Name,
    parts: impl IntoIterator<Item = Result<Part, E>>,
) -> Result<(), E> {
    let Some(zone) = live.zones().get(zone) else { return Ok(()) };
    staging::fill(&zone, parts)?;
    // What is kept of a SOA is how it was last written; its serial goes on with the zone.
    zone.apply(zone.serial(), []);
    Ok(())
}

/// RRsets of a zone that have changed since.
pub(crate) fn load_deltas(live: &Live, zone: &Name, deltas: &[Delta]) {
    if let Some(zone) = live.zones().get(zone) {
        zone.apply(zone.serial(), deltas);
    }
}

/// Back to nothing.
pub(crate) fn forget(live: &Live) {
    live.zones().all().iter().for_each(|zone| live.zones().remove(zone.apex()));
    *live.directory_mut() = Directory::default();
    *live.leases_mut() = Leases::default();
    *live.expiries() = Expiries::default();
}

/// Every piece of the visible state.
pub(crate) fn items<'a>(live: &'a Live, staging: &'a Staging) -> impl Iterator<Item = Item> + 'a {
    let entities: Vec<Item> = live.directory().entities().map(Item::Entity).collect();
    let zones = live.zones().all().into_iter().flat_map(|zone| {
        let apex = zone.apex().clone();
        let snapshot = zone.snapshot();
        let head = Item::Zone { apex: apex.clone(), serial: snapshot.serial() };
        let rrsets: Vec<Item> = snapshot
            .rrsets()
            .map(|(owner, rtype, rrset)| Item::Rrset { zone: apex.clone(), owner, rtype, rrset })
            .collect();
        std::iter::once(head).chain(rrsets)
    });
    let staged = staging.iter().flat_map(|(&import, Staged { zone, parts, .. })| {
        parts.iter().map(move |part| Item::Staged {
            import,
            zone: zone.clone(),
            part: part.clone(),
        })
    });
    let leases: Vec<Item> =
        live.leases().iter().map(|(zone, lease)| Item::Lease { zone, lease }).collect();
    entities.into_iter().chain(zones).chain(leases).chain(staged)
}

fn fold_other(live: &Live, staging: &mut Staging, fact: &Fact) {
    match fact {
        Fact::Changed { zone, deltas, .. } => live.leases_mut().changed(zone, deltas),
        Fact::Leased { zone, leases } => {
            if live.zones().get(zone).is_some() {
                live.leases_mut().put(zone, leases);
            }
        }
        Fact::Entity { after: Some(entity), .. } => {
            put(live, entity.clone());
            if let Entity::Key(key) = entity {
                live.put_key(key);
            }
        }
        Fact::Entity { before: Some(entity), after: None } => {
            live.directory_mut().remove(&entity.key());
            match entity {
                Entity::Host(host) => live.forget(&host.name),
                Entity::Key(key) => live.remove_key(&key.name),
                Entity::Token(token) => live.forget_token(token.id),
                Entity::Account(_) | Entity::Zone(_) | Entity::Released(_) | Entity::Webhook(_) => {
                }
            }
        }
        Fact::Entity { before: None, after: None } => {}
        Fact::ZoneDropped { zone } => {
            live.zones().remove(zone);
            live.leases_mut().drop_zone(zone);
            live.directory_mut().remove_hosts_of(zone);
            live.forget_strays();
        }
        Fact::Staged { import, zone, part } => stage(staging, *import, zone, part.clone()),
        Fact::Imported { import, serial, .. } => {
            if let Some(Staged { zone, parts, .. }) = staging.remove(import) {
                let zone = Arc::new(Zone::new(&zone, *serial));
                let Ok::<(), Infallible>(()) = staging::fill(&zone, parts.into_iter().map(Ok));
                zone.apply(*serial, []);
                // What was imported is there to stay.
                live.leases_mut().drop_zone(zone.apex());
                live.zones().insert(zone);
            }
        }
        Fact::ImportDropped { import } => {
            staging.remove(import);
        }
        Fact::Seen { hosts } => {
            let mut directory = live.directory_mut();
            for (host, at) in hosts {
                directory.seen(host, *at);
            }
            drop(directory);
            live.written(hosts);
        }
        Fact::Used { tokens } => {
            let mut directory = live.directory_mut();
            for (token, at) in tokens {
                directory.used(*token, *at);
            }
            drop(directory);
            live.used_written(tokens);
        }
    }
}

fn put(live: &Live, entity: Entity) {
    if let Entity::Host(host) = &entity
        && (host.expiry.is_some() || live.has_expiries())
    {
        live.expiries().put(host);
    }
    live.directory_mut().put(entity);
}

fn stage(staging: &mut Staging, import: ImportId, zone: &Name, part: Part) {
    staging.entry(import).or_insert_with(|| Staged::new(zone)).push(part);
}

/// Changes of a batch, by zone, in order.
#[derive(Default)]
struct Pending<'e> {
    zones: HashMap<&'e Name, (Serial, Vec<&'e Delta>)>,
}

impl<'e> Pending<'e> {
    fn add(&mut self, zone: &'e Name, serial: Serial, deltas: &'e [Delta]) {
        let (last, all) = self.zones.entry(zone).or_insert((serial, Vec::new()));
        *last = serial;
        all.extend(deltas);
    }

    fn apply(&mut self, live: &Live) {
        for (apex, (serial, deltas)) in self.zones.drain() {
            if let Some(zone) = live.zones().get(apex) {
                zone.apply(serial, deltas);
            }
        }
    }
}
