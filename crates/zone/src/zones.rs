//! The zones that one node serves.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::quality::SeedableRandomState;
use wire::{Name, QName, Rtype};

use crate::index::key::Seed;
use crate::sync::{Held, Mutex, Shared, lock};
use crate::zone::Zone;

/// A set of zones by apex. Reading takes no lock.
#[derive(Debug)]
pub struct Zones {
    current: Shared<Set>,
    /// Held while the set is changed.
    writing: Mutex<()>,
}

/// The zones of one moment.
#[derive(Debug)]
pub struct Serving(Held<Set>);

/// The zones in parts, so that adding one copies little however many there are.
#[derive(Clone, Debug)]
struct Set {
    parts: Vec<Arc<Part>>,
    /// How many apexes have so many labels: names of other lengths are not looked for.
    depths: Vec<usize>,
}

type Part = HashMap<Box<[u8]>, Arc<Zone>, SeedableRandomState>;

impl Zones {
    /// No zones.
    pub fn new() -> Zones {
        let seed = Seed::new();
        let part = || Arc::new(Part::with_hasher(seed.0.clone()));
        let parts = std::iter::repeat_with(part).take(PARTS).collect();
        let none = Set { parts, depths: Vec::new() };
        Zones { current: Shared::new(Some(Arc::new(none))), writing: Mutex::new(()) }
    }

    /// Serves a zone, in place of the one with the same apex.
    pub fn insert(&self, zone: Arc<Zone>) {
        let apex = zone.apex().clone();
        self.change(&apex, |part| part.insert(apex.as_wire().into(), zone).is_none(), true);
    }

    /// Stops serving a zone.
    pub fn remove(&self, apex: &Name) {
        let apex = apex.to_lowercase();
        self.change(&apex, |part| part.remove(apex.as_wire()).is_some(), false);
    }

    /// The zone with this apex.
    pub fn get(&self, apex: &Name) -> Option<Arc<Zone>> {
        let apex = apex.to_lowercase();
        self.serving().set()?.get(apex.as_wire()).cloned()
    }

    /// The zones of this moment, for finding some of them.
    pub fn serving(&self) -> Serving {
        Serving(self.current.load())
    }

    /// See [`Serving::find`].
    pub fn find(&self, qname: &QName, qtype: Rtype) -> Option<Arc<Zone>> {
        self.serving().find(qname, qtype).cloned()
    }

    /// All zones, in no particular order.
    pub fn all(&self) -> Vec<Arc<Zone>> {
        let serving = self.serving();
        let parts = serving.set().into_iter().flat_map(|set| &set.parts);
        parts.flat_map(|part| part.values().cloned()).collect()
    }

    fn change(&self, apex: &Name, change: impl FnOnce(&mut Part) -> bool, adds: bool) {
        let _writing = lock(&self.writing);
        let Some(mut set) = self.serving().set().cloned() else { return };
        let at = part_of(apex.as_wire());
        let changed = set.parts.get_mut(at).is_some_and(|part| change(Arc::make_mut(part)));
        if changed {
            let depth = apex.label_count();
            set.depths.resize(set.depths.len().max(depth + 1), 0);
            if let Some(count) = set.depths.get_mut(depth) {
                *count = if adds { *count + 1 } else { count.saturating_sub(1) };
            }
        }
        self.current.store(Some(Arc::new(set)));
    }
}

impl Default for Zones {
    fn default() -> Zones {
        Zones::new()
    }
}

impl Serving {
    /// The zone that answers for a name: the one with the longest apex at or above it. A DS record
    /// stands at the parent's side of a cut (RFC 4035 §3.1.4.1), so the name's own zone is passed
    /// over for it when we serve another one above.
    pub fn find(&self, qname: &QName, qtype: Rtype) -> Option<&Arc<Zone>> {
        let set = self.set()?;
        let mut own = None;
        let mut rest = qname.folded();
        let mut depth = labels(rest);
        loop {
            let some = set.depths.get(depth).is_some_and(|count| *count > 0);
            if some && let Some(zone) = set.get(rest) {
                if qtype != Rtype::DS || rest.len() != qname.folded().len() {
                    return Some(zone);
                }
                own = Some(zone);
            }
            match rest.split_first() {
                Some((&len, after)) if len > 0 => rest = after.get(usize::from(len)..)?,
                _ => return own,
            }
            depth = depth.saturating_sub(1);
        }
    }

    fn set(&self) -> Option<&Set> {
        self.0.as_deref()
    }
}

impl Set {
    fn get(&self, apex: &[u8]) -> Option<&Arc<Zone>> {
        self.parts.get(part_of(apex))?.get(apex)
    }
}

/// Which part an apex is in: only how much is copied depends on it.
fn part_of(apex: &[u8]) -> usize {
    apex.iter().fold(0, |sum: usize, &octet| sum.wrapping_mul(31).wrapping_add(octet.into()))
        % PARTS
}

fn labels(name: &[u8]) -> usize {
    let mut rest = name;
    let mut count = 0;
    while let Some((&len, after)) = rest.split_first()
        && len > 0
    {
        count += 1;
        rest = after.get(usize::from(len)..).unwrap_or_default();
    }
    count
}

/// Parts of the set of zones: a million zones are copied by few thousands.
const PARTS: usize = 256;
