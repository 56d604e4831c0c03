//! What a zone file, or a section of one, comes to: packed RRsets, each name looked at as a whole.

use std::hash::{BuildHasher, RandomState};

use store::{Part, PartWriter};
use wire::{Name, Rdata, Rtype, Soa};

use super::{Fault, ImportError};

/// RRsets in parts, and what is known of them.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) parts: Vec<Part>,
    pub(super) rrsets: usize,
    /// A hash of each name, in order.
    pub(super) names: Vec<u64>,
    /// The SOA of the apex.
    pub(super) soa: Option<Soa>,
    pub(super) soas: usize,
    /// Whether the apex has an NS record.
    pub(super) has_ns: bool,
    part: PartWriter,
}

impl Content {
    /// Takes in a name with all its RRsets.
    pub(super) fn push(&mut self, owner: &Owner, hasher: &RandomState) {
        self.names.push(hash(hasher, &owner.below));
        for set in owner.sets() {
            self.push_set(&owner.below, set.rtype, set.ttl_s, set.records());
        }
    }

    /// Takes in one RRset.
    pub(super) fn push_set<'r>(
        &mut self,
        below: &[u8],
        rtype: Rtype,
        ttl_s: u32,
        mut records: impl Iterator<Item = &'r [u8]> + Clone,
    ) {
        if self.part.octets() >= PART_OCTETS || self.part.len() >= PART_RRSETS {
            self.parts.push(self.part.finish());
        }
        self.part.push(below, rtype, ttl_s, records.clone());
        self.rrsets += 1;
        if rtype == Rtype::SOA {
            self.soas += 1;
        }
        if !below.is_empty() {
            return;
        }
        if rtype == Rtype::SOA {
            // Two records of one SOA RRset are two SOAs.
            let soa = records.next().and_then(|soa| Rdata::new(rtype, soa).ok());
            self.soa = soa.and_then(|soa| soa.soa_fields());
            self.soas += records.count();
        }
        self.has_ns |= rtype == Rtype::NS;
    }

    /// Ends the last part.
    pub(super) fn finish(&mut self) {
        if !self.part.is_empty() {
            self.parts.push(self.part.finish());
        }
    }

    /// Appends what a later section comes to.
    pub(super) fn append(&mut self, mut other: Content) {
        self.finish();
        other.finish();
        self.parts.append(&mut other.parts);
        self.names.append(&mut other.names);
        self.rrsets += other.rrsets;
        self.soa = self.soa.take().or(other.soa);
        self.soas += other.soas;
        self.has_ns |= other.has_ns;
    }
}

/// Hash of a name below its zone.
pub(super) fn hash(hasher: &RandomState, below: &[u8]) -> u64 {
    hasher.hash_one(below)
}

/// One name with its RRsets so far. Its room is used for name after name.
#[derive(Debug, Default)]
pub(super) struct Owner {
    /// Labels below the zone, lower-cased.
    pub(super) below: Vec<u8>,
    /// Where it was met first; 0 when it stands in several places.
    pub(super) line: usize,
    sets: Vec<Set>,
    /// How many of the sets are in use.
    used: usize,
}

/// An RRset in the making.
#[derive(Debug)]
pub(super) struct Set {
    rtype: Rtype,
    ttl_s: u32,
    count: usize,
    /// Each record after its length of two octets, as many fit into a message.
    records: Vec<u8>,
}

impl Owner {
    /// Begins another name.
    pub(super) fn begin(&mut self, below: &[u8], line: usize) {
        self.below.clear();
        self.below.extend_from_slice(below);
        self.line = line;
        self.used = 0;
    }

    /// Takes in a record; the RRset that it belongs to is full already if that fails.
    pub(super) fn push(&mut self, rtype: Rtype, ttl_s: u32, data: &[u8]) -> Result<(), Full> {
        let Ok(length) = u16::try_from(data.len()) else { return Err(Full) };
        // RFC 2181 §5.2: one TTL for all records of an RRset; the first one counts.
        let set = self.set(rtype, ttl_s);
        if set.count > 0 && set.holds(data) {
            return Ok(());
        }
        // Each record is compared with all of its RRset: stop before that becomes long.
        if set.count == RRSET_RECORDS_MAX {
            return Err(Full);
        }
        set.count += 1;
        set.records.extend_from_slice(&length.to_be_bytes());
        set.records.extend_from_slice(data);
        Ok(())
    }

    pub(super) fn sets(&self) -> &[Set] {
        self.sets.get(..self.used).unwrap_or_default()
    }

    /// Whether the name can have these RRsets.
    pub(super) fn check(&self, apex: &Name) -> Result<(), ImportError> {
        let name = || Name::join(&self.below, apex).unwrap_or_else(|_| apex.clone());
        let has_cname = self.sets().iter().any(|set| set.rtype == Rtype::CNAME);
        for set in self.sets() {
            let beside =
                ![Rtype::CNAME, Rtype::RRSIG, Rtype::NSEC, Rtype::KEY].contains(&set.rtype);
            if has_cname && (beside || set.rtype == Rtype::CNAME && set.count > 1) {
                return Err(self.fault(Fault::Cname(name())));
            }
            if set.rtype == Rtype::DNAME && set.count > 1 {
                return Err(self.fault(Fault::Dnames(name())));
            }
            // Ten octets stand between an owner's pointer and the data, and the length is counted.
            if set.records.len() + set.count * 10 > RRSET_OCTETS_MAX {
                return Err(self.fault(Fault::TooLarge(name(), set.rtype)));
            }
        }
        Ok(())
    }

    /// What is wrong with it, and where it stands if that is one place.
    pub(super) fn fault(&self, fault: Fault) -> ImportError {
        match self.line {
            0 => ImportError::Somewhere(fault),
            line => ImportError::Line { line, fault },
        }
    }

    fn set(&mut self, rtype: Rtype, ttl_s: u32) -> &mut Set {
        let used = self.sets().iter().position(|set| set.rtype == rtype);
        let at = used.unwrap_or(self.used);
        if used.is_none() {
            self.used += 1;
            if at == self.sets.len() {
                self.sets.push(Set { rtype, ttl_s, count: 0, records: Vec::new() });
            }
        }
        let set = &mut self.sets[at];
        if used.is_none() {
            (set.rtype, set.ttl_s, set.count) = (rtype, ttl_s, 0);
            set.records.clear();
        }
        set
    }
}

impl Set {
    /// The data of each record.
    fn records(&self) -> impl Iterator<Item = &[u8]> + Clone {
        let mut rest = self.records.as_slice();
        std::iter::from_fn(move || {
            let (length, after) = rest.split_first_chunk::<2>()?;
            let (record, after) = after.split_at_checked(u16::from_be_bytes(*length).into())?;
            rest = after;
            Some(record)
        })
    }

    fn holds(&self, data: &[u8]) -> bool {
        let canonical =
            |data| Rdata::new(self.rtype, data).map(|rdata| rdata.canonical(self.rtype));
        let new = canonical(data);
        self.records().any(|known| canonical(known) == new)
    }
}

/// An RRset has more records than fit into a message.
#[derive(Debug)]
pub(super) struct Full;

/// Octets and RRsets from which a part is ended.
const PART_OCTETS: usize = 4 * 1024 * 1024;
const PART_RRSETS: usize = 150_000;
/// Records of one RRset: with headers and the shortest data, more do not fit into one message.
const RRSET_RECORDS_MAX: usize = 5000;
/// Octets that the records of one RRset may take, so that they fit into one message.
const RRSET_OCTETS_MAX: usize = 60_000;
