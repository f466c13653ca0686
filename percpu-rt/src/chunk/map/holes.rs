//! How long a block's free runs are, for every alignment at once.
//!
//! A single longest run misleads: where it starts misaligned it hides a shorter one that fits, and where it is just
//! too short every block has to be looked into. So the index keeps, a block, the longest run that is left of any free
//! run once its start is rounded up, one number an alignment; a request then compares one number and is right.

use super::runs::FANOUT;

/// Bytes of a granule: what sizes are rounded up to and the least alignment (`PCPU_MIN_ALLOC_SIZE`, Linux
/// include/linux/percpu.h).
pub const GRANULE: usize = 4;

/// Bytes of a block: what free runs are counted in, and the largest alignment that they are counted for.
pub(crate) const BLOCK: usize = 4096;

/// Granules of a block.
pub(super) const GRANULES: u32 = (BLOCK / GRANULE) as u32;

/// Alignments counted: 4, 8, .. 4096 bytes are eleven, and the twelfth lane makes whole vectors of it.
pub(super) const LANES: usize = 12;

/// The longest free run, in granules, that starts aligned; lane `n` for an alignment of `GRANULE << n` bytes. Signed,
/// since every x86-64 has the maximum of signed lanes in one instruction.
#[derive(Clone, Copy, Eq, Debug)]
#[repr(align(8))]
pub(super) struct Holes([i16; LANES]);

/// All lanes at once: the array's own comparison looks at one after the other.
impl PartialEq for Holes {
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).fold(0, |differences, (a, b)| differences | (a ^ b)) == 0
    }
}

/// What of a granule's number is not a multiple of a lane's alignment.
const MASKS: [i16; LANES] = {
    let mut masks = [0; LANES];
    let mut lane = 0;
    while lane < LANES {
        masks[lane] = (1 << lane) - 1;
        lane += 1;
    }
    masks
};

impl Holes {
    /// No free run at all.
    pub(super) const NONE: Self = Self([0; LANES]);

    /// Longer than any free run: no bound.
    pub(super) const UNBOUNDED: Self = Self([i16::MAX; LANES]);

    /// Those of one free run, from granule `begin` of a block to granule `end`.
    #[inline]
    pub(super) fn of(begin: u32, end: u32) -> Self {
        let (begin, end) = (begin as i16, end as i16);
        let mut lanes = [0; LANES];
        for (longest, mask) in lanes.iter_mut().zip(MASKS) {
            *longest = (end - ((begin + mask) & !mask)).max(0);
        }
        Self(lanes)
    }

    /// No more than these where no run of `need` granules fits at alignment lane `lane`: one that begins less aligned can be longer by
    /// what lies before the first aligned place in it.
    #[inline]
    pub(super) fn unfit(self, lane: usize, need: u32) -> Self {
        let (fits, mask) = (need as i16 - 1, MASKS[lane]);
        let mut lanes = self.0;
        for (longest, own) in lanes.iter_mut().zip(MASKS) {
            *longest = (*longest).min(fits + (mask - own).max(0));
        }
        Self(lanes)
    }

    /// What `longest` says of each lane.
    pub(super) fn by_lane(longest: impl FnMut(usize) -> i16) -> Self {
        Self(core::array::from_fn(longest))
    }

    /// The longest in lane `lane`.
    pub(super) fn lane(&self, lane: usize) -> i16 {
        self.0[lane]
    }

    /// Those of both.
    #[inline]
    pub(super) fn or(self, other: Self) -> Self {
        let mut lanes = self.0;
        for (lane, other) in lanes.iter_mut().zip(other.0) {
            *lane = (*lane).max(other);
        }
        Self(lanes)
    }

    /// Those of both that are no longer than the other's.
    #[inline]
    pub(super) fn and(self, other: Self) -> Self {
        let mut lanes = self.0;
        for (lane, other) in lanes.iter_mut().zip(other.0) {
            *lane = (*lane).min(other);
        }
        Self(lanes)
    }

    /// Those of all of `parts`. They are not longer than `most`, and counting ends where they are as long.
    #[inline]
    pub(super) fn of_all<'a>(parts: impl Iterator<Item = &'a Self>, most: &Self) -> Self {
        let mut all = Self::NONE;
        for part in parts {
            all = all.or(*part);
            if all == *most {
                break;
            }
        }
        all
    }

    /// As [`of_all`](Self::of_all), from the last on, where the parts that are not in `mask` have none. It goes by four: to go
    /// on is cheaper than to look. By a loop within the loop, the compiler would make vectors of the same lane of several.
    #[inline]
    pub(super) fn of_mask(parts: &[Self; FANOUT], mask: u32, most: &Self) -> Self {
        let mut all = Self::NONE;
        for (four, [a, b, c, d]) in parts.as_chunks().0.iter().enumerate().rev() {
            if mask >> (4 * four) & 0xf == 0 {
                continue;
            }
            all = all.or(*d).or(*c).or(*b).or(*a);
            if all == *most {
                break;
            }
        }
        all
    }

    /// Whether a run of `need` granules fits at alignment lane `lane`.
    #[inline]
    pub(super) fn fit(&self, lane: usize, need: u32) -> bool {
        i32::from(self.0[lane]) >= need as i32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_counted_from_its_aligned_start() {
        let holes = Holes::of(3, 20);
        for (lane, longest) in [(0, 17), (1, 16), (2, 16), (3, 12), (4, 4), (5, 0), (10, 0)] {
            assert!(holes.fit(lane, longest) && !holes.fit(lane, longest + 1), "lane {lane}");
        }
        let whole = Holes::of(0, GRANULES);
        assert!((0..=10).all(|lane| whole.fit(lane, GRANULES)));
    }

    /// What does not fit makes no run shorter that there may be, and some as short as they can be.
    #[test]
    fn what_does_not_fit_bounds_every_alignment() {
        for (lane, need) in (0..=10).flat_map(|lane| [1, 2, 3, 8, 31, 64, 200].map(|need| (lane, need))) {
            let mut longest = Holes::NONE;
            for (begin, end) in (0..160).flat_map(|begin| (begin + 1..begin + 400).map(move |end| (begin, end))) {
                let run = Holes::of(begin, end);
                if !run.fit(lane, need) {
                    assert_eq!(run.unfit(lane, need), run, "{begin} to {end}, {need} at {lane}");
                    longest = longest.or(run);
                }
            }
            if lane <= 6 {
                assert_eq!(Holes::UNBOUNDED.unfit(lane, need).0[..=lane], longest.0[..=lane], "{need} at {lane}");
            }
        }
    }
}
