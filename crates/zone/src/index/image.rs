//! How a name and all that it owns stand in cells of 32 bits.
//!
//! ```text
//!  head      length of the name, flags, number of cells of the whole image
//!  name      relative to the apex, folded, filled up with zeros
//!  TTL       if there is one A or one AAAA record
//!  A         the address, if there is one A record
//!  TTL'      of the AAAA record, if it is another one
//!  AAAA      four cells, if there is one AAAA record
//!  children  number of names directly below, if there are any
//!  others    by type: type and number of octets, TTL, the RRset packed
//! ```
//!
//! Signatures made on demand would be kept beside the zone, by name, type and a version of the
//! image; the head has eight bits to spare for it.

use std::net::{Ipv4Addr, Ipv6Addr};

use wire::Rtype;

use crate::index::key::{cells, cells_of};
use crate::index::set::{Set, SetRef};
use crate::sync::{AtomicU32, Ordering};

/// A name that owns records, or lies above one that does (an empty non-terminal): taken out of its
/// cells to be changed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    /// Names directly below.
    pub(crate) children: u32,
    /// Whether one of them is `*`.
    pub(crate) wildcard: bool,
    /// By type, ascending.
    sets: Vec<Set>,
}

/// A node in its cells. What is read may be torn between two commits: every read stays within the
/// cells, and the reader checks the sequence before it believes anything.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Image<'a> {
    cells: &'a [AtomicU32],
    head: Head,
}

/// The first cell of an image.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Head(u32);

impl Head {
    pub(crate) const A: u32 = 1 << 8;
    pub(crate) const AAAA: u32 = 1 << 9;
    /// The AAAA record has a TTL of its own.
    pub(crate) const OWN_TTL: u32 = 1 << 10;
    pub(crate) const CHILDREN: u32 = 1 << 11;
    pub(crate) const WILDCARD: u32 = 1 << 12;
    /// The image is too large for its segment and stands elsewhere; a number after the name says where.
    pub(crate) const GIANT: u32 = 1 << 13;

    fn new(name: &[u8], flags: u32, cells: usize) -> Head {
        // A relative name has at most 254 octets; giants do not use the number of cells.
        let cells = u16::try_from(cells).unwrap_or(u16::MAX);
        Head(name.len() as u32 & 0xff | flags | u32::from(cells) << 16)
    }

    pub(crate) fn has(self, flag: u32) -> bool {
        self.0 & flag != 0
    }

    pub(crate) fn name_len(self) -> usize {
        (self.0 & 0xff) as usize
    }

    /// Cells of the whole image.
    pub(crate) fn cells(self) -> usize {
        (self.0 >> 16) as usize
    }

    /// Where the fields after the name begin.
    fn body(self) -> usize {
        1 + cells_of(self.name_len())
    }
}

impl<'a> Image<'a> {
    /// An image that begins where these cells do.
    pub(crate) fn at(cells: &'a [AtomicU32]) -> Image<'a> {
        let head = Head(read(cells, 0));
        let cells = cells.get(..head.cells()).unwrap_or(cells);
        Image { cells, head }
    }

    /// An image that begins where these cells do, and what follows it.
    pub(crate) fn split_from(cells: &'a [AtomicU32]) -> (Image<'a>, &'a [AtomicU32]) {
        let image = Image::at(cells);
        (image, cells.get(image.cells.len()..).unwrap_or_default())
    }

    /// An image that fills these cells.
    pub(crate) fn whole(cells: &'a [AtomicU32]) -> Image<'a> {
        Image { cells, head: Head(read(cells, 0)) }
    }

    pub(crate) fn head(&self) -> Head {
        self.head
    }

    pub(crate) fn all(&self) -> &'a [AtomicU32] {
        self.cells
    }

    /// Whether this is the node of a name. Names never change where they stand.
    pub(crate) fn is_named(&self, name: &[u8]) -> bool {
        self.head.name_len() == name.len()
            && cells(name).enumerate().all(|(at, cell)| read(self.cells, 1 + at) == cell)
    }

    /// The name.
    pub(crate) fn name(&self) -> Vec<u8> {
        let mut name = vec![0; self.head.name_len()];
        copy(self.cells, 1, &mut name);
        name
    }

    /// The name, in a buffer of the caller's.
    pub(crate) fn name_into<'b>(&self, buffer: &'b mut [u8; 256]) -> &'b [u8] {
        let name = buffer.get_mut(..self.head.name_len()).unwrap_or_default();
        copy(self.cells, 1, name);
        name
    }

    /// The number that stands after the name of a giant.
    pub(crate) fn giant(&self) -> Option<usize> {
        self.head.has(Head::GIANT).then(|| read(self.cells, self.head.body()) as usize)
    }

    /// Whether one of the names directly below is `*`.
    pub(crate) fn has_wildcard(&self) -> bool {
        self.head.has(Head::WILDCARD)
    }

    /// The RRset of a type.
    pub(crate) fn set(&self, rtype: Rtype) -> Option<Set> {
        let fields = self.fields();
        match rtype {
            Rtype::A if self.head.has(Head::A) => fields.a(),
            Rtype::AAAA if self.head.has(Head::AAAA) => fields.aaaa(),
            _ => self.others(fields).find(|(found, _)| *found == rtype).map(|(_, set)| set()),
        }
    }

    /// The types of all RRsets, in no particular order.
    pub(crate) fn types(&self) -> impl Iterator<Item = Rtype> + use<'a> {
        let a = self.head.has(Head::A).then_some(Rtype::A);
        let aaaa = self.head.has(Head::AAAA).then_some(Rtype::AAAA);
        a.into_iter().chain(aaaa).chain(self.others(self.fields()).map(|(rtype, _)| rtype))
    }

    /// All RRsets, by type.
    pub(crate) fn sets(&self) -> Vec<Set> {
        let fields = self.fields();
        let addresses = [fields.a(), fields.aaaa()].into_iter().flatten();
        let mut sets: Vec<Set> = self.others(fields).map(|(_, set)| set()).collect();
        for set in addresses {
            let at = sets.partition_point(|other| other.rtype < set.rtype);
            sets.insert(at, set);
        }
        sets
    }

    /// The node as a whole.
    pub(crate) fn node(&self) -> Node {
        let fields = self.fields();
        let children = if self.head.has(Head::CHILDREN) { fields.children() } else { 0 };
        Node { children, wildcard: self.has_wildcard(), sets: self.sets() }
    }

    fn fields(&self) -> Fields<'a> {
        let flag = |flag| usize::from(self.head.has(flag));
        let ttl = self.head.body();
        let a = ttl + (flag(Head::A) | flag(Head::AAAA));
        let own_ttl = a + flag(Head::A);
        let aaaa = own_ttl + flag(Head::OWN_TTL);
        let children = aaaa + 4 * flag(Head::AAAA);
        let others = children + flag(Head::CHILDREN);
        Fields { cells: self.cells, head: self.head, ttl, a, own_ttl, aaaa, children, others }
    }

    /// The RRsets that are not single addresses: type, and how to read it.
    fn others(
        &self,
        fields: Fields<'a>,
    ) -> impl Iterator<Item = (Rtype, impl FnOnce() -> Set + use<'a>)> + use<'a> {
        let cells = self.cells;
        let mut at = fields.others;
        std::iter::from_fn(move || {
            let kind = cells.get(at)?.load(Ordering::Relaxed);
            let len = (kind & LEN_MASK) as usize;
            let here = at;
            at += SET_HEAD + cells_of(len);
            let rtype = Rtype(type_at(cells, here));
            let whole = move || {
                // Torn lengths never reach behind the image.
                let room = cells.len().saturating_sub(here + SET_HEAD) * 4;
                let key = (rtype, read(cells, here + 1));
                Set::read(key, len.min(room), |octets| copy(cells, here + SET_HEAD, octets))
            };
            Some((rtype, whole))
        })
    }
}

/// Where the fields of an image stand.
#[derive(Clone, Copy)]
struct Fields<'a> {
    cells: &'a [AtomicU32],
    head: Head,
    ttl: usize,
    a: usize,
    own_ttl: usize,
    aaaa: usize,
    children: usize,
    others: usize,
}

impl Fields<'_> {
    fn a(&self) -> Option<Set> {
        let key = (Rtype::A, read(self.cells, self.ttl));
        self.head.has(Head::A).then(|| Set::address(key, read(self.cells, self.a).to_be_bytes()))
    }

    fn aaaa(&self) -> Option<Set> {
        let ttl = if self.head.has(Head::OWN_TTL) { self.own_ttl } else { self.ttl };
        let key = (Rtype::AAAA, read(self.cells, ttl));
        let word = |n: usize| u128::from(read(self.cells, self.aaaa + n));
        let address = word(0) << 96 | word(1) << 64 | word(2) << 32 | word(3);
        self.head.has(Head::AAAA).then(|| Set::address(key, address.to_be_bytes()))
    }

    fn children(&self) -> u32 {
        read(self.cells, self.children)
    }
}

impl Node {
    /// The RRset of a type.
    pub(crate) fn set(&self, rtype: Rtype) -> Option<&Set> {
        self.sets.iter().find(|set| set.rtype == rtype)
    }

    /// Whether it owns no record: an empty non-terminal.
    pub(crate) fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    /// Puts an RRset in; whether its type is new here.
    pub(crate) fn put(&mut self, set: Set) -> bool {
        match self.sets.binary_search_by_key(&set.rtype, |set| set.rtype) {
            Ok(at) => {
                self.sets[at] = set;
                false
            }
            Err(at) => {
                self.sets.insert(at, set);
                true
            }
        }
    }

    /// Removes an RRset; whether it was there.
    pub(crate) fn remove(&mut self, rtype: Rtype) -> bool {
        let found = self.sets.binary_search_by_key(&rtype, |set| set.rtype);
        found.map(|at| self.sets.remove(at)).is_ok()
    }

    /// Its cells.
    pub(crate) fn encode(&self, name: &[u8]) -> Box<[AtomicU32]> {
        let mut cells = Vec::new();
        self.encode_into(name, &mut cells);
        cells.into()
    }

    /// The same into cells that were used before.
    pub(crate) fn encode_into(&self, name: &[u8], out: &mut Vec<AtomicU32>) {
        encode(name, (self.children, self.wildcard), self.sets.iter().map(Set::as_ref), out);
    }
}

/// The image of a name with what it has below and RRsets by type, ascending, none twice.
pub(crate) fn encode<'s>(
    name: &[u8],
    (children, wildcard): (u32, bool),
    sets: impl Iterator<Item = SetRef<'s>> + Clone,
    out: &mut Vec<AtomicU32>,
) {
    let a = sets.clone().find_map(|set| Some((set.ttl_s, only::<4>(&set, Rtype::A)?)));
    let aaaa = sets.clone().find_map(|set| Some((set.ttl_s, only::<16>(&set, Rtype::AAAA)?)));
    let mut flags = 0;
    out.clear();
    let mut push = |cell| out.push(AtomicU32::new(cell));
    push(0);
    cells(name).for_each(&mut push);
    a.map(|(ttl_s, _)| ttl_s).or(aaaa.map(|(ttl_s, _)| ttl_s)).into_iter().for_each(&mut push);
    if let Some((_, address)) = a {
        flags |= Head::A;
        push(Ipv4Addr::from(address).to_bits());
    }
    if let Some((ttl_s, address)) = aaaa {
        flags |= Head::AAAA;
        if a.is_some_and(|(shared, _)| shared != ttl_s) {
            flags |= Head::OWN_TTL;
            push(ttl_s);
        }
        let bits = Ipv6Addr::from(address).to_bits();
        [96, 64, 32, 0].into_iter().for_each(|shift| push((bits >> shift) as u32));
    }
    if children > 0 {
        flags |= Head::CHILDREN;
        push(children);
    }
    if wildcard {
        flags |= Head::WILDCARD;
    }
    let others = sets.filter(|set| match set.rtype {
        Rtype::A => a.is_none(),
        Rtype::AAAA => aaaa.is_none(),
        _ => true,
    });
    others.for_each(|set| {
        // An RRset is bounded by what one message can carry, so its length has 17 bits at most.
        push(set.records.len() as u32 & LEN_MASK);
        push(set.ttl_s);
        push(u32::from(set.rtype.0));
        cells(set.records).for_each(&mut push);
    });
    let head = Head::new(name, flags, out.len());
    if let Some(first) = out.first_mut() {
        *first = AtomicU32::new(head.0);
    }
}

/// The address, when the set is of that type and one record of that many octets.
fn only<const N: usize>(set: &SetRef<'_>, rtype: Rtype) -> Option<[u8; N]> {
    let (len, record) = set.records.split_first_chunk::<2>().filter(|_| set.rtype == rtype)?;
    (usize::from(u16::from_be_bytes(*len)) == N).then(|| record.try_into().ok())?
}

/// The image that stands for one that is too large: its name and where the other is.
pub(crate) fn encode_giant(name: &[u8], number: usize) -> Vec<AtomicU32> {
    let head = Head::new(name, Head::GIANT, giant_cells(name));
    // Giants of one segment are fewer than its names.
    let all = std::iter::once(head.0).chain(cells(name)).chain([number as u32]);
    all.map(AtomicU32::new).collect()
}

/// How many cells that takes.
pub(crate) fn giant_cells(name: &[u8]) -> usize {
    2 + cells_of(name.len())
}

fn type_at(cells: &[AtomicU32], at: usize) -> u16 {
    (read(cells, at + 2) & 0xffff) as u16
}

fn read(cells: &[AtomicU32], at: usize) -> u32 {
    cells.get(at).map_or(0, |cell| cell.load(Ordering::Relaxed))
}

fn copy(cells: &[AtomicU32], at: usize, octets: &mut [u8]) {
    let cells = cells.get(at..).unwrap_or_default();
    for (four, cell) in octets.chunks_mut(4).zip(cells) {
        let cell = cell.load(Ordering::Relaxed).to_le_bytes();
        four.copy_from_slice(cell.get(..four.len()).unwrap_or_default());
    }
}

/// Cells before the data of an RRset.
const SET_HEAD: usize = 3;
/// The bits of an RRset's length.
const LEN_MASK: u32 = (1 << 24) - 1;
