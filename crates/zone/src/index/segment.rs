//! A part of a zone's names: a hash table and the images that it points to, in one piece of memory.

use std::sync::Arc;

use crate::index::image::{Head, Image, encode_giant};
use crate::index::key::{Key, Seed};
use crate::sync::{AtomicU32, Ordering};

/// Names whose hashes begin with the same bits.
///
/// ```text
///  counts   what the writer keeps count of
///  slots    open addressing with linear probing: 12 bits of the hash and where the image begins
///  images   one behind the other; never moved and never used again for another name
/// ```
///
/// Readers go through the slots while the one writer changes them. An image is complete before a
/// slot points to it, and its name stays as it is for as long as anybody holds the segment: only
/// fields after the name are overwritten in place. What is removed or outgrown stays behind until
/// the writer makes a new segment out of what is in use.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    cells: Arc<[AtomicU32]>,
    /// Images that are too large to be copied with a segment, by the numbers that stand for them; a
    /// change of one makes a new list, beside which those who read go on with theirs.
    giants: Option<Arc<[Giant]>>,
    /// The moment of the table at which it was made: snapshots from then on see it.
    pub(crate) born: u64,
    /// How many bits of the hash its names have in common.
    pub(crate) depth: u8,
    slot_bits: u8,
}

/// An image that stands on its own.
pub(crate) type Giant = Arc<[AtomicU32]>;

/// There is no room left: the segment must be made anew, perhaps in two parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoRoom;

/// What a segment is made of anew.
#[derive(Clone, Copy)]
pub(crate) struct Recipe<'a> {
    /// The segments whose names it takes over.
    pub(crate) from: &'a [&'a Segment],
    pub(crate) seed: &'a Seed,
    pub(crate) born: u64,
    pub(crate) depth: u8,
    /// Room to grow is one in so many parts of what is in use.
    pub(crate) spare: usize,
    /// A name that is not taken over.
    pub(crate) without: Option<&'a [u8]>,
    /// Cells of an image that will be put in next.
    pub(crate) room: usize,
}

impl Segment {
    /// A segment without names.
    pub(crate) fn empty(born: u64) -> Segment {
        Segment::sized(1, CELLS_SPARE_MIN, (born, 0))
    }

    /// A segment for so many names and cells of images. There are always more slots than names.
    fn sized(names: usize, cells: usize, (born, depth): (u64, u8)) -> Segment {
        let fits = names * 4 <= SLOTS_MAX * 3;
        let most = if fits { SLOTS_MAX } else { usize::MAX };
        let slots = (names * 16).div_ceil(9).next_power_of_two().clamp(SLOTS_MIN, most);
        let slot_bits = slots.trailing_zeros() as u8;
        let size = COUNTS + slots + cells;
        let cells: Arc<[AtomicU32]> = (0..size).map(|_| AtomicU32::new(0)).collect();
        let segment = Segment { cells, giants: None, born, depth, slot_bits };
        segment.set_count(USED, COUNTS + slots);
        segment
    }

    /// The image of a name.
    pub(crate) fn find(&self, key: &Key<'_>) -> Option<Image<'_>> {
        let image = self.image_at(self.seek(key)?.1)?;
        match image.giant() {
            None => Some(image),
            Some(number) => Some(Image::whole(self.giants.as_ref()?.get(number)?)),
        }
    }

    /// Reads what a look-up will read first, so that it is in the cache then: the slot, and with
    /// `deep` the image that a fresh slot points to.
    pub(crate) fn touch(&self, hash: u64, deep: bool) -> u32 {
        let slot = self.cells.get(self.slot(hash)).map_or(0, |slot| slot.load(Ordering::Relaxed));
        if deep { self.cell((slot & OFFSET_MASK) as usize) } else { slot }
    }

    /// Overwrites the image of a name in place when it has the same size, or appends it.
    pub(crate) fn put(&self, key: &Key<'_>, image: &[AtomicU32]) -> Result<(), NoRoom> {
        if let Some((slot, at)) = self.seek(key) {
            let old = self.image_at(at).ok_or(NoRoom)?;
            if old.head().has(Head::GIANT) {
                return Err(NoRoom);
            }
            if old.all().len() == image.len() {
                // The name is the same; only what follows it changes.
                for (cell, new) in old.all().iter().zip(image) {
                    let new = new.load(Ordering::Relaxed);
                    if cell.load(Ordering::Relaxed) != new {
                        cell.store(new, Ordering::Relaxed);
                    }
                }
                return Ok(());
            }
            let at = self.append(image)?;
            self.set_count(DEAD, self.count(DEAD) + old.all().len());
            self.set_slot(slot, tag(key.hash) | at);
            return Ok(());
        }
        let taken = self.count(NAMES) + self.count(TOMBS);
        if (taken + 1) * 4 > self.slots() * 3 {
            return Err(NoRoom);
        }
        self.place(key.hash, image)
    }

    /// The same for an image that is too large to stand here: only what stands for it is written here,
    /// into cells that both segments have in common.
    pub(crate) fn with_giant(&self, key: &Key<'_>, image: &Giant) -> Result<Segment, NoRoom> {
        let mut giants = self.giants.as_deref().unwrap_or_default().to_vec();
        let known = self.seek(key).and_then(|(_, at)| self.image_at(at)?.giant());
        if let Some(number) = known {
            *giants.get_mut(number).ok_or(NoRoom)? = Arc::clone(image);
        } else {
            self.put(key, &encode_giant(key.name, giants.len()))?;
            giants.push(Arc::clone(image));
        }
        Ok(Segment { giants: Some(giants.into()), ..self.clone() })
    }

    /// Removes a name that is not a giant; `NoRoom`: it is one.
    pub(crate) fn remove(&self, key: &Key<'_>) -> Result<(), NoRoom> {
        let Some((slot, at)) = self.seek(key) else { return Ok(()) };
        let image = self.image_at(at).ok_or(NoRoom)?;
        if image.head().has(Head::GIANT) {
            return Err(NoRoom);
        }
        let dead = image.all().len();
        self.set_count(DEAD, self.count(DEAD) + dead);
        self.set_count(NAMES, self.count(NAMES) - 1);
        self.set_count(TOMBS, self.count(TOMBS) + 1);
        self.set_slot(slot, TOMB);
        Ok(())
    }

    pub(crate) fn names(&self) -> usize {
        self.count(NAMES)
    }

    /// Octets that it takes.
    pub(crate) fn octets(&self) -> usize {
        let giants = self.giants.iter().flat_map(|giants| giants.iter());
        (self.cells.len() + giants.map(|giant| giant.len()).sum::<usize>()) * size_of::<u32>()
    }

    /// Whether most of it is room that nothing uses.
    pub(crate) fn is_sparse(&self) -> bool {
        let used = COUNTS + self.slots() + self.live_cells();
        let slots_idle = self.slots() > SLOTS_MIN && self.names() * 8 < self.slots();
        slots_idle || self.cells.len() > used * 2 + CELLS_SPARE_MIN
    }

    /// Whether it has much more room to grow than it needs.
    pub(crate) fn is_roomy(&self) -> bool {
        let used = COUNTS + self.slots() + self.live_cells();
        self.cells.len() > used + used / 6 + CELLS_SPARE_MIN
    }

    /// Whether it is so large that it should become two, and can.
    pub(crate) fn may_split(&self) -> bool {
        let is_large = self.names() * 4 >= SLOTS_MAX * 3 - 4
            || self.live_cells() > LARGE_CELLS
            || self.giants() > LARGE_GIANTS;
        is_large && self.depth < DEPTH_MAX
    }

    /// Whether two would fit into one with much room left.
    pub(crate) fn is_small(&self) -> bool {
        self.names() * 8 < SLOTS_MAX
            && self.live_cells() * 8 < LARGE_CELLS
            && self.giants() * 8 < LARGE_GIANTS
    }

    /// All images.
    pub(crate) fn images(&self) -> impl Iterator<Item = Image<'_>> {
        self.offsets().filter_map(|at| {
            let image = self.image_at(at)?;
            match image.giant() {
                None => Some(image),
                Some(number) => Some(Image::whole(self.giants.as_ref()?.get(number)?)),
            }
        })
    }

    fn offsets(&self) -> impl Iterator<Item = u32> {
        let slots = self.cells.get(COUNTS..COUNTS + self.slots()).unwrap_or_default();
        let taken = slots.iter().map(|slot| slot.load(Ordering::Acquire));
        taken.filter(|&slot| slot > TOMB).map(|slot| slot & OFFSET_MASK)
    }

    fn live_cells(&self) -> usize {
        self.count(USED) - COUNTS - self.slots() - self.count(DEAD)
    }

    fn giants(&self) -> usize {
        self.giants.as_ref().map_or(0, |giants| giants.len())
    }

    /// The slot of a name, and where its image begins.
    fn seek(&self, key: &Key<'_>) -> Option<(usize, u32)> {
        let tag = tag(key.hash);
        let mut place = self.slot(key.hash);
        // Slots are never all taken, but what is read may be of two moments.
        for _ in 0..self.slots() {
            let slot = self.cells.get(place)?.load(Ordering::Acquire);
            if slot == FREE {
                return None;
            }
            let at = slot & OFFSET_MASK;
            if slot & !OFFSET_MASK == tag
                && slot > TOMB
                && self.image_at(at).is_some_and(|image| image.is_named(key.name))
            {
                return Some((place, at));
            }
            place = self.after(place);
        }
        None
    }

    /// Puts in a name that is new; nothing is changed when there is no room for it.
    fn place(&self, hash: u64, image: &[AtomicU32]) -> Result<(), NoRoom> {
        let slot = self.free_slot(hash)?;
        let at = self.append(image)?;
        if self.cell(slot) == TOMB {
            self.set_count(TOMBS, self.count(TOMBS) - 1);
        }
        self.set_count(NAMES, self.count(NAMES) + 1);
        self.set_slot(slot, tag(hash) | at);
        Ok(())
    }

    /// The first slot for a hash that holds no name.
    fn free_slot(&self, hash: u64) -> Result<usize, NoRoom> {
        let mut place = self.slot(hash);
        for _ in 0..self.slots() {
            if self.cell(place) <= TOMB {
                return Ok(place);
            }
            place = self.after(place);
        }
        Err(NoRoom)
    }

    fn slot(&self, hash: u64) -> usize {
        COUNTS + (hash >> TAG_BITS) as usize % self.slots()
    }

    fn after(&self, place: usize) -> usize {
        COUNTS + (place + 1 - COUNTS) % self.slots()
    }

    fn slots(&self) -> usize {
        1 << self.slot_bits
    }

    fn set_slot(&self, place: usize, slot: u32) {
        if let Some(cell) = self.cells.get(place) {
            // Whoever finds the image through the slot sees all of it.
            cell.store(slot, Ordering::Release);
        }
    }

    fn append(&self, image: &[AtomicU32]) -> Result<u32, NoRoom> {
        let used = self.count(USED);
        let place = self.cells.get(used..used + image.len()).ok_or(NoRoom)?;
        let at = u32::try_from(used).ok().filter(|at| *at <= OFFSET_MASK).ok_or(NoRoom)?;
        for (cell, new) in place.iter().zip(image) {
            cell.store(new.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        self.set_count(USED, used + image.len());
        Ok(at)
    }

    fn image_at(&self, at: u32) -> Option<Image<'_>> {
        self.cells.get(at as usize..).filter(|cells| !cells.is_empty()).map(Image::at)
    }

    fn cell(&self, at: usize) -> u32 {
        self.cells.get(at).map_or(0, |cell| cell.load(Ordering::Relaxed))
    }

    fn count(&self, which: usize) -> usize {
        self.cell(which) as usize
    }

    fn set_count(&self, which: usize, count: usize) {
        if let Some(cell) = self.cells.get(which) {
            // A segment has fewer cells than an offset can tell.
            cell.store(count as u32, Ordering::Relaxed);
        }
    }
}

impl Recipe<'_> {
    /// One segment with everything.
    pub(crate) fn whole(&self) -> Segment {
        self.make(self.gather())
    }

    /// Two segments, by the next bit of the hash.
    pub(crate) fn halves(&self) -> (Segment, Segment) {
        let bit = 63 - u32::from(self.depth);
        let below = Recipe { depth: self.depth + 1, ..*self };
        let (ones, zeros) = self.gather().into_iter().partition(|taken| taken.hash >> bit & 1 == 1);
        (below.make(zeros), below.make(ones))
    }

    fn gather(&self) -> Vec<Taken<'_>> {
        let mut name = [0; 256];
        let images = self.from.iter().flat_map(|segment| {
            let images = segment.offsets().filter_map(|at| segment.image_at(at));
            // A name is never without cells: that would be taken for the apex.
            images.filter(|image| !image.all().is_empty()).map(move |image| (*segment, image))
        });
        images
            .filter_map(|(segment, image)| {
                let name = image.name_into(&mut name);
                let taken = Taken { hash: self.seed.key(name).hash, segment, image };
                (self.without != Some(name)).then_some(taken)
            })
            .collect()
    }

    fn make(&self, content: Vec<Taken<'_>>) -> Segment {
        let used: usize = content.iter().map(|taken| taken.image.all().len()).sum();
        let cells = used + (used / self.spare).max(CELLS_SPARE_MIN) + self.room;
        let mut segment = Segment::sized(content.len() + 1, cells, (self.born, self.depth));
        let mut giants: Vec<Giant> = Vec::new();
        for Taken { hash, segment: from, image } in content {
            let giant =
                image.giant().and_then(|number| from.giants.as_ref()?.get(number).map(Arc::clone));
            let placed = match giant {
                None => segment.place(hash, image.all()),
                Some(giant) => {
                    giants.push(giant);
                    segment.place(hash, &encode_giant(&image.name(), giants.len() - 1))
                }
            };
            // It was made for just these: no segment is ever shown that has lost a name.
            assert_eq!(placed, Ok(()), "no room in a new segment");
        }
        segment.giants = (!giants.is_empty()).then(|| giants.into());
        segment
    }
}

/// A name on its way into a new segment.
struct Taken<'a> {
    hash: u64,
    segment: &'a Segment,
    image: Image<'a>,
}

fn tag(hash: u64) -> u32 {
    (hash as u32) << OFFSET_BITS
}

/// Cells at the front: where the next image goes, names, slots of removed names, cells of images that
/// nothing points to any more.
const COUNTS: usize = 4;
const USED: usize = 0;
const NAMES: usize = 1;
const TOMBS: usize = 2;
const DEAD: usize = 3;

/// A slot that was never taken: a search ends here.
const FREE: u32 = 0;
/// A slot whose name was removed: a search goes on. No image begins at that cell.
const TOMB: u32 = 1;
/// Bits of a slot that say where an image begins; the others are of the hash.
const OFFSET_BITS: u32 = 20;
const OFFSET_MASK: u32 = (1 << OFFSET_BITS) - 1;
const TAG_BITS: u32 = 32 - OFFSET_BITS;

const SLOTS_MIN: usize = 8;
/// Three quarters of them taken: as many names as are copied at once within a fraction of a
/// millisecond.
const SLOTS_MAX: usize = 4096;
/// Least room to grow, in cells.
const CELLS_SPARE_MIN: usize = 32;
/// Cells of images from which a segment is split, however few names it has.
const LARGE_CELLS: usize = 1 << 18;
/// Cells of an image from which it is a giant.
pub(crate) const GIANT_CELLS: usize = if cfg!(loom) { 8 } else { 2048 };
/// Giants from which a segment is split: they have as many cells as are too many otherwise. Each that
/// is put in copies the list of them.
const LARGE_GIANTS: usize = LARGE_CELLS / GIANT_CELLS;
/// A directory of so many bits is never needed: hashes are random.
const DEPTH_MAX: u8 = 28;
