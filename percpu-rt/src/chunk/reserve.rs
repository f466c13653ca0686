//! Room for those who must not wait: atomic allocations.

use super::allocator::Allocator;
use super::error::AllocError;
use super::flags::AllocFlags;
use super::lock::RawLock;
use super::map::holes::BLOCK;
use super::map::request::{Placed, Request, Want};
use super::memory::Memory;

impl<M: Memory, L: RawLock> Allocator<M, L> {
    /// Sees to it that atomic allocations of `bytes` in all find a place: populated pages, with records for what will be in them,
    /// that nobody else gets.
    ///
    /// That holds for objects of up to a page each of whose sizes is counted as the next power of two, or the alignment if that is
    /// more; and of larger ones by whole pages. It is for one burst: what others allocate beside it may have the rest of a page
    /// that it has begun. A further call brings the reserve up to `bytes` again, and does nothing where it is.
    ///
    /// Context: threads that may sleep. Costs an allocation of so many bytes, as which the counts have it, freed again.
    ///
    /// # Errors
    ///
    /// As [`alloc`](Self::alloc). What was reserved before stays so.
    pub fn reserve_atomic(&self, bytes: usize) -> Result<(), AllocError> {
        // Sizes by powers of two leave at the most a block in all that is begun and not full; and there are two zones.
        let size = bytes.saturating_add(2 * BLOCK).checked_next_multiple_of(self.page_size).unwrap_or(usize::MAX);
        if self.with(|state| state.reserved() >= size) {
            return Ok(());
        }
        let offset = self.alloc(size, self.page_size, AllocFlags::NONE)?;
        while let Err(want) = self.with(|state| state.reserve(offset..offset + size)) {
            let Want::Metadata(pages) = want else { continue };
            if let Err(error) = self.donate(pages, size) {
                let freed = self.free(offset);
                debug_assert!(freed.is_ok());
                return Err(error);
            }
        }
        Ok(())
    }

    /// For an atomic request that finds no place: where [`reserve_atomic`](Self::reserve_atomic) has kept some.
    #[cold]
    pub(super) fn place_in_reserve(&self, request: &Request, size: usize, align: usize) -> Result<Placed, AllocError> {
        let placed = self.place_in_uncounted(request).or_else(|| self.with(|state| state.place_in_reserve(request)));
        placed.ok_or(AllocError::AtomicExhausted { size, align })
    }
}
