//! A chunk's worth of the map: thirty-two blocks, and what is in each.
//!
//! A block is free, is a whole part of one object, or is shared: by small objects, or by the begin or end of a large
//! one. Only shared blocks have [`Bits`], so the map grows with what is live in pieces and not with address space; and
//! those that are reserved for atomic allocations have some in stock, until they are shared or given back.

use super::bits::{At, Bits};
use super::bytes;
use super::cells::Owned;
use super::floor::Floor;
use super::holes::{BLOCK, GRANULE, GRANULES, Holes};
use super::request::Entry;
use super::runs::{FANOUT, Runs, Space};
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
    /// Where the kind is [`Kind::Shared`]; else of no meaning, and empty.
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
    /// At least the free runs within each shared block that is in a zone's mask, but for what is uncounted; else [`Holes::NONE`]. A free
    /// makes them longer, and taking leaves them as they are, or says what does not fit any more: a search that is misled counts
    /// them anew.
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
    /// Blocks that nobody may take while their page is being populated, or given back if it still is; and those that came along with
    /// others, which are for the next small objects.
    pub(super) held: u32,
    /// Blocks of which a hole at a border may have grown since it was looked at, in general and where only what is populated
    /// counts; see [`Sight`](super::spans::Sight).
    pub(super) unseen: [u32; 2],
    /// Below which blocks a search need not look, by zone.
    pub(super) floors: [Floor; ZONES],
    /// Blocks in which there may be longer free runs than their holes say; see [`recount`](super::recount).
    pub(super) uncounted: u32,
    /// Blocks of a page.
    page_blocks: u32,
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
            unseen: [0; 2],
            floors: [Floor::NONE; ZONES],
            uncounted: 0,
            page_blocks,
        }
    }

    /// The pages that have a block of `blocks`, as all their blocks.
    pub(super) fn pages_around(&self, blocks: u32) -> u32 {
        if self.page_blocks == 1 {
            return blocks;
        }
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

    /// Takes runs for `entries`, of `need` granules each, in the lowest block of `zone` that has one, from the first entry on, as far as
    /// it has some; returns how many. `base` is the leaf's first block.
    #[inline]
    pub(super) fn take_shared(
        &mut self,
        base: u32,
        zone: Zone,
        lane: usize,
        need: u32,
        entries: &mut [Entry],
    ) -> Option<usize> {
        let floor = &mut self.floors[zone as usize];
        let mut left = floor.above(self.zones[zone as usize], lane, need);
        while left != 0 {
            let index = left.trailing_zeros();
            left &= left - 1;
            let holes = &mut self.holes[index as usize];
            if !holes.fit(lane, need) {
                continue;
            }
            let block = &mut self.blocks[index as usize];
            let bits = block.bits.as_deref_mut()?;
            let base = (base + index) as usize * BLOCK;
            let high = u32::from(block.high);
            let entry = |begin: u32| Entry::new(base + bytes(u64::from(begin)), begin < high);
            let count = bits.take_many(need, lane, entries, entry);
            if let Some(last) = count.checked_sub(1) {
                block.used += (count as u32 * need) as u16;
                let end = (entries[last].offset() - base) / GRANULE + need as usize;
                block.high = block.high.max(end as u16);
                // What is known costs the next search nothing.
                if u32::from(block.used) == GRANULES {
                    *holes = Holes::NONE;
                    self.uncounted &= !(1 << index);
                } else if count < entries.len() {
                    *holes = holes.unfit(lane, need);
                }
                *floor = Floor::at(index, lane, need);
                return Some(count);
            }
            *holes = bits.holes(holes).and(*holes);
        }
        *floor = Floor::at(FANOUT as u32, lane, need);
        None
    }

    /// The free runs of all blocks of `zone`; see [`Holes::of_all`].
    pub(super) fn holes_of(&self, zone: Zone, most: &Holes) -> Holes {
        if self.zones[zone.other() as usize] == 0 {
            return Holes::of_mask(&self.holes, self.zones[zone as usize], most);
        }
        Holes::of_all(ones_down(self.zones[zone as usize]).map(|index| &self.holes[index as usize]), most)
    }

    /// The free runs of those of `blocks` that are of `zone`.
    pub(super) fn holes_among(&self, zone: Zone, blocks: u32) -> Holes {
        ones(blocks & self.zones[zone as usize]).fold(Holes::NONE, |all, index| all.or(self.holes[index as usize]))
    }

    /// The shared blocks that objects may be put into.
    pub(super) fn published(&self) -> u32 {
        self.zones.iter().fold(0, |all, zone| all | zone)
    }

    /// Whether there is nothing in it, and nothing populated.
    pub(super) fn is_untouched(&self) -> bool {
        self.free == !0 && self.populated == 0
    }

    /// What there is to say of the free blocks.
    pub(super) fn space(&self) -> Space {
        Space::new(Runs::of_mask(self.free), self.idle() != 0, self.surplus() != 0)
    }

    /// Blocks that are free and populated.
    pub(super) fn idle(&self) -> u32 {
        self.free & self.populated
    }

    /// Blocks that may be taken, or only those that are populated.
    pub(super) fn takable(&self, populated: bool) -> u32 {
        if populated { self.idle() } else { self.free }
    }

    /// Idle blocks that may be given back: whole pages of them.
    pub(super) fn surplus(&self) -> u32 {
        let mut whole = self.idle() & !self.fixed;
        if self.page_blocks == 1 || whole == 0 {
            return whole;
        }
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

    /// Number of the pages whose blocks are `blocks`.
    pub(super) fn pages_of(&self, blocks: u32) -> usize {
        (blocks.count_ones() >> self.page_blocks.trailing_zeros()) as usize
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
            let block = &self.blocks[index as usize];
            if let (Kind::Shared, Some(bits)) = (block.kind, &block.bits) {
                self.publish_as(index, bits.holes(&Holes::UNBOUNDED));
            }
        }
    }

    /// Lets objects be put into shared block `index`, of which the free runs are known.
    #[inline]
    pub(super) fn publish_as(&mut self, index: u32, holes: Holes) {
        let zone = self.blocks[index as usize].zone as usize;
        self.holes[index as usize] = holes;
        self.zones[zone] |= 1 << index;
        self.uncounted &= !(1 << index);
        self.floors[zone].grew(index);
        self.grew(index);
    }

    /// What is taken of shared block `index`, if objects may be put into it.
    pub(super) fn shared(&self, index: u32) -> Option<&Bits> {
        if self.published() >> index & 1 != 0 { self.blocks[index as usize].bits.as_deref() } else { None }
    }
}

/// The numbers of the bits that are set, from the lowest.
pub(in crate::chunk) fn ones(mask: impl Into<u64>) -> impl Iterator<Item = u32> {
    let mut mask = mask.into();
    core::iter::from_fn(move || {
        if mask == 0 {
            return None;
        }
        let bit = mask.trailing_zeros();
        mask &= mask - 1;
        Some(bit)
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
