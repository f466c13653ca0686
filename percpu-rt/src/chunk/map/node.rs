//! The tree over the leaves: what is below each child, so that a search goes down one path.
//!
//! Of holes it says at least what there is, or that some are [uncounted](super::recount): a free tells it at once, in passing,
//! and what was taken is found out by the search that is misled. So an allocation changes nothing above its block, and each costs
//! one count at the most, since a count is right until something is taken again.

use core::mem::offset_of;
use core::ops::Range;

use super::cells::{FIRST_CELL, METADATA_PAGE, Owned};
use super::floor::Floor;
use super::freed::News;
use super::holes::Holes;
use super::leaf::{Leaf, ones};
use super::range::in_leaf;
use super::runs::{FANOUT, Found, Neighbours, Runs, Space, find_in_mask};
use super::spans::Sight;
use super::zone::{ZONES, Zone};
use crate::chunk::zero::LINE;

/// What is below a node, at one of its thirty-two places.
#[derive(Debug)]
pub(super) enum Child {
    /// No range reaches here.
    Outside,
    /// Wholly in a range; nothing is taken or populated.
    Untouched,
    Leaf(Owned<Leaf>),
    Node(Owned<Node>),
}

/// Thirty-two children of the same size. What every change has to see comes last, in one line with the end of `runs`.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Node {
    pub(super) children: [Child; FANOUT],
    /// The free runs within the shared blocks below each child, by zone, or more; see [`Leaf::holes`].
    pub(super) holes: [[Holes; FANOUT]; ZONES],
    /// The holes that reach a border between blocks below each child: of all, and where only what is populated counts.
    pub(super) sights: [Sight; 2],
    /// The free blocks below each child.
    pub(super) runs: Neighbours,
    /// The children below which such a hole may have grown since it was looked at.
    pub(super) unseen: [u32; 2],
    /// The children below which there may be [uncounted](super::recount) blocks.
    pub(super) uncounted: u32,
    /// The children that have records of their own: what there is to know of the others is their kind.
    pub(super) present: u32,
    /// The children with idle blocks below them, and with such that may be given back.
    pub(super) idle: u32,
    pub(super) surplus: u32,
    /// The number of a child's blocks is `1 << shift`.
    pub(super) shift: u32,
    /// Below which children a search need not look, by zone.
    pub(super) floors: [Floor; ZONES],
}

/// It is one line where a node has a page to itself, as it has where pointers are long.
const _: () = {
    let (begin, end) = (FIRST_CELL + offset_of!(Node, runs) + Neighbours::ALL, FIRST_CELL + size_of::<Node>());
    let is_in_one = begin / LINE == (end - 1) / LINE && 2 * size_of::<Node>() > METADATA_PAGE - FIRST_CELL;
    assert!(is_in_one || size_of::<usize>() < 8);
};

impl Node {
    pub(super) fn new(shift: u32, whole: bool) -> Self {
        let child: fn(usize) -> Child = if whole { |_| Child::Untouched } else { |_| Child::Outside };
        Self {
            holes: [[Holes::NONE; FANOUT]; ZONES],
            runs: Neighbours::new(whole, 1 << shift),
            sights: [Sight::NONE; 2],
            unseen: [0; 2],
            uncounted: 0,
            children: core::array::from_fn(child),
            present: 0,
            idle: 0,
            surplus: 0,
            shift,
            floors: [Floor::NONE; ZONES],
        }
    }

    /// The child that has `block`, of this node's blocks.
    #[inline]
    pub(super) fn index(&self, block: u32) -> usize {
        (block >> self.shift) as usize % FANOUT
    }

    /// Blocks below this node.
    pub(super) fn blocks(&self) -> u64 {
        (FANOUT as u64) << self.shift
    }

    /// Goes through the leaves in which, by what is said of them, a run of `need` granules fits in `zone`, from the
    /// lowest on, until `take` finds it. `base` is this node's first block. What turns out to say too much is counted anew.
    #[inline]
    pub(super) fn search<R>(
        &mut self,
        base: u32,
        zone: Zone,
        lane: usize,
        need: u32,
        take: &mut impl FnMut(&mut Leaf, u32) -> Option<R>,
    ) -> Option<R> {
        let mut left = self.floors[zone as usize].above(self.present, lane, need);
        while left != 0 {
            let index = left.trailing_zeros();
            left &= left - 1;
            if !self.holes[zone as usize][index as usize].fit(lane, need) {
                continue;
            }
            let first = base + (index << self.shift);
            let found = match &mut self.children[index as usize] {
                Child::Node(node) => node.search(first, zone, lane, need, take),
                Child::Leaf(leaf) => take(leaf, first),
                Child::Outside | Child::Untouched => None,
            };
            if found.is_some() {
                self.floors[zone as usize] = Floor::at(index, lane, need);
                return found;
            }
            let most = self.holes[zone as usize][index as usize];
            self.holes[zone as usize][index as usize] = self.child_holes(index as usize, zone, &most);
        }
        self.floors[zone as usize] = Floor::at(FANOUT as u32, lane, need);
        None
    }

    /// The begin of the lowest run of `blocks` free ones.
    pub(super) fn find_run(&self, blocks: u32) -> Option<u32> {
        match self.runs.find(blocks)? {
            Found::At(block) => Some(block),
            Found::Within(index) => {
                let base = (index as u32) << self.shift;
                match &self.children[index] {
                    Child::Node(node) => node.find_run(blocks).map(|block| base + block),
                    Child::Leaf(leaf) => find_in_mask(leaf.free, blocks).map(|block| base + block),
                    Child::Outside | Child::Untouched => None,
                }
            }
        }
    }

    /// The lowest idle block at or behind `from`.
    pub(super) fn next_idle(&self, from: u32) -> Option<u32> {
        let first = from >> self.shift;
        for index in ones(self.idle & (!0_u32).checked_shl(first)?) {
            let base = index << self.shift;
            let from = from.saturating_sub(base);
            let found = match &self.children[index as usize] {
                Child::Node(node) => node.next_idle(from),
                Child::Leaf(leaf) => (leaf.idle() >> from != 0).then(|| from + (leaf.idle() >> from).trailing_zeros()),
                Child::Outside | Child::Untouched => None,
            };
            if let Some(block) = found {
                return Some(base + block);
            }
        }
        None
    }

    /// The leaf of the highest idle block that may be given back, and its first block.
    pub(super) fn last_surplus(&self) -> Option<(u32, &Leaf)> {
        let index = self.surplus.checked_ilog2()?;
        let base = index << self.shift;
        match &self.children[index as usize] {
            Child::Node(node) => node.last_surplus().map(|(block, leaf)| (base + block, leaf)),
            Child::Leaf(leaf) => Some((base, leaf)),
            Child::Outside | Child::Untouched => None,
        }
    }

    /// The leaf that has `block`.
    #[inline]
    pub(super) fn leaf(&self, block: u32) -> Option<&Leaf> {
        let mut node = self;
        loop {
            match &node.children[node.index(block)] {
                Child::Node(child) => node = child,
                Child::Leaf(leaf) => return Some(leaf),
                Child::Outside | Child::Untouched => return None,
            }
        }
    }

    /// The leaf that has `block`, to be changed; [`tell`](Self::tell) has to follow.
    #[inline]
    pub(super) fn leaf_mut(&mut self, block: u32) -> Option<&mut Leaf> {
        let mut node = self;
        loop {
            let index = node.index(block);
            match &mut node.children[index] {
                Child::Node(child) => node = child,
                Child::Leaf(leaf) => return Some(leaf),
                Child::Outside | Child::Untouched => return None,
            }
        }
    }

    /// Tells the nodes above the leaf of `block` what there is more of in it.
    #[inline]
    pub(super) fn tell(&mut self, block: u32, news: &News) {
        if news.has_holes {
            let (zone, holes) = (&news.zone, &news.holes);
            let mut node = &mut *self;
            loop {
                let index = node.index(block);
                let own = &mut node.holes[*zone as usize][index];
                *own = own.or(*holes);
                node.floors[*zone as usize].grew(index as u32);
                node.uncounted |= u32::from(news.is_uncounted) << index;
                match &mut node.children[index] {
                    Child::Node(child) => node = child,
                    _ => break,
                }
            }
        }
        if news.space {
            self.edit_below(block, &mut None, &mut |leaf, _| Some(leaf.space()));
        }
    }

    /// Runs `edit` on the leaf that has `blocks`, and tells the nodes above it.
    ///
    /// # Panics
    ///
    /// Where there is none.
    pub(super) fn edit(&mut self, blocks: Range<u32>, mut edit: impl FnMut(&mut Leaf)) {
        self.edit_below(blocks.start, &mut None, &mut |leaf, news| {
            let before = [false, true].map(|populated| leaf.takable(populated));
            edit(leaf);
            let after = [false, true].map(|populated| leaf.takable(populated));
            for ((unseen, before), after) in leaf.unseen.iter_mut().zip(before).zip(after) {
                *unseen |= after & !before;
            }
            // What holds for a block may do so for its page.
            let edited = leaf.pages_around(in_leaf(&blocks)) & leaf.published();
            if edited != 0 {
                *news = Some(Zone::ALL.map(|zone| leaf.holes_among(zone, edited)));
            }
            (before != after).then(|| leaf.space())
        });
    }

    /// Runs `edit` on the leaf of `block`, and on the way back tells each node of the holes that it has left behind, and of the free
    /// blocks, which it returns, for as long as that is news. The holes at borders are to be looked at.
    fn edit_below(
        &mut self,
        block: u32,
        holes: &mut Option<[Holes; ZONES]>,
        edit: &mut impl FnMut(&mut Leaf, &mut Option<[Holes; ZONES]>) -> Option<Space>,
    ) -> Option<Space> {
        let index = self.index(block);
        for unseen in &mut self.unseen {
            *unseen |= 1 << index;
        }
        let space = match &mut self.children[index] {
            Child::Node(node) => node.edit_below(block, holes, edit),
            Child::Leaf(leaf) => edit(leaf, holes),
            Child::Outside | Child::Untouched => panic!("an edited block has a leaf"),
        };
        if let Some(holes) = holes {
            for ((own, floor), holes) in self.holes.iter_mut().zip(&mut self.floors).zip(holes) {
                own[index] = own[index].or(*holes);
                floor.grew(index as u32);
            }
        }
        self.set_space(index, space?)
    }

    /// Says that child `index`, which was untouched and has records now, is to be looked at anew: what was a long hole will be many
    /// short ones. What was said of it stays until then: to take it back would be a line for each alignment. The nodes above hear of it
    /// by the edit that follows.
    pub(super) fn unsee_child(&mut self, index: usize) {
        match &mut self.children[index] {
            Child::Node(child) => child.unseen = [!0; 2],
            Child::Leaf(leaf) => leaf.unseen = [!0; 2],
            Child::Outside | Child::Untouched => {}
        }
        for unseen in &mut self.unseen {
            *unseen |= 1 << index;
        }
    }

    /// Takes anew all that this node says of a child, but for holes at borders: these have not grown.
    pub(super) fn refresh(&mut self, index: usize) {
        let is_present = matches!(self.children[index], Child::Leaf(_) | Child::Node(_));
        if let Child::Node(node) = &self.children[index] {
            self.uncounted |= u32::from(node.uncounted != 0) << index;
        }
        self.present = if is_present { self.present | 1 << index } else { self.present & !(1 << index) };
        for zone in Zone::ALL {
            self.holes[zone as usize][index] = self.child_holes(index, zone, &Holes::UNBOUNDED);
        }
        let space = match &self.children[index] {
            Child::Outside => Space::new(Runs::NONE, false, false),
            Child::Untouched => Space::new(Runs::whole(1 << self.shift), false, false),
            Child::Leaf(leaf) => leaf.space(),
            Child::Node(node) => Space::new(node.runs.all(), node.idle != 0, node.surplus != 0),
        };
        self.set_space(index, space);
    }

    /// Says that child `index` has no records any more, which nothing was taken or populated in.
    pub(super) fn forget(&mut self, index: usize) {
        self.present &= !(1 << index);
        self.uncounted &= !(1 << index);
        for holes in &mut self.holes {
            holes[index] = Holes::NONE;
        }
    }

    /// Whether none of it is taken or populated, or out of every range.
    pub(super) fn is_untouched(&self) -> bool {
        self.present == 0 && self.children.iter().all(|child| matches!(child, Child::Untouched))
    }

    /// Says what is free below a child; what there is to say of all, where that is something else now.
    fn set_space(&mut self, index: usize, space: Space) -> Option<Space> {
        let before = (self.idle != 0, self.surplus != 0);
        self.idle = self.idle & !(1 << index) | u32::from(space.is_idle()) << index;
        self.surplus = self.surplus & !(1 << index) | u32::from(space.is_surplus()) << index;
        let after = (self.idle != 0, self.surplus != 0);
        let (runs, changed) = self.runs.set(index, space.runs());
        (changed || before != after).then(|| Space::new(runs, after.0, after.1))
    }

    /// The free runs below a child, which are not longer than `most`. Counting begins at the highest, which is the emptiest.
    fn child_holes(&self, index: usize, zone: Zone, most: &Holes) -> Holes {
        match &self.children[index] {
            Child::Leaf(leaf) => leaf.holes_of(zone, most),
            Child::Node(node) => Holes::of_mask(&node.holes[zone as usize], node.present, most),
            Child::Outside | Child::Untouched => Holes::NONE,
        }
    }
}
