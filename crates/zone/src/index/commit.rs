//! What one commit does to the nodes of a zone.

use std::sync::Arc;

use wire::{Rtype, Serial};

use crate::index::image::Node;
use crate::index::key::{Names, parent};
use crate::index::set::Set;
use crate::index::table::Table;
use crate::index::{Facts, Overlay};

/// Nodes in the state in which the commit leaves them, taken out of the table when first touched.
pub(crate) struct Commit<'t> {
    table: &'t Table,
    nodes: Names<Option<Node>>,
    pub(crate) facts: Facts,
}

impl<'t> Commit<'t> {
    pub(crate) fn new(table: &'t Table, facts: Facts) -> Commit<'t> {
        Commit { table, nodes: table.seed().names(), facts }
    }

    /// The node of a name, as the commit leaves it.
    pub(crate) fn node(&mut self, name: &[u8]) -> Option<&mut Node> {
        if !self.nodes.contains_key(name) {
            let found = self.table.root().find(&self.table.seed().key(name));
            self.nodes.insert(name.into(), found.map(|image| image.node()));
        }
        self.nodes.get_mut(name)?.as_mut()
    }

    /// Makes this the RRset of its type at a name.
    pub(crate) fn put(&mut self, name: &[u8], set: Set) {
        let rtype = set.rtype;
        self.ensure(name);
        if self.node(name).is_some_and(|node| node.put(set)) {
            self.facts.rrsets += 1;
            self.facts.cuts += u64::from(is_cut(name, rtype));
        }
    }

    /// Removes the RRset of a type from a name, and names that are left without anything.
    pub(crate) fn remove(&mut self, name: &[u8], rtype: Rtype) {
        if self.node(name).is_some_and(|node| node.remove(rtype)) {
            self.facts.rrsets -= 1;
            self.facts.cuts -= u64::from(is_cut(name, rtype));
            self.prune(name);
        }
    }

    pub(crate) fn set_serial(&mut self, serial: Serial) {
        self.facts.serial = u64::from(serial.0);
    }

    /// What readers see of it until it is in its places.
    pub(crate) fn overlay(self, number: u64) -> Arc<Overlay> {
        let mut nodes = self.table.seed().names();
        nodes.reserve(self.nodes.len());
        let mut cells = Vec::new();
        for (name, node) in self.nodes {
            let image = node.map(|node| {
                node.encode_into(&name, &mut cells);
                cells.drain(..).collect()
            });
            nodes.insert(name, image);
        }
        Arc::new(Overlay { number, nodes, facts: self.facts, root: None })
    }

    /// Makes a node and those above it, each counted with its parent.
    fn ensure(&mut self, name: &[u8]) {
        if self.node(name).is_some() {
            return;
        }
        self.nodes.insert(name.into(), Some(Node::default()));
        // At most 127 labels, so the recursion is bounded.
        if let Some(above) = parent(name) {
            self.ensure(above);
            if let Some(node) = self.node(above) {
                node.children += 1;
                node.wildcard |= is_wildcard(name);
            }
        }
    }

    /// Removes a node that owns nothing and has nothing below, and then those above it alike.
    fn prune(&mut self, name: &[u8]) {
        let mut at = name;
        while let Some(above) = parent(at) {
            if !self.node(at).is_some_and(|node| node.children == 0 && node.is_empty()) {
                return;
            }
            self.nodes.insert(at.into(), None);
            if let Some(node) = self.node(above) {
                node.children -= 1;
                node.wildcard &= !is_wildcard(at);
            }
            at = above;
        }
    }
}

/// Whether an RRset cuts off what lies below its owner: a delegation or a DNAME.
pub(crate) fn is_cut(name: &[u8], rtype: Rtype) -> bool {
    rtype == Rtype::DNAME || rtype == Rtype::NS && !name.is_empty()
}

/// Whether the first label of a relative name is `*`.
pub(crate) fn is_wildcard(name: &[u8]) -> bool {
    name.starts_with(b"\x01*")
}
