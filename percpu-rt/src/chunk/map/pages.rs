//! Which pages are backed: those that a new object needs, and those that nobody needs any more.

use core::ops::Range;

use super::holes::BLOCK;
use super::leaf::{Leaf, ones};
use super::node::{Child, Node};
use super::range::{in_leaf, mask};
use super::records::Records;
use super::runs::FANOUT;
use super::{Map, bytes};

/// Empty pages of a unit that are kept for the next objects, beside a part of those in use. Linux keeps 2 to 4
/// whatever is in use (`PCPU_EMPTY_POP_PAGES_LOW` and `HIGH`, mm/percpu.c): much of a small heap, and nothing of a large.
const KEPT_PAGES: usize = 1;
const MOST_KEPT_PAGES: usize = 2;

/// One of so many populated pages is kept too, and one of half as many is the most.
const KEPT_PART: usize = 192;

impl Map {
    /// Of the pages from offset `from` to `to`, in which an object lies, the first that are not populated, with `ahead` bytes
    /// behind them where they are the last. They are to be now, and then [`set_populated`](Self::set_populated).
    pub(in crate::chunk) fn unpopulated(&self, from: usize, to: usize, ahead: usize) -> Option<Range<usize>> {
        let root = self.root.as_ref()?;
        let page = self.page_blocks;
        let blocks = (from / BLOCK) as u32..to.div_ceil(BLOCK) as u32;
        let (first, last) = first_run(blocks, |leaf| root.leaf(leaf).map_or(0, |leaf| leaf.populated))?;
        let (begin, end) = (first / page * page, last.next_multiple_of(page));
        let (begin, end) = (begin as usize * BLOCK, end as usize * BLOCK);
        Some(begin..if end >= to { end + ahead } else { end })
    }

    /// The page of `block`, and `ahead` bytes behind it.
    pub(super) fn page_of(&self, block: u32, ahead: usize) -> Range<usize> {
        let first = block / self.page_blocks * self.page_blocks;
        first as usize * BLOCK..(first + self.page_blocks) as usize * BLOCK + ahead
    }

    /// Pages that may be empty, with those that come along with an object's: a heap that grows by small objects asks for
    /// pages seldom by that.
    pub(super) fn may_be_empty(&self) -> usize {
        self.populated / KEPT_PART
    }

    /// Gives up to populate pages that [`hold_ahead`] has held.
    pub(in crate::chunk) fn unhold(&mut self, pages: Range<usize>) {
        self.edit_leaves(to_blocks(&pages), |leaf, _, blocks, _| {
            let unborn = leaf.held & !leaf.populated & in_leaf(&blocks);
            leaf.held &= !unborn;
            leaf.free |= unborn;
        });
    }

    /// Says that pages which [`unpopulated`](Self::unpopulated) has named are populated, and zero: those of an object that ends at offset
    /// `to`, and what is ahead of it.
    pub(in crate::chunk) fn set_populated(&mut self, pages: Range<usize>, to: usize) {
        let blocks = to_blocks(&pages);
        self.populated += self.pages_in(&blocks);
        let ahead = (to.div_ceil(BLOCK) as u32).next_multiple_of(self.page_blocks).clamp(blocks.start, blocks.end);
        let end = blocks.end;
        self.edit_leaves(blocks, |leaf, _, blocks, _| {
            let mask = in_leaf(&blocks);
            leaf.populated |= mask;
            let own = in_leaf(&(blocks.start..ahead.clamp(blocks.start, blocks.end)));
            leaf.free |= leaf.held & own;
            leaf.held &= !own;
            leaf.publish(own & !leaf.free);
        });
        self.keep_ahead(ahead..end);
    }

    /// Number of the pages whose blocks are `blocks`.
    fn pages_in(&self, blocks: &Range<u32>) -> usize {
        blocks.len() >> self.page_blocks.trailing_zeros()
    }

    /// Undoes the placing of an object of which pages could not be populated.
    pub(in crate::chunk) fn cancel(&mut self, offset: usize, size: usize) {
        let (begin, end) = (offset / super::GRANULE, (offset + size).div_ceil(super::GRANULE));
        self.release_pieces(begin as u64, end as u64);
        let blocks = (offset / BLOCK) as u32..bytes(end as u64).div_ceil(BLOCK) as u32;
        self.edit_leaves(blocks.clone(), |leaf, _, blocks, _| {
            let around = leaf.pages_around(in_leaf(&blocks)) & !leaf.populated;
            let unborn = leaf.held & around;
            leaf.held &= !unborn;
            leaf.free |= unborn;
            for index in ones(around) {
                leaf.blocks[index as usize].high = 0;
            }
        });
        self.collapse(&blocks);
    }

    /// Whether more empty pages are populated than are kept.
    #[inline]
    pub(in crate::chunk) fn has_surplus(&self) -> bool {
        self.surplus > MOST_KEPT_PAGES + self.populated / (KEPT_PART / 2)
    }

    /// Pages that are to be given back, and then [`set_depopulated`](Self::set_depopulated). Nobody gets them meanwhile.
    #[inline]
    pub(in crate::chunk) fn take_surplus(&mut self) -> Option<Range<usize>> {
        if self.has_surplus() { self.hold_surplus() } else { None }
    }

    #[cold]
    fn hold_surplus(&mut self) -> Option<Range<usize>> {
        self.free_ahead();
        let excess = self.surplus - KEPT_PAGES - self.populated / KEPT_PART;
        let (base, leaf) = self.root.as_ref()?.last_surplus()?;
        // The highest run of pages in the leaf, and of that no more than there are too many.
        let surplus = leaf.surplus();
        let end = u32::BITS - surplus.leading_zeros();
        let run = (surplus << (u32::BITS - end)).leading_ones();
        let begin = end - run.min(excess as u32 * self.page_blocks);
        self.edit_leaves(base + begin..base + end, |leaf, _, _, _| {
            leaf.free &= !mask(begin, end);
            leaf.held |= mask(begin, end);
        });
        Some((base + begin) as usize * BLOCK..(base + end) as usize * BLOCK)
    }

    /// Says that pages which [`take_surplus`](Self::take_surplus) named are given back.
    pub(in crate::chunk) fn set_depopulated(&mut self, pages: Range<usize>) {
        let blocks = to_blocks(&pages);
        self.populated -= self.pages_in(&blocks);
        let mut has_untouched = false;
        self.edit_leaves(blocks.clone(), |leaf, records, blocks, _| {
            let mask = in_leaf(&blocks);
            leaf.held &= !mask;
            leaf.populated &= !mask;
            leaf.free |= mask;
            for index in ones(mask) {
                let block = &mut leaf.blocks[index as usize];
                block.high = 0;
                if let Some(bits) = block.bits.take() {
                    records.free_bits(bits);
                }
            }
            has_untouched |= leaf.is_untouched();
        });
        if has_untouched {
            self.collapse(&blocks);
        }
    }

    /// Drops the records of what has nothing taken or populated any more.
    fn collapse(&mut self, blocks: &Range<u32>) {
        if let Self { root: Some(root), records, .. } = self {
            for leaf in blocks.start / FANOUT as u32..=(blocks.end - 1) / FANOUT as u32 {
                collapse(root, leaf * FANOUT as u32, records);
            }
        }
    }
}

/// Holds free pages of `leaf` from the page at or behind `block` on, up to `most`; returns their bytes.
pub(super) fn hold_ahead(leaf: &mut Leaf, block: u32, most: usize) -> usize {
    let page = leaf.page_blocks();
    let first = block.next_multiple_of(page) % FANOUT as u32;
    if first == 0 {
        return 0;
    }
    let fresh = ((leaf.free & !leaf.populated) >> first).trailing_ones();
    let blocks = fresh.min(most.min(FANOUT) as u32 * page) / page * page;
    let held = mask(first, first + blocks);
    leaf.free &= !held;
    leaf.held |= held;
    blocks as usize * BLOCK
}

/// The blocks of pages.
fn to_blocks(pages: &Range<usize>) -> Range<u32> {
    (pages.start / BLOCK) as u32..(pages.end / BLOCK) as u32
}

/// The first of `blocks` that are not in the masks that `populated` gives of the leaf of a block, up to the next that is.
fn first_run(blocks: Range<u32>, populated: impl Fn(u32) -> u32) -> Option<(u32, u32)> {
    let mut first = None;
    let mut block = blocks.start;
    while block < blocks.end {
        let here = populated(block) >> (block % FANOUT as u32);
        let in_leaf = (FANOUT as u32 - block % FANOUT as u32).min(blocks.end - block);
        let backed = if first.is_none() { here.trailing_ones().min(in_leaf) } else { 0 };
        let unbacked = here.unbounded_shr(backed).trailing_zeros().min(in_leaf - backed);
        if unbacked > 0 {
            first = first.or(Some(block + backed));
        }
        if backed + unbacked < in_leaf {
            return first.map(|first| (first, block + backed + unbacked));
        }
        block += in_leaf;
    }
    first.map(|first| (first, blocks.end))
}

/// True where all below `node` is untouched now.
fn collapse(node: &mut Node, block: u32, records: &mut Records) -> bool {
    let index = node.index(block);
    let is_empty = match &mut node.children[index] {
        Child::Leaf(leaf) => leaf.is_untouched(),
        Child::Node(child) => collapse(child, block, records),
        Child::Outside | Child::Untouched => false,
    };
    if is_empty {
        let child = core::mem::replace(&mut node.children[index], Child::Untouched);
        records.free_child(child);
        node.forget(index);
    }
    is_empty && node.is_untouched()
}
