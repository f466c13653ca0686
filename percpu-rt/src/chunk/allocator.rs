//! An allocator: a map, its memory, and a lock.

use core::cell::UnsafeCell;
use core::fmt;
use core::ops::Range;

use super::error::{AllocError, FreeError};
use super::flags::AllocFlags;
use super::lock::RawLock;
use super::map::holes::{BLOCK, GRANULE};
use super::map::request::{Dirty, Placed, Request, Want};
use super::map::{FreeError as MapError, Map};
use super::memory::Memory;
use super::stats::PerCpuStats;
use super::zero::zero;

/// Hands out the same bytes of every unit.
///
/// Pure but for what [`Memory`] does: it has no global state, and any number may be made. Offsets are bytes from a
/// unit's begin, the same in every unit.
pub struct Allocator<M: Memory, L> {
    memory: M,
    lock: L,
    state: UnsafeCell<State>,
    page_size: usize,
}

/// What the lock guards.
#[derive(Debug)]
struct State {
    map: Map,
    stats: PerCpuStats,
    /// The lowest offset of all ranges, and the one behind the highest.
    lowest: usize,
    highest: usize,
    /// Where the highest range begins, with those that it continues.
    last: usize,
    /// The longest, counted likewise.
    largest: usize,
}

// SAFETY: the state is reached under the lock alone.
unsafe impl<M: Memory + Sync, L: Sync> Sync for Allocator<M, L> {}

impl<M: Memory, L> fmt::Debug for Allocator<M, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Allocator").field("page_size", &self.page_size).finish_non_exhaustive()
    }
}

impl<M: Memory, L> Allocator<M, L> {
    /// An allocator of nothing, for pages of `page_size` bytes.
    ///
    /// # Panics
    ///
    /// Where `page_size` is not a power of two from 4 KiB to 128 KiB.
    #[must_use]
    pub const fn new(memory: M, lock: L, page_size: usize) -> Self {
        assert!(page_size.is_power_of_two() && page_size >= BLOCK && page_size <= 32 * BLOCK, "a page size");
        let map = Map::new((page_size / BLOCK) as u32);
        let state = State { map, stats: PerCpuStats::ZERO, lowest: usize::MAX, highest: 0, last: 0, largest: 0 };
        Self { memory, lock, state: UnsafeCell::new(state), page_size }
    }

    /// The memory that it was made with.
    pub const fn memory(&self) -> &M {
        &self.memory
    }
}

impl<M: Memory, L: RawLock> Allocator<M, L> {
    /// Adds page-aligned offsets of which no page is populated.
    ///
    /// # Errors
    ///
    /// [`AllocError::NoMemory`] where there are no pages for records.
    ///
    /// # Safety
    ///
    /// The units have these offsets, and nobody else uses them.
    pub unsafe fn add_range(&self, range: Range<usize>) -> Result<(), AllocError> {
        self.add(range, false)
    }

    /// Adds offsets whose pages are populated for good. The first and the last page may be shared with others.
    ///
    /// # Errors
    ///
    /// As [`add_range`](Self::add_range).
    ///
    /// # Safety
    ///
    /// As [`add_range`](Self::add_range), and the bytes are zero in every unit.
    pub unsafe fn add_populated(&self, range: Range<usize>) -> Result<(), AllocError> {
        self.add(range, true)
    }

    fn add(&self, range: Range<usize>, populated: bool) -> Result<(), AllocError> {
        let range = range.start.next_multiple_of(GRANULE)..range.end / GRANULE * GRANULE;
        if range.is_empty() {
            return Ok(());
        }
        while let Err(Want::Metadata(pages)) = self.with(|state| state.map.add_range(&range, populated)) {
            self.donate(pages, range.len())?;
        }
        self.with(|state| {
            state.lowest = state.lowest.min(range.start);
            let begin = if range.start == state.highest { state.last } else { range.start };
            state.largest = state.largest.max(range.end - begin);
            if range.end > state.highest {
                (state.last, state.highest) = (begin, range.end);
            }
        });
        Ok(())
    }

    /// Allocates `size` bytes at a multiple of `align`, zero in every unit; returns their offset.
    ///
    /// Context: with [`AllocFlags::ATOMIC`] that of the lock, else threads that may sleep. Costs a search that grows
    /// with the logarithm of the unit; zeroing touches only what was used before, in every unit.
    ///
    /// # Errors
    ///
    /// As [`AllocError`] says. Nothing has changed then.
    #[inline]
    pub fn alloc(&self, size: usize, align: usize, flags: AllocFlags) -> Result<usize, AllocError> {
        let request = self.request(size, align, flags)?;
        let placed = self.with(|state| state.place(&request, size));
        let placed = match placed {
            Ok(placed) => placed,
            Err(want) => self.alloc_slowly(want, &request, size, align)?,
        };
        self.make_ready(&placed, size)?;
        Ok(placed.offset)
    }

    /// Allocates as many objects as `offsets` has places, or none.
    ///
    /// # Errors
    ///
    /// As [`alloc`](Self::alloc), which is what is done for each.
    pub fn alloc_batch(
        &self,
        size: usize,
        align: usize,
        flags: AllocFlags,
        offsets: &mut [usize],
    ) -> Result<(), AllocError> {
        for done in 0..offsets.len() {
            match self.alloc(size, align, flags) {
                Ok(offset) => offsets[done] = offset,
                Err(error) => {
                    for &offset in &offsets[..done] {
                        let freed = self.free(offset);
                        debug_assert!(freed.is_ok());
                    }
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Frees the allocation at `offset`.
    ///
    /// Pages that nobody needs any more are given back by [`balance`](Self::balance).
    ///
    /// Context: that of the lock.
    ///
    /// # Errors
    ///
    /// As [`FreeError`] says. Nothing has changed then.
    #[inline]
    pub fn free(&self, offset: usize) -> Result<(), FreeError> {
        self.with(|state| match state.map.release(offset) {
            Ok(bytes) => {
                state.stats.freed(bytes);
                Ok(())
            }
            Err(error) => Err(state.free_error(offset, error)),
        })
    }

    /// The bytes of the allocation at `offset`, rounded up to [`GRANULE`].
    ///
    /// # Errors
    ///
    /// As [`free`](Self::free).
    pub fn size_of(&self, offset: usize) -> Result<usize, FreeError> {
        self.with(|state| state.map.size_of(offset).map_err(|error| state.free_error(offset, error)))
    }

    /// Gives pages back that are not needed.
    ///
    /// Context: threads that may sleep.
    #[inline]
    pub fn balance(&self) {
        while let Some(pages) = self.with(|state| state.map.take_surplus()) {
            self.memory.depopulate(pages.clone());
            self.with(|state| {
                state.map.set_depopulated(pages);
                state.stats.nr_depopulate += 1;
            });
            while let Some(page) = self.with(|state| state.map.surplus_metadata()) {
                self.memory.free_metadata(page);
            }
        }
    }

    /// What it has done, and has.
    pub fn stats(&self) -> PerCpuStats {
        self.with(|state| {
            state.note_peaks();
            PerCpuStats {
                nr_chunks: state.map.chunks() as u64,
                populated_bytes: state.map.populated_bytes(),
                metadata_bytes: state.map.metadata_bytes(),
                ..state.stats
            }
        })
    }

    /// The way around a lack of records, of room in the ranges, and at last of anything but luck.
    #[cold]
    fn alloc_slowly(&self, mut want: Want, request: &Request, size: usize, align: usize) -> Result<Placed, AllocError> {
        let atomic = request.is_atomic();
        let mut anywhere = atomic;
        loop {
            match want {
                Want::Metadata(_) if atomic => return Err(AllocError::AtomicExhausted { size, align }),
                Want::Metadata(pages) => self.donate(pages, size)?,
                Want::Range if anywhere => {}
                Want::Range => match self.memory.grow(size) {
                    Some(range) => self.add(range, false)?,
                    None => anywhere = true,
                },
            }
            let placed = self.with(|state| match state.place(request, size) {
                Err(Want::Range) if anywhere => state.place_anywhere(request, size),
                placed => placed,
            });
            match placed {
                Ok(placed) => return Ok(placed),
                Err(Want::Range) if anywhere => return Err(self.exhausted(size, align, atomic)),
                Err(next) => want = next,
            }
        }
    }

    fn exhausted(&self, size: usize, align: usize, atomic: bool) -> AllocError {
        let max = self.with(|state| state.largest);
        if size > max {
            AllocError::TooLarge { size, max }
        } else if atomic {
            AllocError::AtomicExhausted { size, align }
        } else {
            AllocError::Exhausted { size, align }
        }
    }

    /// Populates and zeroes what was placed.
    #[inline]
    fn make_ready(&self, placed: &Placed, size: usize) -> Result<(), AllocError> {
        if placed.fresh {
            self.populate(placed.offset, size)?;
        }
        self.zero(&placed.dirty);
        Ok(())
    }

    #[inline]
    fn zero(&self, dirty: &Dirty) {
        for range in dirty.ranges() {
            for unit in 0..self.memory.units() {
                // SAFETY: populated bytes of an object that nobody has yet, by whole granules.
                unsafe { zero(self.memory.copy(unit, range.start), range.len()) };
            }
        }
    }

    #[cold]
    fn populate(&self, offset: usize, size: usize) -> Result<(), AllocError> {
        while let Some(pages) = self.with(|state| state.map.unpopulated(offset, size)) {
            if self.memory.populate(pages.clone()).is_err() {
                self.with(|state| {
                    state.map.cancel(offset, size);
                    state.stats.cancelled(size.next_multiple_of(GRANULE));
                });
                return Err(AllocError::NoMemory { size, units: self.memory.units() });
            }
            self.with(|state| {
                state.map.set_populated(pages);
                state.stats.nr_populate += 1;
            });
        }
        Ok(())
    }

    fn donate(&self, pages: usize, size: usize) -> Result<(), AllocError> {
        for _ in 0..pages {
            let page = self.memory.metadata().ok_or(AllocError::NoMemory { size, units: self.memory.units() })?;
            self.with(|state| {
                state.map.donate(page);
                state.note_peaks();
            });
        }
        Ok(())
    }

    #[inline]
    fn request(&self, size: usize, align: usize, flags: AllocFlags) -> Result<Request, AllocError> {
        if size == 0 {
            return Err(AllocError::ZeroSize);
        }
        if !align.is_power_of_two() || align > self.page_size {
            return Err(AllocError::BadAlign { align, max: self.page_size });
        }
        Ok(Request::new(size, align, flags.contains(AllocFlags::ATOMIC)))
    }

    #[inline]
    fn with<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        struct Unlock<'a, L: RawLock>(&'a L);
        impl<L: RawLock> Drop for Unlock<'_, L> {
            fn drop(&mut self) {
                // SAFETY: taken below, before this guard exists.
                unsafe { self.0.unlock() };
            }
        }
        self.lock.lock();
        let _unlock = Unlock(&self.lock);
        // SAFETY: the lock is held, and no change calls back.
        change(unsafe { &mut *self.state.get() })
    }
}

impl State {
    #[inline]
    fn place(&mut self, request: &Request, size: usize) -> Result<Placed, Want> {
        let placed = self.map.place(request)?;
        self.stats.allocated(size.next_multiple_of(GRANULE));
        Ok(placed)
    }

    fn place_anywhere(&mut self, request: &Request, size: usize) -> Result<Placed, Want> {
        let placed = self.map.place_anywhere(request)?;
        self.stats.allocated(size.next_multiple_of(GRANULE));
        Ok(placed)
    }

    fn note_peaks(&mut self) {
        self.stats.nr_max_chunks = self.stats.nr_max_chunks.max(self.map.chunks() as u64);
        self.stats.max_metadata_bytes = self.stats.max_metadata_bytes.max(self.map.metadata_bytes());
    }

    #[cold]
    fn free_error(&self, offset: usize, error: MapError) -> FreeError {
        match error {
            _ if !(self.lowest..self.highest).contains(&offset) => FreeError::Foreign { offset },
            MapError::Nothing => FreeError::NotAllocated { offset },
            MapError::Interior => FreeError::Interior { offset },
        }
    }
}

/// Gives the pages with records back. Those of the units are the memory's own matter.
impl<M: Memory, L> Drop for Allocator<M, L> {
    fn drop(&mut self) {
        while let Some(page) = self.state.get_mut().map.dismantle() {
            self.memory.free_metadata(page);
        }
    }
}
