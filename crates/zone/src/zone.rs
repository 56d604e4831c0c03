//! One zone: readers see it whole, under one serial.

use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use wire::{Name, Rrset, Rtype, Serial, Soa, fold_into};

use crate::change::Delta;
use crate::index::Index;
use crate::judge::View;

/// A zone that is served: many readers, one writer.
///
/// Every call sees one state of the zone, that of some serial; nothing that is handed out refers
/// into it. The cost of a change does not depend on the size of the zone, but for what it shares with
/// a snapshot: the first change of a part copies that part, a few thousandths of a large zone.
#[derive(Debug)]
pub struct Zone {
    apex: Name,
    state: RwLock<State>,
}

#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) serial: Serial,
    pub(crate) index: Index,
}

/// The state of a zone at a serial; later changes do not touch it.
#[derive(Debug)]
pub struct Snapshot {
    apex: Name,
    state: State,
}

impl Zone {
    /// An empty zone.
    pub fn new(apex: &Name, serial: Serial) -> Zone {
        let state = State { serial, index: Index::new() };
        Zone { apex: apex.to_lowercase(), state: RwLock::new(state) }
    }

    /// Its apex, lower-cased.
    pub fn apex(&self) -> &Name {
        &self.apex
    }

    /// Its serial.
    pub fn serial(&self) -> Serial {
        self.read().serial
    }

    /// Number of RRsets.
    pub fn rrset_count(&self) -> usize {
        self.read().index.rrset_count()
    }

    /// Makes deltas visible, all at once, under a serial, which the SOA carries from then on.
    /// Owners outside the zone are passed over.
    pub fn apply(&self, serial: Serial, deltas: &[Delta]) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        for delta in deltas {
            self.put(&mut state.index, &delta.owner, delta.rtype, delta.after.as_ref());
        }
        state.serial = serial;
        let soa =
            state.index.node(&[]).and_then(|apex| apex.set(Rtype::SOA)).map(|set| set.rrset());
        if let Some(soa) = soa.and_then(|soa| with_serial(&soa, serial)) {
            state.index.put(&[], Rtype::SOA, Some(&soa));
        }
    }

    /// Takes many RRsets in before the zone is served; a later one replaces an earlier one.
    pub fn load(&self, rrsets: impl IntoIterator<Item = (Name, Rtype, Rrset)>) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        for (owner, rtype, rrset) in rrsets {
            self.put(&mut state.index, &owner, rtype, Some(&rrset));
        }
    }

    /// The state as it is now, for transfers, exports and snapshots. Takes as long as counting a few
    /// thousand references, however large the zone is: nothing is copied, and readers go on.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { apex: self.apex.clone(), state: self.read().clone() }
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, index: &mut Index, owner: &Name, rtype: Rtype, rrset: Option<&Rrset>) {
        let Some(relative) = owner.strip_suffix(&self.apex) else { return };
        let mut folded = [0; 255];
        index.put(fold_into(relative, &mut folded), rtype, rrset);
    }
}

impl View for Zone {
    fn rrset(&self, owner: &Name, rtype: Rtype) -> Option<Rrset> {
        let relative = owner.strip_suffix(&self.apex)?;
        let mut folded = [0; 255];
        let state = self.read();
        let node = state.index.node(fold_into(relative, &mut folded))?;
        node.set(rtype).map(|set| set.rrset())
    }

    fn types(&self, owner: &Name) -> Vec<Rtype> {
        let Some(relative) = owner.strip_suffix(&self.apex) else { return Vec::new() };
        let mut folded = [0; 255];
        let state = self.read();
        let node = state.index.node(fold_into(relative, &mut folded));
        node.map(|node| node.sets().iter().map(|set| set.rtype).collect()).unwrap_or_default()
    }
}

impl Snapshot {
    /// Its serial.
    pub fn serial(&self) -> Serial {
        self.state.serial
    }

    /// Number of RRsets.
    pub fn rrset_count(&self) -> usize {
        self.state.index.rrset_count()
    }

    /// All RRsets, in no particular order.
    pub fn rrsets(&self) -> impl Iterator<Item = (Name, Rtype, Rrset)> + '_ {
        self.state.index.nodes().flat_map(|(relative, node)| {
            let owner = Name::join(relative, &self.apex).ok();
            node.sets().iter().filter_map(move |set| Some((owner.clone()?, set.rtype, set.rrset())))
        })
    }
}

fn with_serial(rrset: &Rrset, serial: Serial) -> Option<Rrset> {
    let soa = rrset.rdata.first()?.soa_fields()?;
    let soa = Soa { serial: serial.0, ..soa };
    Some(Rrset { ttl_s: rrset.ttl_s, rdata: vec![wire::Rdata::soa(&soa)] })
}
