//! The map's own memory: cells for its records, and what a change will need of them.

use super::bits::Bits;
use super::cells::{Cells, Owned, Spares};
use super::leaf::Leaf;
use super::node::{Child, Node};
use super::runs::FANOUT;
use crate::chunk::cache::Magazine;
use crate::chunk::memory::MetadataPage;

/// How many records a change makes.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Need {
    pub(super) nodes: usize,
    pub(super) leaves: usize,
    pub(super) bits: usize,
    pub(super) magazines: usize,
}

/// The cells of every type, and the pages for more.
#[derive(Debug)]
pub(super) struct Records {
    nodes: Cells<Node>,
    leaves: Cells<Leaf>,
    bits: Cells<Bits>,
    magazines: Cells<Magazine>,
    spares: Spares,
    /// A leaf that is made, in which nothing is: whoever needs one has enough to do without.
    ready: Option<Owned<Leaf>>,
    /// Metadata pages, spare ones included.
    pages: usize,
    /// Leaves in use.
    pub(super) chunks: usize,
}

/// Spare pages that there should be for the next change, and the most that are kept: who takes the last has another brought, and what
/// comes back then is not one too many.
const WANTED_SPARE: usize = 1;
const KEPT_SPARE: usize = 2;

impl Records {
    pub(super) const EMPTY: Self = Self {
        nodes: Cells::EMPTY,
        leaves: Cells::EMPTY,
        bits: Cells::EMPTY,
        magazines: Cells::EMPTY,
        spares: Spares::EMPTY,
        ready: None,
        pages: 0,
        chunks: 0,
    };

    pub(super) fn pages(&self) -> usize {
        self.pages
    }

    /// Sees to it that `need` can be made. The leaf that is ready is given up for what is none, since there may be no page to be had.
    ///
    /// # Errors
    ///
    /// The number of pages that have to come in before.
    pub(super) fn reserve(&mut self, need: Need) -> Result<(), usize> {
        let mut missing = self.missing(need);
        if missing > 0 && need.leaves == 0 && self.ready.is_some() {
            self.free_ready();
            missing = self.missing(need);
        }
        if missing == 0 { Ok(()) } else { Err(missing) }
    }

    fn missing(&self, need: Need) -> usize {
        let pages = self.nodes.pages_for(need.nodes)
            + self.leaves.pages_for(need.leaves.saturating_sub(usize::from(self.ready.is_some())))
            + self.bits.pages_for(need.bits)
            + self.magazines.pages_for(need.magazines);
        pages.saturating_sub(self.spares.count())
    }

    /// Pages that should be spare, and are not.
    pub(super) fn lacking(&self) -> usize {
        WANTED_SPARE.saturating_sub(self.spares.count())
    }

    pub(super) fn donate(&mut self, page: MetadataPage) {
        self.spares.push(page);
        self.pages += 1;
    }

    /// A page that is not needed any more, and whether there are more.
    pub(super) fn surplus(&mut self) -> Option<(MetadataPage, bool)> {
        if self.spares.count() <= KEPT_SPARE {
            return None;
        }
        self.pages -= 1;
        let page = self.spares.pop()?;
        Some((page, self.spares.count() > KEPT_SPARE))
    }

    /// The last pages, when all records are gone.
    pub(super) fn last(&mut self) -> Option<MetadataPage> {
        self.free_ready();
        self.pages = self.pages.saturating_sub(1);
        self.spares.pop()
    }

    pub(super) fn new_bits(&mut self) -> Owned<Bits> {
        self.bits.new_cell(|| Bits::EMPTY, &mut self.spares)
    }

    pub(super) fn free_bits(&mut self, bits: Owned<Bits>) {
        self.bits.free(bits, &mut self.spares);
    }

    pub(super) fn new_magazine(&mut self) -> Owned<Magazine> {
        self.magazines.new_cell(|| Magazine::EMPTY, &mut self.spares)
    }

    pub(super) fn free_magazine(&mut self, magazine: Owned<Magazine>) {
        self.magazines.free(magazine, &mut self.spares);
    }

    pub(super) fn new_node(&mut self, shift: u32, whole: bool) -> Owned<Node> {
        self.nodes.new_cell(|| Node::new(shift, whole), &mut self.spares)
    }

    fn new_leaf(&mut self, page_blocks: u32) -> Owned<Leaf> {
        self.leaves.new_cell(|| Leaf::new(!0, page_blocks), &mut self.spares)
    }

    /// Makes the next leaf, if it is not made and there is room for it.
    #[inline]
    pub(super) fn make_leaf_ready(&mut self, page_blocks: u32) {
        if self.ready.is_none() {
            self.make_ready(page_blocks);
        }
    }

    #[cfg(test)]
    pub(super) fn is_leaf_ready(&self) -> bool {
        self.ready.is_some()
    }

    #[cold]
    fn make_ready(&mut self, page_blocks: u32) {
        if self.leaves.pages_for(1) <= self.spares.count() {
            self.ready = Some(self.new_leaf(page_blocks));
        }
    }

    fn free_ready(&mut self) {
        if let Some(leaf) = self.ready.take() {
            self.leaves.free(leaf, &mut self.spares);
        }
    }

    /// What stands at a place of a node with children of `1 << shift` blocks, once something there is to be told
    /// apart.
    pub(super) fn new_child(&mut self, shift: u32, whole: bool, page_blocks: u32) -> Child {
        if shift == FANOUT.ilog2() {
            self.chunks += 1;
            let mut leaf = self.ready.take().unwrap_or_else(|| self.new_leaf(page_blocks));
            leaf.free = if whole { !0 } else { 0 };
            Child::Leaf(leaf)
        } else {
            Child::Node(self.new_node(shift - FANOUT.ilog2(), whole))
        }
    }

    /// Gives back what is below a child, without the objects' bits: there are no objects.
    pub(super) fn free_child(&mut self, child: Child) {
        match child {
            Child::Outside | Child::Untouched => {}
            Child::Leaf(mut leaf) => {
                self.chunks -= 1;
                // What is not populated has no bits in stock.
                if !leaf.is_untouched() {
                    leaf.blocks.iter_mut().filter_map(|block| block.bits.take()).for_each(|bits| self.free_bits(bits));
                }
                self.leaves.free(leaf, &mut self.spares);
                // It may be all that there is in its page.
                if self.leaves.has_page_to_spare() {
                    self.free_ready();
                }
            }
            Child::Node(node) => self.free_node(node),
        }
    }

    pub(super) fn free_node(&mut self, mut node: Owned<Node>) {
        for child in &mut node.children {
            let child = core::mem::replace(child, Child::Outside);
            self.free_child(child);
        }
        self.nodes.free(node, &mut self.spares);
    }
}
