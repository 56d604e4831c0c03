//! The names of a zone and what they own, for many readers and one writer.
//!
//! Readers take no lock and never wait, not even for a writer that has stopped in the middle. A
//! commit is first shown as an overlay, all of it with one store of a number; then it is written
//! into its places, while readers look at the overlay in front of them; then the overlay goes. See
//! [`sequence::Sequence`] for the rules, [`segment::Segment`] for the places.
//!
//! An order index for NSEC chains would follow the births and deaths of names, which only
//! [`commit::Commit`] and [`loader::Loader`] make; changes of addresses would not touch it.

pub(crate) mod commit;
pub(crate) mod image;
pub(crate) mod key;
pub(crate) mod loader;
pub(crate) mod segment;
pub(crate) mod sequence;
pub(crate) mod set;
pub(crate) mod table;

use std::sync::{Arc, Weak};

use wire::Serial;

use crate::index::commit::Commit;
use crate::index::image::Image;
use crate::index::key::{Key, Names, Seed};
use crate::index::sequence::{Moved, Sequence, is_writing};
use crate::index::table::{Root, Table};
use crate::sync::{AtomicU32, AtomicU64, Held, Mutex, MutexGuard, Ordering, Shared, lock};

/// All nodes of a zone. Names are folded labels in wire form, without the octets of the apex and
/// without a root label; the apex itself is the empty name and always there.
#[derive(Debug)]
pub(crate) struct Index {
    sequence: Sequence,
    root: Shared<Root>,
    overlay: Shared<Overlay>,
    facts: Facts<AtomicU64>,
    seed: Seed,
    writer: Mutex<Writer>,
}

/// What is known of a zone as a whole.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Facts<N = u64> {
    pub(crate) serial: N,
    pub(crate) rrsets: N,
    /// Delegations below the apex and DNAMEs: while there are none no ancestor is looked at.
    pub(crate) cuts: N,
}

/// A commit that is visible and not yet in its places.
#[derive(Debug)]
pub(crate) struct Overlay {
    /// The sequence's number while it counts.
    number: u64,
    /// What it changes; `None`: the name is gone.
    nodes: Names<Option<Box<[AtomicU32]>>>,
    facts: Facts,
    /// Segments in place of those that are there, all of them.
    root: Option<Arc<Root>>,
}

/// What only the writer needs.
#[derive(Debug)]
pub(crate) struct Writer {
    table: Table,
    facts: Facts,
    /// When snapshots were taken, and whether they are still held.
    snapshots: Vec<(u64, Weak<()>)>,
}

/// One state of the zone, as long as [`State::check`] says so.
#[derive(Debug)]
pub(crate) struct State<'i> {
    index: &'i Index,
    begun: u64,
    root: Held<Root>,
    overlay: Option<Held<Overlay>>,
}

/// A state that stays.
#[derive(Debug)]
pub(crate) struct Kept {
    root: Arc<Root>,
    pub(crate) facts: Facts,
    /// While this is held, what is seen here is not written in place.
    _held: Arc<()>,
}

impl Index {
    pub(crate) fn new(serial: Serial) -> Index {
        let mut table = Table::new();
        let apex = image::Node::default().encode(&[]);
        table.put(&table.seed().clone().key(&[]), &apex);
        let facts = Facts { serial: u64::from(serial.0), rrsets: 0, cuts: 0 };
        let seed = table.seed().clone();
        Index {
            sequence: Sequence::new(),
            root: Shared::new(
                table.take_changed().or_else(|| Some(Arc::new(table.root().clone()))),
            ),
            overlay: Shared::new(None),
            facts: facts.map(AtomicU64::new),
            seed,
            writer: Mutex::new(Writer { table, facts, snapshots: Vec::new() }),
        }
    }

    /// Begins to read.
    pub(crate) fn read(&self) -> State<'_> {
        loop {
            let begun = self.sequence.begin();
            let root = self.root.load();
            if !is_writing(begun) {
                return State { index: self, begun, root, overlay: None };
            }
            let overlay = self.overlay.load();
            // Another one: the next commit has begun, and the number has gone on.
            if overlay.as_ref().is_some_and(|overlay| overlay.number == begun) {
                return State { index: self, begun, root, overlay: Some(overlay) };
            }
            pause();
        }
    }

    /// Reads until what was read is of one state.
    pub(crate) fn consistent<T>(&self, read: impl Fn(&State<'_>) -> Result<T, Moved>) -> T {
        loop {
            let state = self.read();
            if let Ok(value) = read(&state).and_then(|value| state.check().map(|()| value)) {
                return value;
            }
            pause();
        }
    }

    /// The hash of a name, relative or not.
    pub(crate) fn hash(&self, name: &[u8]) -> u64 {
        self.seed.key(name).hash
    }

    /// Reads ahead what looking these names up will read.
    pub(crate) fn touch<'n>(&self, names: impl Iterator<Item = &'n [u8]>) {
        let root = self.root.load();
        let Some(root) = root.as_ref() else { return };
        let mut hashes = [0; AHEAD];
        let mut count = 0;
        let mut sum = 0;
        // One after the other, and none waits for another one's memory.
        for (name, hash) in names.zip(&mut hashes) {
            *hash = self.seed.key(name).hash;
            sum ^= root.touch(*hash, false);
            count += 1;
        }
        for &hash in hashes.iter().take(count) {
            sum ^= root.touch(hash, true);
        }
        std::hint::black_box(sum);
    }

    /// Makes all that `change` does visible at once.
    pub(crate) fn commit(&self, change: impl FnOnce(&mut Commit<'_>)) {
        let mut writer = self.write();
        let mut commit = Commit::new(&writer.table, writer.facts);
        change(&mut commit);
        let overlay = commit.overlay(self.sequence.next());
        self.publish(&overlay);
        self.put_in_place(&mut writer, &overlay);
        self.retire(&mut writer, &overlay);
    }

    /// The state as it is now, for as long as it is held.
    pub(crate) fn keep(&self) -> Kept {
        let mut writer = self.write();
        let held = Arc::new(());
        let moment = writer.table.freeze();
        writer.snapshots.push((moment, Arc::downgrade(&held)));
        let root = Arc::new(writer.table.root().clone());
        Kept { root, facts: writer.facts, _held: held }
    }

    /// Octets that the index takes.
    pub(crate) fn octets(&self) -> usize {
        self.root.load().as_ref().map_or(0, |root| root.octets())
    }

    fn write(&self) -> MutexGuard<'_, Writer> {
        let mut writer = lock(&self.writer);
        writer.snapshots.retain(|(_, held)| held.strong_count() > 0);
        let frozen = writer.snapshots.iter().map(|(moment, _)| *moment).max();
        writer.table.thaw(frozen.unwrap_or(0));
        writer
    }

    fn publish(&self, overlay: &Arc<Overlay>) {
        self.overlay.store(Some(Arc::clone(overlay)));
        self.sequence.publish();
    }

    fn put_in_place(&self, writer: &mut Writer, overlay: &Overlay) {
        for (name, image) in &overlay.nodes {
            let key = self.seed.key(name);
            match image {
                Some(image) => writer.table.put(&key, image),
                None => writer.table.remove(&key),
            }
        }
    }

    fn retire(&self, writer: &mut Writer, overlay: &Overlay) {
        writer.facts = overlay.facts;
        if let Some(root) = writer.table.take_changed() {
            self.root.store(Some(root));
        }
        self.facts.set(&overlay.facts);
        self.sequence.retire();
        self.overlay.store(None);
    }
}

impl State<'_> {
    /// The image of a name; whoever believes what it says calls [`State::check`] first.
    pub(crate) fn node(&self, name: &[u8]) -> Option<Image<'_>> {
        let overlay = self.overlay.as_ref().and_then(|overlay| overlay.as_ref());
        if let Some(overlay) = overlay {
            if let Some(changed) = overlay.nodes.get(name) {
                return changed.as_ref().map(|image| Image::whole(image));
            }
            if let Some(root) = &overlay.root {
                return root.find(&self.key(name));
            }
        }
        self.root.as_ref()?.find(&self.key(name))
    }

    pub(crate) fn facts(&self) -> Facts {
        let overlay = self.overlay.as_ref().and_then(|overlay| overlay.as_ref());
        overlay.map_or_else(|| self.index.facts.read(), |overlay| overlay.facts)
    }

    /// Whether all that was read here is of one state.
    pub(crate) fn check(&self) -> Result<(), Moved> {
        self.index.sequence.check(self.begun)
    }

    fn key<'n>(&self, name: &'n [u8]) -> Key<'n> {
        self.index.seed.key(name)
    }
}

impl Kept {
    /// All images.
    pub(crate) fn images(&self) -> impl Iterator<Item = Image<'_>> {
        self.root.images()
    }
}

impl<N> Facts<N> {
    fn map<M>(self, of: impl Fn(N) -> M) -> Facts<M> {
        Facts { serial: of(self.serial), rrsets: of(self.rrsets), cuts: of(self.cuts) }
    }
}

impl Facts<AtomicU64> {
    fn read(&self) -> Facts {
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
        Facts { serial: read(&self.serial), rrsets: read(&self.rrsets), cuts: read(&self.cuts) }
    }

    fn set(&self, facts: &Facts) {
        self.serial.store(facts.serial, Ordering::Relaxed);
        self.rrsets.store(facts.rrsets, Ordering::Relaxed);
        self.cuts.store(facts.cuts, Ordering::Relaxed);
    }
}

/// The writer is at work: by the next look it has gone on.
fn pause() {
    #[cfg(not(loom))]
    std::hint::spin_loop();
    #[cfg(loom)]
    loom::thread::yield_now();
}

/// Names that are read ahead at once.
const AHEAD: usize = 64;

#[cfg(all(test, loom))]
#[path = "index/models/tests.rs"]
mod models;
#[cfg(all(test, not(loom)))]
mod tests;
