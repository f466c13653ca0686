//! What the stocks of CPUs get from an allocator, and give back to it.
//!
//! They belong to nobody who could lock them, so they are no [`Cache`](super::Cache)s: the way here is all that is the same.

use super::allocator::Allocator;
use super::capacity::capacity_for;
pub(crate) use super::capacity::{LARGEST, SLOTS, keep_lowest, slot_of};
use super::flags::AllocFlags;
use super::lock::RawLock;
pub(crate) use super::map::request::Entry;
use super::memory::Memory;
pub(crate) use super::zero::LINE;
use super::zero::zero_aligned;

impl<M: Memory, L: RawLock> Allocator<M, L> {
    /// Takes some places of `size` bytes, ascending, for one of `stocks` if it has room for them; returns how many.
    ///
    /// `makes_room` is told how many places the stock may have, and called under the lock.
    pub(crate) fn supply(
        &self,
        size: usize,
        align: usize,
        stocks: usize,
        places: &mut [Entry; LARGEST],
        makes_room: impl FnOnce(usize) -> bool,
    ) -> usize {
        let Ok(request) = self.request(size, align, AllocFlags::NONE) else { return 0 };
        self.with(|state| {
            let capacity = capacity_for(state.live(request.granules()) / stocks, request.granules());
            if capacity == 0 || !makes_room(capacity) {
                return 0;
            }
            state.take(&request, &mut places[..capacity.div_ceil(2)])
        })
    }

    /// How many places of `granules` each of `stocks` may have.
    pub(crate) fn capacity(&self, granules: u64, stocks: usize) -> usize {
        capacity_for(self.with(|state| state.live(granules)) / stocks, granules)
    }

    /// The offset of a place from stock, zero in every unit. It begins at a multiple of the largest power of two, up to a line,
    /// that divides `size`, which is one of [`GRANULE`](super::GRANULE)s.
    #[inline(always)]
    pub(crate) fn ready(&self, place: Entry, size: usize) -> usize {
        if place.is_dirty() {
            for unit in 0..self.memory.units() {
                // SAFETY: populated bytes of a place that nobody has yet, and it begins as the caller says.
                unsafe { zero_aligned(self.memory.copy(unit, place.offset()), size) };
            }
        }
        place.offset()
    }
}

impl Entry {
    /// The same in half the bits, never 0 or 1; `None` for an offset that they cannot hold: 0, and from 8 GiB on.
    #[inline]
    pub(crate) fn pack(self) -> Option<u32> {
        // An offset is a multiple of four: its half has a bit to spare. One compare for both ends: what is too low is very high.
        let half = self.offset() >> 1;
        (half.wrapping_sub(2) <= u32::MAX as usize - 3).then_some(half as u32 | u32::from(self.is_dirty()))
    }

    /// What [`pack`](Self::pack) was given.
    #[inline]
    pub(crate) fn unpack(packed: u32) -> Self {
        Self::new((packed as usize & !1) << 1, packed & 1 != 0)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn places_are_packed_or_refused() {
        for offset in [4, 8, 4096, 0xffff_fffc, 0x1_0000_0000, 0x1_ffff_fff4, 0x1_ffff_fff8] {
            for dirty in [false, true] {
                let place = Entry::new(offset, dirty);
                let packed = place.pack().expect("below 8 GiB");
                assert!(packed > 1 && Entry::unpack(packed) == place, "{offset:#x} {dirty}");
            }
        }
        for offset in [0, 0x2_0000_0000, 0x3_0000_0000, usize::MAX & !3] {
            assert_eq!(Entry::new(offset, true).pack(), None, "{offset:#x}");
        }
    }
}
