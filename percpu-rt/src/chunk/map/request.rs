//! What is asked of the map, and what it answers.

use core::ops::Range;

use super::holes::{GRANULE, GRANULES};
use super::place::BLOCK_LANE;

/// A size and an alignment, in granules.
#[derive(Clone, Copy, Debug)]
pub(in crate::chunk) struct Request {
    pub(super) granules: u64,
    /// The alignment is `GRANULE << lane` bytes.
    pub(super) lane: usize,
    /// Whether only populated pages will do.
    pub(super) populated: bool,
    /// Whether the counts are to know of it: not of the allocator's own objects.
    counted: bool,
}

impl Request {
    /// `size` is not zero, `align` a power of two.
    #[inline]
    pub(in crate::chunk) fn new(size: usize, align: usize, populated: bool) -> Self {
        let granules = size.div_ceil(GRANULE) as u64;
        let lane = align.max(GRANULE).trailing_zeros() - GRANULE.trailing_zeros();
        Self { granules, lane: lane as usize, populated, counted: true }
    }

    /// The same, for the allocator's own purposes.
    #[cfg(has_stock)]
    pub(in crate::chunk) fn uncounted(self) -> Self {
        Self { counted: false, ..self }
    }

    #[inline]
    pub(in crate::chunk) fn is_counted(&self) -> bool {
        self.counted
    }

    #[inline]
    pub(in crate::chunk) fn granules(&self) -> u64 {
        self.granules
    }

    /// The same in bytes, or as many as there can be.
    pub(in crate::chunk) fn bytes(&self) -> usize {
        usize::try_from(self.granules).map_or(usize::MAX, |granules| granules.saturating_mul(GRANULE))
    }

    /// Whether it is for a part of a block.
    #[inline]
    pub(super) fn is_small(&self) -> bool {
        self.granules < u64::from(GRANULES) && self.lane <= BLOCK_LANE
    }

    /// Whether the alignment is that of some blocks and not of others.
    pub(super) fn is_aligned_beyond_blocks(&self) -> bool {
        self.lane > BLOCK_LANE
    }

    /// Whether only populated pages will do.
    pub(in crate::chunk) fn is_atomic(&self) -> bool {
        self.populated
    }
}

/// A place for an object. It is taken.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    /// Bytes from a unit's begin.
    pub(in crate::chunk) offset: usize,
    /// What has to be populated before it can be used.
    pub(in crate::chunk) fresh: Option<Fresh>,
    /// What of it may not be zero.
    pub(in crate::chunk) dirty: Dirty,
    /// Pages that should be spare for the next records, and are not: who brings one now spares another the way around. A number, though
    /// there is one at the most: a byte that was stored alone is waited for by whoever copies all of this by words.
    pub(in crate::chunk) lacking: usize,
}

/// Pages that an object lacks. Nobody else gets them.
#[derive(Clone, Debug)]
pub(in crate::chunk) struct Fresh {
    /// The first of them, up to one that is populated.
    pub(in crate::chunk) pages: Range<usize>,
    /// Bytes of pages behind its last that come along.
    pub(in crate::chunk) ahead: usize,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::chunk) enum Want {
    /// So many metadata pages have to be donated before.
    Metadata(usize),
    /// No place is long enough.
    Range,
    /// The lock, for others: there is more to look at.
    Turn,
}

/// Ranges of offsets, ascending; the last may have more in it than was put there.
#[derive(Clone, Debug)]
pub(in crate::chunk) struct Dirty {
    ranges: [Range<usize>; Self::MOST],
    count: usize,
}

impl Dirty {
    const MOST: usize = 4;

    pub(super) const NONE: Self = Self { ranges: [const { 0..0 }; Self::MOST], count: 0 };

    /// Adds a range behind the others.
    #[inline]
    pub(super) fn push(&mut self, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        if self.count > 0 {
            let last = &mut self.ranges[self.count - 1];
            if last.end == range.start || self.count == Self::MOST {
                last.end = range.end;
                return;
            }
        }
        self.ranges[self.count] = range;
        self.count += 1;
    }

    #[inline]
    pub(in crate::chunk) fn ranges(&self) -> &[Range<usize>] {
        &self.ranges[..self.count]
    }
}

/// The place of an object that nobody has yet: its offset, and whether it has been handed out since its page was
/// populated.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Entry(usize);

impl Entry {
    /// No offset has the bit: all are multiples of [`GRANULE`].
    const DIRTY: usize = 1;

    /// None; to be overwritten.
    pub(crate) const EMPTY: Self = Self(0);

    #[inline]
    pub(crate) fn new(offset: usize, dirty: bool) -> Self {
        Self(offset | if dirty { Self::DIRTY } else { 0 })
    }

    #[inline]
    pub(crate) fn offset(self) -> usize {
        self.0 & !Self::DIRTY
    }

    /// Granules from `base` on; more than there can be, where it is before.
    #[inline]
    pub(super) fn granules_from(self, base: usize) -> u64 {
        self.0.wrapping_sub(base) as u64 / GRANULE as u64
    }

    #[inline]
    pub(crate) fn is_dirty(self) -> bool {
        self.0 & Self::DIRTY != 0
    }
}
