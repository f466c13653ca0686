//! An area whose users are watched.

use core::ops::Range;

use crate::chunk::checked::{CheckError, Checked, Object, Tag, Ticket};
use crate::chunk::{AllocError, AllocFlags, Allocator, FreeError, Memory, PerCpuStats, RawLock};

/// What a pointer knows of its allocation, beside the address: which it was.
#[derive(Clone, Copy)]
pub(in crate::dynamic) struct Stamp(Option<Tag>);

impl Stamp {
    /// That of a pointer made from a number.
    pub(in crate::dynamic) const UNKNOWN: Self = Self(None);
}

/// An allocator of a part of the units.
pub(in crate::dynamic) struct Area<M: Memory, L>(Checked<M, L>);

impl<M: Memory, L: RawLock + Copy> Area<M, L> {
    /// The lock is for both: whoever asks whether a handler may come in asks about one.
    pub(in crate::dynamic) const fn new(memory: M, lock: L, page_size: usize) -> Self {
        Self(Checked::new(Allocator::new(memory, lock, page_size), lock))
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

    #[track_caller]
    pub(in crate::dynamic) fn alloc(
        &self,
        size: usize,
        align: usize,
        flags: AllocFlags,
    ) -> Result<(usize, Stamp), AllocError> {
        let Ticket { offset, tag } = self.0.alloc(size, align, flags)?;
        Ok((offset, Stamp(tag)))
    }

    /// An atomic allocation, all of it: who looks for mistakes may wait for a zeroing.
    #[track_caller]
    pub(in crate::dynamic) fn place_atomic(&self, size: usize, align: usize) -> Result<(usize, Stamp), AllocError> {
        self.alloc(size, align, AllocFlags::ATOMIC)
    }

    pub(in crate::dynamic) fn finish(&self, placed: (usize, Stamp)) -> (usize, Stamp) {
        placed
    }

    #[track_caller]
    pub(in crate::dynamic) fn free(&self, offset: usize, stamp: Stamp) -> Result<(), FreeError> {
        self.0.free(Ticket { offset, tag: stamp.0 }).map_err(FreeError::Checked)
    }

    pub(in crate::dynamic) fn balance(&self) {
        self.0.balance();
    }

    pub(in crate::dynamic) fn begin_balance(&self) -> bool {
        self.0.begin_balance()
    }

    pub(in crate::dynamic) fn end_balance(&self) {
        self.0.end_balance();
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

    pub(in crate::dynamic) fn leaks(&self, each: impl FnMut(Object)) {
        self.0.leaks(each);
    }

    pub(in crate::dynamic) fn check_all(&self, each: impl FnMut(CheckError)) {
        self.0.check_all(each);
    }
}
