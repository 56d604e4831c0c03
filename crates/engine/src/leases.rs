//! Leases of records in memory: which records end, and which is the next.

mod page;

use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::fmt;
use std::ops::Bound::{Excluded, Included, Unbounded};
use std::sync::Arc;

use account::Timestamp;
use store::RecordLease;
use wire::{Name, Rdata, Rtype};
use zone::Delta;

use page::{Entry, Page};

/// The leases of all zones (RFC 9664), in canonical form: those of one RRset stand together.
///
/// There may be as many as there are records, so they are packed: sorted by zone, owner, type and
/// data into pages of about [`PAGE_OCTETS`] octets, and the queue holds pages by what ends first in
/// them. Whatever is done to a lease costs one page and the logarithm of their number.
///
/// The fold alone changes it: a lease begins and goes on by [`store::Fact::Leased`], and ends by one
/// of 0 seconds, with its record, with its zone, and with an import into the zone. What is decided
/// and not yet visible is not in here.
#[derive(Default)]
pub struct Leases {
    /// Zones that have had leases, by number and by name; no more than are served.
    numbers: HashMap<Name, u32>,
    names: HashMap<u32, Name>,
    last_number: u32,
    /// Pages by a key that none of theirs is below; that of the first is empty.
    pages: BTreeMap<Bound, Page>,
    /// Pages by what ends first in them.
    queue: BTreeSet<(Timestamp, Bound)>,
    len: usize,
}

/// Where a page begins.
type Bound = Arc<[u8]>;

impl Leases {
    /// Number of leases.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The lease of one record.
    pub fn get(
        &self,
        zone: &Name,
        owner: &Name,
        rtype: Rtype,
        rdata: &Rdata,
    ) -> Option<RecordLease> {
        let rdata = rdata.canonical(rtype);
        let mut key = self.rrset_key(zone, owner, rtype)?;
        key.extend_from_slice(rdata.as_wire());
        let entry = self.entries_from(&key).next().filter(|entry| entry.key == key)?;
        read(zone, &entry)
    }

    /// The leases of the records of an RRset, in ascending order of their data.
    pub fn of(&self, zone: &Name, owner: &Name, rtype: Rtype) -> Vec<RecordLease> {
        let Some(key) = self.rrset_key(zone, owner, rtype) else { return Vec::new() };
        let own = self.entries_from(&key).take_while(|entry| entry.key.starts_with(&key));
        own.filter_map(|entry| read(zone, &entry)).collect()
    }

    /// When the next lease ends.
    pub fn next_end(&self) -> Option<Timestamp> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// Leases that have ended, with their zones: at most so many, those that ended first.
    ///
    /// They stay here until the fold of an event takes them away: the removal of the record, or a
    /// lease of 0 seconds where the record is gone already.
    pub fn due(&self, now: Timestamp, max: usize) -> Vec<(Name, RecordLease)> {
        let mut first: BinaryHeap<(Timestamp, Due<'_>)> = BinaryHeap::new();
        for (earliest, bound) in self.queue.iter().take_while(|(earliest, _)| *earliest <= now) {
            let is_later = |last: &(Timestamp, Due<'_>)| *earliest > last.0;
            if max == 0 || first.len() == max && first.peek().is_some_and(is_later) {
                break;
            }
            let page = self.pages.get(bound).map(Page::entries);
            for entry in page.into_iter().flatten().filter(|entry| entry.until <= now) {
                first.push((entry.until, Due(entry)));
                if first.len() > max {
                    first.pop();
                }
            }
        }
        let ordered = first.into_sorted_vec();
        ordered.into_iter().filter_map(|(_, Due(entry))| self.with_zone(&entry)).collect()
    }

    /// Every lease, with its zone.
    pub fn iter(&self) -> impl Iterator<Item = (Name, RecordLease)> + '_ {
        self.pages.values().flat_map(Page::entries).filter_map(|entry| self.with_zone(&entry))
    }

    /// Takes over leases of records of a zone: those of 0 seconds end. One of a name outside the
    /// zone is passed over.
    pub(crate) fn put(&mut self, zone: &Name, leases: &[RecordLease]) {
        for lease in leases.iter().map(RecordLease::canonical) {
            if lease.lease_s > 0 {
                self.number(zone);
            }
            let Some(mut key) = self.rrset_key(zone, &lease.owner, lease.rtype) else { continue };
            key.extend_from_slice(lease.rdata.as_wire());
            let RecordLease { from, lease_s, until, .. } = lease;
            match lease_s {
                0 => self.remove(&key),
                _ => self.insert(Entry { key: &key, from, lease_s, until }),
            }
        }
    }

    /// Ends the leases of records that are gone.
    pub(crate) fn changed(&mut self, zone: &Name, deltas: &[Delta]) {
        if self.is_empty() || !self.numbers.contains_key(zone) {
            return;
        }
        for delta in deltas {
            let Some(key) = self.rrset_key(zone, &delta.owner, delta.rtype) else { continue };
            let own = self.entries_from(&key).take_while(|entry| entry.key.starts_with(&key));
            let leased: Vec<Vec<u8>> = own.map(|entry| entry.key.to_vec()).collect();
            if leased.is_empty() {
                continue;
            }
            let after = delta.after.as_ref().map_or(&[][..], |rrset| &rrset.rdata);
            let kept: Vec<Rdata> = after.iter().map(|rdata| rdata.canonical(delta.rtype)).collect();
            let is_kept = |rdata: &[u8]| kept.iter().any(|kept| kept.as_wire() == rdata);
            let gone = leased.iter().filter(|leased| !leased.get(key.len()..).is_some_and(is_kept));
            gone.for_each(|gone| self.remove(gone));
        }
    }

    /// Ends all leases of a zone.
    pub(crate) fn drop_zone(&mut self, zone: &Name) {
        let Some(number) = self.numbers.remove(zone) else { return };
        self.names.remove(&number);
        let prefix = number.to_be_bytes();
        let from = self.bound(&prefix);
        let bounds = self.pages.range::<[u8], _>((Included(&*from), Unbounded));
        let theirs =
            bounds.take_while(|(bound, _)| ***bound <= prefix[..] || bound.starts_with(&prefix));
        let bounds: Vec<Bound> = theirs.map(|(bound, _)| Arc::clone(bound)).collect();
        for bound in bounds {
            let Some(page) = self.take(&bound) else { continue };
            let kept = page.entries().filter(|entry| !entry.key.starts_with(&prefix));
            let kept: Vec<Entry<'_>> = kept.collect();
            self.len -= page.entries().count() - kept.len();
            self.place(bound, &kept);
        }
    }

    fn insert(&mut self, new: Entry<'_>) {
        let bound = self.bound(new.key);
        let page = self.take(&bound).unwrap_or_default();
        let mut entries: Vec<Entry<'_>> = page.entries().collect();
        let at = entries.partition_point(|entry| entry.key < new.key);
        match entries.get_mut(at) {
            Some(known) if known.key == new.key => *known = new,
            _ => {
                entries.insert(at, new);
                self.len += 1;
            }
        }
        let octets: usize = entries.iter().map(Entry::octets).sum();
        if octets <= PAGE_OCTETS || entries.len() == 1 {
            return self.place(bound, &entries);
        }
        // Keys that come in ascending order leave full pages behind them.
        let cut = if at + 1 == entries.len() { at } else { entries.len() / 2 };
        let upper = entries.split_off(cut);
        self.place(bound, &entries);
        if let Some(first) = upper.first() {
            self.place(first.key.into(), &upper);
        }
    }

    fn remove(&mut self, key: &[u8]) {
        let bound = self.bound(key);
        let Some(page) = self.take(&bound) else { return };
        let mut entries: Vec<Entry<'_>> = page.entries().collect();
        let before = entries.len();
        entries.retain(|entry| entry.key != key);
        self.len -= before - entries.len();
        match self.roomy_neighbour(&bound, &page) {
            // A page with little left in it goes together with one beside it.
            Some(other) => {
                let Some(with) = self.take(&other) else { return };
                let (lower, bound) = if other < bound { (true, other) } else { (false, bound) };
                let all: Vec<Entry<'_>> = match lower {
                    true => with.entries().chain(entries).collect(),
                    false => entries.into_iter().chain(with.entries()).collect(),
                };
                self.place(bound, &all);
            }
            None => self.place(bound, &entries),
        }
    }

    /// The page before or after one that has little in it, when there is room in that.
    fn roomy_neighbour(&self, bound: &Bound, page: &Page) -> Option<Bound> {
        if page.octets() >= PAGE_OCTETS / 4 {
            return None;
        }
        let before = self.pages.range::<[u8], _>((Unbounded, Excluded(&**bound))).next_back();
        let after = self.pages.range::<[u8], _>((Excluded(&**bound), Unbounded)).next();
        let mut roomy =
            [before, after].into_iter().flatten().filter(|(_, p)| p.octets() < PAGE_OCTETS / 2);
        roomy.next().map(|(bound, _)| Arc::clone(bound))
    }

    /// The page that a key is in, or would be.
    fn bound(&self, key: &[u8]) -> Bound {
        let at = self.pages.range::<[u8], _>((Unbounded, Included(key))).next_back();
        at.map_or_else(|| Arc::from([]), |(bound, _)| Arc::clone(bound))
    }

    /// Takes a page out.
    fn take(&mut self, bound: &Bound) -> Option<Page> {
        let page = self.pages.remove(bound)?;
        if let Some(earliest) = page.earliest() {
            self.queue.remove(&(earliest, Arc::clone(bound)));
        }
        Some(page)
    }

    /// Puts a page in; nothing is put in for no leases, but for the first.
    fn place(&mut self, bound: Bound, entries: &[Entry<'_>]) {
        let page = Page::of(entries);
        if let Some(earliest) = page.earliest() {
            self.queue.insert((earliest, Arc::clone(&bound)));
        } else if !bound.is_empty() {
            return;
        }
        self.pages.insert(bound, page);
    }

    /// Leases from a key on, in order.
    fn entries_from(&self, key: &[u8]) -> impl Iterator<Item = Entry<'_>> {
        let key = key.to_vec();
        let pages = self.pages.range::<[u8], _>((Included(&*self.bound(&key)), Unbounded));
        let entries = pages.flat_map(|(_, page)| page.entries());
        entries.skip_while(move |entry| entry.key < &*key)
    }

    /// What the keys of an RRset begin with: the number of the zone (4 octets), the owner below the
    /// zone after its length (1), and the type (2); the data of the record follows. `None` when the
    /// zone has no leases or the owner lies outside it.
    fn rrset_key(&self, zone: &Name, owner: &Name, rtype: Rtype) -> Option<Vec<u8>> {
        let number = self.numbers.get(zone)?;
        let owner = owner.to_lowercase();
        let below = owner.strip_suffix(zone)?;
        let length = u8::try_from(below.len()).ok()?;
        Some([&number.to_be_bytes()[..], &[length], below, &rtype.0.to_be_bytes()].concat())
    }

    fn number(&mut self, zone: &Name) {
        if !self.numbers.contains_key(zone) {
            self.last_number += 1;
            self.numbers.insert(zone.clone(), self.last_number);
            self.names.insert(self.last_number, zone.clone());
        }
    }

    fn with_zone(&self, entry: &Entry<'_>) -> Option<(Name, RecordLease)> {
        let (number, _) = entry.key.split_first_chunk::<4>()?;
        let zone = self.names.get(&u32::from_be_bytes(*number))?;
        Some((zone.clone(), read(zone, entry)?))
    }
}

impl fmt::Debug for Leases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leases").field("len", &self.len).finish_non_exhaustive()
    }
}

/// A lease that has ended; of those that end at the same time the order of their keys decides.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Due<'a>(Entry<'a>);

impl Ord for Due<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.key.cmp(other.0.key)
    }
}

impl PartialOrd for Due<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// The lease that stands at a key of this zone; nothing else is ever put in.
fn read(zone: &Name, entry: &Entry<'_>) -> Option<RecordLease> {
    let (_, key) = entry.key.split_first_chunk::<4>()?;
    let (&length, key) = key.split_first()?;
    let (below, key) = key.split_at_checked(usize::from(length))?;
    let (rtype, rdata) = key.split_first_chunk::<2>()?;
    let rtype = Rtype(u16::from_be_bytes(*rtype));
    Some(RecordLease {
        owner: Name::join(below, zone).ok()?,
        rtype,
        rdata: Rdata::new(rtype, rdata).ok()?,
        from: entry.from,
        lease_s: entry.lease_s,
        until: entry.until,
    })
}

/// Octets at which a page is divided.
const PAGE_OCTETS: usize = 2048;

#[cfg(test)]
mod tests;
