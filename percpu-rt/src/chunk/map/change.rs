//! Changes of several blocks at once.

use core::ops::Range;

use super::cells::Owned;
use super::holes::{GRANULES, Holes};
use super::leaf::{Kind, Leaf};
use super::node::{Child, Node};
use super::pages::hold_ahead;
use super::records::{Need, Records};
use super::request::Dirty;
use super::runs::FANOUT;
use super::zone::Zone;
use super::{Map, bytes, split};

/// The part of an object that lies in one block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) block: u32,
    /// Granules of the block.
    pub(super) begin: u32,
    pub(super) end: u32,
    /// Whether the object begins here.
    pub(super) first: bool,
}

/// The pieces in `blocks` of an object from granule `begin` to `end`, which has a part in each.
pub(super) fn pieces(begin: u64, end: u64, blocks: Range<u32>) -> impl Iterator<Item = Piece> {
    let ((first, from), (last, to)) = (split(begin), split(end - 1));
    blocks.map(move |block| Piece {
        block,
        begin: if block == first { from } else { 0 },
        end: if block == last { to + 1 } else { GRANULES },
        first: block == first,
    })
}

impl Map {
    /// The records that an object from granule `begin` to `end` makes.
    pub(super) fn need(&self, begin: u64, end: u64) -> Need {
        let Some(root) = &self.root else { return Need::default() };
        let (first, last) = (split(begin).0, split(end - 1).0);
        let mut need = Need::default();
        if !has_leaves(root, &(first..last + 1)) {
            missing(root, &(first..last + 1), 0, &mut need);
        }
        // Those between are whole.
        let ends = pieces(begin, end, first..first + 1).chain(pieces(begin, end, last..last + u32::from(last > first)));
        for piece in ends.filter(|piece| (piece.begin, piece.end) != (0, GRANULES)) {
            let leaf = root.leaf(piece.block);
            let has_bits = |leaf: &Leaf| leaf.blocks[piece.block as usize % FANOUT].bits.is_some();
            need.bits += usize::from(!leaf.is_some_and(has_bits));
        }
        need
    }

    /// Makes the leaves of `blocks` that are not there yet, for which records are reserved.
    pub(super) fn materialise(&mut self, blocks: &Range<u32>) {
        if let Self { root: Some(root), records, page_blocks, .. } = self {
            materialise(root, blocks, 0, records, *page_blocks);
        }
    }

    /// Runs `edit` on every leaf of `blocks`, with those of its blocks that are meant, and the number of surplus pages before.
    pub(super) fn edit_leaves(
        &mut self,
        blocks: Range<u32>,
        mut edit: impl FnMut(&mut Leaf, &mut Records, Range<u32>, usize),
    ) {
        let Self { root: Some(root), records, surplus, .. } = self else { return };
        let mut block = blocks.start;
        while block < blocks.end {
            let end = (block / FANOUT as u32 * FANOUT as u32 + FANOUT as u32).min(blocks.end);
            root.edit(block..end, |leaf| {
                let before = leaf.surplus();
                edit(leaf, records, block..end, *surplus);
                if before != leaf.surplus() {
                    *surplus = *surplus - leaf.pages_of(before) + leaf.pages_of(leaf.surplus());
                }
            });
            block = end;
        }
    }

    /// Takes the granules from `begin` to `end`, which are free and have leaves. Where pages of it are not populated, says how
    /// many bytes behind them are held to come along.
    pub(super) fn occupy(&mut self, begin: u64, end: u64, zone: Zone, dirty: &mut Dirty) -> Option<usize> {
        let mut ahead = None;
        let may_be_empty = self.may_be_empty();
        let (first, last) = (split(begin).0, split(end - 1).0);
        self.edit_leaves(first..last + 1, |leaf, records, blocks, surplus| {
            let before = leaf.surplus();
            for piece in pieces(begin, end, blocks) {
                if take(leaf, piece, zone, records) {
                    ahead = Some(0);
                    if piece.block == last {
                        let empty = surplus - leaf.pages_of(before) + leaf.pages_of(leaf.surplus());
                        let most = may_be_empty.saturating_sub(empty);
                        ahead = Some(hold_ahead(leaf, last + 1, most));
                    }
                }
                let block = &mut leaf.blocks[piece.block as usize % FANOUT];
                let at = u64::from(piece.block) * u64::from(GRANULES);
                let written = u32::from(block.high).clamp(piece.begin, piece.end);
                dirty.push(bytes(at + u64::from(piece.begin))..bytes(at + u64::from(written)));
                block.high = block.high.max(piece.end as u16);
            }
        });
        ahead
    }
}

/// Takes one piece; true where its page is not populated.
fn take(leaf: &mut Leaf, piece: Piece, zone: Zone, records: &mut Records) -> bool {
    let Piece { begin, end, first, .. } = piece;
    let index = piece.block % FANOUT as u32;
    let bit = 1 << index;
    let fresh = leaf.populated & bit == 0;
    leaf.free &= !bit;
    // The piece before may have held it back with the rest of their page.
    leaf.held &= !bit;
    if fresh {
        // Whoever took a neighbour would have to wait for the page, or populate it twice.
        let page = leaf.pages_around(bit) & leaf.free;
        leaf.held |= page;
        leaf.free &= !page;
    }
    let block = &mut leaf.blocks[index as usize];
    if (begin, end) == (0, GRANULES) {
        block.kind = if first { Kind::Start } else { Kind::Inside };
        block.used = GRANULES as u16;
        return fresh;
    }
    let is_new = block.kind == Kind::Free;
    if is_new {
        block.kind = Kind::Shared;
        block.zone = zone;
    }
    block.used += (end - begin) as u16;
    block.bits.get_or_insert_with(|| records.new_bits()).take(begin, end, first);
    match (fresh, is_new) {
        (true, _) => {}
        (false, false) => leaf.publish(bit),
        // All the rest is free.
        (false, true) => leaf.publish_as(index, Holes::of(0, begin).or(Holes::of(end, GRANULES))),
    }
    fresh
}

/// Whether the one or two leaves of `blocks` are there; more are not looked for.
fn has_leaves(root: &Node, blocks: &Range<u32>) -> bool {
    let last = blocks.end - 1;
    let (first_leaf, last_leaf) = (blocks.start / FANOUT as u32, last / FANOUT as u32);
    last_leaf - first_leaf <= 1
        && root.leaf(blocks.start).is_some()
        && (first_leaf == last_leaf || root.leaf(last).is_some())
}

/// Counts the nodes and leaves that `blocks` have yet to get below `node`, whose first block is `base`.
fn missing(node: &Node, blocks: &Range<u32>, base: u32, need: &mut Need) {
    for (index, from, to) in overlapping(node, blocks, base) {
        match &node.children[index] {
            Child::Node(child) => missing(child, &(from..to), base + ((index as u32) << node.shift), need),
            Child::Leaf(_) => {}
            Child::Outside | Child::Untouched => {
                // At every level below, as many as the blocks can be spread over.
                let mut shift = node.shift;
                while shift > FANOUT.ilog2() {
                    need.nodes += ((to - 1) >> shift) as usize - (from >> shift) as usize + 1;
                    shift -= FANOUT.ilog2();
                }
                need.leaves += ((to - 1) >> shift) as usize - (from >> shift) as usize + 1;
            }
        }
    }
}

fn materialise(node: &mut Owned<Node>, blocks: &Range<u32>, base: u32, records: &mut Records, page_blocks: u32) {
    for (index, from, to) in overlapping(node, blocks, base) {
        if matches!(node.children[index], Child::Untouched) {
            // What is said of it stays true.
            node.children[index] = records.new_child(node.shift, true, page_blocks);
            node.present |= 1 << index;
            node.unsee_child(index);
        }
        let base = base + ((index as u32) << node.shift);
        if let Child::Node(child) = &mut node.children[index] {
            materialise(child, &(from..to), base, records, page_blocks);
        }
    }
}

/// The children of `node` that have some of `blocks`, and which.
fn overlapping(node: &Node, blocks: &Range<u32>, base: u32) -> impl Iterator<Item = (usize, u32, u32)> + use<> {
    let shift = node.shift;
    let blocks = blocks.clone();
    let (first, last) = ((blocks.start - base) >> shift, (blocks.end - 1 - base) >> shift);
    (first..=last).map(move |index| {
        let begin = base + (index << shift);
        (index as usize, blocks.start.max(begin), blocks.end.min(begin + (1 << shift)))
    })
}
