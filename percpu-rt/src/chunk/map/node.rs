//! The tree over the leaves: what is below each child, so that a search goes down one path.

use super::cells::Owned;
use super::holes::Holes;
use super::leaf::{Effect, Leaf, ones, ones_down};
use super::runs::{FANOUT, Runs};
use super::zone::{ZONES, Zone};

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

/// Thirty-two children of the same size.
#[derive(Debug)]
pub(super) struct Node {
    /// The free runs within the shared blocks below each child, by zone.
    pub(super) holes: [[Holes; FANOUT]; ZONES],
    /// The free blocks below each child.
    pub(super) runs: [Runs; FANOUT],
    pub(super) children: [Child; FANOUT],
    /// The children that have records of their own: what there is to know of the others is their kind.
    present: u32,
    /// The children with idle blocks below them, and with such that may be given back.
    pub(super) idle: u32,
    pub(super) surplus: u32,
    /// The number of a child's blocks is `1 << shift`.
    pub(super) shift: u32,
}

impl Node {
    pub(super) fn new(shift: u32, whole: bool) -> Self {
        let (runs, child): (_, fn(usize) -> Child) =
            if whole { (Runs::whole(1 << shift), |_| Child::Untouched) } else { (Runs::NONE, |_| Child::Outside) };
        Self {
            holes: [[Holes::NONE; FANOUT]; ZONES],
            runs: [runs; FANOUT],
            children: core::array::from_fn(child),
            present: 0,
            idle: 0,
            surplus: 0,
            shift,
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

    /// The lowest block of `zone` in which a run of `need` granules fits.
    #[inline]
    pub(super) fn find(&self, zone: Zone, lane: usize, need: u32) -> Option<u32> {
        let mut node = self;
        let mut base = 0;
        loop {
            let holes = &node.holes[zone as usize];
            let index = ones(node.present).find(|&index| holes[index as usize].fit(lane, need))? as usize;
            base += (index as u32) << node.shift;
            match &node.children[index] {
                Child::Node(child) => node = child,
                Child::Leaf(leaf) => return leaf.find(zone, lane, need).map(|block| base + block),
                Child::Outside | Child::Untouched => return None,
            }
        }
    }

    /// The begin of the lowest run of `blocks` free ones.
    pub(super) fn find_run(&self, blocks: u32) -> Option<u32> {
        let each = 1 << self.shift;
        let mut before = 0;
        for (index, runs) in self.runs.iter().enumerate() {
            let base = index as u32 * each;
            if before + runs.first >= blocks {
                return Some(base - before);
            }
            if runs.longest >= blocks {
                return match &self.children[index] {
                    Child::Node(node) => node.find_run(blocks).map(|block| base + block),
                    Child::Leaf(leaf) => super::runs::find_in_mask(leaf.free, blocks).map(|block| base + block),
                    Child::Outside | Child::Untouched => None,
                };
            }
            before = if runs.first == each { before + each } else { runs.last };
        }
        None
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

    /// Tells the nodes above the leaf of `block` what has changed in it.
    #[inline]
    pub(super) fn tell(&mut self, block: u32, effect: Effect) {
        if effect.space || effect.before != effect.after {
            self.absorb_below(block, effect);
        }
    }

    /// Takes a leaf's change into the nodes above it; returns this node's own.
    fn absorb_below(&mut self, block: u32, effect: Effect) -> Effect {
        let index = self.index(block);
        let effect = match &mut self.children[index] {
            Child::Node(node) => node.absorb_below(block, effect),
            _ => effect,
        };
        if effect.space || effect.before != effect.after { self.absorb(index, effect) } else { effect }
    }

    /// Runs `edit` on the leaf that has `block`, and takes anew what the nodes above say of it.
    ///
    /// # Panics
    ///
    /// Where there is none.
    pub(super) fn edit_whole<R>(&mut self, block: u32, edit: impl FnOnce(&mut Leaf) -> R) -> R {
        let index = self.index(block);
        let result = match &mut self.children[index] {
            Child::Node(node) => node.edit_whole(block, edit),
            Child::Leaf(leaf) => edit(leaf),
            Child::Outside | Child::Untouched => unreachable!("an edited block has a leaf"),
        };
        self.refresh(index);
        result
    }

    /// Takes a child's change into what this node says of it; returns this node's own.
    #[inline]
    fn absorb(&mut self, index: usize, effect: Effect) -> Effect {
        if effect.space {
            self.refresh_space(index);
        }
        let Effect { zone, before, after, .. } = effect;
        let own = self.holes[zone as usize][index];
        let new = if before.decide(&own, &after) { self.child_holes(index, zone, &own) } else { own.or(after) };
        self.holes[zone as usize][index] = new;
        Effect { before: own, after: new, ..effect }
    }

    /// Takes anew all that this node says of a child.
    pub(super) fn refresh(&mut self, index: usize) {
        let is_present = matches!(self.children[index], Child::Leaf(_) | Child::Node(_));
        self.present = if is_present { self.present | 1 << index } else { self.present & !(1 << index) };
        for zone in Zone::ALL {
            self.holes[zone as usize][index] = self.child_holes(index, zone, &Holes::UNBOUNDED);
        }
        self.refresh_space(index);
    }

    fn refresh_space(&mut self, index: usize) {
        let (runs, idle, surplus) = match &self.children[index] {
            Child::Outside => (Runs::NONE, false, false),
            Child::Untouched => (Runs::whole(1 << self.shift), false, false),
            Child::Leaf(leaf) => (leaf.runs(), leaf.idle() != 0, leaf.surplus() != 0),
            Child::Node(node) => (Runs::of_neighbours(&node.runs, 1 << node.shift), node.idle != 0, node.surplus != 0),
        };
        self.runs[index] = runs;
        let bit = 1 << index;
        self.idle = if idle { self.idle | bit } else { self.idle & !bit };
        self.surplus = if surplus { self.surplus | bit } else { self.surplus & !bit };
    }

    /// The free runs below a child, which are not longer than `most`. Counting begins at the highest, which is the emptiest.
    fn child_holes(&self, index: usize, zone: Zone, most: &Holes) -> Holes {
        match &self.children[index] {
            Child::Leaf(leaf) => leaf.holes_of(zone, most),
            Child::Node(node) => {
                let holes = &node.holes[zone as usize];
                Holes::of_all(ones_down(node.present).map(|index| &holes[index as usize]), most)
            }
            Child::Outside | Child::Untouched => Holes::NONE,
        }
    }
}
