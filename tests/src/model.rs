//! The naive allocator that the real one is compared with, and the checks after each step.

use std::borrow::Borrow;
use std::ops::Range;

use crate::ledger::Ledger;
use crate::random::Random;
use crate::units::Units;
use percpu_rt::chunk::{AllocError, AllocFlags, Allocator, FreeError, GRANULE, Memory, PerCpuStats, SpinLock};

/// An allocator, and what has to be in it.
#[derive(Debug)]
pub struct Model<M: Memory + Borrow<Units> = Units> {
    /// The allocator.
    pub allocator: Allocator<M, SpinLock>,
    ledger: Ledger,
    page_size: usize,
    /// Populated for good.
    fixed: Range<usize>,
    /// Whether the ranges come to be one by one.
    grows: bool,
    /// Operations so far.
    pub operations: u64,
}

impl<M: Memory + Borrow<Units>> Model<M> {
    /// A model of units with these ranges, of which the first is populated for good where `fixed` says so.
    ///
    /// # Panics
    ///
    /// Where the allocator has no memory for its records.
    #[must_use]
    pub fn new(units: M, page_size: usize, ranges: &[Range<usize>], fixed: bool) -> Self {
        let fixed_range = if fixed { ranges[0].clone() } else { 0..0 };
        let model = Self { grows: false, fixed: fixed_range, ..Self::growing(units, page_size, ranges) };
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
            ledger: Ledger::new(ranges),
            page_size,
            fixed: 0..0,
            grows: true,
            operations: 0,
        }
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
                // Records may have come, and what they were for may be there for a while.
                let counts = |mut stats: PerCpuStats| {
                    (stats.nr_chunks, stats.nr_max_chunks) = (0, 0);
                    (stats.metadata_bytes, stats.max_metadata_bytes) = (0, 0);
                    stats
                };
                assert_eq!(counts(before), counts(after), "{error}");
                return Err(error);
            }
        };
        if flags.contains(AllocFlags::ATOMIC) {
            let after = self.allocator.stats();
            assert_eq!(before.populated_bytes, after.populated_bytes, "an atomic allocation populates");
        }
        self.ledger.take(self.allocator.memory(), offset, size, align);
        Ok(offset)
    }

    /// Checks that an object is as it was left, and frees it.
    ///
    /// # Panics
    ///
    /// Where it has changed, or is not freed.
    pub fn free(&mut self, offset: usize) {
        self.operations += 1;
        let size = self.ledger.give(self.allocator.memory(), offset);
        assert_eq!(self.allocator.size_of(offset), Ok(size));
        self.allocator.free(offset).expect("a live object");
    }

    /// Frees an offset at which no object begins, and expects to hear which mistake that is.
    ///
    /// # Panics
    ///
    /// Where another one is named.
    pub fn free_wrongly(&mut self, offset: usize) {
        self.operations += 1;
        if self.ledger.is_live(offset) {
            return;
        }
        let error = self.allocator.free(offset).expect_err("no object begins here");
        let inside = self.ledger.ranges().iter().any(|range| range.contains(&offset));
        match self.ledger.around(offset) {
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
                refusing && self.grows || !self.ledger.has_room(size, align)
            }
            AllocError::AtomicExhausted { .. } => {
                flags.contains(AllocFlags::ATOMIC) && (refusing || !self.has_populated_room(size, align))
            }
            AllocError::NoMemory { .. } => refusing,
            _ => false,
        };
        assert!(excused, "{size} bytes at {align}: {error}, and there is room");
    }

    /// Whether a hole is free where pages are populated.
    fn has_populated_room(&self, size: usize, align: usize) -> bool {
        let runs = self.allocator.memory().borrow().populated_runs().into_iter().chain([self.fixed.clone()]);
        self.ledger.has_room_among(runs, size, align)
    }

    /// One random step. Sizes and alignments come from all that there are, small ones more often.
    ///
    /// # Panics
    ///
    /// Where the allocator refuses what there is room for, and as the other functions.
    pub fn step(&mut self, random: &mut Random, most_live: usize) {
        let largest = self.ledger.ranges().iter().map(Range::len).max().unwrap_or(0);
        match random.bits() % 100 {
            0..=49 if self.offsets().len() < most_live => {
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
                if !self.offsets().is_empty() {
                    self.free(self.ledger.any(random));
                }
            }
            97 => {
                let span = self.ledger.ranges().last().map_or(0, |range| range.end + 64);
                self.free_wrongly(random.bits() as usize % span);
            }
            98 => self.allocator.balance(),
            // Nearly all of it: what is then allocated finds large holes between few objects.
            _ => {
                if random.bits().is_multiple_of(64) {
                    let kept = self.offsets().len() / 16;
                    while self.offsets().len() > kept {
                        self.free(self.ledger.any(random));
                    }
                }
            }
        }
    }

    /// The live objects, in no order.
    #[must_use]
    pub fn offsets(&self) -> &[usize] {
        self.ledger.offsets()
    }

    /// Frees all.
    pub fn free_all(&mut self) {
        while let Some(&offset) = self.offsets().last() {
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
