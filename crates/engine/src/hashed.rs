//! Maps of what one batch decides: hashed quickly, and so that nobody can choose names that meet in one
//! place.

use std::collections;
use std::hash::BuildHasher;
use std::sync::OnceLock;

use foldhash::SharedSeed;
use foldhash::quality::{FoldHasher, SeedableRandomState};

/// A map with a seed that nobody knows.
pub(crate) type HashMap<K, V> = collections::HashMap<K, V, Seeded>;

/// Comes from where every map of the standard library has its own seed; nothing that is computed here
/// depends on it.
#[derive(Clone, Debug)]
pub(crate) struct Seeded(SeedableRandomState);

impl Default for Seeded {
    fn default() -> Seeded {
        let seed = collections::HashMap::<(), ()>::new().hasher().hash_one(0_u8);
        let shared = SHARED.get_or_init(|| SharedSeed::from_u64(seed.rotate_left(32)));
        Seeded(SeedableRandomState::with_seed(seed, shared))
    }
}

impl BuildHasher for Seeded {
    type Hasher = FoldHasher<'static>;

    fn build_hasher(&self) -> FoldHasher<'static> {
        self.0.build_hasher()
    }
}

/// The part of the seed that all maps share.
static SHARED: OnceLock<SharedSeed> = OnceLock::new();
