//! What has been decided but is not visible yet.

use std::hash::Hash;

use account::{Entity, Host, Timestamp, TokenId};
use store::{ActorRef, Event, Fact, RecordLease};
use wire::{Name, Rdata, Rrset, Rtype, Serial};
use zone::{Delta, View, Zone};

use crate::engine::BatchNo;
use crate::hashed::HashMap;

/// Decisions of batches that are not visible yet, over the visible state.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    /// Zone, then owner, then type.
    rrsets: HashMap<Name, Owners>,
    serials: HashMap<Name, Decided<Serial>>,
    hosts: HashMap<Name, Decided<Host>>,
    /// When tokens that are marked as exposed changed something.
    paces: HashMap<Paced, Decided<Timestamp>>,
    /// Leases in canonical form; those of 0 seconds have ended.
    leases: HashMap<Leased, Decided<RecordLease>>,
}

/// A record that has a lease: zone, owner, type, canonical data.
type Leased = (Name, Name, Rtype, Rdata);

/// What an exposed token may change once a minute: an RRset, by its owner and type.
pub(crate) type Paced = (TokenId, Name, Rtype);

type Owners = HashMap<Name, Types>;
/// In no particular order: a name has few types.
type Types = Vec<(Rtype, Decided<Option<Rrset>>)>;

/// A value and the last batch that decided it.
#[derive(Debug)]
struct Decided<T> {
    by: BatchNo,
    value: T,
}

impl Overlay {
    /// Notes what a batch decided about RRsets of a zone.
    pub(crate) fn decide(&mut self, by: BatchNo, zone: &Name, serial: Serial, deltas: &[Delta]) {
        let serial = Decided { by, value: serial };
        match self.serials.get_mut(zone) {
            Some(known) => *known = serial,
            None => {
                self.serials.insert(zone.clone(), serial);
            }
        }
        let owners = match self.rrsets.get_mut(zone) {
            Some(owners) => owners,
            None => self.rrsets.entry(zone.clone()).or_default(),
        };
        for Delta { owner, rtype, after, .. } in deltas {
            let decided = Decided { by, value: after.clone() };
            let Some(types) = owners.get_mut(owner) else {
                owners.insert(owner.clone(), vec![(*rtype, decided)]);
                continue;
            };
            match types.iter_mut().find(|(known, _)| known == rtype) {
                Some((_, known)) => *known = decided,
                None => types.push((*rtype, decided)),
            }
        }
    }

    /// Notes what a batch decided about a host.
    pub(crate) fn decide_host(&mut self, by: BatchNo, host: Host) {
        self.hosts.insert(host.name.clone(), Decided { by, value: host });
    }

    /// Notes that a batch holds a change by a token that is marked as exposed.
    pub(crate) fn decide_pace(&mut self, by: BatchNo, paced: Paced, at: Timestamp) {
        self.paces.insert(paced, Decided { by, value: at });
    }

    /// Notes what a batch decided about leases of records of a zone.
    pub(crate) fn decide_leases(&mut self, by: BatchNo, zone: &Name, leases: &[RecordLease]) {
        for value in leases.iter().map(RecordLease::canonical) {
            let key = (zone.clone(), value.owner.clone(), value.rtype, value.rdata.clone());
            self.leases.insert(key, Decided { by, value });
        }
    }

    /// The lease of a record as decided, when a batch decided about it; `rdata` in canonical form.
    pub(crate) fn lease(
        &self,
        zone: &Name,
        owner: &Name,
        (rtype, rdata): (Rtype, &Rdata),
    ) -> Option<&RecordLease> {
        // Most of the time there is none, and then no name is copied for looking.
        if self.leases.is_empty() {
            return None;
        }
        let key = (zone.clone(), owner.clone(), rtype, rdata.clone());
        self.leases.get(&key).map(|decided| &decided.value)
    }

    /// Whether leases are decided that are not visible.
    pub(crate) fn has_leases(&self) -> bool {
        !self.leases.is_empty()
    }

    /// The host as decided, when a batch decided about it.
    pub(crate) fn host(&self, name: &Name) -> Option<&Host> {
        self.hosts.get(name).map(|decided| &decided.value)
    }

    /// When an exposed token last changed an RRset, which is not visible yet.
    pub(crate) fn pace(&self, paced: &Paced) -> Option<Timestamp> {
        self.paces.get(paced).map(|decided| decided.value)
    }

    /// The serial of a zone as decided, and by which batch.
    pub(crate) fn serial(&self, zone: &Name) -> Option<(BatchNo, Serial)> {
        self.serials.get(zone).map(|decided| (decided.by, decided.value))
    }

    /// Forgets what the events of a batch decided, now that they are visible: unless a later batch
    /// decided anew.
    pub(crate) fn visible(&mut self, batch: BatchNo, events: &[Event]) {
        for event in events {
            // Most of the time no token is exposed, and then no name is copied for looking.
            if let ActorRef::Token(token) = event.body.actor
                && !self.paces.is_empty()
            {
                for delta in event.body.facts.iter().flat_map(Fact::deltas) {
                    forget(&mut self.paces, batch, &(token, delta.owner.clone(), delta.rtype));
                }
            }
            for fact in &event.body.facts {
                match fact {
                    Fact::Changed { zone, deltas, .. } => self.visible_deltas(batch, zone, deltas),
                    Fact::Entity { after: Some(Entity::Host(host)), .. } => {
                        forget(&mut self.hosts, batch, &host.name);
                    }
                    Fact::Entity { .. }
                    | Fact::ZoneDropped { .. }
                    | Fact::Staged { .. }
                    | Fact::Imported { .. }
                    | Fact::ImportDropped { .. }
                    | Fact::Seen { .. }
                    | Fact::Used { .. } => {}
                    Fact::Leased { zone, leases } => {
                        for lease in leases.iter().map(RecordLease::canonical) {
                            let key = (zone.clone(), lease.owner, lease.rtype, lease.rdata);
                            forget(&mut self.leases, batch, &key);
                        }
                    }
                }
            }
        }
    }

    fn visible_deltas(&mut self, batch: BatchNo, zone: &Name, deltas: &[Delta]) {
        forget(&mut self.serials, batch, zone);
        if !self.leases.is_empty() {
            for delta in deltas {
                for rdata in delta.before.iter().flat_map(|rrset| &rrset.rdata) {
                    let rdata = rdata.canonical(delta.rtype);
                    let key = (zone.clone(), delta.owner.clone(), delta.rtype, rdata);
                    forget(&mut self.leases, batch, &key);
                }
            }
        }
        let Some(owners) = self.rrsets.get_mut(zone) else { return };
        for delta in deltas {
            let Some(types) = owners.get_mut(&delta.owner) else { continue };
            types.retain(|(rtype, decided)| *rtype != delta.rtype || decided.by != batch);
            if types.is_empty() {
                owners.remove(&delta.owner);
            }
        }
        if owners.is_empty() {
            self.rrsets.remove(zone);
        }
    }

    /// Whether nothing is decided that is not visible.
    pub(crate) fn is_empty(&self) -> bool {
        self.rrsets.is_empty()
            && self.serials.is_empty()
            && self.hosts.is_empty()
            && self.paces.is_empty()
            && self.leases.is_empty()
    }

    /// Forgets everything: what was decided is lost.
    pub(crate) fn clear(&mut self) {
        self.rrsets.clear();
        self.serials.clear();
        self.hosts.clear();
        self.paces.clear();
        self.leases.clear();
    }

    /// One zone with the decisions over it.
    pub(crate) fn over<'a>(&'a self, zone: &'a Zone) -> Overlaid<'a> {
        Overlaid { zone, decided: self.rrsets.get(zone.apex()) }
    }
}

fn forget<K: Eq + Hash, T>(decided: &mut HashMap<K, Decided<T>>, by: BatchNo, key: &K) {
    if decided.get(key).is_some_and(|decided| decided.by == by) {
        decided.remove(key);
    }
}

/// A zone as judges see it.
pub(crate) struct Overlaid<'a> {
    zone: &'a Zone,
    decided: Option<&'a Owners>,
}

impl Overlaid<'_> {
    fn types_decided(&self, owner: &Name) -> Option<&Types> {
        self.decided.and_then(|owners| owners.get(owner))
    }
}

impl View for Overlaid<'_> {
    fn rrset(&self, owner: &Name, rtype: Rtype) -> Option<Rrset> {
        let types = self.types_decided(owner);
        match types.and_then(|types| types.iter().find(|(known, _)| *known == rtype)) {
            Some((_, decided)) => decided.value.clone(),
            None => self.zone.rrset(owner, rtype),
        }
    }

    fn types(&self, owner: &Name) -> Vec<Rtype> {
        let mut types = self.zone.types(owner);
        let Some(decided) = self.types_decided(owner) else { return types };
        for &(rtype, ref decided) in decided {
            match (types.binary_search(&rtype), &decided.value) {
                (Ok(at), None) => {
                    types.remove(at);
                }
                (Err(at), Some(_)) => types.insert(at, rtype),
                (Ok(_), Some(_)) | (Err(_), None) => {}
            }
        }
        types
    }
}
