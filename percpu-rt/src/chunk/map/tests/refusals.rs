//! Refusals: nothing is refused that there is a place for, and not much is looked at for it at a time.

use std::vec::Vec;

use super::*;
use crate::chunk::map::bits::Bits;
use crate::chunk::map::spans::Spans;

/// A child without children, as the scan has it.
struct Part {
    /// Granules.
    begin: u64,
    end: u64,
    /// What is said of it.
    seen: Spans,
    /// Its blocks that are to be looked at.
    unseen: u32,
    /// The free runs in it.
    free: Vec<(u64, u64)>,
}

/// Goes through all parts; checks what is said of nodes.
fn parts(node: &Node, base: u32, populated: bool, all: &mut Vec<Part>) {
    let sight = &node.sights[usize::from(populated)];
    for (index, child) in node.children.iter().enumerate() {
        let first = base + ((index as u32) << node.shift);
        let (begin, end) = (u64::from(first) * 1024, (u64::from(first) + (1 << node.shift)) * 1024);
        let (seen, is_unseen) = (sight.seen(index), node.unseen[usize::from(populated)] >> index & 1 != 0);
        let (unseen, free) = match child {
            Child::Node(below) => {
                assert!(is_unseen || below.unseen[usize::from(populated)] == 0, "node {index}");
                assert_eq!(seen.or(&below.sights[usize::from(populated)].all()), seen, "node {index}");
                parts(below, first, populated, all);
                continue;
            }
            Child::Leaf(leaf) => {
                let unseen = leaf.unseen[usize::from(populated)];
                assert!(is_unseen || unseen == 0, "leaf {index}");
                (unseen, free_in(leaf, begin, populated))
            }
            Child::Untouched if !populated => (if is_unseen { !0 } else { 0 }, std::vec![(begin, end)]),
            Child::Untouched | Child::Outside => (0, Vec::new()),
        };
        all.push(Part { begin, end, seen, unseen, free });
    }
}

fn free_in(leaf: &Leaf, begin: u64, populated: bool) -> Vec<(u64, u64)> {
    let mut free = Vec::new();
    for (index, block) in leaf.blocks.iter().enumerate() {
        let at = begin + index as u64 * 1024;
        let bit = 1 << index;
        match block.bits.as_deref() {
            Some(bits) if (leaf.zones[0] | leaf.zones[1]) & bit != 0 => {
                free.extend(runs(bits).map(|(from, to)| (at + from, at + to)));
            }
            _ if leaf.free & bit != 0 && (!populated || leaf.populated & bit != 0) => free.push((at, at + 1024)),
            _ => {}
        }
    }
    free
}

fn runs(bits: &Bits) -> impl Iterator<Item = (u64, u64)> {
    let mut from = 0;
    core::iter::from_fn(move || {
        let begin = bits.next_free(from);
        from = bits.next_used(begin);
        (begin < GRANULES).then_some((u64::from(begin), u64::from(from)))
    })
}

/// All holes, and the parts.
fn survey(map: &Map, populated: bool) -> (Vec<(u64, u64)>, Vec<Part>) {
    let mut all = Vec::new();
    if let Some(root) = &map.root {
        parts(root, 0, populated, &mut all);
    }
    (joined(all.iter().flat_map(|part| &part.free)), all)
}

/// Holes as they are with those that they adjoin.
fn joined<'a>(parts: impl Iterator<Item = &'a (u64, u64)>) -> Vec<(u64, u64)> {
    let mut holes: Vec<(u64, u64)> = Vec::new();
    for &(begin, end) in parts {
        match holes.last_mut() {
            Some(last) if last.1 == begin => last.1 = end,
            _ => holes.push((begin, end)),
        }
    }
    holes
}

/// Whether there is a place, by looking at all.
pub(super) fn has_room(map: &Map, request: &Request) -> bool {
    let (mut holes, _) = survey(map, request.populated);
    // What is held for nobody in particular is freed for whoever finds nothing.
    if !map.ahead.is_empty() {
        holes.push((u64::from(map.ahead.start) * 1024, u64::from(map.ahead.end) * 1024));
        holes.sort_unstable();
    }
    joined(holes.iter()).iter().any(|&(begin, end)| begin.next_multiple_of(1 << request.lane) + request.granules <= end)
}

/// No hole at a border is hidden: whatever of it lies in no unseen block is said of a part that it reaches into.
pub(super) fn check(map: &Map) {
    for populated in [false, true] {
        let (holes, parts) = survey(map, populated);
        for (begin, end) in holes {
            let (first, last) = (begin / 1024, (end - 1) / 1024);
            if first == last && begin % 1024 != 0 && end % 1024 != 0 {
                continue;
            }
            let around: Vec<&Part> = parts.iter().filter(|part| part.begin < end && begin < part.end).collect();
            // Where unseen blocks end and begin; the hole's own ends.
            let mut cuts = std::vec![(begin, begin)];
            for part in &around {
                let blocks = (part.end - part.begin) / 1024;
                if part.unseen == !0 {
                    cuts.push((part.begin, part.end));
                } else {
                    let unseen = (0..blocks.min(32)).filter(|block| part.unseen >> block & 1 != 0);
                    cuts.extend(unseen.map(|block| (part.begin + block * 1024, part.begin + (block + 1) * 1024)));
                }
            }
            cuts.push((end, end));
            for pair in cuts.windows(2) {
                let (from, to) = (pair[0].1.max(begin), pair[1].0.min(end));
                if from < to {
                    check_stretch(&around, from, to, populated);
                }
            }
        }
    }
}

/// Every part of the stretch, as it may be left when the rest is taken.
fn check_stretch(around: &[&Part], from: u64, to: u64, populated: bool) {
    let within: Vec<_> = around.iter().filter(|part| part.begin < to && from < part.end).collect();
    for first in 0..within.len() {
        for last in first..within.len() {
            let spans = Spans::of(from.max(within[first].begin), to.min(within[last].end));
            assert!(
                within[first..=last].iter().any(|part| part.seen.or(&spans) == part.seen),
                "from {from} to {to}, where only populated: {populated}"
            );
        }
    }
}

/// A map of whole chunks in which every block has one object that leaves `left` bytes at its end.
fn full(chunks: usize, left: usize) -> Map {
    let mut map = Map::new(1);
    with_records(&mut map, |map| map.add_range(&(0..chunks * FANOUT * BLOCK), false));
    while let Some(placed) = with_records(&mut map, |map| map.place(&Request::new(BLOCK - left, 4, false))) {
        let ahead = placed.fresh.map_or(0, |fresh| fresh.ahead);
        while let Some(pages) = map.unpopulated(placed.offset, placed.offset + BLOCK - left, ahead) {
            map.set_populated(pages, placed.offset + BLOCK - left);
        }
    }
    map
}

fn end(mut map: Map) {
    while let Some(page) = map.dismantle() {
        free_page(page);
    }
}

/// Leaves that have something to look at.
fn unseen(map: &Map, populated: bool) -> usize {
    survey(map, populated).1.iter().filter(|part| part.unseen != 0).count()
}

/// Asks for more than there is; the leaves that each turn has looked at.
fn refuse(map: &mut Map, request: &Request) -> Vec<usize> {
    let mut turns = Vec::new();
    let (mut from, mut rest) = (0, unseen(map, request.populated));
    loop {
        let placed = map.place_anywhere(request, &mut from);
        let left = unseen(map, request.populated);
        turns.push(rest - left);
        rest = left;
        check(map);
        match placed {
            Err(Want::Turn) => {}
            Err(Want::Range) => return turns,
            other => panic!("{other:?}"),
        }
    }
}

/// Something has grown in every leaf.
#[test]
fn a_refusal_looks_at_some_leaves_at_a_time() {
    const CHUNKS: usize = 40;
    for populated in [false, true] {
        let mut map = full(CHUNKS, 60);
        for chunk in 0..CHUNKS {
            map.release((chunk * FANOUT + 7) * BLOCK).expect("live");
        }
        let request = Request::new(2 * BLOCK, 4, populated);
        let turns = refuse(&mut map, &request);
        assert_eq!(turns.iter().sum::<usize>(), CHUNKS);
        assert!(turns.iter().all(|&leaves| leaves <= 8), "{turns:?}");
        assert_eq!(refuse(&mut map, &request), [0], "nothing has grown since");
        end(map);
    }
}

/// A hole is looked at to where it ends, whichever of its blocks has been freed last.
#[test]
fn a_hole_that_grows_is_seen_whole() {
    const LEFT: usize = 2000;
    for blocks in [[40, 41], [41, 40], [31, 32], [32, 31]] {
        let mut map = full(3, LEFT);
        for block in blocks {
            map.release(block * BLOCK).expect("live");
            refuse(&mut map, &Request::new(4 * BLOCK, 4, false));
        }
        let (request, mut from) = (Request::new(2 * BLOCK + LEFT, 4, false), 0);
        let placed = with_records(&mut map, |map| map.place_anywhere(&request, &mut from));
        assert_eq!(placed.expect("there is a place").offset, blocks[0].min(blocks[1]) * BLOCK - LEFT);
        end(map);
    }
}

/// What nothing was in, and was seen as one hole, is seen anew when something is put into the midst of it.
#[test]
fn what_was_untouched_is_seen_anew() {
    let node = FANOUT * FANOUT;
    let mut map = Map::new(1);
    with_records(&mut map, |map| map.add_range(&(0..3 * node * BLOCK), false));
    refuse(&mut map, &Request::new(4 * node * BLOCK, 4, false));
    for blocks in [node + 5, 1, node / 2] {
        with_records(&mut map, |map| map.place(&Request::new(blocks * BLOCK, 4, false))).expect("room");
        check(&map);
        refuse(&mut map, &Request::new(3 * node * BLOCK, 4, false));
    }
    end(map);
}

/// Holes are remembered in few bits, so what is hardly too long is looked for in vain; there is an end to it.
#[test]
fn what_is_hardly_too_long_is_refused() {
    let mut map = full(3, 16);
    for block in 30..70 {
        map.release(block * BLOCK).expect("live");
    }
    // With the ends of the blocks before and of the last.
    let longest = 40 * BLOCK + 16;
    for populated in [false, true] {
        for size in [longest + 4, longest + 8, longest + 100] {
            refuse(&mut map, &Request::new(size, 4, populated));
        }
    }
    let mut from = 0;
    let placed = with_records(&mut map, |map| map.place_anywhere(&Request::new(longest, 4, true), &mut from));
    assert_eq!(placed.expect("there is a place").offset, 30 * BLOCK - 16);
    end(map);
}

/// Behind the last block comes nothing, and not the first again.
#[test]
fn a_hole_ends_where_the_map_does() {
    let end_of_map = FANOUT * FANOUT * BLOCK;
    let mut map = Map::new(1);
    with_records(&mut map, |map| map.add_range(&(0..end_of_map), true));
    let mut place = |size| with_records(&mut map, |map| map.place(&Request::new(size, 4, false))).expect("room").offset;
    let first = place(2000);
    assert_eq!([first, place(2000), place(end_of_map - 3 * 2000 - 96)], [0, 2000, BLOCK]);
    map.release(first).expect("live");
    refuse(&mut map, &Request::new(3000, 4, false));
    let mut from = 0;
    let placed = with_records(&mut map, |map| map.place_anywhere(&Request::new(2000, 4, false), &mut from));
    assert_eq!(placed.expect("there is a place").offset, first);
    end(map);
}

/// While others have the lock, a place may come up behind where the look goes on, and those in front of it may be taken.
#[test]
fn what_grows_behind_the_look_is_found() {
    const LEFT: usize = 2000;
    let mut map = full(20, LEFT);
    let (request, mut from) = (Request::new(2 * BLOCK + LEFT, 4, false), 0);
    assert_eq!(map.place_anywhere(&request, &mut from).err(), Some(Want::Turn));
    let block = 3 * FANOUT + 5;
    assert!(from > block as u64);
    for block in [block, block + 1] {
        map.release(block * BLOCK).expect("live");
    }
    let placed = with_records(&mut map, |map| map.place_anywhere(&request, &mut from));
    assert_eq!(placed.expect("there is a place").offset, block * BLOCK - LEFT);
    end(map);
}

/// As many blocks as a number holds, one of which is idle.
#[test]
fn no_sum_of_blocks_is_small_again() {
    let mut map = Map::new(1);
    with_records(&mut map, |map| map.add_range(&(0..FANOUT * BLOCK), true));
    with_records(&mut map, |map| map.place(&Request::new(BLOCK, 4, false))).expect("room");
    let all_but = |less: usize, lane: usize| Request::new((u32::MAX as usize - less) * BLOCK, 4 << lane, true);
    for request in (0..3).flat_map(|less| [all_but(less, 0), all_but(less, 15)]) {
        assert_eq!(map.place(&request).err(), Some(Want::Range), "{request:?}");
    }
    end(map);
}

/// A leaf that was made ahead of need has a page for records to itself, and there is none for what is needed.
#[test]
fn a_leaf_that_is_ready_is_given_up() {
    const CHUNK: usize = FANOUT * BLOCK;
    for populated in [false, true] {
        let mut map = Map::new(1);
        with_records(&mut map, |map| map.add_range(&(0..FANOUT * CHUNK), false));
        let mut large = |size| place(&mut map, &Request::new(size, 4, false), size, false).expect("room");
        // As many leaves as a page has.
        let last = [large(CHUNK), large(CHUNK), large(CHUNK)][2];
        map.release(last).expect("live");
        assert!(!map.records.is_leaf_ready());
        if map.records.lacking() > 0 {
            map.donate(page());
        }
        // In the second half of a leaf, who takes a block makes the next.
        for _ in 0..=FANOUT / 2 {
            map.place(&Request::new(BLOCK, 4, false)).expect("an idle block");
        }
        assert!(map.records.is_leaf_ready() && map.records.lacking() > 0, "it has the last page");
        let placed = map.place(&Request::new(8, 4, populated));
        assert_eq!(placed.expect("an idle block, and a page for its bits").offset, last + (FANOUT / 2 + 1) * BLOCK);
        end(map);
    }
}
