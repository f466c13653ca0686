//! Pages that came along with an object's: the next small objects get them, block by block.
//!
//! They stay held until then, so the nodes above are told of them once, when they are held, and not of each block. Who looks
//! for more than a part of a block has what is left of them freed before.

use core::ops::Range;

use super::Map;
use super::range::in_leaf;

impl Map {
    /// Keeps `blocks`, whole pages that are populated and held.
    pub(super) fn keep_ahead(&mut self, blocks: Range<u32>) {
        if !blocks.is_empty() {
            self.free_ahead();
            self.ahead = blocks;
            self.surplus += self.pages_ahead();
        }
    }

    /// The next block for a small object, if it is lower than `idle`; [`took_ahead`](Self::took_ahead) follows when it has it.
    #[inline]
    pub(super) fn next_ahead(&self, idle: Option<u32>) -> Option<u32> {
        let Range { start, end } = self.ahead;
        (start < end && idle.is_none_or(|idle| start < idle)).then_some(start)
    }

    pub(super) fn took_ahead(&mut self) {
        self.surplus -= usize::from(self.ahead.start.is_multiple_of(self.page_blocks));
        self.ahead.start += 1;
    }

    /// Frees what is left.
    #[inline]
    pub(super) fn free_ahead(&mut self) {
        if !self.ahead.is_empty() {
            self.free_held();
        }
    }

    #[cold]
    fn free_held(&mut self) {
        // From here on, it is the leaf that counts them.
        self.surplus -= self.pages_ahead();
        let blocks = core::mem::take(&mut self.ahead);
        self.edit_leaves(blocks, |leaf, _, blocks, _| {
            let mask = in_leaf(&blocks);
            leaf.held &= !mask;
            leaf.free |= mask;
        });
    }

    /// Populated pages with nothing in them that may be given back: also the page of which blocks ahead were taken that are free
    /// again, so that the number stays when what is left is freed.
    pub(in crate::chunk) fn empty_pages(&self) -> usize {
        let Range { start, end } = self.ahead;
        let first = start / self.page_blocks * self.page_blocks;
        let is_begun = start < end && first < start;
        let leaf = self.root.as_ref().filter(|_| is_begun).and_then(|root| root.leaf(first));
        let is_empty = leaf.is_some_and(|leaf| in_leaf(&(first..start)) & !leaf.idle() == 0);
        self.surplus + usize::from(is_empty)
    }

    /// Pages of which nobody has a block.
    pub(super) fn pages_ahead(&self) -> usize {
        (self.ahead.end - self.ahead.start) as usize >> self.page_blocks.trailing_zeros()
    }
}
