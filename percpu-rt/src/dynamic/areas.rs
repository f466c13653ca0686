//! The parts of a unit.

use core::ops::Range;

#[cfg(platform = "hosted")]
use crate::abi::layout::Sizes;

/// The largest unit that the allocator's records can count blocks of; more stays unused.
#[cfg(platform = "hosted")]
const LARGEST_UNIT: usize = 1 << 43;

/// Bytes that are open behind the first chunk from the start: what atomic allocations find without a system call, until others
/// have it. 10,000 objects of 64 bytes are 640 KiB; Linux has at the most the 28 KiB of its first chunk and some pages.
#[cfg(platform = "hosted")]
const OPEN_BEHIND: usize = 1 << 20;

/// Offsets of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Areas {
    /// Kept for modules.
    pub(crate) reserved: Range<usize>,
    /// The end of the first chunk and of what is open behind it: a page's end.
    pub(crate) open: usize,
    /// The end of what may be opened: further chunks are up to there.
    pub(crate) end: usize,
}

impl Areas {
    /// Those of units of `unit_size` bytes, which is no less than `sizes` asks for.
    #[cfg(platform = "hosted")]
    pub(crate) fn new(sizes: &Sizes, unit_size: usize, page_size: usize) -> Self {
        let Sizes { static_size, reserved_size, dyn_size, .. } = *sizes;
        // All three fit into a unit, whose size is a `usize`.
        let reserved = static_size as usize..(static_size + reserved_size) as usize;
        let first_chunk = reserved.end + dyn_size as usize;
        let end = unit_size.min(LARGEST_UNIT).max(first_chunk);
        // Not all of a small unit: pages of what is open do not go back to the system.
        let behind = ((end - first_chunk) / 2).min(OPEN_BEHIND) / page_size * page_size;
        Self { reserved, open: first_chunk + behind, end }
    }

    /// What is dynamic and open from the start.
    pub(crate) fn early(&self) -> Range<usize> {
        self.reserved.end..self.open
    }
}

#[cfg(all(test, platform = "hosted"))]
mod tests {
    use super::*;
    use crate::abi::layout::Request;

    #[test]
    fn a_unit_is_static_reserved_dynamic_and_the_rest() {
        let sizes = Request { atom_size: 4096, ..Request::new(1000) }.sizes().expect("small numbers");
        let areas = Areas::new(&sizes, 1 << 30, 4096);
        assert_eq!((areas.reserved.clone(), areas.early()), (1000..9192, 9192..40_960 + OPEN_BEHIND));
        assert_eq!(areas.end, 1 << 30);
        let smallest = Areas::new(&sizes, 40_960, 4096);
        assert_eq!((smallest.open, smallest.end), (40_960, 40_960), "the smallest unit is the first chunk");
        let small = Areas::new(&sizes, 40_960 + 5 * 4096, 4096);
        assert_eq!((small.open, small.end), (40_960 + 2 * 4096, 40_960 + 5 * 4096));
        assert_eq!(Areas::new(&sizes, 1 << 45, 4096).end, LARGEST_UNIT);
    }
}
