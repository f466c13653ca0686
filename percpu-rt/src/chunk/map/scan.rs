//! The last resort: looking at the holes that reach a border between blocks.
//!
//! The indexes know the holes within a block and the runs of free blocks. A hole that reaches from one shared block
//! into the next is in neither, nor is an aligned one that is hardly long enough. These are looked for only where every index
//! has failed and no chunk can be added, which is where the alternative is to refuse.
//!
//! What was seen is [remembered](super::spans), so a further scan goes only to the blocks in which a hole at a border has grown
//! since, and to the leaves that have a longer one than is asked for:
//!
//! ```text
//!  node    unseen  0 0 1 0 …      a free has made a hole of child 2 longer
//!          seen    9 0 7 6 …      the longest of each, but for that
//!  leaf 2  unseen  0 0 0 1 …      by way of its block 3: the holes at both of its ends are to be looked at, to where they end
//! ```
//!
//! The lock is not held for all of it: after [`STEPS`] leaves and nodes the others have their turn.

use core::ops::Range;

use super::bits::Bits;
use super::holes::GRANULES;
use super::leaf::{Leaf, ones};
use super::node::{Child, Node};
use super::request::Request;
use super::runs::FANOUT;
use super::spans::Spans;

/// Leaves and nodes that are looked at without a break: some ten microseconds where all of them is.
pub(super) const STEPS: usize = 8;

/// What has come of a part of a scan.
pub(super) enum Scanned {
    /// The first granule of a place.
    Found(u64),
    /// There is none.
    Nothing,
    /// There is more to look at.
    NotAll,
}

/// A child that a hole may reach into which is long enough.
struct Step {
    /// Its first block.
    first: u32,
    /// The one behind its last.
    end: u64,
    /// What is said of it; `None` where it was a node, and nothing is left in it.
    said: Option<Spans>,
}

/// What a look at a child without a place has come to.
struct Seen {
    /// The blocks at whose borders all holes have been looked at.
    blocks: u32,
    /// What there is to say of the child from now on.
    spans: Spans,
}

/// Looks for the lowest place for `request` in holes that reach into the child at block `from` or one behind it; moves `from` on. What has
/// grown behind it since an earlier call is looked at from the begin once more: a place that is taken meanwhile may have been freed there.
pub(super) fn find(root: &mut Node, request: &Request, from: &mut u64) -> Scanned {
    let goes_on = *from > 0;
    for _ in 0..STEPS {
        let Some(Step { first, end, said }) = root.step(0, request, *from) else {
            if goes_on && root.unseen[usize::from(request.populated)] != 0 {
                *from = 0;
                return Scanned::NotAll;
            }
            return Scanned::Nothing;
        };
        if let Some(said) = said {
            let look = Look { root, leaf: root.leaf(first), first, request };
            match look.at_child(said) {
                Ok(place) => return Scanned::Found(place),
                Err(seen) => root.saw(first, request.populated, &seen),
            }
        }
        *from = end;
    }
    Scanned::NotAll
}

impl Node {
    /// The next step behind block `from`. `base` is this node's first block.
    fn step(&mut self, base: u32, request: &Request, from: u64) -> Option<Step> {
        let sight = usize::from(request.populated);
        let passed = from.saturating_sub(u64::from(base)) >> self.shift;
        let children =
            (self.unseen[sight] | self.sights[sight].children_for(request)) & (!0_u32).checked_shl(passed as u32)?;
        if children == 0 {
            return None;
        }
        let index = children.trailing_zeros();
        let first = base + (index << self.shift);
        let end = u64::from(first) + (1 << self.shift);
        let Child::Node(node) = &mut self.children[index as usize] else {
            return Some(Step { first, end, said: Some(self.sights[sight].seen(index as usize)) });
        };
        let step = node.step(first, request, from);
        if step.is_some() {
            return step;
        }
        self.resee(index as usize, request.populated);
        Some(Step { first, end, said: None })
    }

    /// Takes anew what is said of a child that is a node.
    pub(super) fn resee(&mut self, index: usize, populated: bool) {
        if let Child::Node(node) = &self.children[index] {
            let sight = usize::from(populated);
            let (all, is_unseen) = (node.sights[sight].all(), node.unseen[sight] != 0);
            self.see(index, sight, all, is_unseen);
        }
    }

    /// Notes what was seen of the child without children whose first block is `first`.
    fn saw(&mut self, first: u32, populated: bool, seen: &Seen) {
        let (index, sight) = (self.index(first), usize::from(populated));
        let is_unseen = match &mut self.children[index] {
            Child::Node(node) => {
                node.saw(first, populated, seen);
                // That may be too much; a step that finds nothing in the child counts anew.
                let all = self.sights[sight].seen(index).or(&seen.spans);
                let is_unseen = node.unseen[sight] != 0;
                return self.see(index, sight, all, is_unseen);
            }
            Child::Leaf(leaf) => {
                leaf.unseen[sight] &= !seen.blocks;
                leaf.unseen[sight] != 0
            }
            Child::Untouched | Child::Outside => false,
        };
        self.see(index, sight, seen.spans, is_unseen);
    }

    /// Notes what there is to say of the holes of a child, and whether more is to be looked at.
    fn see(&mut self, index: usize, sight: usize, spans: Spans, is_unseen: bool) {
        self.sights[sight].set(index, spans);
        self.unseen[sight] = self.unseen[sight] & !(1 << index) | u32::from(is_unseen) << index;
    }

    /// Free blocks in a row, of which `block` is the first.
    fn free_from(&self, block: u32, populated: bool) -> u32 {
        let (at, last) = (self.index(block), (1 << self.shift) - 1);
        let mut run = 0;
        for index in at..FANOUT {
            let from = if index == at { block & last } else { 0 };
            let here = match &self.children[index] {
                _ if from == 0 && !populated => self.runs.of(index).first,
                Child::Untouched if !populated => last + 1 - from,
                Child::Node(node) => node.free_from(from, populated),
                Child::Leaf(leaf) => (leaf.takable(populated) >> from).trailing_ones(),
                Child::Untouched | Child::Outside => 0,
            };
            run += here;
            if from + here <= last {
                break;
            }
        }
        run
    }

    /// Free blocks in a row, of which `block` is the last.
    fn free_up_to(&self, block: u32, populated: bool) -> u32 {
        let (at, last) = (self.index(block), (1 << self.shift) - 1);
        let mut run = 0;
        for index in (0..=at).rev() {
            let to = if index == at { block & last } else { last };
            let here = match &self.children[index] {
                _ if to == last && !populated => self.runs.of(index).last,
                Child::Untouched if !populated => to + 1,
                Child::Node(node) => node.free_up_to(to, populated),
                Child::Leaf(leaf) => (leaf.takable(populated) << (FANOUT as u32 - 1 - to)).leading_ones(),
                Child::Untouched | Child::Outside => 0,
            };
            run += here;
            if here <= to {
                break;
            }
        }
        run
    }
}

/// A look at one child.
struct Look<'a> {
    root: &'a Node,
    /// The child; `None` where it is untouched.
    leaf: Option<&'a Leaf>,
    /// Its first block.
    first: u32,
    request: &'a Request,
}

impl Look<'_> {
    /// The lowest place in a hole that reaches a border of an unseen block, or of any block where by what is `said` there may be one.
    fn at_child(&self, said: Spans) -> Result<u64, Seen> {
        match self.leaf {
            // All of it is in one hole.
            None => self.at_blocks(1, Spans::NONE),
            // It may fit, or what is said is of another time.
            Some(leaf) if said.may_fit(self.request) || self.unseen(leaf) == !0 => self.at_blocks(!0, Spans::NONE),
            Some(leaf) => self.at_blocks(self.unseen(leaf), said),
        }
    }

    /// The blocks of which holes at borders may have grown.
    fn unseen(&self, leaf: &Leaf) -> u32 {
        leaf.unseen[usize::from(self.request.populated)]
    }

    /// The same for `blocks`, where it is enough to say `spans` of the others.
    fn at_blocks(&self, blocks: u32, mut spans: Spans) -> Result<u64, Seen> {
        let free = self.leaf.map_or(!0, |leaf| leaf.takable(self.request.populated) | leaf.published());
        let mut reached = 0;
        for index in ones(blocks & free) {
            for hole in self.holes_at(self.first + index, reached).into_iter().flatten() {
                let aligned = hole.start.next_multiple_of(1 << self.request.lane);
                if aligned + self.request.granules <= hole.end {
                    return Ok(aligned);
                }
                spans = spans.or(&Spans::of(hole.start, hole.end));
                reached = hole.end;
            }
        }
        Err(Seen { blocks, spans })
    }

    /// The holes that reach the borders of `block`, and farther than granule `reached`.
    fn holes_at(&self, block: u32, reached: u64) -> [Option<Range<u64>>; 2] {
        let (begin, end) = (granule(block), granule(block + 1));
        if reached >= end {
            return [None, None];
        }
        let Some(bits) = self.bits(block) else {
            let run = self.root.free_from(block, self.request.populated);
            return [(run > 0).then(|| self.begin(block)..self.end(block + run)), None];
        };
        let (head, tail) = (begin + u64::from(bits.next_used(0)), end - u64::from(tail(bits)));
        [
            (head > begin && reached < head).then(|| self.begin(block)..head),
            (tail < end).then(|| tail..self.end(block + 1)),
        ]
    }

    /// Where the hole begins that reaches the border before `block`.
    fn begin(&self, block: u32) -> u64 {
        let Some(before) = block.checked_sub(1) else { return 0 };
        if let Some(bits) = self.bits(before) {
            return granule(block) - u64::from(tail(bits));
        }
        let first = block - self.root.free_up_to(before, self.request.populated);
        let bits = first.checked_sub(1).and_then(|before| self.bits(before));
        granule(first) - bits.map_or(0, |bits| u64::from(tail(bits)))
    }

    /// Where the hole ends that reaches the border before `block`.
    fn end(&self, block: u32) -> u64 {
        let mut end = block;
        if self.bits(block).is_none() && u64::from(block) < self.root.blocks() {
            end += self.root.free_from(block, self.request.populated);
        }
        granule(end) + self.bits(end).map_or(0, |bits| u64::from(bits.next_used(0)))
    }

    /// What is taken of `block`, where it is one that others may be put into. None is behind the last, from where the way down would begin
    /// at the first again.
    fn bits(&self, block: u32) -> Option<&Bits> {
        if u64::from(block) >= self.root.blocks() {
            return None;
        }
        let leaf = if block / FANOUT as u32 == self.first / FANOUT as u32 { self.leaf } else { self.root.leaf(block) };
        leaf?.shared(block % FANOUT as u32)
    }
}

/// Free granules at the end of a block.
fn tail(bits: &Bits) -> u32 {
    GRANULES - bits.hole_around(GRANULES, GRANULES).0
}

/// The first granule of `block`.
fn granule(block: u32) -> u64 {
    u64::from(block) * u64::from(GRANULES)
}
