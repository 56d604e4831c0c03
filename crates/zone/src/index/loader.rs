//! Taking in many RRsets at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::index::commit::{is_cut, is_wildcard};
use crate::index::image::Node;
use crate::index::key::parent;
use crate::index::set::Set;
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
    cells: Vec<AtomicU32>,
}

impl Index {
    pub(crate) fn loader(&self) -> Loader<'_> {
        let mut writer = self.write();
        writer.table.freeze();
        writer.table.set_spare(SPARE_LOADING);
        let facts = writer.facts;
        let (above, below_apex) = (BTreeMap::new(), (0, false));
        Loader { index: self, writer, facts, above, below_apex, cells: Vec::new() }
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
    pub(crate) fn put(&mut self, name: &[u8], sets: impl Iterator<Item = Set>) {
        let key = self.index.seed.key(name);
        let found = self.writer.table.root().find(&key).map(|image| image.node());
        let is_new = found.is_none();
        let mut node = found.unwrap_or_default();
        for set in sets {
            let rtype = set.rtype;
            if node.put(set) {
                self.facts.rrsets += 1;
                self.facts.cuts += u64::from(is_cut(name, rtype));
            }
        }
        node.encode_into(name, &mut self.cells);
        self.writer.table.put(&key, &self.cells);
        if is_new {
            self.count_below(name);
        }
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

/// Room to grow while much is put in; what is left over is given back.
const SPARE_LOADING: usize = 2;
/// Usual room to grow: one in so many parts of what is in use.
pub(crate) const SPARE: usize = 8;
