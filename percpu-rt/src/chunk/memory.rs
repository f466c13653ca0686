//! Where the memory of an allocator comes from.

use core::fmt;
use core::ops::Range;
use core::ptr::NonNull;

use super::map::cells::METADATA_PAGE;

/// What an [`Allocator`](super::Allocator) asks of its platform: the pages of the units, and pages for its own records.
///
/// Offsets are those of a unit, in bytes: the same in each. All methods are called without the allocator's lock.
///
/// # Safety
///
/// - [`copy`](Self::copy) gives, for every CPU and every offset of a populated page, an address in memory that nobody
///   else uses, aligned as the offset is up to the page size, the same for as long as the page is populated; addresses of
///   one CPU within one range of the allocator, and across ranges that adjoin, differ as their offsets do.
/// - A page that is [`populate`](Self::populate)d reads as zero in every unit.
/// - Metadata pages are aligned to [`MetadataPage::SIZE`], of that size, and nobody else's.
pub unsafe trait Memory {
    /// Whether pages may be given back wherever something is freed. Else [`balance`](super::Allocator::balance) has to
    /// be called now and then.
    const BALANCES_ON_FREE: bool = true;

    /// Number of units, one a possible CPU.
    fn units(&self) -> usize;

    /// The address of the byte at `offset` in unit `unit`.
    fn copy(&self, unit: usize, offset: usize) -> *mut u8;

    /// Backs the pages at `offsets` in every unit. They read as zero.
    ///
    /// # Errors
    ///
    /// Where a unit cannot have them; then no unit has.
    fn populate(&self, offsets: Range<usize>) -> Result<(), Refused>;

    /// Takes the pages at `offsets` back from every unit.
    fn depopulate(&self, offsets: Range<usize>);

    /// A page for the allocator's own records.
    fn metadata(&self) -> Option<MetadataPage>;

    /// As [`metadata`](Self::metadata), for atomic allocations: by no system call and no wait. By default there is none.
    fn metadata_at_once(&self) -> Option<MetadataPage> {
        None
    }

    /// Takes such a page back.
    fn free_metadata(&self, page: MetadataPage);

    /// A further chunk with room for `size` bytes: page-aligned offsets that were in no range yet, not populated. `None`
    /// where there is none to be had, as where all of a unit's address space belongs to the allocator from the start.
    ///
    /// A chunk that begins where another range ends continues it: objects may lie across the border, so the addresses have to
    /// go on there as the offsets do. Where they do not, as with chunks that are mapped apart, a page of offsets stays
    /// unused between two.
    fn grow(&self, size: usize) -> Option<Range<usize>> {
        let _ = size;
        None
    }

    /// Takes a chunk back that [`grow`](Self::grow) has given and that was not used: there were no pages for records of it.
    /// It is the last that was given.
    fn shrink(&self, chunk: Range<usize>) {
        let _ = chunk;
    }

    /// Lets some time pass, for the `round`th time, while another thread is in one of the methods above: what that brings may
    /// be what an allocation lacks, which is refused where this returns false.
    ///
    /// Never called for [`ATOMIC`](super::AllocFlags::ATOMIC) allocations. By default it spins, and gives up at some time: the other
    /// may be one that this has interrupted.
    fn wait(&self, round: u32) -> bool {
        core::hint::spin_loop();
        round < 1 << 20
    }
}

// SAFETY: what it is a reference to keeps the promises.
unsafe impl<M: Memory> Memory for &M {
    const BALANCES_ON_FREE: bool = M::BALANCES_ON_FREE;

    fn units(&self) -> usize {
        M::units(self)
    }

    #[inline]
    fn copy(&self, unit: usize, offset: usize) -> *mut u8 {
        M::copy(self, unit, offset)
    }

    fn populate(&self, offsets: Range<usize>) -> Result<(), Refused> {
        M::populate(self, offsets)
    }

    fn depopulate(&self, offsets: Range<usize>) {
        M::depopulate(self, offsets);
    }

    fn metadata(&self) -> Option<MetadataPage> {
        M::metadata(self)
    }

    fn metadata_at_once(&self) -> Option<MetadataPage> {
        M::metadata_at_once(self)
    }

    fn free_metadata(&self, page: MetadataPage) {
        M::free_metadata(self, page);
    }

    fn grow(&self, size: usize) -> Option<Range<usize>> {
        M::grow(self, size)
    }

    fn shrink(&self, chunk: Range<usize>) {
        M::shrink(self, chunk);
    }

    fn wait(&self, round: u32) -> bool {
        M::wait(self, round)
    }
}

/// The platform has no pages to back a unit with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no memory for the pages of a unit")
    }
}

impl core::error::Error for Refused {}

/// Sole possession of a page for records.
#[derive(Debug)]
pub struct MetadataPage(NonNull<u8>);

// SAFETY: as a `Box` of bytes.
unsafe impl Send for MetadataPage {}

impl MetadataPage {
    /// Bytes of a page, and its alignment.
    pub const SIZE: usize = METADATA_PAGE;

    /// The page at `start`.
    ///
    /// # Safety
    ///
    /// [`SIZE`](Self::SIZE) bytes from there on are readable, writable and nobody else's, and `start` is a multiple of
    /// it.
    #[must_use]
    pub const unsafe fn from_raw(start: NonNull<u8>) -> Self {
        Self(start)
    }

    /// The page's first byte; the page is the caller's.
    #[must_use]
    pub const fn into_raw(self) -> NonNull<u8> {
        self.0
    }
}
