//! The naive allocator that the real one is compared with, and the checks after each step.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use crate::random::Random;
use crate::units::Units;
use percpu_rt::chunk::{AllocError, AllocFlags, Allocator, FreeError, GRANULE, Memory, PerCpuStats, SpinLock};

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

/// An allocator, and what has to be in it.
#[derive(Debug)]
pub struct Model<M: Memory = Units> {
    /// The allocator.
    pub allocator: Allocator<M, SpinLock>,
    /// All that it has or may come to have.
    ranges: Vec<Range<usize>>,
    page_size: usize,
    /// Whether the ranges come to be one by one.
    grows: bool,
    /// Sizes, rounded up, by offset.
    live: BTreeMap<usize, usize>,
    /// The offsets in no order, to choose from, and where each stands.
    offsets: Vec<usize>,
    places: HashMap<usize, usize>,
    /// Operations so far.
    pub operations: u64,
}

impl<M: Memory> Model<M> {
    /// A model of units with these ranges, of which the first is populated for good where `fixed` says so.
    ///
    /// # Panics
    ///
    /// Where the allocator has no memory for its records.
    #[must_use]
    pub fn new(units: M, page_size: usize, ranges: &[Range<usize>], fixed: bool) -> Self {
        let model = Self { grows: false, ..Self::growing(units, page_size, ranges) };
        for (index, range) in ranges.iter().enumerate() {
            // SAFETY: offsets of the units, which nobody else uses, and fresh memory is zero.
            let added = unsafe {
                if fixed && index == 0 {
                    model.allocator.add_populated(range.clone())
                } else {
                    model.allocator.add_range(range.clone())
                }
            };
            added.expect("metadata");
        }
        model
    }

    /// A model of units that have nothing at first, and grow by these ranges.
    #[must_use]
    pub fn growing(units: M, page_size: usize, ranges: &[Range<usize>]) -> Self {
        Self {
            allocator: Allocator::new(units, SpinLock::new(), page_size),
            ranges: ranges.to_vec(),
            page_size,
            grows: true,
            live: BTreeMap::new(),
            offsets: Vec::new(),
            places: HashMap::new(),
            operations: 0,
        }
    }

    /// Whether a hole of `size` bytes at `align` is free anywhere.
    #[must_use]
    pub fn has_room(&self, size: usize, align: usize) -> bool {
        let size = size.next_multiple_of(GRANULE);
        self.ranges.iter().any(|range| {
            let mut begin = range.start;
            let objects = self.live.range(range.clone()).map(|(offset, size)| (*offset, *size));
            objects.chain([(range.end, 0)]).any(|(offset, taken)| {
                let fits = begin.next_multiple_of(align) + size <= offset;
                begin = offset + taken;
                fits
            })
        })
    }

    /// Allocates, checks what comes back, and fills it.
    ///
    /// # Errors
    ///
    /// Those of the allocator.
    ///
    /// # Panics
    ///
    /// Where what comes back is not as it has to be.
    pub fn alloc(&mut self, size: usize, align: usize, flags: AllocFlags) -> Result<usize, AllocError> {
        self.operations += 1;
        let before = self.allocator.stats();
        let offset = match self.allocator.alloc(size, align, flags) {
            Ok(offset) => offset,
            Err(error) => {
                let after = self.allocator.stats();
                let counts = |stats: PerCpuStats| {
                    let PerCpuStats { nr_alloc, nr_dealloc, nr_cur_alloc, live_bytes, populated_bytes, .. } = stats;
                    (nr_alloc, nr_dealloc, nr_cur_alloc, live_bytes, populated_bytes)
                };
                assert_eq!(counts(before), counts(after), "{error}");
                return Err(error);
            }
        };
        if flags.contains(AllocFlags::ATOMIC) {
            let after = self.allocator.stats();
            assert_eq!(before.populated_bytes, after.populated_bytes, "an atomic allocation populates");
            assert_eq!(before.metadata_bytes, after.metadata_bytes, "an atomic allocation asks for records");
        }
        let rounded = size.next_multiple_of(GRANULE);
        assert!(offset.is_multiple_of(align.max(GRANULE)), "{offset:#x} is no multiple of {align}");
        let inside = |range: &Range<usize>| range.contains(&offset) && offset + rounded <= range.end;
        assert!(self.ranges.iter().any(inside), "{offset:#x} is out of range");
        let below = self.live.range(..offset + rounded).next_back();
        assert!(below.is_none_or(|(begin, size)| begin + size <= offset), "{offset:#x}+{rounded} overlaps {below:x?}");
        for unit in 0..self.allocator.memory().units() {
            // SAFETY: the object that was just allocated.
            let copy = unsafe { std::slice::from_raw_parts_mut(self.allocator.memory().copy(unit, offset), rounded) };
            assert!(is_all(copy, 0), "{offset:#x} is not zero in unit {unit}");
            copy.fill(fill(offset, unit));
        }
        self.live.insert(offset, rounded);
        self.places.insert(offset, self.offsets.len());
        self.offsets.push(offset);
        Ok(offset)
    }

    /// Checks that an object is as it was left, and frees it.
    ///
    /// # Panics
    ///
    /// Where it has changed, or is not freed.
    pub fn free(&mut self, offset: usize) {
        self.operations += 1;
        let place = self.places.remove(&offset).expect("a live object");
        self.offsets.swap_remove(place);
        if let Some(moved) = self.offsets.get(place) {
            self.places.insert(*moved, place);
        }
        let size = self.live.remove(&offset).expect("a live object");
        self.check(offset, size);
        assert_eq!(self.allocator.size_of(offset), Ok(size));
        self.allocator.free(offset).expect("a live object");
    }

    fn check(&self, offset: usize, size: usize) {
        for unit in 0..self.allocator.memory().units() {
            // SAFETY: a live object, which nobody changes meanwhile.
            let copy = unsafe { std::slice::from_raw_parts(self.allocator.memory().copy(unit, offset), size) };
            assert!(is_all(copy, fill(offset, unit)), "{offset:#x}+{size} has changed in unit {unit}");
        }
    }

    /// Frees an offset at which no object begins, and expects to hear which mistake that is.
    ///
    /// # Panics
    ///
    /// Where another one is named.
    pub fn free_wrongly(&mut self, offset: usize) {
        self.operations += 1;
        if self.live.contains_key(&offset) {
            return;
        }
        let error = self.allocator.free(offset).expect_err("no object begins here");
        let around = self.live.range(..offset).next_back().filter(|(begin, size)| **begin + **size > offset);
        let inside = self.ranges.iter().any(|range| range.contains(&offset));
        match around {
            Some(_) => assert_eq!(error, FreeError::Interior { offset }),
            // A range that has not come to be yet is not the allocator's.
            None if error == FreeError::Foreign { offset } => assert!(!inside || self.grows),
            None if inside && offset.is_multiple_of(GRANULE) => assert_eq!(error, FreeError::NotAllocated { offset }),
            None => {}
        }
    }

    /// Allocates, or is refused for a reason: there is no room, or, where `refusing`, no pages.
    ///
    /// # Panics
    ///
    /// Where there is none, and as [`alloc`](Self::alloc).
    pub fn request(&mut self, size: usize, align: usize, flags: AllocFlags, refusing: bool) {
        let Err(error) = self.alloc(size, align, flags) else { return };
        let excused = match error {
            AllocError::Exhausted { .. } | AllocError::TooLarge { .. } => {
                refusing && self.grows || !self.has_room(size, align)
            }
            AllocError::AtomicExhausted { .. } => flags.contains(AllocFlags::ATOMIC),
            AllocError::NoMemory { .. } => refusing,
            _ => false,
        };
        assert!(excused, "{size} bytes at {align}: {error}, and there is room");
    }

    /// One random step. Sizes and alignments come from all that there are, small ones more often.
    ///
    /// # Panics
    ///
    /// Where the allocator refuses what there is room for, and as the other functions.
    pub fn step(&mut self, random: &mut Random, most_live: usize) {
        let largest = self.ranges.iter().map(Range::len).max().unwrap_or(0);
        match random.bits() % 100 {
            0..=49 if self.offsets.len() < most_live => {
                let size = match random.bits() % 16 {
                    0..=7 => 1 + random.bits() as usize % 64,
                    8..=11 => 1 + random.bits() as usize % 2048,
                    12..=13 => 1 + random.bits() as usize % 4096,
                    14 => (1 + random.bits() as usize % 8) * 4096,
                    _ => 1 + random.bits() as usize % largest.min(64 << 10),
                };
                let log = (random.bits() % u64::from(self.page_size.ilog2() + 1)) as u32;
                let align = 1_usize << if random.bits().is_multiple_of(3) { log } else { log.min(4) };
                let flags = if random.bits().is_multiple_of(8) { AllocFlags::ATOMIC } else { AllocFlags::NONE };
                let flags = if random.bits().is_multiple_of(8) { flags | AllocFlags::RESERVED } else { flags };
                self.request(size, align, flags, false);
            }
            0..=96 => {
                if !self.offsets.is_empty() {
                    self.free(self.offsets[random.bits() as usize % self.offsets.len()]);
                }
            }
            97 => {
                let span = self.ranges.last().map_or(0, |range| range.end + 64);
                self.free_wrongly(random.bits() as usize % span);
            }
            98 => self.allocator.balance(),
            // Nearly all of it: what is then allocated finds large holes between few objects.
            _ => {
                if random.bits().is_multiple_of(64) {
                    let kept = self.offsets.len() / 16;
                    while self.offsets.len() > kept {
                        self.free(self.offsets[random.bits() as usize % self.offsets.len()]);
                    }
                }
            }
        }
    }

    /// The live objects, in no order.
    #[must_use]
    pub fn offsets(&self) -> &[usize] {
        &self.offsets
    }

    /// Frees all.
    pub fn free_all(&mut self) {
        while let Some(&offset) = self.offsets.last() {
            self.free(offset);
        }
    }

    /// Frees all and checks that nothing is left.
    ///
    /// # Panics
    ///
    /// Where there is.
    pub fn finish(mut self) {
        self.free_all();
        self.allocator.balance();
        let stats = self.allocator.stats();
        assert_eq!((stats.nr_cur_alloc, stats.live_bytes), (0, 0));
    }
}
