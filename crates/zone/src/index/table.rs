//! All segments of a zone, and how they grow, split, join and are copied for snapshots.

use std::sync::Arc;

use crate::index::image::{Image, giant_cells};
use crate::index::key::{Key, Seed};
use crate::index::loader::SPARE;
use crate::index::segment::{GIANT_CELLS, Giant, Recipe, Segment};
use crate::sync::{AtomicU32, Ordering};

/// The segments by the first bits of the hash (extendible hashing): what readers hold.
///
/// There are two levels, so that nothing takes time for all segments: the root tells groups apart, and
/// a group its segments. What has fewer bits in common than are told apart stands at several places.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    /// So many bits tell groups apart.
    depth: u8,
    groups: Vec<Group>,
}

/// The segments of names whose hashes begin with the same bits. Replacing one copies the places of its
/// group.
#[derive(Clone, Debug)]
struct Group {
    /// How many bits of the hash its names have in common; those that follow tell its segments apart.
    depth: u8,
    /// Always as many as [`PLACES`].
    places: Arc<[Segment]>,
}

/// The root as its one writer sees it.
#[derive(Debug)]
pub(crate) struct Table {
    root: Root,
    seed: Seed,
    /// Counts moments that matter to who may be reading a segment.
    now: u64,
    /// Segments that were made up to this moment are read by somebody who must not see changes.
    frozen: u64,
    /// Segments were replaced since the root was last taken.
    changed: bool,
    /// Room to grow is one in so many parts of what is in use.
    spare: usize,
}

impl Root {
    /// The image of a name.
    pub(crate) fn find(&self, key: &Key<'_>) -> Option<Image<'_>> {
        self.segment(key.hash)?.find(key)
    }

    /// See [`Segment::touch`].
    pub(crate) fn touch(&self, hash: u64, deep: bool) -> u32 {
        self.segment(hash).map_or(0, |segment| segment.touch(hash, deep))
    }

    /// All images.
    pub(crate) fn images(&self) -> impl Iterator<Item = Image<'_>> {
        self.segments().flat_map(|(_, segment)| segment.images())
    }

    /// Octets that the segments take.
    pub(crate) fn octets(&self) -> usize {
        self.segments().map(|(_, segment)| segment.octets()).sum()
    }

    fn segment(&self, hash: u64) -> Option<&Segment> {
        let group = self.groups.get(first_bits(hash, self.depth))?;
        group.places.get(group.place(hash))
    }

    /// Each segment once, with the lowest hash that belongs to it.
    fn segments(&self) -> impl Iterator<Item = (u64, &Segment)> {
        let groups = self.groups.iter().enumerate();
        let groups = groups.filter(|(at, group)| at % self.span(group) == 0);
        groups.flat_map(|(at, group)| {
            let first = as_first_bits(at, self.depth);
            group.segments().map(move |(place, segment)| {
                (first | as_first_bits(place, PLACE_BITS) >> group.depth, segment)
            })
        })
    }

    /// At how many places a group stands.
    fn span(&self, group: &Group) -> usize {
        1 << (self.depth - group.depth)
    }

    /// Puts a segment at the places of its hashes.
    fn set(&mut self, hash: u64, segment: &Segment) {
        let Some(mut group) = self.groups.get(first_bits(hash, self.depth)).cloned() else {
            return;
        };
        let span = group.span(segment);
        let first = group.place(hash) / span * span;
        // Readers and other places hold the group: it is copied.
        for place in Arc::make_mut(&mut group.places).iter_mut().skip(first).take(span) {
            *place = segment.clone();
        }
        self.set_group(hash, &group);
    }

    fn set_group(&mut self, hash: u64, group: &Group) {
        let span = self.span(group);
        let first = first_bits(hash, self.depth) / span * span;
        for at in self.groups.iter_mut().skip(first).take(span) {
            *at = group.clone();
        }
    }

    /// The segment of a hash, when its other half is in the same group.
    fn joinable(&self, hash: u64) -> Option<&Segment> {
        let group = self.groups.get(first_bits(hash, self.depth))?;
        group.places.get(group.place(hash)).filter(|segment| segment.depth > group.depth)
    }

    /// Whether all bits that are told apart at a hash are in common to a segment of this depth there.
    fn is_told_apart(&self, hash: u64, depth: u8) -> bool {
        let group = self.groups.get(first_bits(hash, self.depth));
        group.is_some_and(|group| depth == group.depth + PLACE_BITS)
    }

    /// Makes two groups out of the one of a hash, each of which tells one more bit apart.
    fn deepen(&mut self, hash: u64) {
        let Some(group) = self.groups.get(first_bits(hash, self.depth)).cloned() else { return };
        if group.depth == self.depth {
            self.groups =
                self.groups.iter().flat_map(|group| [group.clone(), group.clone()]).collect();
            self.depth += 1;
        }
        let bit = 1 << (63 - u32::from(group.depth));
        let [zeros, ones] = group.halves();
        self.set_group(hash & !bit, &zeros);
        self.set_group(hash | bit, &ones);
    }

    /// Makes one group out of that of a hash and its other half, while neither needs all the bits that
    /// it tells apart.
    fn flatten(&mut self, hash: u64) {
        while let Some(group) = self.groups.get(first_bits(hash, self.depth)).cloned()
            && group.depth > 0
        {
            let bit = 1 << (64 - u32::from(group.depth));
            let Some(other) = self.groups.get(first_bits(hash ^ bit, self.depth)) else { return };
            if other.depth != group.depth || !group.is_flat() || !other.is_flat() {
                return;
            }
            let (zeros, ones) = if hash & bit == 0 { (&group, other) } else { (other, &group) };
            let joined = Group::joined(zeros, ones);
            self.set_group(hash, &joined);
            while self.depth > 0 && self.groups.iter().all(|group| group.depth < self.depth) {
                self.groups = self.groups.iter().step_by(2).cloned().collect();
                self.depth -= 1;
            }
        }
    }
}

impl Group {
    /// The place of a hash.
    fn place(&self, hash: u64) -> usize {
        first_bits(hash << self.depth, PLACE_BITS)
    }

    /// Each segment once, with its first place.
    fn segments(&self) -> impl Iterator<Item = (usize, &Segment)> {
        let places = self.places.iter().enumerate();
        places.filter(|(place, segment)| place % self.span(segment) == 0)
    }

    /// At how many places a segment stands.
    fn span(&self, segment: &Segment) -> usize {
        1 << (self.depth + PLACE_BITS - segment.depth)
    }

    /// Whether no segment needs the last bit.
    fn is_flat(&self) -> bool {
        self.places.iter().all(|segment| segment.depth < self.depth + PLACE_BITS)
    }

    fn halves(&self) -> [Group; 2] {
        let half = |skip| {
            let half = self.places.iter().skip(skip).take(PLACES / 2);
            let places = half.flat_map(|segment| [segment.clone(), segment.clone()]).collect();
            Group { depth: self.depth + 1, places }
        };
        [half(0), half(PLACES / 2)]
    }

    /// The two halves of a group that is not as deep.
    fn joined(zeros: &Group, ones: &Group) -> Group {
        let both = zeros.places.iter().step_by(2).chain(ones.places.iter().step_by(2));
        Group { depth: zeros.depth - 1, places: both.cloned().collect() }
    }
}

/// The first bits of a hash as a number.
fn first_bits(hash: u64, bits: u8) -> usize {
    // With no bits to tell apart the shift would be the whole width.
    hash.checked_shr(64 - u32::from(bits)).unwrap_or(0) as usize
}

/// The lowest hash with these first bits.
fn as_first_bits(number: usize, bits: u8) -> u64 {
    (number as u64).checked_shl(64 - u32::from(bits)).unwrap_or(0)
}

impl Table {
    pub(crate) fn new() -> Table {
        let group = Group { depth: 0, places: vec![Segment::empty(1); PLACES].into() };
        let root = Root { depth: 0, groups: vec![group] };
        Table { root, seed: Seed::new(), now: 1, frozen: 0, changed: false, spare: SPARE }
    }

    pub(crate) fn seed(&self) -> &Seed {
        &self.seed
    }

    pub(crate) fn root(&self) -> &Root {
        &self.root
    }

    /// The root for readers, if it is another one than before.
    pub(crate) fn take_changed(&mut self) -> Option<Arc<Root>> {
        std::mem::take(&mut self.changed).then(|| Arc::new(self.root.clone()))
    }

    /// From now on nothing that was made before is written in place; gives the moment.
    pub(crate) fn freeze(&mut self) -> u64 {
        self.frozen = self.now;
        self.now += 1;
        self.frozen
    }

    /// Only what was made up to this moment is still read by somebody who must not see changes.
    pub(crate) fn thaw(&mut self, frozen: u64) {
        self.frozen = frozen;
    }

    /// How much room new segments have to grow: one in so many parts.
    pub(crate) fn set_spare(&mut self, spare: usize) {
        self.spare = spare;
    }

    /// Makes this the image of a name. Takes time for one segment at most, however large the zone.
    pub(crate) fn put(&mut self, key: &Key<'_>, image: &[AtomicU32]) {
        if image.len() > GIANT_CELLS {
            return self.put_giant(key, image);
        }
        // Bounded: each round makes room, and one with enough of it is the last.
        while let Some(segment) = self.root.segment(key.hash) {
            if segment.born > self.frozen && segment.put(key, image) == Ok(()) {
                return;
            }
            self.make_room(key, image.len());
        }
    }

    fn put_giant(&mut self, key: &Key<'_>, image: &[AtomicU32]) {
        let copy = image.iter().map(|cell| AtomicU32::new(cell.load(Ordering::Relaxed)));
        let giant: Giant = copy.collect();
        // Bounded: a segment becomes smaller until it may take a giant, and larger once.
        while let Some(segment) = self.root.segment(key.hash) {
            let may = segment.born > self.frozen && !segment.may_split();
            if may && let Ok(made) = segment.with_giant(key, &giant) {
                return self.replace(key.hash, &made);
            }
            self.make_room(key, giant_cells(key.name));
        }
    }

    /// Makes the segment of a name anew, in two parts when it is large, with so many cells of room.
    fn make_room(&mut self, key: &Key<'_>, room: usize) {
        let Some(segment) = self.root.segment(key.hash) else { return };
        if segment.may_split() {
            return self.split(key, room);
        }
        let made = self.recipe(&[segment], key, room).whole();
        self.replace(key.hash, &made);
    }

    /// Removes a name.
    pub(crate) fn remove(&mut self, key: &Key<'_>) {
        let Some(segment) = self.root.segment(key.hash) else { return };
        let removed = segment.born > self.frozen && segment.remove(key) == Ok(());
        if !removed || segment.is_sparse() {
            let made = self.recipe(&[segment], key, 0).whole();
            self.replace(key.hash, &made);
        }
        self.join(key.hash);
    }

    /// Gives back the room that segments got while much was put in.
    pub(crate) fn settle(&mut self) {
        let roomy =
            |(hash, segment): (u64, &Segment)| segment.is_roomy().then(|| (hash, segment.clone()));
        let roomy: Vec<(u64, Segment)> = self.root.segments().filter_map(roomy).collect();
        for (hash, segment) in roomy {
            let made = Recipe { without: None, ..self.recipe(&[&segment], &NOBODY, 0) }.whole();
            self.replace(hash, &made);
        }
    }

    fn split(&mut self, key: &Key<'_>, room: usize) {
        let Some(segment) = self.root.segment(key.hash) else { return };
        let depth = segment.depth;
        let (zeros, ones) = self.recipe(&[segment], key, room).halves();
        if self.root.is_told_apart(key.hash, depth) {
            self.root.deepen(key.hash);
        }
        let bit = 1 << (63 - u32::from(depth));
        self.replace(key.hash & !bit, &zeros);
        self.replace(key.hash | bit, &ones);
    }

    /// Joins a segment with its other half while both are small.
    fn join(&mut self, hash: u64) {
        loop {
            // Two halves of a group that is not as deep are in one group then.
            self.root.flatten(hash);
            let Some(segment) = self.root.joinable(hash) else { return };
            let bit = 1 << (64 - u32::from(segment.depth));
            let Some(other) = self.root.segment(hash ^ bit) else { return };
            if other.depth != segment.depth || !segment.is_small() || !other.is_small() {
                return;
            }
            let depth = segment.depth - 1;
            let both = [segment, other];
            let made = Recipe { depth, without: None, ..self.recipe(&both, &NOBODY, 0) }.whole();
            self.replace(hash, &made);
        }
    }

    fn recipe<'a>(&'a self, from: &'a [&'a Segment], key: &Key<'a>, room: usize) -> Recipe<'a> {
        let depth = from.first().map_or(0, |segment| segment.depth);
        let (born, spare) = (self.now, self.spare);
        Recipe { from, seed: &self.seed, born, depth, spare, without: Some(key.name), room }
    }

    fn replace(&mut self, hash: u64, made: &Segment) {
        self.root.set(hash, made);
        self.changed = true;
    }
}

/// No name has this one: it has more octets than a name can.
const NOBODY: Key<'static> = Key { name: &[0; 256], hash: 0 };
/// Bits that tell the segments of a group apart, and how many places that makes.
const PLACE_BITS: u8 = 6;
const PLACES: usize = 1 << PLACE_BITS;
