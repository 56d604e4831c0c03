//! Taking in many RRsets at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::index::commit::{is_cut, is_wildcard};
use crate::index::image::{Image, Node, encode};
use crate::index::key::{Key, parent};
use crate::index::set::{Set, SetRef};
use crate::index::{Facts, Index, Overlay, Writer};
use crate::sync::{AtomicU32, MutexGuard};

/// How many names came directly below one, and whether one of them is `*`.
type Below = (u32, bool);

/// Takes in RRsets beside what readers see, and shows all of them at once at the end.
///
/// What readers hold is not touched: the segments that are changed are copied once.
#[derive(Debug)]
pub(crate) struct Loader<'i> {
    index: &'i Index,
    writer: MutexGuard<'i, Writer>,
    facts: Facts,
    /// Names that got new ones directly below. By length, so that the longest come last.
    above: BTreeMap<(usize, Box<[u8]>), Below>,
    /// The same for the apex, which is above most names.
    below_apex: Below,
    /// Images that wait, by the first bits of the hash: what is near each other is put in at once.
    waiting: Vec<Waiting>,
    /// Room for one image.
    cells: Vec<AtomicU32>,
}

/// Images one behind the other, and their hashes.
#[derive(Debug, Default)]
struct Waiting {
    hashes: Vec<u64>,
    images: Vec<AtomicU32>,
}

impl Index {
    pub(crate) fn loader(&self) -> Loader<'_> {
        let mut writer = self.write();
        writer.table.freeze();
        writer.table.set_spare(SPARE_LOADING);
        let facts = writer.facts;
        Loader {
            index: self,
            writer,
            facts,
            above: BTreeMap::new(),
            below_apex: (0, false),
            waiting: (0..1 << WAITING_BITS).map(|_| Waiting::default()).collect(),
            cells: Vec::new(),
        }
    }

    /// Shows what a loader took in.
    fn show(&self, writer: &mut Writer, facts: Facts) {
        let number = self.sequence.next();
        let root = writer.table.take_changed();
        let nodes = self.seed.names();
        let overlay = Overlay { number, nodes, facts, root: root.clone() };
        self.publish(&Arc::new(overlay));
        if root.is_some() {
            self.root.store(root);
        }
        writer.facts = facts;
        self.facts.set(&facts);
        self.sequence.retire();
        self.overlay.store(None);
    }
}

impl Loader<'_> {
    /// Takes RRsets of one name in, in place of those of the same types.
    pub(crate) fn put(&mut self, name: &[u8], sets: &[SetRef<'_>]) {
        let mut image = std::mem::take(&mut self.cells);
        if sets.is_sorted_by(|a, b| a.rtype < b.rtype) {
            encode(name, (0, false), sets.iter().copied(), &mut image);
        } else {
            let mut node = Node::default();
            for set in sets {
                node.put(Set::copy(set));
            }
            node.encode_into(name, &mut image);
        }
        let hash = self.index.seed.key(name).hash;
        let place = (hash >> (64 - WAITING_BITS)) as usize;
        if image.len() > WAITING_CELLS {
            self.put_waiting(place);
            self.put_image(hash, Image::whole(&image));
        } else if let Some(waiting) = self.waiting.get_mut(place) {
            waiting.hashes.push(hash);
            waiting.images.append(&mut image);
            if waiting.images.len() > WAITING_CELLS {
                self.put_waiting(place);
            }
        }
        self.cells = image;
    }

    /// Puts the images in that wait at a place, in the order in which they came.
    fn put_waiting(&mut self, place: usize) {
        let mut waiting = self.waiting.get_mut(place).map(std::mem::take).unwrap_or_default();
        let mut images: &[AtomicU32] = &waiting.images;
        for &hash in &waiting.hashes {
            let (image, rest) = Image::split_from(images);
            self.put_image(hash, image);
            images = rest;
        }
        waiting.hashes.clear();
        waiting.images.clear();
        if let Some(emptied) = self.waiting.get_mut(place) {
            *emptied = waiting;
        }
    }

    fn put_image(&mut self, hash: u64, image: Image<'_>) {
        let mut name = [0; 256];
        let name = image.name_into(&mut name);
        let key = Key { name, hash };
        let Some(mut node) = self.writer.table.root().find(&key).map(|image| image.node()) else {
            for rtype in image.types() {
                self.facts.rrsets += 1;
                self.facts.cuts += u64::from(is_cut(name, rtype));
            }
            self.writer.table.put(&key, image.all());
            return self.count_below(name);
        };
        for set in image.sets() {
            let rtype = set.rtype;
            if node.put(set) {
                self.facts.rrsets += 1;
                self.facts.cuts += u64::from(is_cut(name, rtype));
            }
        }
        node.encode_into(name, &mut self.cells);
        self.writer.table.put(&key, &self.cells);
    }

    /// Counts a new name with the one above it.
    fn count_below(&mut self, name: &[u8]) {
        let Some(above) = parent(name) else { return };
        let (children, wildcard) = if above.is_empty() {
            &mut self.below_apex
        } else {
            self.above.entry((above.len(), above.into())).or_default()
        };
        *children += 1;
        *wildcard |= is_wildcard(name);
    }

    /// Writes down how many names each has below. Those that are not there yet are made, and counted
    /// in turn.
    fn finish(&mut self) {
        (0..self.waiting.len()).for_each(|place| self.put_waiting(place));
        while let Some(((_, name), below)) = self.above.pop_last() {
            self.add_below(&name, below);
        }
        let below = std::mem::take(&mut self.below_apex);
        self.add_below(&[], below);
        self.writer.table.settle();
        self.writer.table.set_spare(SPARE);
    }

    fn add_below(&mut self, name: &[u8], (children, wildcard): Below) {
        let key = self.index.seed.key(name);
        let found = self.writer.table.root().find(&key).map(|image| image.node());
        let is_new = found.is_none();
        let mut node: Node = found.unwrap_or_default();
        node.children += children;
        node.wildcard |= wildcard;
        node.encode_into(name, &mut self.cells);
        self.writer.table.put(&key, &self.cells);
        if is_new {
            self.count_below(name);
        }
    }
}

impl Drop for Loader<'_> {
    fn drop(&mut self) {
        self.finish();
        self.index.show(&mut self.writer, self.facts);
    }
}

/// Places where images wait: what waits at one goes into a thousandth of the zone.
const WAITING_BITS: u32 = 10;
/// Cells of images that wait at one place.
const WAITING_CELLS: usize = 2048;
/// Room to grow while much is put in; what is left over is given back.
const SPARE_LOADING: usize = 2;
/// Usual room to grow: one in so many parts of what is in use.
pub(crate) const SPARE: usize = 8;
