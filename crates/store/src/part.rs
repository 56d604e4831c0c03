//! RRsets of a zone, packed: a zone file becomes millions of them, and each costs nothing but its
//! octets from the reader to the log, the tables and the zone.

use std::fmt;
use std::sync::Arc;

use wire::{Name, Rdata, Rrset, Rtype};

use crate::codec::CodecError;
use crate::codec::octets::{Octets, is_outside, put_counted, put_name_under, put_varint};

/// RRsets of one zone as they stand in events and items of all versions, checked once. A clone shares
/// the octets.
#[derive(Clone, PartialEq, Eq)]
pub struct Part {
    octets: Arc<[u8]>,
    len: usize,
}

/// Puts a [`Part`] together.
#[derive(Clone, Debug, Default)]
pub struct PartWriter {
    octets: Vec<u8>,
    len: usize,
}

/// One RRset of a part.
#[derive(Clone, Copy, Debug)]
pub struct PartSet<'a> {
    /// Its owner.
    pub owner: PartOwner<'a>,
    /// Its type.
    pub rtype: Rtype,
    /// TTL in seconds.
    pub ttl_s: u32,
    /// Number of its records, at least one.
    count: usize,
    /// Each after its length.
    records: &'a [u8],
}

/// The owner of an RRset in a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartOwner<'a> {
    /// Labels below the zone in wire form, without a root label; empty for the apex.
    Below(&'a [u8]),
    /// A whole name in wire form, that may lie anywhere.
    Whole(&'a [u8]),
}

impl Part {
    /// Packs RRsets of a zone.
    pub fn pack(zone: &Name, rrsets: &[(Name, Rtype, Rrset)]) -> Part {
        let mut writer = PartWriter::default();
        for (owner, rtype, rrset) in rrsets {
            put_name_under(&mut writer.octets, owner, zone);
            let records = rrset.rdata.iter().map(Rdata::as_wire);
            writer.put_set(*rtype, rrset.ttl_s, rrset.rdata.len(), records);
        }
        writer.finish()
    }

    /// Number of RRsets.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The octets of all RRsets, one after the other, without their number.
    pub fn as_octets(&self) -> &[u8] {
        &self.octets
    }

    /// The RRsets, in the order in which they were packed.
    pub fn sets(&self) -> impl Iterator<Item = PartSet<'_>> {
        let mut octets = Octets::new(&self.octets);
        // They were checked when the part was made.
        (0..self.len).map_while(move |_| PartSet::read(&mut octets).ok())
    }

    /// The RRsets as they are elsewhere; an owner that would be too long in this zone is left out.
    pub fn rrsets(&self, zone: &Name) -> impl Iterator<Item = (Name, Rtype, Rrset)> {
        self.sets().filter_map(|set| {
            let rdata = set.records().map(|record| Rdata::new(set.rtype, record).ok());
            let rrset = Rrset { ttl_s: set.ttl_s, rdata: rdata.collect::<Option<_>>()? };
            Some((set.owner.name(zone)?, set.rtype, rrset))
        })
    }

    /// Reads a part that stands behind its number of RRsets, and checks all of it.
    pub(crate) fn read(octets: &mut Octets<'_>, zone: &Name) -> Result<Part, CodecError> {
        let len = octets.count()?;
        let all = octets.as_slice();
        for _ in 0..len {
            PartSet::read(octets)?.check(zone)?;
        }
        let read = all.len() - octets.len();
        let octets = all.get(..read).unwrap_or_default().into();
        Ok(Part { octets, len })
    }

    /// Appends the part, its number of RRsets first.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        put_varint(out, self.len as u64);
        out.extend_from_slice(&self.octets);
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.sets()).finish()
    }
}

impl PartWriter {
    /// Appends an RRset of the zone. The owner is given as labels below it in wire form, at most
    /// 254 octets; the data of each record must be of the type.
    pub fn push<'r>(
        &mut self,
        below: &[u8],
        rtype: Rtype,
        ttl_s: u32,
        records: impl Iterator<Item = &'r [u8]> + Clone,
    ) {
        debug_assert!(below.len() < 255, "no name is longer");
        self.octets.push(below.len() as u8);
        self.octets.extend_from_slice(below);
        self.put_set(rtype, ttl_s, records.clone().count(), records);
    }

    /// Number of RRsets so far.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none so far.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Octets so far.
    pub fn octets(&self) -> usize {
        self.octets.len()
    }

    /// The part. The writer is empty again.
    pub fn finish(&mut self) -> Part {
        let part = Part { octets: self.octets.as_slice().into(), len: self.len };
        self.octets.clear();
        self.len = 0;
        part
    }

    fn put_set<'r>(
        &mut self,
        rtype: Rtype,
        ttl_s: u32,
        count: usize,
        records: impl Iterator<Item = &'r [u8]>,
    ) {
        put_varint(&mut self.octets, u64::from(rtype.0));
        put_varint(&mut self.octets, u64::from(ttl_s));
        put_varint(&mut self.octets, count as u64);
        self.len += 1;
        records.for_each(|record| put_counted(&mut self.octets, record));
    }
}

impl<'a> PartSet<'a> {
    /// The data of each record, in wire form.
    pub fn records(&self) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a> {
        let mut octets = Octets::new(self.records);
        (0..self.count).map_while(move |_| octets.counted().ok())
    }

    fn read(octets: &mut Octets<'a>) -> Result<PartSet<'a>, CodecError> {
        let owner = match octets.octet()? {
            length if is_outside(length) => PartOwner::Whole(octets.name_octets()?),
            length => PartOwner::Below(octets.take(usize::from(length))?),
        };
        let rtype = u16::try_from(octets.varint()?);
        let rtype = Rtype(rtype.map_err(|_| CodecError::Malformed("type"))?);
        let ttl_s = octets.u32()?;
        let count = octets.count()?;
        let all = octets.as_slice();
        for _ in 0..count {
            octets.counted()?;
        }
        let records = all.get(..all.len() - octets.len()).unwrap_or_default();
        Ok(PartSet { owner, rtype, ttl_s, count, records })
    }

    fn check(&self, zone: &Name) -> Result<(), CodecError> {
        if let PartOwner::Below(below) = self.owner
            && !Name::can_join(below, zone)
        {
            return Err(CodecError::Malformed("name"));
        }
        if self.count == 0 {
            return Err(CodecError::Malformed("RRset without records"));
        }
        if self.records().all(|record| Rdata::is_valid(self.rtype, record)) {
            Ok(())
        } else {
            Err(CodecError::Malformed("rdata"))
        }
    }
}

impl PartOwner<'_> {
    /// The name, if it is one in this zone.
    pub fn name(&self, zone: &Name) -> Option<Name> {
        match self {
            PartOwner::Below(below) => Name::join(below, zone).ok(),
            PartOwner::Whole(name) => Name::from_wire(name).ok(),
        }
    }
}
