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
        // By halves: bit `n` of `at[k]` says that `1 << k` blocks from `n` on are free.
        let mut at = [free; FANOUT.ilog2() as usize + 1];
        for step in 1..at.len() {
            at[step] = at[step - 1] & at[step - 1] >> (1 << (step - 1));
        }
        let (mut longest, mut runs) = (0, !0);
        for (step, mask) in at.iter().enumerate().rev() {
            let longer = runs & (mask >> longest.min(u32::BITS - 1));
            if longer != 0 && longest < u32::BITS {
                (longest, runs) = (longest + (1 << step), longer);
            }
        }
        Self { first: free.trailing_ones(), last: free.leading_ones(), longest }
    }
}

/// The runs of neighbours of the same size. Most of them are free or taken as a whole, so those are passed by together.
#[derive(Debug)]
pub(super) struct Neighbours {
    each: [Runs; FANOUT],
    /// Those of which all blocks are free, and of which some are.
    whole: u32,
    some: u32,
    /// Blocks of each.
    blocks: u32,
}

/// Where a run is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Found {
    /// It begins at this block.
    At(u32),
    /// In this one of the neighbours.
    Within(usize),
}

impl Neighbours {
    /// Neighbours of `blocks` each, all as `runs` says.
    pub(super) fn new(runs: Runs, blocks: u32) -> Self {
        let mut new = Self { each: [runs; FANOUT], whole: 0, some: 0, blocks };
        (0..FANOUT).for_each(|index| new.set(index, runs));
        new
    }

    pub(super) fn of(&self, index: usize) -> Runs {
        self.each[index]
    }

    pub(super) fn set(&mut self, index: usize, runs: Runs) {
        let bit = 1 << index;
        self.whole = if runs.longest == self.blocks { self.whole | bit } else { self.whole & !bit };
        self.some = if runs.longest > 0 { self.some | bit } else { self.some & !bit };
        self.each[index] = runs;
    }

    /// Those of all together.
    pub(super) fn all(&self) -> Runs {
        let mut all = Runs::NONE;
        // Blocks that have been passed, and the free ones among them up to here.
        let (mut index, mut last) = (0, 0);
        while index < FANOUT as u32 {
            let whole = (self.whole >> index).trailing_ones();
            let begin = index * self.blocks - last;
            if whole > 0 {
                index += whole;
                last += whole * self.blocks;
            } else if self.some >> index & 1 != 0 {
                let runs = self.each[index as usize];
                all.longest = all.longest.max(last + runs.first).max(runs.longest);
                if begin == 0 {
                    all.first = last + runs.first;
                }
                index += 1;
                last = runs.last;
            } else {
                all.longest = all.longest.max(last);
                if begin == 0 {
                    all.first = last;
                }
                index += (self.some >> index).trailing_zeros().min(FANOUT as u32 - index);
                last = 0;
            }
        }
        if last == FANOUT as u32 * self.blocks {
            return Runs::whole(last);
        }
        Runs { last, longest: all.longest.max(last), ..all }
    }

    /// The lowest run of `blocks`.
    pub(super) fn find(&self, blocks: u32) -> Option<Found> {
        let mut some = self.some;
        // Free blocks before, and where they end.
        let (mut before, mut end) = (0, 0);
        while some != 0 {
            let index = some.trailing_zeros();
            some &= some - 1;
            let base = index * self.blocks;
            if base != end {
                before = 0;
            }
            let runs = self.each[index as usize];
            if before + runs.first >= blocks {
                return Some(Found::At(base - before));
            }
            if runs.longest >= blocks {
                return Some(Found::Within(index as usize));
            }
            before = if runs.first == self.blocks { before + self.blocks } else { runs.last };
            end = base + self.blocks;
        }
        None
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
            let mut bits = Neighbours::new(Runs::NONE, 1);
            (0..FANOUT).for_each(|bit| bits.set(bit, Runs::whole(mask >> bit & 1)));
            assert_eq!(Runs::of_mask(mask), bits.all(), "{mask:#x}");
            for blocks in 1..=32 {
                let fits = |from: &u32| (mask >> from).trailing_ones() >= blocks;
                assert_eq!(find_in_mask(mask, blocks), (0..32).find(fits), "{blocks} of {mask:#x}");
                assert_eq!(bits.find(blocks), (0..32).find(fits).map(Found::At), "{blocks} of {mask:#x}");
            }
        }
    }

    /// Against a loop over blocks: neighbours of four, free, taken and of both.
    #[test]
    fn runs_of_neighbours_are_those_of_their_blocks() {
        const MASKS: [u32; 6] = [0, 0xf, 0xf, 0b0110, 0b1001, 0b1101];
        let mut random = 7_u64;
        for round in 0..200 {
            let mut blocks = [false; FANOUT * 4];
            let mut neighbours = Neighbours::new(Runs::whole(4), 4);
            for index in 0..FANOUT {
                random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
                let mask = MASKS[(random >> 33) as usize % MASKS.len().min(2 + round / 10)];
                let of = Runs::of_mask(mask);
                neighbours.set(
                    index,
                    if mask == 0xf { Runs::whole(4) } else { Runs { last: (mask << 28).leading_ones(), ..of } },
                );
                (0..4).for_each(|bit| blocks[index * 4 + bit] = mask >> bit & 1 != 0);
            }
            let run = |from: usize| blocks[from..].iter().take_while(|free| **free).count() as u32;
            let last = blocks.iter().rev().take_while(|free| **free).count() as u32;
            let longest = (0..blocks.len()).map(run).max().unwrap();
            assert_eq!(neighbours.all(), Runs { first: run(0), last, longest });
            for need in 1..=longest + 1 {
                let lowest = (0..blocks.len()).find(|&from| run(from) >= need);
                match neighbours.find(need) {
                    Some(Found::Within(index)) => assert_eq!(lowest.map(|block| block / 4), Some(index)),
                    Some(Found::At(block)) => assert_eq!(lowest, Some(block as usize)),
                    None => assert_eq!(lowest, None),
                }
            }
        }
    }
}
