//! The zones that one node serves.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use wire::{Name, QName, Rtype};

use crate::zone::Zone;

/// A set of zones by apex. Cheap to read from many threads.
#[derive(Debug, Default)]
pub struct Zones {
    by_apex: RwLock<HashMap<Box<[u8]>, Arc<Zone>>>,
}

impl Zones {
    /// No zones.
    pub fn new() -> Zones {
        Zones::default()
    }

    /// Serves a zone, in place of the one with the same apex.
    pub fn insert(&self, zone: Arc<Zone>) {
        let key = zone.apex().as_wire().into();
        self.by_apex.write().unwrap_or_else(PoisonError::into_inner).insert(key, zone);
    }

    /// Stops serving a zone.
    pub fn remove(&self, apex: &Name) {
        let key = apex.to_lowercase();
        self.by_apex.write().unwrap_or_else(PoisonError::into_inner).remove(key.as_wire());
    }

    /// The zone with this apex.
    pub fn get(&self, apex: &Name) -> Option<Arc<Zone>> {
        let key = apex.to_lowercase();
        let zones = self.by_apex.read().unwrap_or_else(PoisonError::into_inner);
        zones.get(key.as_wire()).cloned()
    }

    /// The zone that answers for a name: the one with the longest apex at or above it. A DS record
    /// stands at the parent's side of a cut (RFC 4035 §3.1.4.1), so the name's own zone is passed
    /// over for it when we serve another one above.
    pub fn find(&self, qname: &QName, qtype: Rtype) -> Option<Arc<Zone>> {
        let zones = self.by_apex.read().unwrap_or_else(PoisonError::into_inner);
        let mut own = None;
        let mut rest = qname.folded();
        loop {
            if let Some(zone) = zones.get(rest) {
                if qtype != Rtype::DS || rest.len() != qname.folded().len() {
                    return Some(Arc::clone(zone));
                }
                own = Some(Arc::clone(zone));
            }
            match rest.split_first() {
                Some((&len, after)) if len > 0 => rest = after.get(usize::from(len)..)?,
                _ => return own,
            }
        }
    }

    /// All zones, in no particular order.
    pub fn all(&self) -> Vec<Arc<Zone>> {
        let zones = self.by_apex.read().unwrap_or_else(PoisonError::into_inner);
        zones.values().cloned().collect()
    }
}
