//! Units that the allocator gets bit by bit.
//!
//! A unit is far longer than most programs will ever use, and the allocator's records get a level deeper with every factor of 32: a
//! whole unit from the start would cost each of them some pages for nothing.

use core::ops::Range;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::pages::Pages;
use crate::chunk::{Memory, MetadataPage, Refused};

/// Where the first chunk's successor ends, and by what factor each further end is.
const FIRST_END: usize = 4 << 20;
const FACTOR: usize = 32;

/// The pages of the units, up to an end that moves.
pub(crate) struct Chunks {
    pages: Pages,
    page_size: usize,
    /// Offsets below have been handed over.
    grown: AtomicUsize,
    end: usize,
}

impl Chunks {
    /// Offsets below `grown` are handed over by the caller, those from there to `end` on demand.
    pub(super) const fn new(pages: Pages, page_size: usize, grown: usize, end: usize) -> Self {
        Self { pages, page_size, grown: AtomicUsize::new(grown), end }
    }

    /// Bytes from each copy to the next, where that is the same for all: nothing has to be looked up then.
    #[inline(always)]
    #[cfg(has_stock)]
    pub(crate) fn distance(&self) -> Option<usize> {
        self.pages.distance()
    }

    /// Where the chunk ends that begins at `begin` and is to have room for `size` bytes.
    fn end_of_chunk(&self, begin: usize, size: usize) -> usize {
        let mut end = FIRST_END;
        while end <= begin && end < self.end {
            end = end.saturating_mul(FACTOR);
        }
        // An alignment may take a page.
        let needed = begin.saturating_add(size).saturating_add(2 * self.page_size) / self.page_size * self.page_size;
        end.max(needed).min(self.end)
    }
}

// SAFETY: the pages of the units keep the promises; `grown` goes up, and down where a chunk comes back unused: no offset is
// handed over twice.
unsafe impl Memory for Chunks {
    // By `Global::free`, which knows whether it has interrupted somebody.
    const BALANCES_ON_FREE: bool = false;

    fn units(&self) -> usize {
        self.pages.units()
    }

    #[inline]
    fn copy(&self, unit: usize, offset: usize) -> *mut u8 {
        self.pages.copy(unit, offset)
    }

    fn populate(&self, offsets: Range<usize>) -> Result<(), Refused> {
        self.pages.populate(offsets)
    }

    fn depopulate(&self, offsets: Range<usize>) {
        self.pages.depopulate(offsets);
    }

    fn metadata(&self) -> Option<MetadataPage> {
        self.pages.metadata()
    }

    fn metadata_at_once(&self) -> Option<MetadataPage> {
        self.pages.metadata_at_once()
    }

    fn free_metadata(&self, page: MetadataPage) {
        self.pages.free_metadata(page);
    }

    /// The last chunk may be too small by itself: it continues the one before.
    ///
    /// Chunks are given to one thread at a time, so `shrink` meets the last one.
    fn grow(&self, size: usize) -> Option<Range<usize>> {
        let next = |begin| (size <= self.end && begin < self.end).then(|| self.end_of_chunk(begin, size));
        let begin = self.grown.fetch_update(Relaxed, Relaxed, next).ok()?;
        next(begin).map(|end| begin..end)
    }

    fn shrink(&self, chunk: Range<usize>) {
        // Where it is not the last, it is lost, and nothing worse.
        let _ = self.grown.compare_exchange(chunk.end, chunk.start, Relaxed, Relaxed);
    }

    fn wait(&self, round: u32) -> bool {
        self.pages.wait(round)
    }
}
