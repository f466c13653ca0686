//! The parts of a unit.

use core::ops::Range;

use crate::abi::layout::Sizes;

/// The largest unit that the allocator's records can count blocks of; more stays unused.
const LARGEST_UNIT: usize = 1 << 43;

/// Offsets of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Areas {
    /// Kept for modules.
    pub(crate) reserved: Range<usize>,
    /// The end of the first chunk, which is open: a page's end.
    pub(crate) first_chunk: usize,
    /// The end of what may be opened: further chunks are up to there.
    pub(crate) end: usize,
}

impl Areas {
    /// Those of units of `unit_size` bytes, which is no less than `sizes` asks for.
    pub(crate) fn new(sizes: &Sizes, unit_size: usize) -> Self {
        let Sizes { static_size, reserved_size, dyn_size, .. } = *sizes;
        // All three fit into a unit, whose size is a `usize`.
        let reserved = static_size as usize..(static_size + reserved_size) as usize;
        let first_chunk = reserved.end + dyn_size as usize;
        Self { reserved, first_chunk, end: unit_size.min(LARGEST_UNIT).max(first_chunk) }
    }

    /// The dynamic part of the first chunk.
    pub(crate) fn early(&self) -> Range<usize> {
        self.reserved.end..self.first_chunk
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::layout::Request;

    #[test]
    fn a_unit_is_static_reserved_dynamic_and_the_rest() {
        let sizes = Request { atom_size: 4096, ..Request::new(1000) }.sizes().expect("small numbers");
        let areas = Areas::new(&sizes, 1 << 20);
        assert_eq!((areas.reserved.clone(), areas.first_chunk), (1000..9192, 40_960));
        assert_eq!((areas.early(), areas.end), (9192..40_960, 1 << 20));
        assert_eq!(Areas::new(&sizes, 40_960).end, 40_960, "the smallest unit is the first chunk");
        assert_eq!(Areas::new(&sizes, 1 << 45).end, LARGEST_UNIT);
    }
}
