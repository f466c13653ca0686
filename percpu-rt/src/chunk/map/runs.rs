//! Runs of free blocks: what a part of the map says of them, so that the lowest that is long enough is found without
//! looking into every block.

use core::num::NonZero;

use super::range::mask;

/// Children of a node, and blocks of a leaf.
pub(super) const FANOUT: usize = 32;

/// Free blocks of a stretch: how many at its begin, at its end, and in its longest run.
#[derive(Clone, Copy, Eq, Debug)]
pub(super) struct Runs {
    pub(super) first: u32,
    pub(super) last: u32,
    pub(super) longest: u32,
}

/// All at once: the CPU has not to guess which differ.
impl PartialEq for Runs {
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        (self.first ^ other.first) | (self.last ^ other.last) | (self.longest ^ other.longest) == 0
    }
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
        // Most often it is one.
        let run = free.unbounded_shr(free.trailing_zeros());
        if run.unbounded_shr(run.trailing_ones()) == 0 {
            return Self { first: free.trailing_ones(), last: free.leading_ones(), longest: run.trailing_ones() };
        }
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

/// What there is to say of the free blocks of a part of the map: their runs, and whether some are populated, and whether some of
/// those may be given back.
///
/// Two words, even where there may be none: these go from one function to another in registers, and more would not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Space {
    first_and_last: u64,
    longest_and_more: NonZero<u64>,
}

impl Space {
    const ALWAYS: u64 = 1 << 63;
    const IDLE: u32 = 32;
    const SURPLUS: u32 = 33;

    #[inline(always)]
    pub(super) fn new(Runs { first, last, longest }: Runs, idle: bool, surplus: bool) -> Self {
        let more = u64::from(idle) << Self::IDLE | u64::from(surplus) << Self::SURPLUS;
        Self {
            first_and_last: u64::from(first) | u64::from(last) << 32,
            longest_and_more: NonZero::new(u64::from(longest) | more | Self::ALWAYS).expect("a bit is set"),
        }
    }

    #[inline(always)]
    pub(super) fn runs(self) -> Runs {
        let (first, last) = (self.first_and_last as u32, (self.first_and_last >> 32) as u32);
        Runs { first, last, longest: self.longest_and_more.get() as u32 }
    }

    #[inline(always)]
    pub(super) fn is_idle(self) -> bool {
        self.longest_and_more.get() >> Self::IDLE & 1 != 0
    }

    #[inline(always)]
    pub(super) fn is_surplus(self) -> bool {
        self.longest_and_more.get() >> Self::SURPLUS & 1 != 0
    }
}

/// The runs of neighbours of the same size. Most of them are free or taken as a whole, so those are passed by together.
///
/// What is said of all comes last, next to what a [node](super::node::Node) says of all.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Neighbours {
    each: [Runs; FANOUT],
    /// Those of all together.
    all: Runs,
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
    /// Where that begins.
    pub(super) const ALL: usize = core::mem::offset_of!(Self, all);

    /// Neighbours of `blocks` each, which are all free as a whole, or not at all.
    pub(super) fn new(whole: bool, blocks: u32) -> Self {
        let (each, all, mask) = if whole {
            (Runs::whole(blocks), Runs::whole(blocks * FANOUT as u32), !0)
        } else {
            (Runs::NONE, Runs::NONE, 0)
        };
        Self { each: [each; FANOUT], all, whole: mask, some: mask, blocks }
    }

    pub(super) fn of(&self, index: usize) -> Runs {
        self.each[index]
    }

    /// Says what those of one are now; returns those of all together, and whether they are others by that.
    #[inline]
    pub(super) fn set(&mut self, index: usize, runs: Runs) -> (Runs, bool) {
        let before = core::mem::replace(&mut self.each[index], runs);
        if before == runs {
            return (self.all, false);
        }
        let (bit, blocks) = (1_u32 << index, self.blocks);
        self.whole = self.whole & !bit | u32::from(runs.longest == blocks) << index;
        self.some = self.some & !bit | u32::from(runs.longest > 0) << index;
        // The neighbours below and above that are not wholly free; between the nearest ones, all are but for this one.
        let (lower, higher) = (!self.whole & (bit - 1), !self.whole & !(bit | (bit - 1)));
        let (from, to) = (u32::BITS - lower.leading_zeros(), higher.trailing_zeros());
        // Free blocks up to here and from here on.
        let (mut below, mut above) = ((index as u32 - from) * blocks, (to - index as u32 - 1) * blocks);
        // To read what is not meant is quicker than the CPU's guess.
        let (lower_last, higher_first) =
            (self.each[from.wrapping_sub(1) as usize % FANOUT].last, self.each[to as usize % FANOUT].first);
        below += if lower == 0 { 0 } else { lower_last };
        above += if higher == 0 { 0 } else { higher_first };
        let with_neighbours = |Runs { first, last, longest }| {
            // One that is whole has no end before the others begin.
            let whole = if longest == blocks { below + above } else { 0 };
            let (first, last) = (first + below.max(whole), last + above.max(whole));
            Runs { first, last, longest: longest.max(first).max(last) }
        };
        let Runs { first, last, longest } = with_neighbours(runs);
        let elsewhere = self.some & !mask(from, to);
        let longest = if (longest >= self.all.longest) | (elsewhere == 0) {
            longest
        } else if with_neighbours(before).longest < self.all.longest {
            // Another is the longest, and still there.
            self.all.longest
        } else if longest >= elsewhere.count_ones() * blocks {
            // No run elsewhere is longer than all that may be free there.
            longest
        } else {
            self.count_longest(self.all.longest)
        };
        let all = Runs {
            first: if lower == 0 { first } else { self.all.first },
            last: if higher == 0 { last } else { self.all.last },
            longest,
        };
        (all, core::mem::replace(&mut self.all, all) != all)
    }

    /// Those of all together.
    pub(super) fn all(&self) -> Runs {
        self.all
    }

    /// The longest run of all, which is not longer than `most`: counting ends where it is. It begins with the highest, which are the
    /// emptiest.
    fn count_longest(&self, most: u32) -> u32 {
        // The neighbours that have not been passed, and the free blocks from there on.
        let (mut rest, mut first) = (FANOUT as u32, 0);
        let mut longest = 0;
        while rest > 0 && longest < most {
            let passed = u32::BITS - rest;
            let (whole, none) = ((self.whole << passed).leading_ones(), (self.some << passed).leading_zeros());
            if whole > 0 {
                rest -= whole;
                first += whole * self.blocks;
                longest = longest.max(first);
            } else if none > 0 {
                rest -= none.min(rest);
                first = 0;
            } else {
                rest -= 1;
                let runs = self.each[rest as usize];
                longest = longest.max(runs.last + first).max(runs.longest);
                first = runs.first;
            }
        }
        longest
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
            let mut bits = Neighbours::new(false, 1);
            for bit in 0..FANOUT {
                bits.set(bit, Runs::whole(mask >> bit & 1));
            }
            assert_eq!(Runs::of_mask(mask), bits.all(), "{mask:#x}");
            for blocks in 1..=32 {
                let fits = |from: &u32| (mask >> from).trailing_ones() >= blocks;
                assert_eq!(find_in_mask(mask, blocks), (0..32).find(fits), "{blocks} of {mask:#x}");
                assert_eq!(bits.find(blocks), (0..32).find(fits).map(Found::At), "{blocks} of {mask:#x}");
            }
        }
    }

    /// Against a loop over blocks: neighbours of four, free, taken and of both, of which one after the other changes.
    #[test]
    fn runs_of_neighbours_are_those_of_their_blocks() {
        const MASKS: [u32; 6] = [0, 0xf, 0xf, 0b0110, 0b1001, 0b1101];
        let mut random = 7_u64;
        let mut below = |bound: usize| {
            random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            (random >> 33) as usize % bound
        };
        let mut neighbours = Neighbours::new(true, 4);
        let mut blocks = [true; FANOUT * 4];
        for round in 0..if cfg!(miri) { 60 } else { 6000 } {
            let index = below(FANOUT);
            // First some that are free or taken as a whole, later more and more of both.
            let mask = MASKS[below(MASKS.len().min(2 + round / 1000))];
            let before = neighbours.all();
            let of = Runs { last: (mask << 28).leading_ones(), ..Runs::of_mask(mask) };
            let (_, changed) = neighbours.set(index, of);
            (0..4).for_each(|bit| blocks[index * 4 + bit] = mask >> bit & 1 != 0);
            let run = |from: usize| blocks[from..].iter().take_while(|free| **free).count() as u32;
            let last = blocks.iter().rev().take_while(|free| **free).count() as u32;
            let longest = (0..blocks.len()).map(run).max().unwrap();
            assert_eq!(neighbours.all(), Runs { first: run(0), last, longest });
            assert_eq!(changed, neighbours.all() != before);
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
