//! The number that tells readers whether what they read belongs together.

use crate::sync::{AtomicU64, Ordering, fence};

/// Counts commits: even at rest, odd while a commit is written into its places.
///
/// ```text
///   2n ──publish──▶ 2n+1 ──retire──▶ 2n+2
///   at rest         the commit is visible         at rest, the commit stands
///                   through the overlay while     in its places
///                   its places are written
/// ```
///
/// Nothing is written in place before `publish` or after `retire`. So what was read under an even
/// number is good as long as the number is still the same, and what was read under an odd one, with
/// the overlay in front, also when the commit has been retired since. A writer that stops anywhere
/// leaves a number under which readers can read.
#[derive(Debug)]
pub(crate) struct Sequence(AtomicU64);

/// Another commit came between: what was read is not of one state. Reading again will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moved;

impl Sequence {
    pub(crate) fn new() -> Sequence {
        Sequence(AtomicU64::new(0))
    }

    /// The number under which a reader begins; everything up to it is visible to it.
    pub(crate) fn begin(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Whether all that was read since `begun` belongs to that state.
    pub(crate) fn check(&self, begun: u64) -> Result<(), Moved> {
        // Orders the reads of the cells before the read of the number; it meets the fence in
        // `publish`: whoever has seen a cell of a later commit sees its number too.
        fence(Ordering::Acquire);
        let now = self.0.load(Ordering::Relaxed);
        if now == begun || is_writing(begun) && now == begun + 1 { Ok(()) } else { Err(Moved) }
    }

    /// The number that the next commit has while it is written. The writer alone asks.
    pub(crate) fn next(&self) -> u64 {
        self.0.load(Ordering::Relaxed) + 1
    }

    /// Makes the commit visible whose overlay was stored; from here on its places may be written.
    pub(crate) fn publish(&self) {
        self.0.store(self.next(), Ordering::Release);
        // Orders the number before the cells that are written from now on.
        fence(Ordering::Release);
    }

    /// All places of the commit are written.
    pub(crate) fn retire(&self) {
        self.0.store(self.next(), Ordering::Release);
    }
}

/// Whether a commit is visible through an overlay under this number.
pub(crate) fn is_writing(number: u64) -> bool {
    number % 2 == 1
}
