//! Holes that nobody knows of yet: what was freed many at a time has joined what lay free beside it.
//!
//! To find out what lies beside each place is a third of what it takes to free it, and most blocks of a heap in decline are emptied
//! before anybody asks. So a free of many notes the length of one of them, which is enough for the next of their size and
//! alignment, and that the block is uncounted:
//!
//! ```text
//!  before   ████··██████████      noted: a hole of 2
//!  after    ████····██··████      noted: a hole of 2, uncounted: there is one of 4
//! ```
//!
//! Its holes are counted when more was asked for than is known anywhere: of one block by each of the next searches that find a place,
//! since who was behind has opened another block and had enough to do; and of all before a request is refused.

use super::Map;
use super::freed::News;
use super::holes::{GRANULES, Holes};
use super::leaf::{Leaf, ones};
use super::node::{Child, Node};
use super::request::{Placed, Request};
use super::runs::FANOUT;
use super::zone::Zone;

/// Granules of the smallest objects of which not so many are in a block: what is free around each is found out at once.
pub(super) const COUNTED: u32 = 64;

/// Searches that have a block counted for what was missed.
const LOOKS: u32 = 2;

/// Blocks that are counted without a break: of each, at the worst, every other granule is free.
const AT_ONCE: usize = 4;

/// What was looked for in vain last.
#[derive(Debug)]
pub(super) struct Missed {
    zone: Zone,
    granules: u32,
    /// Searches that are yet to have a block counted.
    pub(super) looks: u32,
    /// The block from which on they look for one.
    from: u32,
}

impl Missed {
    pub(super) const NOTHING: Self = Self { zone: Zone::Small, granules: 0, looks: 0, from: 0 };
}

/// What has come of a part of the counting.
pub(in crate::chunk) enum Counted {
    /// A place was there.
    Placed(Placed),
    /// Nothing is uncounted any more, of what was so in the beginning.
    All,
    /// There is more to count.
    NotAll,
}

impl Map {
    /// Notes that `request` has found no place in `zone`: a hole that it would fit in may be uncounted.
    pub(super) fn missed(&mut self, zone: Zone, request: &Request) {
        self.missed = Missed { zone, granules: request.granules as u32, looks: LOOKS, ..self.missed };
    }

    /// Looks for a leaf with an uncounted block that has room for what was missed, and counts that.
    #[cold]
    pub(super) fn count_for_missed(&mut self) {
        let Self { root: Some(root), missed, .. } = self else { return };
        missed.looks -= 1;
        let Some(found) = root.next_uncounted(missed.from).or_else(|| root.next_uncounted(0)) else { return };
        let Some((block, leaf)) = found.and_then(|block| Some((block, root.leaf(block)?))) else { return };
        // What stays uncounted is looked at for one who needs less, or before a refusal.
        let has_room = |index: &u32| {
            let block = &leaf.blocks[*index as usize];
            GRANULES - u32::from(block.used) >= missed.granules
        };
        let first = block % FANOUT as u32;
        let of_zone = leaf.uncounted & leaf.zones[missed.zone as usize] & !0 << first;
        let found = ones(of_zone).find(has_room);
        missed.from = (block - first).wrapping_add(found.map_or(FANOUT as u32, |index| index + 1));
        if let Some(index) = found {
            root.count(block - first + index);
        }
    }

    /// A place for a request that is refused else, in what is uncounted from `from` on, which moves on. It needs no pages and no records.
    pub(in crate::chunk) fn place_in_uncounted(&mut self, request: &Request, from: &mut u32) -> Counted {
        for _ in 0..AT_ONCE {
            let found = match &mut self.root {
                Some(root) if request.is_small() => root.next_uncounted(*from),
                _ => None,
            };
            let Some(found) = found else { return Counted::All };
            let Some(block) = found else { continue };
            let news = self.root.as_mut().and_then(|root| root.count(block));
            if let Some(news) = news
                && news.holes.fit(request.lane, request.granules as u32)
                && let Some(placed) = self.place_shared(news.zone, request)
            {
                return Counted::Placed(placed);
            }
            let Some(next) = block.checked_add(1) else { return Counted::All };
            *from = next;
        }
        Counted::NotAll
    }
}

impl Node {
    /// Counts the holes of uncounted `block`, and tells the nodes of them; none where it has none that anybody may take.
    fn count(&mut self, block: u32) -> Option<News> {
        let mut news = News::NONE;
        self.leaf_mut(block)?.count(block % FANOUT as u32, &mut news);
        self.tell(block, &news);
        news.has_holes.then_some(news)
    }

    /// The lowest uncounted block at or behind `from`, or, inside, none where what was said of a child is not true any more: it is taken
    /// back, of one at a time.
    fn next_uncounted(&mut self, from: u32) -> Option<Option<u32>> {
        let mut left = self.uncounted & (!0_u32).checked_shl(from >> self.shift)?;
        while left != 0 {
            let index = left.trailing_zeros();
            left &= left - 1;
            let base = index << self.shift;
            let from = from.saturating_sub(base);
            let (found, has_none) = match &mut self.children[index as usize] {
                Child::Node(node) => (node.next_uncounted(from), node.uncounted == 0),
                Child::Leaf(leaf) => {
                    let left = leaf.uncounted & !0 << from;
                    ((left != 0).then(|| Some(left.trailing_zeros())), leaf.uncounted == 0)
                }
                Child::Outside | Child::Untouched => (None, true),
            };
            self.uncounted &= !(u32::from(has_none) << index);
            match found {
                Some(found) => return Some(found.map(|block| base + block)),
                None if has_none => return Some(None),
                // What it has is below `from`.
                None => {}
            }
        }
        None
    }
}

impl Leaf {
    /// Counts the holes of block `index`.
    fn count(&mut self, index: u32, news: &mut News) {
        self.uncounted &= !(1 << index);
        if let Some(bits) = self.shared(index) {
            let holes = bits.holes(&Holes::UNBOUNDED);
            // What was taken is known now, too.
            self.holes[index as usize] = Holes::NONE;
            self.found(index, holes, news);
        }
    }
}
