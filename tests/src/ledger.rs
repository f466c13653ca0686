//! What is allocated, as a naive list, and what has to be in it.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use percpu_rt::chunk::{GRANULE, Memory};

use crate::random::Random;

/// What an object is filled with, a unit.
fn fill(offset: usize, unit: usize) -> u8 {
    (offset / GRANULE * 7 + unit * 31) as u8 | 1
}

/// Whether every byte is `value`.
#[must_use]
pub fn is_all(bytes: &[u8], value: u8) -> bool {
    // By the system's comparison of slices, which is fast without optimisations, too.
    bytes.first().is_none_or(|first| *first == value) && bytes.get(1..).is_none_or(|rest| *rest == bytes[..rest.len()])
}

/// The live objects of some units.
#[derive(Debug)]
pub struct Ledger {
    /// Where objects may be, now or later.
    ranges: Vec<Range<usize>>,
    /// Sizes, rounded up, by offset.
    live: BTreeMap<usize, usize>,
    /// The offsets in no order, to choose from, and where each stands.
    offsets: Vec<usize>,
    places: HashMap<usize, usize>,
}

impl Ledger {
    /// No object, where there may be some in `ranges`.
    #[must_use]
    pub fn new(ranges: &[Range<usize>]) -> Self {
        Self { ranges: ranges.to_vec(), live: BTreeMap::new(), offsets: Vec::new(), places: HashMap::new() }
    }

    /// Where objects may be, now or later.
    #[must_use]
    pub fn ranges(&self) -> &[Range<usize>] {
        &self.ranges
    }

    /// The live objects, in no order.
    #[must_use]
    pub fn offsets(&self) -> &[usize] {
        &self.offsets
    }

    /// Whether an object begins at `offset`.
    #[must_use]
    pub fn is_live(&self, offset: usize) -> bool {
        self.live.contains_key(&offset)
    }

    /// The begin of the object that `offset` lies in, behind its begin.
    #[must_use]
    pub fn around(&self, offset: usize) -> Option<usize> {
        let (begin, size) = self.live.range(..offset).next_back()?;
        (begin + size > offset).then_some(*begin)
    }

    /// One of the live objects.
    ///
    /// # Panics
    ///
    /// Where there is none.
    #[must_use]
    pub fn any(&self, random: &mut Random) -> usize {
        self.offsets[random.bits() as usize % self.offsets.len()]
    }

    /// Whether a hole of `size` bytes at `align` is free anywhere.
    #[must_use]
    pub fn has_room(&self, size: usize, align: usize) -> bool {
        self.ranges.iter().any(|range| self.has_room_in(range, size, align))
    }

    /// The same in what lies in `runs`: into none of them an object reaches from outside.
    #[must_use]
    pub fn has_room_among(&self, runs: impl IntoIterator<Item = Range<usize>>, size: usize, align: usize) -> bool {
        let common =
            |run: Range<usize>| self.ranges.iter().map(move |range| range.start.max(run.start)..range.end.min(run.end));
        let mut common = runs.into_iter().flat_map(common).filter(|run| !run.is_empty());
        common.any(|run| self.has_room_in(&run, size, align))
    }

    /// The same within `range`, into which no object reaches from outside.
    #[must_use]
    pub fn has_room_in(&self, range: &Range<usize>, size: usize, align: usize) -> bool {
        let size = size.next_multiple_of(GRANULE);
        let mut begin = range.start;
        let objects = self.live.range(range.clone()).map(|(offset, size)| (*offset, *size));
        objects.chain([(range.end, 0)]).any(|(offset, taken)| {
            let fits = begin.next_multiple_of(align.max(GRANULE)) + size <= offset;
            begin = offset + taken;
            fits
        })
    }

    /// Checks an object that was just allocated (in range, aligned, apart from all others, zero in every unit), and fills
    /// it.
    ///
    /// # Panics
    ///
    /// Where it is not as it has to be.
    pub fn take(&mut self, memory: &impl Memory, offset: usize, size: usize, align: usize) {
        let rounded = size.next_multiple_of(GRANULE);
        assert!(offset.is_multiple_of(align.max(GRANULE)), "{offset:#x} is no multiple of {align}");
        let inside = |range: &Range<usize>| range.contains(&offset) && offset + rounded <= range.end;
        assert!(self.ranges.iter().any(inside), "{offset:#x} is out of range");
        let below = self.live.range(..offset + rounded).next_back();
        assert!(below.is_none_or(|(begin, size)| begin + size <= offset), "{offset:#x}+{rounded} overlaps {below:x?}");
        for unit in 0..memory.units() {
            // SAFETY: the object that was just allocated.
            let copy = unsafe { std::slice::from_raw_parts_mut(memory.copy(unit, offset), rounded) };
            assert!(is_all(copy, 0), "{offset:#x} is not zero in unit {unit}");
            copy.fill(fill(offset, unit));
        }
        self.live.insert(offset, rounded);
        self.places.insert(offset, self.offsets.len());
        self.offsets.push(offset);
    }

    /// Checks that an object is as it was left, and strikes it out; it is to be freed. Returns its size, rounded up.
    ///
    /// # Panics
    ///
    /// Where it has changed.
    pub fn give(&mut self, memory: &impl Memory, offset: usize) -> usize {
        let place = self.places.remove(&offset).expect("a live object");
        self.offsets.swap_remove(place);
        if let Some(moved) = self.offsets.get(place) {
            self.places.insert(*moved, place);
        }
        let size = self.live.remove(&offset).expect("a live object");
        for unit in 0..memory.units() {
            // SAFETY: a live object, which nobody changes meanwhile.
            let copy = unsafe { std::slice::from_raw_parts(memory.copy(unit, offset), size) };
            assert!(is_all(copy, fill(offset, unit)), "{offset:#x}+{size} has changed in unit {unit}");
        }
        size
    }
}
