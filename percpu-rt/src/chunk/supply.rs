//! What the stocks of CPUs get from an allocator, and give back to it.
//!
//! They belong to nobody who could lock them, so they are no [`Cache`](super::Cache)s: the way here is all that is the same.

use super::allocator::Allocator;
use super::capacity::capacity_for;
pub(crate) use super::capacity::{LARGEST, SLOTS, keep_lower, slot_of};
use super::flags::AllocFlags;
use super::lock::RawLock;
pub(crate) use super::map::request::Entry;
use super::memory::Memory;
pub(crate) use super::zero::{LINE, zero_aligned};

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
}

impl Entry {
    /// The offset, and in the lowest bit whether the place is dirty. The bit behind that is never set.
    #[inline(always)]
    pub(crate) fn to_bits(self) -> usize {
        self.offset() | usize::from(self.is_dirty())
    }

    /// What [`to_bits`](Self::to_bits) was given.
    #[inline(always)]
    pub(crate) fn from_bits(bits: usize) -> Self {
        Self::new(bits & !1, bits & 1 != 0)
    }
}
