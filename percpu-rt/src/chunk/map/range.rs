//! The offsets that the map may hand out.

use core::ops::Range;

use super::Map;
use super::cells::Owned;
use super::holes::{BLOCK, GRANULE, GRANULES};
use super::leaf::{Kind, Leaf};
use super::node::{Child, Node};
use super::records::{Need, Records};
use super::request::Want;
use super::runs::FANOUT;
use super::zone::Zone;

/// Blocks of a leaf, as a power of two.
const LEAF_SHIFT: u32 = FANOUT.ilog2();

impl Map {
    /// Adds the offsets of `range`, of which none was in before. With `populated`, all of its pages are, for good; the
    /// first and the last may be shared with others then.
    ///
    /// # Errors
    ///
    /// [`Want::Metadata`] where records have to come in before.
    pub(in crate::chunk) fn add_range(&mut self, range: &Range<usize>, populated: bool) -> Result<(), Want> {
        let begin = (range.start / GRANULE) as u64;
        let end = (range.end / GRANULE) as u64;
        let blocks = (range.start / BLOCK) as u32..range.end.div_ceil(BLOCK) as u32;
        let levels = levels_for(blocks.end);
        self.records.reserve(self.need_for(&blocks, levels, populated)).map_err(Want::Metadata)?;
        self.grow_to(levels);
        let Self { root: Some(root), records, page_blocks, .. } = self else { return Ok(()) };
        include(root, 0, &blocks, populated, records, *page_blocks);
        if populated {
            for block in blocks.clone() {
                let within = |granule: u64| granule.saturating_sub(u64::from(block) * u64::from(GRANULES)) as u32;
                let (begin, end) = (within(begin), within(end).min(GRANULES));
                root.edit(block..block + 1, |leaf| fix(leaf, block % FANOUT as u32, begin, end, records));
            }
            self.populated += blocks.len() / *page_blocks as usize;
        }
        Ok(())
    }

    /// The records that [`add_range`](Self::add_range) makes at the most.
    fn need_for(&self, blocks: &Range<u32>, levels: u32, populated: bool) -> Need {
        let higher = self.root.as_ref().map_or(0, |root| root.shift / LEAF_SHIFT);
        let mut need = Need { nodes: levels.saturating_sub(higher) as usize, ..Need::default() };
        if self.root.is_none() {
            need.nodes = 1;
        }
        if populated {
            // Every leaf, and in the worst case a path of its own to the first and the last.
            need.leaves = blocks.len().div_ceil(FANOUT) + 1;
            need.nodes += 2 * (levels as usize - 1) + need.leaves / FANOUT;
            need.bits = 2;
            return need;
        }
        // A child is told apart where a border lies within it.
        for shift in (1..=levels).map(|level| level * LEAF_SHIFT) {
            let parted = |border: u32| u64::from(border) % (1 << shift) != 0;
            let borders = usize::from(parted(blocks.start)) + usize::from(parted(blocks.end));
            if shift == LEAF_SHIFT { need.leaves += borders } else { need.nodes += borders }
        }
        need
    }

    /// Makes the root high enough for `levels` of nodes.
    fn grow_to(&mut self, levels: u32) {
        let shift = LEAF_SHIFT * levels;
        if self.root.is_none() {
            self.root = Some(self.records.new_node(shift, false));
        }
        while let Some(root) = self.root.take_if(|root| root.shift < shift) {
            let mut above = self.records.new_node(root.shift + LEAF_SHIFT, false);
            above.children[0] = Child::Node(root);
            above.refresh(0);
            for populated in [false, true] {
                above.resee(0, populated);
            }
            self.root = Some(above);
        }
    }
}

/// Levels of nodes over the leaves that `blocks` need.
fn levels_for(blocks: u32) -> u32 {
    let mut levels = 1;
    while u64::from(blocks) > 1 << (LEAF_SHIFT * (levels + 1)) {
        levels += 1;
    }
    levels
}

/// Says that `blocks` are in a range, below `node`, whose first block is `base`.
fn include(
    node: &mut Owned<Node>,
    base: u64,
    blocks: &Range<u32>,
    leaves: bool,
    records: &mut Records,
    page_blocks: u32,
) {
    let each = 1_u64 << node.shift;
    for index in 0..FANOUT {
        let first = base + index as u64 * each;
        let (from, to) = (u64::from(blocks.start).max(first), u64::from(blocks.end).min(first + each));
        if from >= to {
            continue;
        }
        if to - from == each && !leaves && matches!(node.children[index], Child::Outside) {
            node.children[index] = Child::Untouched;
        } else {
            if matches!(node.children[index], Child::Outside) {
                node.children[index] = records.new_child(node.shift, false, page_blocks);
            }
            match &mut node.children[index] {
                Child::Node(child) => include(child, first, blocks, leaves, records, page_blocks),
                Child::Leaf(leaf) => {
                    let mask = mask((from - first) as u32, (to - first) as u32);
                    leaf.free |= mask;
                    leaf.unseen[0] |= mask;
                }
                Child::Outside | Child::Untouched => {}
            }
        }
        node.unseen[0] |= 1 << index;
        node.refresh(index);
    }
}

/// Takes a populated block in, but for the granules before `begin` and from `end` on: they are somebody else's.
fn fix(leaf: &mut Leaf, index: u32, begin: u32, end: u32, records: &mut Records) {
    let bit = 1 << index;
    leaf.populated |= bit;
    leaf.fixed |= bit;
    if (begin, end) == (0, GRANULES) {
        return;
    }
    let mut bits = records.new_bits();
    let block = &mut leaf.blocks[index as usize];
    if begin > 0 {
        bits.take(0, begin, false);
    }
    if end < GRANULES {
        // A start, so that an object before it ends here.
        bits.take(end, GRANULES, true);
        block.end = end as u16;
    }
    block.used = (begin + GRANULES - end) as u16;
    block.kind = Kind::Shared;
    block.zone = Zone::Small;
    block.bits = Some(bits);
    leaf.free &= !bit;
    leaf.publish(bit);
}

/// The bits from `from` to `to`.
pub(super) fn mask(from: u32, to: u32) -> u32 {
    (((1_u64 << to) - 1) & !((1_u64 << from) - 1)) as u32
}

/// Blocks of one leaf as bits of it.
pub(super) fn in_leaf(blocks: &Range<u32>) -> u32 {
    let first = blocks.start % FANOUT as u32;
    mask(first, first + blocks.len() as u32)
}
