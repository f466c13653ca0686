//! What an allocator's lock guards: the map, and the counts.

use core::ops::Range;

use super::capacity::{SLOTS, slot_of};
use super::error::FreeError;
use super::map::holes::GRANULE;
use super::map::recount::Counted;
use super::map::request::{Entry, Fresh, Placed, Request, Want};
use super::map::{FreeError as MapError, Map};
use super::stats::PerCpuStats;

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
    /// Threads that have begun what changes the room there is, and have not told the map of it yet: a chunk that is being
    /// added, pages on their way.
    moves: u32,
    /// Whether one of them adds a chunk.
    grows: bool,
    /// Of atomic allocations alone.
    reserve: Range<usize>,
}

impl State {
    pub(super) const fn new(map: Map) -> Self {
        Self {
            map,
            stats: PerCpuStats::ZERO,
            lowest: usize::MAX,
            highest: 0,
            last: 0,
            largest: 0,
            live: [0; SLOTS],
            moves: 0,
            grows: false,
            reserve: 0..0,
        }
    }

    /// Whether there may be room soon that there is not now.
    pub(super) fn is_moving(&self) -> bool {
        self.moves > 0
    }

    /// Begins to add a chunk; false where another thread is at it.
    pub(super) fn begin_growth(&mut self) -> bool {
        let begins = !self.grows;
        self.moves += u32::from(begins);
        self.grows = true;
        begins
    }

    pub(super) fn end_growth(&mut self) {
        self.grows = false;
        self.moves -= 1;
    }

    /// Takes in a range.
    ///
    /// # Errors
    ///
    /// [`Want::Metadata`]; nothing has changed then.
    pub(super) fn add(&mut self, range: &Range<usize>, populated: bool) -> Result<(), Want> {
        self.map.add_range(range, populated)?;
        self.lowest = self.lowest.min(range.start);
        let begin = if range.start == self.highest { self.last } else { range.start };
        self.largest = self.largest.max(range.end - begin);
        if range.end > self.highest {
            (self.last, self.highest) = (begin, range.end);
        }
        Ok(())
    }

    /// The longest range, with those that it continues.
    pub(super) fn largest(&self) -> usize {
        self.largest
    }

    pub(super) fn stats(&mut self) -> PerCpuStats {
        self.note_peaks();
        PerCpuStats {
            nr_chunks: self.map.chunks() as u64,
            populated_bytes: self.map.populated_bytes(),
            empty_pop_pages: self.map.empty_pages() as u64,
            metadata_bytes: self.map.metadata_bytes(),
            ..self.stats
        }
    }

    fn populated(&mut self, pages: Range<usize>, to: usize) {
        self.map.set_populated(pages, to);
        self.stats.nr_populate += 1;
    }

    /// Begins to give pages back; false where there are none to give.
    #[cfg(has_backend)]
    pub(super) fn begin_balance(&mut self) -> bool {
        let begins = self.map.has_surplus();
        self.moves += u32::from(begins);
        begins
    }

    #[cfg(has_backend)]
    pub(super) fn end_balance(&mut self) {
        self.moves -= 1;
    }

    /// Pages that are to be given back, and then [`depopulated`](Self::depopulated), if there are any.
    #[inline]
    pub(super) fn take_surplus(&mut self) -> Option<Range<usize>> {
        let pages = self.map.take_surplus()?;
        self.moves += 1;
        Some(pages)
    }

    pub(super) fn depopulated(&mut self, pages: Range<usize>) {
        self.map.set_depopulated(pages);
        self.stats.nr_depopulate += 1;
        self.moves -= 1;
    }

    #[inline]
    pub(super) fn place(&mut self, request: &Request) -> Result<Placed, Want> {
        let placed = self.map.place(request)?;
        self.placed(request, &placed);
        Ok(placed)
    }

    /// As [`place`](Self::place), where [`take`](Self::take) has found nothing.
    pub(super) fn place_unshared(&mut self, request: &Request) -> Result<Placed, Want> {
        let placed = self.map.place_unshared(request)?;
        self.placed(request, &placed);
        Ok(placed)
    }

    pub(super) fn place_anywhere(&mut self, request: &Request, from: &mut u64) -> Result<Placed, Want> {
        let placed = self.map.place_anywhere(request, from)?;
        self.placed(request, &placed);
        Ok(placed)
    }

    /// As [`place`](Self::place), in what the indexes do not know, for a request that is refused else.
    pub(super) fn place_in_uncounted(&mut self, request: &Request, from: &mut u32) -> Counted {
        let counted = self.map.place_in_uncounted(request, from);
        if let Counted::Placed(placed) = &counted {
            self.placed(request, placed);
        }
        counted
    }

    /// Takes a place for `request` from what is reserved for atomic ones.
    pub(super) fn place_in_reserve(&mut self, request: &Request) -> Option<Placed> {
        let placed = self.map.place_in_reserve(&mut self.reserve, request)?;
        self.placed(request, &placed);
        Some(placed)
    }

    /// Bytes that are reserved for atomic allocations.
    pub(super) fn reserved(&self) -> usize {
        self.reserve.len()
    }

    /// Reserves what lies at `offsets`, an object of whole populated pages, in place of what was reserved before.
    ///
    /// # Errors
    ///
    /// [`Want::Metadata`]; nothing has changed then.
    pub(super) fn reserve(&mut self, offsets: Range<usize>) -> Result<(), Want> {
        self.map.stock_bits(&offsets)?;
        self.stats.freed(offsets.len(), 1);
        let before = core::mem::replace(&mut self.reserve, offsets);
        if !before.is_empty() {
            self.map.release(before.start).expect("what is reserved is an object of its own");
        }
        Ok(())
    }

    /// What has no pages yet is counted when it has: [`brought`](Self::brought) or [`cancel`](Self::cancel).
    #[inline]
    fn placed(&mut self, request: &Request, placed: &Placed) {
        if placed.fresh.is_some() {
            self.moves += 1;
        } else if request.is_counted() {
            self.allocated(request.granules(), 1);
        }
    }

    /// Of an object that lacks `fresh`, and has what is below `until` now: the pages that are next. Where there are none, it
    /// is counted, and all are populated at once: no other change meets them before.
    pub(super) fn brought(
        &mut self,
        offset: usize,
        request: &Request,
        fresh: &Fresh,
        until: usize,
    ) -> Option<Range<usize>> {
        let end = offset + request.bytes();
        let next = self.map.unpopulated(until, end, fresh.ahead);
        if next.is_none() {
            let mut run = Some(fresh.pages.clone());
            while let Some(pages) = run {
                let from = pages.end;
                self.populated(pages, end);
                run = self.map.unpopulated(from, end, fresh.ahead);
            }
            if request.is_counted() {
                self.allocated(request.granules(), 1);
            }
            self.moves -= 1;
        }
        next
    }

    /// Undoes [`place`](Self::place) where pages are not to be had.
    pub(super) fn cancel(&mut self, offset: usize, size: usize) {
        self.map.cancel(offset, size);
        self.moves -= 1;
    }

    /// Places for a stock, where there is a block that has some.
    pub(super) fn take(&mut self, request: &Request, places: &mut [Entry]) -> usize {
        let count = self.map.place_many(request, places);
        self.allocated(request.granules(), count);
        count
    }

    #[inline]
    fn allocated(&mut self, granules: u64, count: usize) {
        if let Some(slot) = slot_of(granules) {
            self.live[slot] += count as u32;
        }
        self.stats.allocated(granules as usize * GRANULE, count);
    }

    #[inline]
    fn freed(&mut self, granules: u64, count: usize) {
        if let Some(slot) = slot_of(granules) {
            self.live[slot] -= count as u32;
        }
        self.stats.freed(granules as usize * GRANULE, count);
    }

    pub(super) fn size_of(&self, offset: usize) -> Result<usize, FreeError> {
        if self.reserve.contains(&offset) {
            return Err(FreeError::NotAllocated { offset });
        }
        self.map.size_of(offset).map_err(|error| self.free_error(offset, error))
    }

    #[inline]
    pub(super) fn release(&mut self, offset: usize) -> Result<usize, FreeError> {
        if self.reserve.contains(&offset) {
            return Err(FreeError::NotAllocated { offset });
        }
        let bytes = self.map.release(offset).map_err(|error| self.free_error(offset, error))?;
        self.freed((bytes / GRANULE) as u64, 1);
        Ok(bytes)
    }

    pub(super) fn release_sized(&mut self, offset: usize, granules: u64) -> Result<(), FreeError> {
        let place = Entry::new(offset, true);
        self.map.release_sized(place, granules).map_err(|error| self.free_error_sized(offset, granules, error))?;
        self.freed(granules, 1);
        Ok(())
    }

    /// Frees objects of one size; the first error, if there is one, and all the others all the same.
    pub(super) fn release_many(&mut self, places: &[Entry], granules: u64) -> Result<(), FreeError> {
        let mut rest = places;
        let mut result = Ok(());
        while !rest.is_empty() {
            let (count, error) = self.release_some(rest, granules, usize::MAX);
            result = result.and(error);
            rest = &rest[count..];
        }
        result
    }

    /// As [`release_many`](Self::release_many), up to the first error, or until `pages` more are empty; returns how many places are
    /// done with.
    pub(super) fn release_some(
        &mut self,
        places: &[Entry],
        granules: u64,
        pages: usize,
    ) -> (usize, Result<(), FreeError>) {
        let (count, error) = self.map.release_many(places, granules, pages);
        self.freed(granules, count);
        match error {
            None => (count, Ok(())),
            Some(error) => (count + 1, Err(self.free_error_sized(places[count].offset(), granules, error))),
        }
    }

    /// Live objects of a size, and of others that share its slot; those in stock among them.
    pub(super) fn live(&self, granules: u64) -> usize {
        slot_of(granules).map_or(0, |slot| self.live[slot] as usize)
    }

    pub(super) fn note_peaks(&mut self) {
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
    pub(super) fn free_error(&self, offset: usize, error: MapError) -> FreeError {
        match error {
            _ if !(self.lowest..self.highest).contains(&offset) => FreeError::Foreign { offset },
            MapError::Nothing => FreeError::NotAllocated { offset },
            MapError::Interior => FreeError::Interior { offset },
        }
    }
}
