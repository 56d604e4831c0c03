//! Owner names as the index compares them.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};
use std::sync::OnceLock;

use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;

/// A folded name relative to the apex, with its hash; the apex itself is empty.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key<'n> {
    pub(crate) name: &'n [u8],
    pub(crate) hash: u64,
}

/// A hash of names whose seed nobody knows, so that nobody can choose names that meet in one place.
#[derive(Clone, Debug)]
pub(crate) struct Seed(pub(crate) SeedableRandomState);

/// Something for each of some names.
pub(crate) type Names<T> = HashMap<Box<[u8]>, T, SeedableRandomState>;

impl Seed {
    /// Another seed each time. It comes from where every hash map of the standard library has its own;
    /// nothing that is computed here depends on it.
    pub(crate) fn new() -> Seed {
        let seed = HashMap::<(), ()>::new().hasher().hash_one(0_u8);
        // Every run of a model takes the same way.
        let seed = if cfg!(loom) { 0 } else { seed };
        let shared = SHARED.get_or_init(|| SharedSeed::from_u64(seed.rotate_left(32)));
        Seed(SeedableRandomState::with_seed(seed, shared))
    }

    /// A map that takes the same hash.
    pub(crate) fn names<T>(&self) -> Names<T> {
        Names::with_hasher(self.0.clone())
    }

    pub(crate) fn key<'n>(&self, name: &'n [u8]) -> Key<'n> {
        let mut hasher = self.0.build_hasher();
        hasher.write(name);
        Key { name, hash: hasher.finish() }
    }
}

/// The part of the seed that all zones of the process share.
static SHARED: OnceLock<SharedSeed> = OnceLock::new();

/// Octets in cells, little endian, filled up with zeros.
pub(crate) fn cells(octets: &[u8]) -> impl Iterator<Item = u32> + use<'_> {
    let (whole, rest) = octets.as_chunks::<4>();
    let mut last = [0; 4];
    if let Some(place) = last.get_mut(..rest.len()) {
        place.copy_from_slice(rest);
    }
    let last = (!rest.is_empty()).then(|| u32::from_le_bytes(last));
    whole.iter().map(|four| u32::from_le_bytes(*four)).chain(last)
}

/// How many cells so many octets take.
pub(crate) fn cells_of(octets: usize) -> usize {
    octets.div_ceil(4)
}

/// The relative name above a relative name; `None` above the apex.
pub(crate) fn parent(relative: &[u8]) -> Option<&[u8]> {
    let (&len, rest) = relative.split_first()?;
    rest.get(usize::from(len)..)
}

/// The labels of a name before those of an ancestor, both folded and in wire form with the root label;
/// `None`: it is no ancestor.
pub(crate) fn relative_to<'n>(name: &'n [u8], ancestor: &[u8]) -> Option<&'n [u8]> {
    let relative = name.len().checked_sub(ancestor.len())?;
    let mut at = 0;
    while at < relative {
        at += 1 + usize::from(*name.get(at)?);
    }
    (at == relative && name.get(at..)? == ancestor).then_some(name.get(..at)?)
}
