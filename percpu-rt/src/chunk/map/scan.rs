//! The last resort: looking at every hole, across the borders of blocks and zones.
//!
//! The indexes know the holes within a block and the runs of free blocks. A hole that reaches from one shared block
//! into the next is in neither. It is looked for only where every index has failed and no chunk can be added, which
//! is where the alternative is to refuse.

use super::holes::{BLOCK, GRANULE, GRANULES};
use super::leaf::{Kind, Leaf};
use super::node::{Child, Node};
use super::request::Request;
use super::runs::FANOUT;

/// A walk over the holes in the order of their addresses.
struct Scan<'a> {
    request: &'a Request,
    /// The hole that is being walked over.
    hole: core::ops::Range<u64>,
}

/// The first granule of the lowest place for `request`.
pub(super) fn find(root: &Node, request: &Request) -> Option<u64> {
    Scan { request, hole: 0..0 }.node(root, 0)
}

impl Scan<'_> {
    /// Adds free granules; the place, where the hole is long enough by them.
    fn free(&mut self, begin: u64, end: u64) -> Option<u64> {
        if self.hole.end == begin {
            self.hole.end = end;
        } else {
            self.hole = begin..end;
        }
        let aligned = self.hole.start.next_multiple_of(1 << self.request.lane);
        (aligned + self.request.granules <= self.hole.end).then_some(aligned)
    }

    fn node(&mut self, node: &Node, base: u32) -> Option<u64> {
        (0..FANOUT as u32).find_map(|index| {
            let block = base + (index << node.shift);
            match &node.children[index as usize] {
                Child::Untouched if !self.request.populated => {
                    let begin = granule(block);
                    self.free(begin, begin + (u64::from(GRANULES) << node.shift))
                }
                Child::Outside | Child::Untouched => None,
                Child::Node(node) => self.node(node, block),
                Child::Leaf(leaf) => self.leaf(leaf, block),
            }
        })
    }

    fn leaf(&mut self, leaf: &Leaf, base: u32) -> Option<u64> {
        let takable = if self.request.populated { leaf.idle() } else { leaf.free };
        let published = leaf.zones.iter().fold(0, |all, zone| all | zone);
        (0..FANOUT as u32).find_map(|index| {
            let begin = granule(base + index);
            let block = &leaf.blocks[index as usize];
            match block.kind {
                Kind::Free if takable & 1 << index != 0 => self.free(begin, begin + u64::from(GRANULES)),
                Kind::Shared if published & 1 << index != 0 => {
                    let bits = block.bits.as_deref()?;
                    let mut from = bits.next_free(0);
                    while from < GRANULES {
                        let to = bits.next_used(from);
                        if let Some(found) = self.free(begin + u64::from(from), begin + u64::from(to)) {
                            return Some(found);
                        }
                        from = bits.next_free(to);
                    }
                    None
                }
                _ => None,
            }
        })
    }
}

/// The first granule of `block`.
fn granule(block: u32) -> u64 {
    u64::from(block) * (BLOCK / GRANULE) as u64
}
