//! The names of a zone and what they own: a hash of owner names relative to the apex.
//!
//! Nodes are spread over shards that are shared with snapshots: the first change in a shard after
//! a snapshot copies that shard, nothing else is ever copied. An order index for NSEC chains and
//! versions of signatures would stand beside `sets` in [`Node`]; the owner octets are the only key.

use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use wire::{Rdata, Rrset, Rtype};

/// All nodes of a zone. Keys are folded labels in wire form, without the apex' octets and without
/// a root label; the apex itself is the empty key and always there.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    shards: Vec<Arc<Shard>>,
    rrsets: usize,
    /// Number of delegations below the apex and of DNAMEs: while it is 0 no ancestor is looked at.
    cuts: usize,
}

type Shard = HashMap<Box<[u8]>, Node>;

/// A name that owns records, or lies above one that does (an empty non-terminal).
#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    /// Nodes directly below.
    children: u32,
    /// By type, ascending.
    sets: Vec<Set>,
}

/// An RRset, addresses packed.
#[derive(Clone, Debug)]
pub(crate) struct Set {
    pub(crate) rtype: Rtype,
    pub(crate) ttl_s: u32,
    data: Data,
}

#[derive(Clone, Debug)]
enum Data {
    A(Ipv4Addr),
    Aaaa(Ipv6Addr),
    Many(Box<[Rdata]>),
}

impl Index {
    pub(crate) fn new() -> Index {
        let mut index = Index { shards: shards(FEW_SHARDS), rrsets: 0, cuts: 0 };
        index.shard_mut(&[]).insert(Box::new([]), Node::default());
        index
    }

    /// The node of a folded relative name.
    pub(crate) fn node(&self, relative: &[u8]) -> Option<&Node> {
        self.shards.get(self.shard_of(relative))?.get(relative)
    }

    /// Whether there is any delegation or DNAME.
    pub(crate) fn has_cuts(&self) -> bool {
        self.cuts > 0
    }

    /// Number of RRsets.
    pub(crate) fn rrset_count(&self) -> usize {
        self.rrsets
    }

    /// Makes this the RRset of an owner and type; `None` removes it.
    pub(crate) fn put(&mut self, relative: &[u8], rtype: Rtype, rrset: Option<&Rrset>) {
        let is_cut = rtype == Rtype::DNAME || rtype == Rtype::NS && !relative.is_empty();
        match rrset {
            Some(rrset) => {
                self.ensure(relative);
                let added = self.node_mut(relative).is_some_and(|node| node.put(rtype, rrset));
                if added {
                    self.rrsets += 1;
                    self.cuts += usize::from(is_cut);
                    self.grow();
                }
            }
            None => {
                if self.node_mut(relative).is_some_and(|node| node.remove(rtype)) {
                    self.rrsets -= 1;
                    self.cuts -= usize::from(is_cut);
                    self.prune(relative);
                }
            }
        }
    }

    /// All nodes, in no particular order.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = (&[u8], &Node)> {
        self.shards.iter().flat_map(|shard| shard.iter().map(|(key, node)| (&**key, node)))
    }

    fn shard_of(&self, relative: &[u8]) -> usize {
        // FNV-1a picks the shard only; within it the map's own keyed hash guards against floods.
        let hash = relative.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, &octet| {
            (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3)
        });
        usize::try_from(hash >> 32).unwrap_or(0) % self.shards.len()
    }

    fn shard_mut(&mut self, relative: &[u8]) -> &mut Shard {
        let at = self.shard_of(relative);
        Arc::make_mut(&mut self.shards[at])
    }

    fn node_mut(&mut self, relative: &[u8]) -> Option<&mut Node> {
        // Look before the shard is made writable, which may copy it.
        self.node(relative)?;
        self.shard_mut(relative).get_mut(relative)
    }

    /// Makes a node and those above it, each counted with its parent.
    fn ensure(&mut self, relative: &[u8]) {
        if self.node(relative).is_some() {
            return;
        }
        self.shard_mut(relative).insert(relative.into(), Node::default());
        // At most 127 labels, so the recursion is bounded.
        if let Some(above) = parent(relative) {
            self.ensure(above);
            if let Some(node) = self.node_mut(above) {
                node.children += 1;
            }
        }
    }

    /// Removes a node that owns nothing and has nothing below, and then those above it alike.
    fn prune(&mut self, relative: &[u8]) {
        let mut at = relative;
        while let Some(parent) = parent(at) {
            let empty = self.node(at).is_some_and(|node| node.children == 0 && node.is_empty());
            if !empty {
                return;
            }
            self.shard_mut(at).remove(at);
            if let Some(node) = self.node_mut(parent) {
                node.children -= 1;
            }
            at = parent;
        }
    }

    /// Many more shards once, when the zone is no longer small: then a copied shard stays small. It
    /// moves no more than the names of `FEW_RRSETS_MAX` RRsets, however large the zone becomes.
    fn grow(&mut self) {
        if self.shards.len() == MANY_SHARDS || self.rrsets < FEW_RRSETS_MAX {
            return;
        }
        let old = std::mem::replace(&mut self.shards, shards(MANY_SHARDS));
        for shard in old {
            let shard = Arc::try_unwrap(shard).unwrap_or_else(|shared| (*shared).clone());
            for (key, node) in shard {
                self.shard_mut(&key).insert(key, node);
            }
        }
    }
}

impl Node {
    /// The RRset of a type.
    pub(crate) fn set(&self, rtype: Rtype) -> Option<&Set> {
        self.sets.iter().find(|set| set.rtype == rtype)
    }

    /// All RRsets, by type.
    pub(crate) fn sets(&self) -> &[Set] {
        &self.sets
    }

    /// Whether it owns no record: an empty non-terminal.
    pub(crate) fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    /// Whether the RRset is new.
    fn put(&mut self, rtype: Rtype, rrset: &Rrset) -> bool {
        let set = Set { rtype, ttl_s: rrset.ttl_s, data: Data::pack(rtype, &rrset.rdata) };
        match self.sets.binary_search_by_key(&rtype, |set| set.rtype) {
            Ok(at) => {
                self.sets[at] = set;
                false
            }
            Err(at) => {
                self.sets.reserve_exact(1);
                self.sets.insert(at, set);
                true
            }
        }
    }

    fn remove(&mut self, rtype: Rtype) -> bool {
        match self.sets.binary_search_by_key(&rtype, |set| set.rtype) {
            Ok(at) => {
                self.sets.remove(at);
                true
            }
            Err(_) => false,
        }
    }
}

impl Set {
    /// Its records, in wire form.
    pub(crate) fn rdata(&self) -> impl Iterator<Item = Octets<'_>> {
        let (first, many): (Option<Octets<'_>>, &[Rdata]) = match &self.data {
            Data::A(address) => (Some(Octets::Four(address.octets())), &[]),
            Data::Aaaa(address) => (Some(Octets::Sixteen(address.octets())), &[]),
            Data::Many(many) => (None, many),
        };
        first.into_iter().chain(many.iter().map(|rdata| Octets::Slice(rdata.as_wire())))
    }

    /// Its records when they are not packed addresses.
    pub(crate) fn many(&self) -> &[Rdata] {
        match &self.data {
            Data::A(_) | Data::Aaaa(_) => &[],
            Data::Many(many) => many,
        }
    }

    /// An owned copy.
    pub(crate) fn rrset(&self) -> Rrset {
        let rdata = match &self.data {
            Data::A(address) => vec![Rdata::a(*address)],
            Data::Aaaa(address) => vec![Rdata::aaaa(*address)],
            Data::Many(many) => many.to_vec(),
        };
        Rrset { ttl_s: self.ttl_s, rdata }
    }
}

/// Octets of one record's data.
pub(crate) enum Octets<'a> {
    Four([u8; 4]),
    Sixteen([u8; 16]),
    Slice(&'a [u8]),
}

impl AsRef<[u8]> for Octets<'_> {
    fn as_ref(&self) -> &[u8] {
        match self {
            Octets::Four(octets) => octets,
            Octets::Sixteen(octets) => octets,
            Octets::Slice(octets) => octets,
        }
    }
}

impl Data {
    fn pack(rtype: Rtype, rdata: &[Rdata]) -> Data {
        match (rtype, rdata) {
            (Rtype::A, [one]) => one.ipv4().map(Data::A),
            (Rtype::AAAA, [one]) => one.ipv6().map(Data::Aaaa),
            _ => None,
        }
        .unwrap_or_else(|| Data::Many(rdata.into()))
    }
}

/// The relative name above a relative name; `None` above the apex.
fn parent(relative: &[u8]) -> Option<&[u8]> {
    let (&len, rest) = relative.split_first()?;
    rest.get(usize::from(len)..)
}

fn shards(count: usize) -> Vec<Arc<Shard>> {
    (0..count).map(|_| Arc::new(Shard::new())).collect()
}

/// Shards of a small zone.
const FEW_SHARDS: usize = 4;
/// Shards of a zone that has grown.
const MANY_SHARDS: usize = 4096;
/// RRsets at which a zone is no longer small.
const FEW_RRSETS_MAX: usize = 8192;
