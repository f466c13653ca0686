//! Runs of free blocks: what a part of the map says of them, so that the lowest that is long enough is found without
//! looking into every block.

/// Children of a node, and blocks of a leaf.
pub(super) const FANOUT: usize = 32;

/// Free blocks of a stretch: how many at its begin, at its end, and in its longest run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Runs {
    pub(super) first: u32,
    pub(super) last: u32,
    pub(super) longest: u32,
}

impl Runs {
    /// No free block.
    pub(super) const NONE: Self = Self { first: 0, last: 0, longest: 0 };

    /// A stretch of `blocks` that are all free.
    pub(super) const fn whole(blocks: u32) -> Self {
        Self { first: blocks, last: blocks, longest: blocks }
    }

    /// Those of a leaf's blocks, the lowest in the lowest bit.
    pub(super) fn of_mask(free: u32) -> Self {
        let mut longest = 0;
        let mut runs = free;
        while runs != 0 {
            runs &= runs << 1;
            longest += 1;
        }
        Self { first: free.trailing_ones(), last: free.leading_ones(), longest }
    }

    /// Those of neighbours of `blocks` each.
    pub(super) fn of_neighbours(neighbours: &[Self; FANOUT], blocks: u32) -> Self {
        let mut all = Self::NONE;
        let mut passed = 0;
        for runs in neighbours {
            if all.first == passed {
                all.first += runs.first;
            }
            all.longest = all.longest.max(all.last + runs.first).max(runs.longest);
            all.last = if runs.first == blocks { all.last + blocks } else { runs.last };
            passed += blocks;
        }
        all
    }
}

/// Where in `free` the lowest run of `blocks` begins.
pub(super) fn find_in_mask(free: u32, blocks: u32) -> Option<u32> {
    if blocks > u32::BITS {
        return None;
    }
    let (mut runs, mut have) = (free, 1);
    while have < blocks {
        let more = have.min(blocks - have);
        runs &= runs >> more;
        have += more;
    }
    (runs != 0).then(|| runs.trailing_zeros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_a_mask_and_of_its_parts_are_the_same() {
        for mask in [0, !0, 1, 1 << 31, 0x00ff_0f07, 0xf00f_f00f, 0x7fff_fffe] {
            let bits: [Runs; FANOUT] = core::array::from_fn(|bit| Runs::whole(mask >> bit & 1));
            assert_eq!(Runs::of_mask(mask), Runs::of_neighbours(&bits, 1), "{mask:#x}");
            for blocks in 1..=32 {
                let fits = |from: &u32| (mask >> from).trailing_ones() >= blocks;
                assert_eq!(find_in_mask(mask, blocks), (0..32).find(fits), "{blocks} of {mask:#x}");
            }
        }
    }
}
