//! What is written, what is safe, and what is left when the power goes in between.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

/// How much of what was not synced is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Everything: the disk did nothing before it was told to.
    All,
    /// Nothing: the disk was quick.
    Nothing,
    /// Some of it, by this seed: every sector of every write by itself, in any order; and the
    /// entries of the directory from some point on, because file systems keep those in order.
    Some(u64),
}

/// The files of one directory.
#[derive(Debug, Default)]
pub(crate) struct Platter {
    files: BTreeMap<u64, File>,
    entries: BTreeMap<OsString, u64>,
    safe: BTreeMap<OsString, u64>,
    changes: Vec<EntryChange>,
}

/// A file that is left over: its name, mode and octets.
pub(crate) type Left = (OsString, u32, Vec<u8>);

#[derive(Debug, Default)]
struct File {
    mode: u32,
    octets: Vec<u8>,
    safe: Vec<u8>,
    changes: Vec<Change>,
}

#[derive(Debug)]
enum Change {
    Write { at: usize, octets: Vec<u8> },
    Length(usize),
}

#[derive(Debug)]
enum EntryChange {
    Link(OsString, u64),
    Unlink(OsString),
    Rename(OsString, OsString),
}

impl Platter {
    /// A new file, empty.
    pub(crate) fn create(&mut self, name: &OsStr, mode: u32) -> u64 {
        let number = self.files.len() as u64 + FIRST;
        self.files.insert(number, File { mode, ..File::default() });
        self.change(EntryChange::Link(name.to_owned(), number));
        number
    }

    /// A file that is safe as it is.
    pub(crate) fn load(&mut self, (name, mode, octets): Left) {
        let number = self.create(&name, mode);
        if let Some(file) = self.files.get_mut(&number) {
            (file.octets, file.safe) = (octets.clone(), octets);
        }
    }

    pub(crate) fn find(&self, name: &OsStr) -> Option<u64> {
        self.entries.get(name).copied()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = (&OsString, u64)> {
        self.entries.iter().map(|(name, number)| (name, *number))
    }

    pub(crate) fn unlink(&mut self, name: &OsStr) -> Option<()> {
        self.find(name)?;
        self.change(EntryChange::Unlink(name.to_owned()));
        Some(())
    }

    pub(crate) fn rename(&mut self, from: &OsStr, to: &OsStr) -> Option<()> {
        self.find(from)?;
        self.change(EntryChange::Rename(from.to_owned(), to.to_owned()));
        Some(())
    }

    /// Length and mode of a file.
    pub(crate) fn look(&self, number: u64) -> Option<(u64, u32)> {
        self.files.get(&number).map(|file| (file.octets.len() as u64, file.mode))
    }

    pub(crate) fn set_mode(&mut self, number: u64, mode: u32) -> Option<()> {
        self.files.get_mut(&number).map(|file| file.mode = mode)
    }

    pub(crate) fn read(&self, number: u64, at: u64, length: u32) -> Option<&[u8]> {
        let octets = &self.files.get(&number)?.octets;
        let from = octets.len().min(at as usize);
        let to = octets.len().min(from + length as usize);
        octets.get(from..to)
    }

    pub(crate) fn write(&mut self, number: u64, at: u64, octets: &[u8]) -> Option<()> {
        let change = Change::Write { at: at as usize, octets: octets.to_owned() };
        self.files.get_mut(&number).map(|file| file.change(change))
    }

    pub(crate) fn set_length(&mut self, number: u64, length: u64) -> Option<()> {
        self.files.get_mut(&number).map(|file| file.change(Change::Length(length as usize)))
    }

    /// `fsync` of a file: its octets and length are safe.
    pub(crate) fn sync(&mut self, number: u64) -> Option<()> {
        let file = self.files.get_mut(&number)?;
        for change in std::mem::take(&mut file.changes) {
            apply(&mut file.safe, &change, &mut |_| true);
        }
        Some(())
    }

    /// `fsync` of the directory: its entries are safe.
    pub(crate) fn sync_entries(&mut self) {
        self.safe.clone_from(&self.entries);
        self.changes.clear();
    }

    /// The files that are there when the power is back.
    pub(crate) fn left(&self, loss: Loss) -> Vec<Left> {
        let mut chance = Chance(match loss {
            Loss::Some(seed) => seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            Loss::All | Loss::Nothing => 1,
        });
        let kept = match loss {
            Loss::All => 0,
            Loss::Nothing => self.changes.len(),
            Loss::Some(_) => chance.below(self.changes.len() + 1),
        };
        let mut entries = self.safe.clone();
        self.changes.iter().take(kept).for_each(|change| change.apply(&mut entries));
        let left = entries.into_iter().filter_map(|(name, number)| {
            let file = self.files.get(&number)?;
            Some((name, file.mode, file.left(loss, &mut chance)))
        });
        left.collect()
    }

    fn change(&mut self, change: EntryChange) {
        change.apply(&mut self.entries);
        self.changes.push(change);
    }
}

impl File {
    fn change(&mut self, change: Change) {
        apply(&mut self.octets, &change, &mut |_| true);
        self.changes.push(change);
    }

    fn left(&self, loss: Loss, chance: &mut Chance) -> Vec<u8> {
        let mut octets = self.safe.clone();
        // Of sixteen sectors, so many are kept: of some files nearly all, of others nearly none.
        let share = chance.below(17);
        for change in &self.changes {
            apply(&mut octets, change, &mut |_| match loss {
                Loss::All => false,
                Loss::Nothing => true,
                Loss::Some(_) => chance.below(16) < share,
            });
        }
        octets
    }
}

impl EntryChange {
    fn apply(&self, entries: &mut BTreeMap<OsString, u64>) {
        match self {
            EntryChange::Link(name, number) => {
                entries.insert(name.clone(), *number);
            }
            EntryChange::Unlink(name) => {
                entries.remove(name);
            }
            EntryChange::Rename(from, to) => {
                if let Some(number) = entries.remove(from) {
                    entries.insert(to.clone(), number);
                }
            }
        }
    }
}

/// Makes a change to octets, sector by sector where `keeps` says so.
fn apply(to: &mut Vec<u8>, change: &Change, keeps: &mut dyn FnMut(usize) -> bool) {
    match change {
        Change::Length(length) if keeps(*length) => to.resize(*length, 0),
        Change::Length(_) => {}
        Change::Write { at, octets } => {
            let mut from = *at;
            let mut rest = octets.as_slice();
            while !rest.is_empty() {
                let (sector, after) = rest.split_at(rest.len().min(SECTOR - from % SECTOR));
                if keeps(from) {
                    let end = from + sector.len();
                    if to.len() < end {
                        to.resize(end, 0);
                    }
                    if let Some(place) = to.get_mut(from..end) {
                        place.copy_from_slice(sector);
                    }
                }
                (from, rest) = (from + sector.len(), after);
            }
        }
    }
}

/// Numbers by a seed (xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }
}

/// What a disk writes as a whole, in octets.
const SECTOR: usize = 512;
/// Number of the first file; 1 is the directory.
const FIRST: u64 = 2;

#[cfg(test)]
mod tests;
