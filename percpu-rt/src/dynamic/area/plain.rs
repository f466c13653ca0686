//! An area as it is: the allocator alone.

use core::ops::Range;

use crate::chunk::{AllocError, AllocFlags, Allocator, FreeError, Memory, PerCpuStats, Placed, RawLock};

/// What a pointer knows of its allocation, beside the address: nothing.
#[derive(Clone, Copy)]
pub(in crate::dynamic) struct Stamp;

impl Stamp {
    /// That of a pointer made from a number.
    pub(in crate::dynamic) const UNKNOWN: Self = Self;
}

/// An allocator of a part of the units.
pub(in crate::dynamic) struct Area<M: Memory, L>(Allocator<M, L>);

impl<M: Memory, L: RawLock + Copy> Area<M, L> {
    pub(in crate::dynamic) const fn new(memory: M, lock: L, page_size: usize) -> Self {
        Self(Allocator::new(memory, lock, page_size))
    }

    /// As [`Allocator::add_populated`].
    ///
    /// # Safety
    ///
    /// As there.
    pub(in crate::dynamic) unsafe fn add_populated(&self, range: Range<usize>) -> Result<(), AllocError> {
        // SAFETY: the caller's promise.
        unsafe { self.0.add_populated(range) }
    }

    #[inline]
    pub(in crate::dynamic) fn alloc(
        &self,
        size: usize,
        align: usize,
        flags: AllocFlags,
    ) -> Result<(usize, Stamp), AllocError> {
        Ok((self.0.alloc(size, align, flags)?, Stamp))
    }

    /// The part of an atomic allocation that is done under the lock; [`finish`](Self::finish) has to follow.
    #[inline]
    pub(in crate::dynamic) fn place_atomic(&self, size: usize, align: usize) -> Result<Placed, AllocError> {
        self.0.place_atomic(size, align)
    }

    #[inline]
    pub(in crate::dynamic) fn finish(&self, placed: Placed) -> (usize, Stamp) {
        (self.0.zeroed(&placed), Stamp)
    }

    #[inline]
    pub(in crate::dynamic) fn free(&self, offset: usize, _: Stamp) -> Result<(), FreeError> {
        self.0.free(offset)
    }

    #[inline]
    pub(in crate::dynamic) fn balance(&self) {
        self.0.balance();
    }

    pub(in crate::dynamic) fn begin_balance(&self) -> bool {
        self.0.begin_balance()
    }

    pub(in crate::dynamic) fn end_balance(&self) {
        self.0.end_balance();
    }

    #[inline]
    #[cfg(has_stock)]
    pub(in crate::dynamic) fn allocator(&self) -> &Allocator<M, L> {
        &self.0
    }

    pub(in crate::dynamic) fn reserve_atomic(&self, bytes: usize) -> Result<(), AllocError> {
        self.0.reserve_atomic(bytes)
    }

    /// As [`Allocator::is_moving`].
    ///
    /// # Safety
    ///
    /// As there.
    #[cfg(platform = "hosted")]
    pub(in crate::dynamic) unsafe fn is_moving(&self) -> bool {
        // SAFETY: the caller's promise.
        unsafe { self.0.is_moving() }
    }

    pub(in crate::dynamic) fn stats(&self) -> PerCpuStats {
        self.0.stats()
    }
}
