//! An allocator: a map, its memory, and a lock.

use core::cell::UnsafeCell;
use core::fmt;
use core::ops::Range;

use super::cache::{SLOTS, slot_of};
use super::error::{AllocError, FreeError};
use super::flags::AllocFlags;
use super::lock::RawLock;
use super::map::holes::{BLOCK, GRANULE};
use super::map::request::{Dirty, Entry, Placed, Request, Want};
use super::map::{FreeError as MapError, Map, OwnedMagazine};
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
pub(super) struct State {
    pub(super) map: Map,
    stats: PerCpuStats,
    /// The lowest offset of all ranges, and the one behind the highest.
    lowest: usize,
    highest: usize,
    /// Where the highest range begins, with those that it continues.
    last: usize,
    /// The longest, counted likewise.
    largest: usize,
    /// Objects that are not free to the map, by the slot of their size.
    live: [u32; SLOTS],
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
        let state = State {
            map,
            stats: PerCpuStats::ZERO,
            lowest: usize::MAX,
            highest: 0,
            last: 0,
            largest: 0,
            live: [0; SLOTS],
        };
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
        self.add(range.clone(), false, range.len())
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
        self.add(range.clone(), true, range.len())
    }

    /// Adds a range, for an allocation of `size` bytes.
    fn add(&self, range: Range<usize>, populated: bool, size: usize) -> Result<(), AllocError> {
        let range = range.start.next_multiple_of(GRANULE)..range.end / GRANULE * GRANULE;
        if range.is_empty() {
            return Ok(());
        }
        while let Err(Want::Metadata(pages)) = self.with(|state| state.map.add_range(&range, populated)) {
            self.donate(pages, size)?;
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
    /// Pages that nobody needs any more are given back at once where [`Memory::BALANCES_ON_FREE`] says so, else by
    /// [`balance`](Self::balance).
    ///
    /// Context: that of the lock, and of the memory where it balances.
    ///
    /// # Errors
    ///
    /// As [`FreeError`] says. Nothing has changed then.
    #[inline]
    pub fn free(&self, offset: usize) -> Result<(), FreeError> {
        self.free_and_balance(|state| state.release(offset).map(drop))
    }

    /// As [`free`](Self::free), for a place that has been in stock.
    pub(super) fn free_sized(&self, offset: usize, granules: u64) -> Result<(), FreeError> {
        self.free_and_balance(|state| state.release_sized(offset, granules))
    }

    /// Frees places that have been in stock; the first error, if there is one.
    pub(super) fn put_back(&self, places: &[Entry], granules: u64) -> Result<(), FreeError> {
        self.free_and_balance(|state| state.release_many(places, granules))
    }

    #[inline]
    fn free_and_balance(&self, free: impl FnOnce(&mut State) -> Result<(), FreeError>) -> Result<(), FreeError> {
        let (result, has_surplus) = self.with(|state| (free(state), state.map.has_surplus()));
        if M::BALANCES_ON_FREE && has_surplus {
            self.balance();
        }
        result
    }

    /// A magazine; `None` where there are no pages for it.
    pub(super) fn new_magazine(&self) -> Option<OwnedMagazine> {
        match self.with(|state| state.map.new_magazine()) {
            Ok(magazine) => Some(magazine),
            Err(Want::Metadata(pages)) => {
                self.donate(pages, 0).ok()?;
                self.with(|state| state.map.new_magazine()).ok()
            }
            Err(Want::Range) => None,
        }
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
    #[cold]
    pub fn balance(&self) {
        while let Some(pages) = self.with(|state| state.map.take_surplus()) {
            self.memory.depopulate(pages.clone());
            self.with(|state| {
                state.map.set_depopulated(pages);
                state.stats.nr_depopulate += 1;
            });
            self.return_records();
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
                    Some(range) => {
                        if let Err(error) = self.add(range.clone(), false, size) {
                            self.memory.shrink(range);
                            return Err(error);
                        }
                    }
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
        // Where there is nothing yet, there may be something later.
        if size > max && max > 0 {
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
            self.zero_range(range.start, range.len());
        }
    }

    /// Zeroes what somebody may have written, in every unit.
    #[inline]
    pub(super) fn zero_range(&self, offset: usize, size: usize) {
        for unit in 0..self.memory.units() {
            // SAFETY: populated bytes of an object that nobody has yet, by whole granules.
            unsafe { zero(self.memory.copy(unit, offset), size.next_multiple_of(GRANULE)) };
        }
    }

    /// Brings the pages that an object has none of. No other change meets them until all are there.
    #[cold]
    fn populate(&self, offset: usize, size: usize) -> Result<(), AllocError> {
        let end = offset + size;
        let next = |from: usize, to: usize, ahead| self.with(|state| state.map.unpopulated(from, to, ahead));
        let mut ahead = true;
        let mut from = offset;
        while let Some(pages) = next(from, end, ahead) {
            if self.memory.populate(pages.clone()).is_ok() {
                from = pages.end;
                continue;
            }
            // The object's own pages stay held: they are asked for again, or cancelled.
            let own = end.next_multiple_of(self.page_size);
            if own < pages.end {
                self.with(|state| state.map.unhold(own..pages.end));
                // Less may be had.
                ahead = false;
                continue;
            }
            let brought = from;
            from = offset;
            while let Some(pages) = next(from, brought, false) {
                from = pages.end;
                self.memory.depopulate(pages);
            }
            self.with(|state| state.cancel(offset, size));
            self.return_records();
            return Err(AllocError::NoMemory { size, units: self.memory.units() });
        }
        while let Some(mut pages) = next(offset, end, false) {
            // What came ahead came with the last of them.
            if pages.end >= end {
                pages.end = pages.end.max(from);
            }
            self.with(|state| {
                state.map.set_populated(pages);
                state.stats.nr_populate += 1;
            });
        }
        Ok(())
    }

    /// Gives pages of records back that are not needed.
    fn return_records(&self) {
        while let Some(page) = self.with(|state| state.map.surplus_metadata()) {
            self.memory.free_metadata(page);
        }
    }

    fn donate(&self, pages: usize, size: usize) -> Result<(), AllocError> {
        for _ in 0..pages {
            let Some(page) = self.memory.metadata() else {
                self.return_records();
                return Err(AllocError::NoMemory { size, units: self.memory.units() });
            };
            self.with(|state| {
                state.map.donate(page);
                state.note_peaks();
            });
        }
        Ok(())
    }

    #[inline]
    pub(super) fn request(&self, size: usize, align: usize, flags: AllocFlags) -> Result<Request, AllocError> {
        if size == 0 {
            return Err(AllocError::ZeroSize);
        }
        if !align.is_power_of_two() || align > self.page_size {
            return Err(AllocError::BadAlign { align, max: self.page_size });
        }
        Ok(Request::new(size, align, flags.contains(AllocFlags::ATOMIC)))
    }

    #[inline]
    pub(super) fn with<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
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
        self.placed(request.granules(), size.next_multiple_of(GRANULE), 1);
        Ok(placed)
    }

    fn place_anywhere(&mut self, request: &Request, size: usize) -> Result<Placed, Want> {
        let placed = self.map.place_anywhere(request)?;
        self.placed(request.granules(), size.next_multiple_of(GRANULE), 1);
        Ok(placed)
    }

    /// Undoes [`place`](Self::place) where pages are not to be had.
    fn cancel(&mut self, offset: usize, size: usize) {
        self.map.cancel(offset, size);
        if let Some(slot) = slot_of(size.div_ceil(GRANULE) as u64) {
            self.live[slot] -= 1;
        }
        self.stats.cancelled(size.next_multiple_of(GRANULE));
    }

    /// Places for a stock, where there is a block that has some.
    pub(super) fn take(&mut self, request: &Request, places: &mut [Entry]) -> usize {
        let count = self.map.place_many(request, places);
        self.placed(request.granules(), request.granules() as usize * GRANULE, count);
        count
    }

    fn placed(&mut self, granules: u64, bytes: usize, count: usize) {
        if let Some(slot) = slot_of(granules) {
            self.live[slot] += count as u32;
        }
        self.stats.allocated(bytes, count);
    }

    #[inline]
    fn release(&mut self, offset: usize) -> Result<usize, FreeError> {
        let bytes = self.map.release(offset).map_err(|error| self.free_error(offset, error))?;
        if let Some(slot) = slot_of((bytes / GRANULE) as u64) {
            self.live[slot] -= 1;
        }
        self.stats.freed(bytes, 1);
        Ok(bytes)
    }

    fn release_sized(&mut self, offset: usize, granules: u64) -> Result<(), FreeError> {
        self.release_many(&[Entry::new(offset, true)], granules)
    }

    /// Frees objects of one size; the first error, if there is one, and all the others all the same.
    fn release_many(&mut self, places: &[Entry], granules: u64) -> Result<(), FreeError> {
        let mut rest = places;
        let mut result = Ok(());
        let mut freed = 0;
        while let Some((first, others)) = rest.split_first() {
            let (count, error) = self.map.release_many(rest, granules);
            freed += count;
            rest = &rest[count..];
            if let Some(error) = error {
                result = result.and(Err(self.free_error_sized(first.offset(), granules, error)));
                rest = others;
            }
        }
        if let Some(slot) = slot_of(granules) {
            self.live[slot] -= freed as u32;
        }
        self.stats.freed(granules as usize * GRANULE, freed);
        result
    }

    /// Live objects of the sizes that have a slot, those in stock among them.
    pub(super) fn live(&self, slot: usize) -> usize {
        self.live[slot] as usize
    }

    fn note_peaks(&mut self) {
        self.stats.nr_max_chunks = self.stats.nr_max_chunks.max(self.map.chunks() as u64);
        self.stats.max_metadata_bytes = self.stats.max_metadata_bytes.max(self.map.metadata_bytes());
    }

    #[cold]
    fn free_error_sized(&self, offset: usize, granules: u64, error: MapError) -> FreeError {
        match self.map.size_of(offset) {
            Ok(actual) => FreeError::WrongSize { offset, size: granules as usize * GRANULE, actual },
            Err(_) => self.free_error(offset, error),
        }
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
