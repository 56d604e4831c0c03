//! All segments of a zone, and how they grow, split, join and are copied for snapshots.

use std::sync::Arc;

use crate::index::image::Image;
use crate::index::key::{Key, Seed};
use crate::index::loader::SPARE;
use crate::index::segment::{DEPTH_MAX, Recipe, Segment};
use crate::sync::{AtomicU32, Ordering};

/// The segments by the first bits of the hash (extendible hashing): what readers hold.
///
/// A segment whose names have fewer bits in common than the directory tells apart stands at several
/// places. Places are kept in groups, so that replacing a segment copies one group.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    /// So many bits are told apart.
    depth: u8,
    groups: Vec<Arc<[Segment]>>,
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
        let place = self.place(hash);
        self.groups.get(place / GROUP)?.get(place % GROUP)
    }

    fn place(&self, hash: u64) -> usize {
        // With no bits to tell apart the shift would be the whole width.
        hash.checked_shr(64 - u32::from(self.depth)).unwrap_or(0) as usize
    }

    /// Each segment once, with its first place.
    fn segments(&self) -> impl Iterator<Item = (usize, &Segment)> {
        let places = self.groups.iter().flat_map(|group| group.iter()).enumerate();
        places.filter(|(place, segment)| place % self.span(segment) == 0)
    }

    /// At how many places a segment stands.
    fn span(&self, segment: &Segment) -> usize {
        1 << (self.depth - segment.depth)
    }

    /// Puts a segment at the places of its hashes.
    fn set(&mut self, hash: u64, segment: &Segment) {
        let span = self.span(segment);
        let first = self.place(hash) / span * span;
        for place in first..first + span {
            if let Some(group) = self.groups.get_mut(place / GROUP) {
                // Copied when readers hold it, and not again before they may.
                if let Some(at) = Arc::make_mut(group).get_mut(place % GROUP) {
                    *at = segment.clone();
                }
            }
        }
    }

    /// Tells one more bit apart.
    fn deepen(&mut self) {
        let twice = self.all().flat_map(|segment| [segment.clone(), segment.clone()]).collect();
        *self = Root { depth: self.depth + 1, groups: group(twice) };
    }

    /// Tells one bit less apart, when no segment needs it.
    fn flatten(&mut self) {
        while self.depth > 0 && self.all().all(|segment| segment.depth < self.depth) {
            let half = self.all().step_by(2).cloned().collect();
            *self = Root { depth: self.depth - 1, groups: group(half) };
        }
    }

    fn all(&self) -> impl Iterator<Item = &Segment> {
        self.groups.iter().flat_map(|group| group.iter())
    }
}

impl Table {
    pub(crate) fn new() -> Table {
        let root = Root { depth: 0, groups: group(vec![Segment::empty(1)]) };
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
        // Bounded: each round makes room, and one with enough of it is the last.
        while let Some(segment) = self.root.segment(key.hash) {
            if image.len() > GIANT_CELLS {
                let copy = image.iter().map(|cell| AtomicU32::new(cell.load(Ordering::Relaxed)));
                let made = self.recipe(&[segment], key, 0).with_giant(key, copy.collect());
                return self.replace(key.hash, &made);
            }
            if segment.born > self.frozen && segment.put(key, image) == Ok(()) {
                return;
            }
            if segment.is_large() && segment.depth < DEPTH_MAX {
                self.split(key, image.len());
            } else {
                let made = self.recipe(&[segment], key, image.len()).whole();
                self.replace(key.hash, &made);
            }
        }
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
        let roomy = |(place, segment): (usize, &Segment)| {
            segment.is_roomy().then(|| (place, segment.clone()))
        };
        let roomy: Vec<(usize, Segment)> = self.root.segments().filter_map(roomy).collect();
        for (place, segment) in roomy {
            let made = Recipe { without: None, ..self.recipe(&[&segment], &NOBODY, 0) }.whole();
            let hash = (place as u64).checked_shl(64 - u32::from(self.root.depth)).unwrap_or(0);
            self.replace(hash, &made);
        }
    }

    fn split(&mut self, key: &Key<'_>, room: usize) {
        let Some(segment) = self.root.segment(key.hash) else { return };
        let depth = segment.depth;
        let (zeros, ones) = self.recipe(&[segment], key, room).halves();
        if depth == self.root.depth {
            self.root.deepen();
        }
        let bit = 1 << (63 - u32::from(depth));
        self.replace(key.hash & !bit, &zeros);
        self.replace(key.hash | bit, &ones);
    }

    /// Joins a segment with its other half while both are small.
    fn join(&mut self, hash: u64) {
        while let Some(segment) = self.root.segment(hash).filter(|one| one.depth > 0) {
            let bit = 1 << (64 - u32::from(segment.depth));
            let Some(other) = self.root.segment(hash ^ bit) else { return };
            if other.depth != segment.depth || !segment.is_small() || !other.is_small() {
                return;
            }
            let depth = segment.depth - 1;
            let both = [segment, other];
            let made = Recipe { depth, without: None, ..self.recipe(&both, &NOBODY, 0) }.whole();
            self.replace(hash, &made);
            self.root.flatten();
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

fn group(segments: Vec<Segment>) -> Vec<Arc<[Segment]>> {
    segments.chunks(GROUP).map(Arc::from).collect()
}

/// No name has this one: it has more octets than a name can.
const NOBODY: Key<'static> = Key { name: &[0; 256], hash: 0 };
/// Places that are copied when one of them changes.
const GROUP: usize = 64;
/// Cells of an image from which it is a giant.
const GIANT_CELLS: usize = 2048;
