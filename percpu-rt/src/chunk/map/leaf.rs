//! A chunk's worth of the map: thirty-two blocks, and what is in each.
//!
//! A block is free, is a whole part of one object, or is shared: by small objects, or by the begin or end of a large
//! one. Only shared blocks have [`Bits`], so the map grows with what is live in pieces and not with address space.

use super::bits::{At, Bits};
use super::cells::Owned;
use super::holes::{GRANULES, Holes};
use super::runs::{FANOUT, Runs};
use super::zone::{ZONES, Zone};

/// What one block is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Nobody's, or out of every range.
    Free,
    /// Shared, by what the bits say.
    Shared,
    /// The first block of an object that has it whole.
    Start,
    /// A further block of an object that has it whole.
    Inside,
}

/// One block.
#[derive(Debug)]
pub(super) struct Block {
    /// Where the kind is [`Kind::Shared`].
    pub(super) bits: Option<Owned<Bits>>,
    /// Granules taken.
    pub(super) used: u16,
    /// No granule from here on has been handed out since the page was populated: they are zero on every CPU.
    pub(super) high: u16,
    /// Granules from here on belong to somebody else for good.
    pub(super) end: u16,
    pub(super) kind: Kind,
    pub(super) zone: Zone,
}

/// Thirty-two blocks. In the masks, the lowest bit is the lowest block.
#[derive(Debug)]
pub(super) struct Leaf {
    /// The free runs within each shared block that is in a zone's mask; else [`Holes::NONE`].
    pub(super) holes: [Holes; FANOUT],
    pub(super) blocks: [Block; FANOUT],
    /// The shared blocks that objects may be put into, by zone.
    pub(super) zones: [u32; ZONES],
    /// Blocks that may be taken. The rest is taken, held, or out of every range.
    pub(super) free: u32,
    /// Blocks whose pages are backed.
    pub(super) populated: u32,
    /// Blocks that stay populated.
    pub(super) fixed: u32,
    /// Blocks that nobody may take while their page is being populated, or given back if it still is.
    pub(super) held: u32,
    /// Blocks of a page.
    page_blocks: u32,
}

/// What has changed in a leaf by an operation on one block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effect {
    pub(super) zone: Zone,
    /// The block's free runs before and after.
    pub(super) before: Holes,
    pub(super) after: Holes,
    /// Whether a block became free.
    pub(super) space: bool,
}

/// A part of an object, as [`Leaf::release_shared`] finds it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) begin: u32,
    pub(super) end: u32,
}

impl Leaf {
    /// Blocks that `free` says are in a range; none is populated.
    pub(super) fn new(free: u32, page_blocks: u32) -> Self {
        let block =
            |_| Block { bits: None, used: 0, high: 0, end: GRANULES as u16, kind: Kind::Free, zone: Zone::Small };
        Self {
            holes: [Holes::NONE; FANOUT],
            blocks: core::array::from_fn(block),
            zones: [0; ZONES],
            free,
            populated: 0,
            fixed: 0,
            held: 0,
            page_blocks,
        }
    }

    /// The pages that have a block of `blocks`, as all their blocks.
    pub(super) fn pages_around(&self, blocks: u32) -> u32 {
        let mut pages = blocks;
        let mut width = 1;
        while width < self.page_blocks {
            pages |= pages >> width;
            width *= 2;
        }
        self.whole_pages(pages & self.page_starts())
    }

    /// The first block of each page.
    fn page_starts(&self) -> u32 {
        !0 / ((1_u64 << self.page_blocks) - 1) as u32
    }

    /// From first blocks to whole pages.
    fn whole_pages(&self, starts: u32) -> u32 {
        starts * ((1_u64 << self.page_blocks) - 1) as u32
    }

    /// The lowest block of `zone` in which a run of `need` granules fits.
    #[inline]
    pub(super) fn find(&self, zone: Zone, lane: usize, need: u32) -> Option<u32> {
        let mut blocks = self.zones[zone as usize];
        while blocks != 0 {
            let block = blocks.trailing_zeros();
            if self.holes[block as usize].fit(lane, need) {
                return Some(block);
            }
            blocks &= blocks - 1;
        }
        None
    }

    /// The free runs of all blocks of `zone`; see [`Holes::of_all`].
    pub(super) fn holes_of(&self, zone: Zone, most: &Holes) -> Holes {
        Holes::of_all(ones_down(self.zones[zone as usize]).map(|index| &self.holes[index as usize]), most)
    }

    pub(super) fn runs(&self) -> Runs {
        Runs::of_mask(self.free)
    }

    /// Blocks that are free and populated.
    pub(super) fn idle(&self) -> u32 {
        self.free & self.populated
    }

    /// Idle blocks that may be given back: whole pages of them.
    pub(super) fn surplus(&self) -> u32 {
        let mut whole = self.idle() & !self.fixed;
        let mut width = 1;
        while width < self.page_blocks {
            whole &= whole >> width;
            width *= 2;
        }
        self.whole_pages(whole & self.page_starts())
    }

    /// Blocks of a page.
    pub(super) fn page_blocks(&self) -> u32 {
        self.page_blocks
    }

    /// Takes the lowest fitting granules of shared block `index`: the first, and how far those of the object may have
    /// been written.
    #[inline]
    pub(super) fn take_shared(&mut self, index: u32, lane: usize, need: u32) -> Option<(u32, u32, Effect)> {
        let block = &mut self.blocks[index as usize];
        let bits = block.bits.as_deref_mut()?;
        let begin = bits.find(0, need, lane)?;
        let end = begin + need;
        let (hole_begin, hole_end) = bits.hole_around(begin, begin);
        bits.take(begin, end, true);
        let before = self.holes[index as usize];
        let hole = Holes::of(hole_begin, hole_end);
        let left = Holes::of(hole_begin, begin).or(Holes::of(end, hole_end));
        let after = if hole.decide(&before, &left) { bits.holes(&before) } else { before };
        self.holes[index as usize] = after;
        block.used += need as u16;
        let written = u32::from(block.high).clamp(begin, end);
        block.high = block.high.max(end as u16);
        Some((begin, written, Effect { zone: block.zone, before, after, space: false }))
    }

    /// As [`take_shared`](Self::take_shared), for as many objects as `place` takes: it is given the first granule of
    /// each and how far it may have been written, and says whether it takes one more.
    #[inline]
    pub(super) fn take_shared_many(
        &mut self,
        index: u32,
        lane: usize,
        need: u32,
        mut place: impl FnMut(u32, u32) -> bool,
    ) -> Option<Effect> {
        let block = &mut self.blocks[index as usize];
        let bits = block.bits.as_deref_mut()?;
        let (high, used) = (&mut block.high, &mut block.used);
        bits.take_many(need, lane, |begin| {
            let end = begin + need;
            *used += need as u16;
            let more = place(begin, u32::from(*high).clamp(begin, end));
            *high = (*high).max(end as u16);
            more
        });
        let before = self.holes[index as usize];
        let after = bits.holes(&before);
        self.holes[index as usize] = after;
        Some(Effect { zone: block.zone, before, after, space: false })
    }

    /// Frees a slot of shared block `index`. The bits come back where the block is free by that.
    #[inline]
    pub(super) fn release_shared(&mut self, index: u32, slot: Slot) -> (Effect, Option<Owned<Bits>>) {
        let Slot { begin, end } = slot;
        let bit = 1 << index;
        let block = &mut self.blocks[index as usize];
        let before = self.holes[index as usize];
        let zone = block.zone;
        block.used -= (end - begin) as u16;
        if block.used == 0 {
            block.kind = Kind::Free;
            self.zones[zone as usize] &= !bit;
            self.free |= bit;
            self.holes[index as usize] = Holes::NONE;
            return (Effect { zone, before, after: Holes::NONE, space: true }, block.bits.take());
        }
        let mut after = before;
        if let Some(bits) = block.bits.as_deref_mut() {
            bits.release(begin, end);
            // A block that is not in its zone's mask yet has no runs that anybody may take.
            if self.zones[zone as usize] & bit != 0 {
                let (begin, end) = bits.hole_around(begin, end);
                after = before.or(Holes::of(begin, end));
            }
        }
        self.holes[index as usize] = after;
        (Effect { zone, before, after, space: false }, None)
    }

    /// Frees objects of `need` granules in shared block `index`, which begin at the granules that `begins` gives, up to the
    /// first where none does. Returns how many, what has changed, and the bits where the block is free by that.
    pub(super) fn release_many(
        &mut self,
        index: u32,
        need: u32,
        begins: impl Iterator<Item = u32> + Clone,
    ) -> (usize, Effect, Option<Owned<Bits>>) {
        let block = &mut self.blocks[index as usize];
        let before = self.holes[index as usize];
        let mut effect = Effect { zone: block.zone, before, after: before, space: false };
        let Some(bits) = block.bits.as_deref_mut() else { return (0, effect, None) };
        let mut count = 0;
        for begin in begins.clone() {
            let end = begin + need;
            // One that ends with the block might go on in the next.
            let is_object = end < GRANULES && end <= u32::from(block.end) && bits.at(begin) == At::Start;
            if !is_object || bits.end_of_object(begin) != end {
                break;
            }
            bits.release(begin, end);
            count += 1;
        }
        block.used -= (count as u32 * need) as u16;
        let bit = 1 << index;
        if block.used == 0 {
            block.kind = Kind::Free;
            self.zones[block.zone as usize] &= !bit;
            self.free |= bit;
            self.holes[index as usize] = Holes::NONE;
            effect = Effect { after: Holes::NONE, space: true, ..effect };
            return (count, effect, block.bits.take());
        }
        if self.zones[block.zone as usize] & bit != 0 {
            let mut hole = (0, 0);
            for begin in begins.take(count) {
                // Neighbours have left one hole.
                if !(hole.0..hole.1).contains(&begin) {
                    hole = bits.hole_around(begin, begin + need);
                    effect.after = effect.after.or(Holes::of(hole.0, hole.1));
                }
            }
            self.holes[index as usize] = effect.after;
        }
        (count, effect, None)
    }

    /// What stands at a granule of block `index`.
    #[inline]
    pub(super) fn at(&self, index: u32, granule: u32) -> At {
        let block = &self.blocks[index as usize];
        match (block.kind, &block.bits) {
            (Kind::Shared, Some(bits)) if granule < u32::from(block.end) => bits.at(granule),
            (Kind::Start, _) if granule == 0 => At::Start,
            (Kind::Start | Kind::Inside, _) => At::Inside,
            _ => At::Free,
        }
    }

    /// Lets objects be put into the shared blocks of `blocks`.
    pub(super) fn publish(&mut self, blocks: u32) {
        for index in ones(blocks) {
            if let Some(bits) = &self.blocks[index as usize].bits {
                self.zones[self.blocks[index as usize].zone as usize] |= 1 << index;
                self.holes[index as usize] = bits.holes(&Holes::UNBOUNDED);
            }
        }
    }
}

/// The numbers of the bits that are set, from the lowest.
pub(super) fn ones(mut mask: u32) -> impl Iterator<Item = u32> {
    core::iter::from_fn(move || {
        let bit = mask.trailing_zeros();
        let some = mask != 0;
        mask &= mask.wrapping_sub(1);
        some.then_some(bit)
    })
}

/// The same, from the highest.
pub(super) fn ones_down(mut mask: u32) -> impl Iterator<Item = u32> {
    core::iter::from_fn(move || {
        let bit = mask.checked_ilog2()?;
        mask &= !(1 << bit);
        Some(bit)
    })
}
