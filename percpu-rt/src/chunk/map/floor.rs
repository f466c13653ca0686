//! Where a search may begin: what one has gone past without finding room, the next that needs as much may go past at once.
//!
//! A search takes the lowest place, so in a heap that is full below it would go through the same full parts each time. The
//! floor is a promise about what is below it; whoever frees there, lowers it.

#[cfg(test)]
use super::holes::Holes;

/// Of the parts of one node or leaf, for one zone: in none below `index` fits a run that is known, so long, in granules, and aligned so.
///
/// One word: what was stored in pieces is waited for by whoever loads it whole.
#[derive(Clone, Copy, Debug)]
pub(super) struct Floor(u32);

impl Floor {
    const LANE: u32 = 16;
    const INDEX: u32 = 24;

    /// Nothing is known.
    pub(super) const NONE: Self = Self(0);

    /// No run of `need` granules, which are less than a block, fits at alignment lane `lane` in any part below `index`.
    #[inline]
    pub(super) fn at(index: u32, lane: usize, need: u32) -> Self {
        Self(index << Self::INDEX | (lane as u32) << Self::LANE | need)
    }

    #[inline]
    fn index(self) -> u32 {
        self.0 >> Self::INDEX
    }

    #[inline]
    fn lane(self) -> usize {
        (self.0 >> Self::LANE & 0xff) as usize
    }

    #[inline]
    fn need(self) -> u32 {
        self.0 & 0xffff
    }

    /// Those of `parts` in which a run may fit: all, or those that are not below this. What needs more, or more aligned, fits nowhere
    /// either.
    #[inline]
    pub(super) fn above(self, parts: u32, lane: usize, need: u32) -> u32 {
        let is_known = (need >= self.need()) & (lane >= self.lane());
        parts & (!0_u32).unbounded_shl(if is_known { self.index() } else { 0 })
    }

    /// Says that there may be more in part `index` now. Whether it is enough is not worth a guess of the CPU's.
    #[inline]
    pub(super) fn grew(&mut self, index: u32) {
        let rest = self.0 & ((1 << Self::INDEX) - 1);
        self.0 = rest | index.min(self.index()) << Self::INDEX;
    }

    /// Whether it is true where those of `parts` have these holes.
    #[cfg(test)]
    pub(super) fn is_true_of(self, parts: u32, holes: &[Holes]) -> bool {
        super::ones(parts & 1_u32.unbounded_shl(self.index()).wrapping_sub(1))
            .all(|part| !holes[part as usize].fit(self.lane(), self.need()))
    }
}
