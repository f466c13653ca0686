//! An allocator: a map, its memory, and a lock.

use core::fmt;
use core::ops::Range;

use super::error::{AllocError, FreeError};
use super::flags::AllocFlags;
use super::lock::RawLock;
use super::locked::Locked;
use super::map::holes::{BLOCK, GRANULE};
use super::map::request::{Entry, Placed, Request, Want};
use super::map::{Map, OwnedMagazine};
use super::memory::Memory;
use super::state::State;
use super::stats::PerCpuStats;

/// Hands out the same bytes of every unit.
///
/// Pure but for what [`Memory`] does: it has no global state, and any number may be made. Offsets are bytes from a
/// unit's begin, the same in every unit.
pub struct Allocator<M: Memory, L> {
    pub(super) memory: M,
    state: Locked<L, State>,
    pub(super) page_size: usize,
}

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
        let state = State::new(Map::new((page_size / BLOCK) as u32));
        Self { memory, state: Locked::new(lock, state), page_size }
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
    /// As [`add_range`](Self::add_range), and the bytes are zero in every unit. What is in the first page before the range, if
    /// anything, does not adjoin another range of this allocator: an object there would end where it does not.
    pub unsafe fn add_populated(&self, range: Range<usize>) -> Result<(), AllocError> {
        self.add(range.clone(), true, range.len())
    }

    /// Adds a range, for an allocation of `size` bytes.
    pub(super) fn add(&self, range: Range<usize>, populated: bool, size: usize) -> Result<(), AllocError> {
        let range = range.start.next_multiple_of(GRANULE)..range.end / GRANULE * GRANULE;
        if range.is_empty() {
            return Ok(());
        }
        while let Err(Want::Metadata(pages)) = self.with(|state| state.add(&range, populated)) {
            self.donate(pages, size)?;
        }
        Ok(())
    }

    /// Allocates `size` bytes at a multiple of `align`, zero in every unit; returns their offset.
    ///
    /// Context: with [`AllocFlags::ATOMIC`] that of the lock, else threads that may sleep. Costs a search that grows
    /// with the logarithm of the unit; zeroing touches only what was used before, in every unit. What is refused, or placed
    /// only at the last resort, looks besides at the holes that have grown since the last refusal, in parts between which the
    /// lock is let go: the first refusal in a unit of 4096 chunks takes some milliseconds.
    ///
    /// # Errors
    ///
    /// As [`AllocError`] says. Nothing has changed then.
    #[inline]
    pub fn alloc(&self, size: usize, align: usize, flags: AllocFlags) -> Result<usize, AllocError> {
        let request = self.request(size, align, flags)?;
        let placed = self.with(|state| state.place(&request));
        self.finish(&placed, &request, size, align)
    }

    /// As [`alloc`](Self::alloc), but for what is done without the lock: [`zeroed`](Self::zeroed) has to follow.
    #[inline]
    #[cfg(all(has_backend, not(feature = "checked")))]
    pub(crate) fn place_atomic(&self, size: usize, align: usize) -> Result<Placed, AllocError> {
        let request = self.request(size, align, AllocFlags::ATOMIC)?;
        let placed = self.with(|state| state.place(&request));
        placed.or_else(|want| self.alloc_slowly(want, &request, size, align))
    }

    /// Zeroes what [`place_atomic`](Self::place_atomic) has found; returns its offset.
    #[inline]
    #[cfg(all(has_backend, not(feature = "checked")))]
    pub(crate) fn zeroed(&self, placed: &Placed) -> usize {
        debug_assert!(placed.fresh.is_none(), "atomic allocations find what is populated");
        self.zero(&placed.dirty);
        placed.offset
    }

    /// Brings what the map asks for, and makes the place ready. What was placed stays where the map has put it: to copy what was
    /// just written in pieces takes longer than to write it.
    #[inline]
    pub(super) fn finish(
        &self,
        placed: &Result<Placed, Want>,
        request: &Request,
        size: usize,
        align: usize,
    ) -> Result<usize, AllocError> {
        let slowly;
        let placed = match placed {
            Ok(placed) => placed,
            Err(want) => {
                slowly = self.alloc_slowly(*want, request, size, align)?;
                &slowly
            }
        };
        let Err(error) = self.make_ready(placed, request, size) else { return Ok(placed.offset) };
        // Of a fresh block, there were no pages.
        let placed = self.place_in_uncounted(request).ok_or(error)?;
        self.zero(&placed.dirty);
        Ok(placed.offset)
    }

    /// As [`alloc`](Self::alloc), for the allocator's own purposes and for good: no count tells of it.
    ///
    /// # Errors
    ///
    /// As there.
    #[cfg(has_stock)]
    pub(crate) fn alloc_for_good(&self, size: usize, align: usize) -> Result<usize, AllocError> {
        let request = self.request(size, align, AllocFlags::NONE)?.uncounted();
        let placed = self.with(|state| state.place(&request));
        self.finish(&placed, &request, size, align)
    }

    /// Allocates as many objects as `offsets` has places, or none.
    ///
    /// # Errors
    ///
    /// As [`alloc`](Self::alloc), which is what is done for each: the counts know of those that were freed again.
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
    /// Pages that nobody needs any more are given back, a run of them a call, where [`Memory::BALANCES_ON_FREE`] says so, and all by
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
    pub(crate) fn put_back(&self, places: &[Entry], granules: u64) -> Result<(), FreeError> {
        self.free_and_balance(|state| state.release_many(places, granules))
    }

    /// As [`put_back`](Self::put_back), up to the first error, or to the first place that empties a page: whoever frees waits for what
    /// becomes of it. Returns how many places are done with.
    #[cfg(has_stock)]
    pub(crate) fn put_back_some(&self, places: &[Entry], granules: u64) -> (usize, Result<(), FreeError>) {
        let mut done = 0;
        let result = self.free_and_balance(|state| {
            let (count, result) = state.release_some(places, granules, 1);
            done = count;
            result
        });
        (done, result)
    }

    /// Frees, and gives pages back if it is time.
    #[inline]
    pub(super) fn free_and_balance(
        &self,
        free: impl FnOnce(&mut State) -> Result<(), FreeError>,
    ) -> Result<(), FreeError> {
        let (result, surplus) = self.with(|state| {
            let result = free(state);
            // One run of pages: whoever frees waits for it, and the next does the rest.
            (result, if M::BALANCES_ON_FREE { state.take_surplus() } else { None })
        });
        if let Some(pages) = surplus {
            self.give_back(pages);
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
            Err(Want::Range | Want::Turn) => None,
        }
    }

    /// The bytes of the allocation at `offset`, rounded up to [`GRANULE`].
    ///
    /// # Errors
    ///
    /// As [`free`](Self::free).
    pub fn size_of(&self, offset: usize) -> Result<usize, FreeError> {
        self.with(|state| state.size_of(offset))
    }

    /// Gives pages back that are not needed.
    ///
    /// Context: threads that may sleep.
    #[cold]
    pub fn balance(&self) {
        while let Some(pages) = self.with(State::take_surplus) {
            self.give_back(pages);
        }
    }

    /// Announces [`balance`](Self::balance), if it would give anything back; until [`end_balance`](Self::end_balance) a fork waits.
    #[cfg(has_backend)]
    pub(crate) fn begin_balance(&self) -> bool {
        self.with(State::begin_balance)
    }

    #[cfg(has_backend)]
    pub(crate) fn end_balance(&self) {
        self.with(State::end_balance);
    }

    /// Gives pages back that [`State::take_surplus`] has named, and those of records that are not needed without them.
    #[cold]
    fn give_back(&self, pages: Range<usize>) {
        self.memory.depopulate(pages.clone());
        self.return_records(|state| state.depopulated(pages));
    }

    /// Whether a thread is between what it has asked of the memory and telling the map: of a fork then, the child would not have
    /// all the room there is.
    ///
    /// # Safety
    ///
    /// The caller holds the lock.
    #[cfg_attr(not(platform = "hosted"), allow(dead_code, reason = "for the forks of a process"))]
    pub(crate) unsafe fn is_moving(&self) -> bool {
        // SAFETY: the caller's promise.
        unsafe { self.state.get_held() }.is_moving()
    }

    /// What it has done, and has.
    pub fn stats(&self) -> PerCpuStats {
        self.with(State::stats)
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
        self.state.with(change)
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
