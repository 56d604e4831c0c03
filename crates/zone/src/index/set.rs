//! An RRset in the packed form in which it is kept and read.

use wire::{Rdata, Rrset, Rtype};

/// An RRset: per record two octets of length, big endian, and the record's data.
#[derive(Clone, Debug)]
pub(crate) struct Set {
    pub(crate) rtype: Rtype,
    pub(crate) ttl_s: u32,
    data: Octets,
}

/// An RRset in the form in which a zone keeps it.
#[derive(Clone, Copy, Debug)]
pub struct SetRef<'a> {
    /// Its type.
    pub rtype: Rtype,
    /// Its TTL, in seconds.
    pub ttl_s: u32,
    /// Its records: of each two octets of length, big endian, and the data in uncompressed wire form,
    /// valid for the type.
    pub records: &'a [u8],
}

/// Octets that take no memory of their own while they are few, as most are: reading an RRset does
/// not allocate then.
#[derive(Clone, Debug)]
enum Octets {
    Few(u8, [u8; FEW_OCTETS]),
    Many(Vec<u8>),
}

impl Set {
    /// An RRset of packed data; `copy` fills octets of that length.
    pub(crate) fn read(
        (rtype, ttl_s): (Rtype, u32),
        len: usize,
        copy: impl FnOnce(&mut [u8]),
    ) -> Set {
        let data = match u8::try_from(len) {
            Ok(short) if len <= FEW_OCTETS => {
                let mut few = [0; FEW_OCTETS];
                copy(few.get_mut(..len).unwrap_or_default());
                Octets::Few(short, few)
            }
            _ => {
                let mut many = vec![0; len];
                copy(&mut many);
                Octets::Many(many)
            }
        };
        Set { rtype, ttl_s, data }
    }

    /// A copy.
    pub(crate) fn copy(from: &SetRef<'_>) -> Set {
        let key = (from.rtype, from.ttl_s);
        Set::read(key, from.records.len(), |octets| octets.copy_from_slice(from.records))
    }

    /// One address.
    pub(crate) fn address<const N: usize>(key: (Rtype, u32), address: [u8; N]) -> Set {
        Set::read(key, 2 + N, |octets| {
            if let Some((len, rest)) = octets.split_first_chunk_mut::<2>() {
                *len = (N as u16).to_be_bytes();
                rest.copy_from_slice(&address);
            }
        })
    }

    pub(crate) fn pack(rtype: Rtype, rrset: &Rrset) -> Set {
        let len = rrset.rdata.iter().map(|rdata| rdata.as_wire().len() + 2).sum();
        Set::read((rtype, rrset.ttl_s), len, |octets| {
            let mut rest = octets;
            for rdata in &rrset.rdata {
                let data = rdata.as_wire();
                // Record data has at most 65,535 octets.
                let length = (data.len() as u16).to_be_bytes();
                for part in [&length[..], data] {
                    let Some((place, after)) = rest.split_at_mut_checked(part.len()) else {
                        return;
                    };
                    place.copy_from_slice(part);
                    rest = after;
                }
            }
        })
    }

    /// All records, packed.
    pub(crate) fn packed(&self) -> &[u8] {
        match &self.data {
            Octets::Few(len, octets) => octets.get(..usize::from(*len)).unwrap_or_default(),
            Octets::Many(octets) => octets,
        }
    }

    /// The data of each record in wire form.
    pub(crate) fn records(&self) -> impl Iterator<Item = &[u8]> + Clone {
        let mut rest = self.packed();
        std::iter::from_fn(move || {
            let (len, after) = rest.split_first_chunk::<2>()?;
            let (record, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
            rest = after;
            Some(record)
        })
    }

    /// The same set, borrowed.
    pub(crate) fn as_ref(&self) -> SetRef<'_> {
        SetRef { rtype: self.rtype, ttl_s: self.ttl_s, records: self.packed() }
    }

    /// An owned copy.
    pub(crate) fn rrset(&self) -> Rrset {
        let rdata = self.records().filter_map(|octets| Rdata::new(self.rtype, octets).ok());
        Rrset { ttl_s: self.ttl_s, rdata: rdata.collect() }
    }
}

/// Octets that are read without an allocation: two names and the numbers of a usual SOA.
const FEW_OCTETS: usize = 126;
