//! Freeing what lies in one leaf, and what of it the nodes above are to be told.

use super::bits::Bits;
use super::cells::Owned;
use super::holes::{GRANULES, Holes};
use super::leaf::{Block, Kind, Leaf};
use super::recount::COUNTED;
use super::request::Entry;
use super::zone::Zone;

/// What there may be more of in a leaf than was said before. It is written to where the nodes read it: what is returned in pieces and
/// copied whole, the CPU waits for.
#[derive(Clone, Copy, Debug)]
pub(super) struct News {
    /// Free runs within shared blocks of `zone`, if it has some.
    pub(super) holes: Holes,
    pub(super) zone: Zone,
    pub(super) has_holes: bool,
    /// Whether these may be longer.
    pub(super) is_uncounted: bool,
    /// Whether a block became free, or a hole at a border has grown and all of them had been looked at.
    pub(super) space: bool,
}

impl News {
    pub(super) const NONE: Self =
        Self { holes: Holes::NONE, zone: Zone::Small, has_holes: false, is_uncounted: false, space: false };
}

/// A part of an object, as [`Leaf::release_shared`] finds it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) begin: u32,
    pub(super) end: u32,
}

impl Leaf {
    /// Frees a slot of shared block `index`. The bits come back where the block is free by that.
    #[inline]
    pub(super) fn release_shared(&mut self, index: u32, slot: Slot, news: &mut News) -> Option<Owned<Bits>> {
        let Slot { begin, end } = slot;
        let block = &mut self.blocks[index as usize];
        block.used -= (end - begin) as u16;
        if block.used == 0 {
            return self.release_block(index, news);
        }
        if let Some(bits) = block.bits.as_deref_mut() {
            bits.release(begin, end);
            let (begin, end) = bits.hole_around(begin, end);
            self.found(index, Holes::of(begin, end), news);
            news.space = (begin == 0 || end == GRANULES) && !is_unseen(self.unseen, index) && self.grew(index);
        }
        None
    }

    /// Frees objects of `need` granules in shared block `index`, which begins at offset `base`, from the first of `places` on, up to the
    /// first that is not there. Returns how many, and the bits where the block is free by that.
    #[inline]
    pub(super) fn release_many(
        &mut self,
        index: u32,
        base: usize,
        need: u32,
        places: &[Entry],
        news: &mut News,
    ) -> (usize, Option<Owned<Bits>>) {
        let Some((bits, last)) = self.blocks[index as usize].objects(need) else { return (0, None) };
        let (count, holes) = if need < COUNTED {
            let (count, at) = bits.release_objects(places, base, need, last);
            (count, Holes::of(at, at + need))
        } else {
            bits.release_and_count(places, base, need, last)
        };
        let block = &mut self.blocks[index as usize];
        block.used -= (count as u32 * need) as u16;
        if block.used == 0 {
            return (count, self.release_block(index, news));
        }
        if count > 0 {
            // Most often it is unseen already; and whether it is one of these holes that reaches a border is not worth finding out.
            let grew = !is_unseen(self.unseen, index) && block.bits.as_deref().is_some_and(Bits::reaches_border);
            self.found(index, holes, news);
            news.space = grew && self.grew(index);
            news.is_uncounted = need < COUNTED && news.has_holes;
            self.uncounted |= u32::from(news.is_uncounted) << index;
        }
        (count, None)
    }

    /// Frees shared block `index`, of which nothing is taken any more.
    fn release_block(&mut self, index: u32, news: &mut News) -> Option<Owned<Bits>> {
        let block = &mut self.blocks[index as usize];
        let bit = 1 << index;
        block.kind = Kind::Free;
        self.zones[block.zone as usize] &= !bit;
        self.free |= bit;
        self.holes[index as usize] = Holes::NONE;
        self.uncounted &= !bit;
        news.space = true;
        let bits = block.bits.take();
        self.grew(index);
        bits
    }

    /// Notes that a hole at a border of block `index` is longer than it was; whether the first since all were looked at.
    pub(super) fn grew(&mut self, index: u32) -> bool {
        let [any, populated] = self.unseen;
        self.unseen = [any | 1 << index, populated | 1 << index];
        any == 0 || populated == 0
    }

    /// Notes free runs of shared block `index`, and writes what is to be told of them. That is the same most often, but to tell it
    /// again is quicker than the CPU's guess.
    #[inline]
    pub(super) fn found(&mut self, index: u32, holes: Holes, news: &mut News) {
        let zone = self.blocks[index as usize].zone;
        // A block that is not in its zone's mask yet has no runs that anybody may take.
        if self.zones[zone as usize] & 1 << index == 0 {
            return;
        }
        let all = self.holes[index as usize].or(holes);
        self.holes[index as usize] = all;
        self.floors[zone as usize].grew(index);
        (news.zone, news.holes, news.has_holes) = (zone, all, true);
    }
}

impl Block {
    /// What objects of `need` granules that lie wholly in the block are freed in, if it is shared, and the last granule where one
    /// can begin.
    #[inline]
    fn objects(&mut self, need: u32) -> Option<(&mut Bits, u32)> {
        // One that ends with the block might go on in the next.
        let last = u32::from(self.end).min(GRANULES - 1).checked_sub(need)?;
        match (self.kind, self.bits.as_deref_mut()) {
            (Kind::Shared, Some(bits)) => Some((bits, last)),
            _ => None,
        }
    }
}

/// Whether nothing more is to be noted of holes at the borders of block `index`, where `unseen` are.
#[inline]
fn is_unseen([any, populated]: [u32; 2], index: u32) -> bool {
    (any & populated) >> index & 1 != 0
}
