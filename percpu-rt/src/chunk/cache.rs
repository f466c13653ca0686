//! One CPU's stock of places, by exact size: most allocations and frees end here and take no lock.
//!
//! ```text
//!  cache of a CPU
//!  ┌────────────────────┬────────────────────┬─ ─
//!  │ 8 bytes, 12 of 32  │ 304 bytes, 3 of 6  │           a slot a size that is in use
//!  └─────────┬──────────┴────────────────────┴─ ─
//!            ▼ magazine
//!           ┌────┬────┬─ ─ ─┬────┬────┐
//!           │ at │ at │     │ at │    │                   the last in is the first out
//!           └────┴────┴─ ─ ─┴────┴────┘
//! ```
//!
//! It has one user at a time. How many places of a size may be in it, `capacity` says.

use core::fmt;

use super::allocator::Allocator;
use super::capacity::{LARGEST, SLOTS, capacity_for, keep_lower, slot_of};
use super::error::{AllocError, FreeError};
use super::flags::AllocFlags;
use super::lock::RawLock;
use super::map::holes::GRANULE;
use super::map::request::{Entry, Placed, Request, Want};
use super::map::{OwnedMagazine, ones};
use super::memory::Memory;
use super::state::State;

/// Places of a magazine: one comes in before others go back.
const PLACES: usize = LARGEST + 1;

/// The places of one size.
#[derive(Debug)]
pub(super) struct Magazine {
    places: [Entry; PLACES],
}

impl Magazine {
    pub(super) const EMPTY: Self = Self { places: [Entry::EMPTY; PLACES] };
}

/// What a cache has of one size.
#[derive(Debug)]
struct Slot {
    /// The size, or 0.
    granules: u16,
    count: u8,
    capacity: u8,
    magazine: Option<OwnedMagazine>,
}

/// One CPU's stock of places of an [`Allocator`]. Its drop puts them back.
pub struct Cache<'a, M: Memory, L: RawLock> {
    allocator: &'a Allocator<M, L>,
    /// Caches that share what may be in stock.
    caches: usize,
    slots: [Slot; SLOTS],
    /// The slots with a magazine, the first in the lowest bit.
    with_magazine: u64,
}

const _: () = assert!(SLOTS == u64::BITS as usize);

impl<'a, M: Memory, L: RawLock> Cache<'a, M, L> {
    /// An empty stock.
    #[must_use]
    pub const fn new(allocator: &'a Allocator<M, L>) -> Self {
        Self::one_of(1, allocator)
    }

    /// An empty stock, one of `caches` of the same allocator: what may be in stock for what is live is the same with all of
    /// them.
    ///
    /// # Panics
    ///
    /// Where `caches` is 0.
    #[must_use]
    pub const fn one_of(caches: usize, allocator: &'a Allocator<M, L>) -> Self {
        assert!(caches > 0, "one of no caches");
        let slots = [const { Slot { granules: 0, count: 0, capacity: 0, magazine: None } }; SLOTS];
        Self { allocator, caches, slots, with_magazine: 0 }
    }

    /// Allocates as [`Allocator::alloc`] does, from the stock where it has a place.
    ///
    /// Context: that of the cache's only user. From the stock it costs what zeroing costs.
    ///
    /// # Errors
    ///
    /// As [`Allocator::alloc`].
    #[inline]
    pub fn alloc(&mut self, size: usize, align: usize, flags: AllocFlags) -> Result<usize, AllocError> {
        if let Some(offset) = self.alloc_from_stock(size, align) {
            return Ok(offset);
        }
        let request = self.allocator.request(size, align, flags)?;
        self.alloc_slowly(&request, size, align, flags)
    }

    /// Allocates from what is in stock alone, and takes no lock.
    #[inline]
    pub(crate) fn alloc_from_stock(&mut self, size: usize, align: usize) -> Option<usize> {
        let granules = size.div_ceil(GRANULE) as u64;
        let slot = &mut self.slots[slot_of(granules)?];
        // No size is in stock whose granules are 0. Where an offset is a multiple of more than a page, its address need not be.
        if u64::from(slot.granules) != granules || align > self.allocator.page_size {
            return None;
        }
        let last = slot.count.checked_sub(1)?;
        let entry = *slot.magazine.as_ref()?.places.get(usize::from(last))?;
        if !align.is_power_of_two() || entry.offset() & (align - 1) != 0 {
            return None;
        }
        slot.count = last;
        if entry.is_dirty() {
            self.allocator.zero_range(entry.offset(), size);
        }
        Some(entry.offset())
    }

    /// Frees the allocation of `size` bytes at `offset`, into the stock where it has room.
    ///
    /// Context: that of the cache's only user.
    ///
    /// # Errors
    ///
    /// As [`Allocator::free`], for whatever has been freed into this cache since its stock was put back last: a place is
    /// looked at when it leaves the stock.
    ///
    /// # Safety
    ///
    /// `offset` was allocated by this cache or its allocator with this size, and is not freed yet.
    #[inline]
    pub unsafe fn free(&mut self, offset: usize, size: usize) -> Result<(), FreeError> {
        // SAFETY: the caller's promise.
        if unsafe { self.free_into_stock(offset, size) } {
            return Ok(());
        }
        self.free_slowly(offset, size.div_ceil(GRANULE) as u64)
    }

    /// Frees into the stock if it has room, and takes no lock; false, and nothing is freed, where it has none.
    ///
    /// # Safety
    ///
    /// As [`free`](Self::free).
    #[inline]
    pub(crate) unsafe fn free_into_stock(&mut self, offset: usize, size: usize) -> bool {
        let granules = size.div_ceil(GRANULE) as u64;
        let Some(index) = slot_of(granules) else { return false };
        let slot = &mut self.slots[index];
        if u64::from(slot.granules) == granules
            && slot.count < slot.capacity
            && let Some(magazine) = &mut slot.magazine
            && let Some(place) = magazine.places.get_mut(usize::from(slot.count))
        {
            *place = Entry::new(offset, true);
            slot.count += 1;
            return true;
        }
        false
    }

    /// Puts the whole stock back.
    ///
    /// # Errors
    ///
    /// As [`free`](Self::free); the rest is put back all the same.
    pub fn drain(&mut self) -> Result<(), FreeError> {
        let mut result = Ok(());
        for index in ones(core::mem::take(&mut self.with_magazine)) {
            let slot = &mut self.slots[index as usize];
            let Some(mut magazine) = slot.magazine.take() else { continue };
            let places = &mut magazine.places[..usize::from(slot.count)];
            places.sort_unstable();
            result = result.and(self.allocator.put_back(places, u64::from(slot.granules)));
            (slot.count, slot.capacity) = (0, 0);
            self.allocator.with(|state| state.map.free_magazine(magazine));
        }
        result
    }

    /// Notes whether a slot has a magazine, after a change of it; where it lacks one, makes it if that may wait.
    fn note_magazine(&mut self, index: usize, may_wait: bool) {
        let slot = &mut self.slots[index];
        if may_wait && slot.lacks_magazine() {
            slot.magazine = self.allocator.new_magazine();
        }
        self.with_magazine |= u64::from(slot.magazine.is_some()) << index;
    }

    fn has_stock(&self) -> bool {
        ones(self.with_magazine).any(|index| self.slots[index as usize].count > 0)
    }

    /// From the map, with some for the stock.
    #[cold]
    fn alloc_slowly(
        &mut self,
        request: &Request,
        size: usize,
        align: usize,
        flags: AllocFlags,
    ) -> Result<usize, AllocError> {
        let allocator = self.allocator;
        let Some(index) = slot_of(request.granules()) else {
            let placed = allocator.with(|state| state.place(request));
            return self.alloc_unstocked(&placed, request, size, align, flags);
        };
        if let Some(entry) = self.slots[index].aligned(request.granules(), align) {
            return Ok(ready(allocator, entry, size));
        }
        let slot = &mut self.slots[index];
        let found = allocator.with(|state| {
            slot.adapt(request.granules(), self.caches, state);
            let found = slot.refill(request, |places| state.take(request, places)).unwrap_or_else(|| {
                // Of a size without stock, as one for it, since that is quicker.
                let mut one = [Entry::EMPTY];
                (state.take(request, &mut one) == 1).then_some(one[0])
            });
            found.ok_or_else(|| state.place_unshared(request))
        });
        self.note_magazine(index, !request.is_atomic());
        match &found {
            Ok(entry) => Ok(ready(allocator, *entry, size)),
            Err(placed) => self.alloc_unstocked(placed, request, size, align, flags),
        }
    }

    /// From where the map has placed it, or, if it has not, from what is in stock of any size.
    fn alloc_unstocked(
        &mut self,
        placed: &Result<Placed, Want>,
        request: &Request,
        size: usize,
        align: usize,
        flags: AllocFlags,
    ) -> Result<usize, AllocError> {
        match self.allocator.finish(placed, request, size, align) {
            // What is in stock may be what is lacking; or the page of an empty magazine, where it may be records.
            Err(AllocError::Exhausted { .. }) if self.has_stock() && self.drain().is_ok() => {
                self.allocator.alloc(size, align, flags)
            }
            Err(AllocError::AtomicExhausted { .. } | AllocError::NoMemory { .. })
                if self.with_magazine != 0 && self.drain().is_ok() =>
            {
                self.allocator.alloc(size, align, flags)
            }
            result => result,
        }
    }

    /// To the map, with some of the stock if it is full.
    #[cold]
    fn free_slowly(&mut self, offset: usize, granules: u64) -> Result<(), FreeError> {
        let Some(index) = slot_of(granules) else { return self.allocator.free_sized(offset, granules) };
        let slot = &mut self.slots[index];
        let result = self.allocator.free_and_balance(|state| {
            let is_stocked = slot.adapt(granules, self.caches, state);
            match &mut slot.magazine {
                Some(magazine) if is_stocked => {
                    let full = slot.count >= slot.capacity;
                    // Into the room that the magazine has beyond every capacity.
                    magazine.places[usize::from(slot.count)] = Entry::new(offset, true);
                    slot.count += 1;
                    if full { put_back(state, slot) } else { Ok(()) }
                }
                _ => state.release_sized(offset, granules),
            }
        });
        self.note_magazine(index, true);
        result
    }
}

/// A place, zero.
fn ready<M: Memory, L: RawLock>(allocator: &Allocator<M, L>, entry: Entry, size: usize) -> usize {
    if entry.is_dirty() {
        allocator.zero_range(entry.offset(), size);
    }
    entry.offset()
}

impl Slot {
    /// Gives the slot to a size, if enough of it is live; true where it has it.
    fn adapt(&mut self, granules: u64, caches: usize, state: &mut State) -> bool {
        if u64::from(self.granules) != granules {
            // Another size has the slot; it goes when it has nothing in stock.
            if self.count > 0 {
                return false;
            }
            self.granules = granules as u16;
        }
        // What is in stock beyond goes out by allocations, and by frees, of which each puts back more than comes in.
        // Most often there is one: a division is longer than all the rest.
        let live = state.live(granules);
        self.capacity = capacity_for(if caches == 1 { live } else { live / caches }, granules) as u8;
        if self.lacks_magazine() {
            self.magazine = state.map.new_magazine().ok();
        }
        self.magazine.is_some() && self.capacity > 0
    }

    /// Whether there is no magazine for what may be in stock: there was no page for it under the lock.
    fn lacks_magazine(&self) -> bool {
        self.capacity > 0 && self.magazine.is_none()
    }

    /// A place in stock that is aligned, where the last is not.
    fn aligned(&mut self, granules: u64, align: usize) -> Option<Entry> {
        if u64::from(self.granules) != granules {
            return None;
        }
        let places = &mut self.magazine.as_mut()?.places[..usize::from(self.count)];
        let aligned = places.iter().rposition(|place| place.offset().is_multiple_of(align))?;
        let last = places.len() - 1;
        places.swap(aligned, last);
        self.count -= 1;
        Some(places[last])
    }

    /// A place that `take` fetches, if it does, and in stock some more. `None` where nothing may be in stock.
    fn refill(&mut self, request: &Request, take: impl FnOnce(&mut [Entry]) -> usize) -> Option<Option<Entry>> {
        let (count, capacity) = (usize::from(self.count), usize::from(self.capacity));
        if u64::from(self.granules) != request.granules() || count >= capacity {
            return None;
        }
        let wanted = capacity.div_ceil(2).min(capacity - count);
        let places = &mut self.magazine.as_mut()?.places[count..count + wanted];
        let taken = take(places);
        // The lowest goes out first.
        places[..taken].reverse();
        let Some(last) = taken.checked_sub(1) else { return Some(None) };
        self.count = (count + last) as u8;
        Some(Some(places[last]))
    }
}

/// Puts some places of a slot back; no more where that has emptied a page, since whoever frees waits for what becomes of it. What is left
/// of them is at hand then, though it lies highest.
fn put_back(state: &mut State, slot: &mut Slot) -> Result<(), FreeError> {
    let Some(magazine) = slot.magazine.as_mut() else { return Ok(()) };
    let places = &mut magazine.places[..usize::from(slot.count)];
    let granules = u64::from(slot.granules);
    let kept = keep_lower(places, granules);
    // One more of a stock that is beyond its capacity: where each empties a page, it would never shrink.
    let pages = if slot.count > slot.capacity + 1 { 2 } else { 1 };
    let (count, result) = state.release_some(&places[kept..], granules, pages);
    places.copy_within(kept + count.., kept);
    slot.count -= count as u8;
    result
}

impl<M: Memory, L: RawLock> Drop for Cache<'_, M, L> {
    fn drop(&mut self) {
        // An error was the caller's mistake, and there is nobody to tell.
        let _ = self.drain();
    }
}

impl<M: Memory, L: RawLock> fmt::Debug for Cache<'_, M, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stock = self.slots.iter().filter(|slot| slot.count > 0);
        f.debug_map().entries(stock.map(|slot| (slot.granules, slot.count))).finish()
    }
}
