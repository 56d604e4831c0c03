//! Imports that are not visible yet, and taking packed RRsets into a zone.

use std::collections::HashMap;

use store::{ImportId, Part, PartOwner, PartSet};
use wire::{Name, Rtype, fold_into};
use zone::{Loader, SetRef, Zone};

/// Imports that are not visible yet.
pub(crate) type Staging = HashMap<ImportId, Staged>;

/// The parts of one import. They are put into a zone when all of them are there: until then they may
/// be given up, and a zone that grows in many steps is copied as often.
#[derive(Debug)]
pub(crate) struct Staged {
    pub(crate) zone: Name,
    pub(crate) parts: Vec<Part>,
    pub(crate) has_soa: bool,
    pub(crate) has_ns: bool,
}

impl Staged {
    pub(crate) fn new(zone: &Name) -> Staged {
        let zone = zone.to_lowercase();
        Staged { zone, parts: Vec::new(), has_soa: false, has_ns: false }
    }

    pub(crate) fn push(&mut self, part: Part) {
        let is_apex = |set: &PartSet<'_>| match set.owner {
            PartOwner::Below(below) => below.is_empty(),
            PartOwner::Whole(_) => set.owner.name(&self.zone).is_some_and(|name| name == self.zone),
        };
        for set in part.sets().filter(is_apex) {
            self.has_soa |= set.rtype == Rtype::SOA;
            self.has_ns |= set.rtype == Rtype::NS;
        }
        self.parts.push(part);
    }
}

/// Takes parts into a zone, all of which become visible at the end. Stops at the first error.
pub(crate) fn fill<E>(
    zone: &Zone,
    parts: impl IntoIterator<Item = Result<Part, E>>,
) -> Result<(), E> {
    let mut filler = Filler {
        loader: zone.loader(),
        apex: zone.apex(),
        owner: Vec::new(),
        sets: Vec::new(),
        records: Vec::new(),
    };
    for part in parts {
        part?.sets().for_each(|set| filler.push(&set));
        filler.put();
    }
    Ok(())
}

/// Gathers the RRsets of one owner, which stand together more often than not.
struct Filler<'z> {
    loader: Loader<'z>,
    apex: &'z Name,
    /// Folded, in wire form.
    owner: Vec<u8>,
    /// Type, TTL and octets of records.
    sets: Vec<(Rtype, u32, usize)>,
    /// The records of all sets, each after its length.
    records: Vec<u8>,
}

impl Filler<'_> {
    fn push(&mut self, set: &PartSet<'_>) {
        if !self.is_of_owner(set.owner) {
            self.put();
            self.begin(set.owner);
        }
        let begin = self.records.len();
        for record in set.records() {
            // Data of a record has no more octets than two can count.
            let length = u16::try_from(record.len()).unwrap_or(u16::MAX);
            self.records.extend_from_slice(&length.to_be_bytes());
            self.records.extend_from_slice(record);
        }
        self.sets.push((set.rtype, set.ttl_s, self.records.len() - begin));
    }

    /// Whether an owner is the one that is gathered; one that is not known to be is another.
    fn is_of_owner(&self, owner: PartOwner<'_>) -> bool {
        let PartOwner::Below(below) = owner else { return false };
        let own = self.owner.len().checked_sub(self.apex.as_wire().len());
        own.and_then(|len| self.owner.get(..len)) == Some(below)
    }

    fn begin(&mut self, owner: PartOwner<'_>) {
        let mut folded = [0; 255];
        self.owner.clear();
        match owner {
            PartOwner::Below(below) => {
                self.owner.extend_from_slice(fold_into(below, &mut folded));
                self.owner.extend_from_slice(self.apex.as_wire());
            }
            PartOwner::Whole(name) => self.owner.extend_from_slice(fold_into(name, &mut folded)),
        }
    }

    /// Hands over what is gathered.
    fn put(&mut self) {
        let mut rest = self.records.as_slice();
        let mut set_ref = |&(rtype, ttl_s, octets): &(Rtype, u32, usize)| {
            let (records, after) = rest.split_at_checked(octets).unwrap_or_default();
            rest = after;
            SetRef { rtype, ttl_s, records }
        };
        match self.sets.as_slice() {
            [] => {}
            [one] => self.loader.put(&self.owner, &[set_ref(one)]),
            [one, two] => self.loader.put(&self.owner, &[set_ref(one), set_ref(two)]),
            many => {
                let sets: Vec<SetRef<'_>> = many.iter().map(set_ref).collect();
                self.loader.put(&self.owner, &sets);
            }
        }
        self.sets.clear();
        self.records.clear();
        self.owner.clear();
    }
}
