//! Some leases, one after the other: a record costs its octets and little more.

use account::Timestamp;

/// Leases in ascending order of their keys. Each stands as the length of its key (4 octets), the
/// key, and the lease: from (8), lease in seconds (4), until (8), all big-endian.
#[derive(Debug, Default)]
pub(super) struct Page(Box<[u8]>);

/// One lease of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    pub(super) key: &'a [u8],
    pub(super) from: Timestamp,
    pub(super) lease_s: u32,
    pub(super) until: Timestamp,
}

impl Page {
    /// A page of these.
    pub(super) fn of(entries: &[Entry<'_>]) -> Page {
        let mut octets = Vec::with_capacity(entries.iter().map(Entry::octets).sum());
        for entry in entries {
            // A key has a name and the data of a record: less than 2^17 octets.
            let length = u32::try_from(entry.key.len()).unwrap_or(u32::MAX);
            octets.extend_from_slice(&length.to_be_bytes());
            octets.extend_from_slice(entry.key);
            octets.extend_from_slice(&entry.from.0.to_be_bytes());
            octets.extend_from_slice(&entry.lease_s.to_be_bytes());
            octets.extend_from_slice(&entry.until.0.to_be_bytes());
        }
        Page(octets.into())
    }

    /// Its leases, in order.
    pub(super) fn entries(&self) -> Entries<'_> {
        Entries(&self.0)
    }

    /// When the first of them ends.
    pub(super) fn earliest(&self) -> Option<Timestamp> {
        self.entries().map(|entry| entry.until).min()
    }

    /// Octets.
    pub(super) fn octets(&self) -> usize {
        self.0.len()
    }
}

impl Entry<'_> {
    /// Octets that it takes in a page.
    pub(super) fn octets(&self) -> usize {
        4 + self.key.len() + 20
    }
}

/// The leases of a page.
#[derive(Clone, Debug)]
pub(super) struct Entries<'a>(&'a [u8]);

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        let (length, rest) = self.0.split_first_chunk::<4>()?;
        let (key, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        let (from, rest) = rest.split_first_chunk::<8>()?;
        let (lease_s, rest) = rest.split_first_chunk::<4>()?;
        let (until, rest) = rest.split_first_chunk::<8>()?;
        self.0 = rest;
        Some(Entry {
            key,
            from: Timestamp(i64::from_be_bytes(*from)),
            lease_s: u32::from_be_bytes(*lease_s),
            until: Timestamp(i64::from_be_bytes(*until)),
        })
    }
}
