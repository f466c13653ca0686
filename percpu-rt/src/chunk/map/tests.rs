//! Random changes, after each of which all that the map says of itself has to be what counting anew says, and of holes at
//! least that.

extern crate std;

use core::ptr::NonNull;
use std::alloc::{Layout, alloc, dealloc};
use std::vec::Vec;

use super::holes::{BLOCK, GRANULE, GRANULES, Holes};
use super::leaf::{Kind, Leaf, ones};
use super::node::{Child, Node};
use super::request::{Entry, Fresh, Placed, Request, Want};
use super::runs::{FANOUT, Neighbours, Runs};
use super::zone::Zone;
use super::{FreeError, Map};
use crate::chunk::memory::MetadataPage;

mod ahead;
mod recount;
mod refusals;

fn page() -> MetadataPage {
    let layout = Layout::from_size_align(MetadataPage::SIZE, MetadataPage::SIZE).unwrap();
    // SAFETY: the layout has a size, and the page is as large and aligned as it has to be.
    unsafe { MetadataPage::from_raw(NonNull::new(alloc(layout)).unwrap()) }
}

fn free_page(page: MetadataPage) {
    let layout = Layout::from_size_align(MetadataPage::SIZE, MetadataPage::SIZE).unwrap();
    // SAFETY: every page of a map has come from `page`.
    unsafe { dealloc(page.into_raw().as_ptr(), layout) };
}

/// Does `change` until it has the records that it needs.
fn with_records<T>(map: &mut Map, mut change: impl FnMut(&mut Map) -> Result<T, Want>) -> Option<T> {
    loop {
        match change(map) {
            Ok(done) => return Some(done),
            Err(Want::Range) => return None,
            Err(Want::Turn) => {}
            Err(Want::Metadata(pages)) => (0..pages).for_each(|_| map.donate(page())),
        }
    }
}

/// What a leaf says of itself; returns the pages that may be given back.
fn check_leaf(leaf: &Leaf) -> usize {
    for (index, block) in leaf.blocks.iter().enumerate() {
        let bit = 1 << index;
        let zones = Zone::ALL.map(|zone| leaf.zones[zone as usize] & bit != 0);
        let mut holes = Holes::NONE;
        match (block.kind, &block.bits) {
            (Kind::Free, None) => assert_eq!((block.used, zones), (0, [false; 2])),
            (Kind::Start | Kind::Inside, None) => {
                assert_eq!((block.used, zones, leaf.free & bit), (GRANULES as u16, [false; 2], 0));
            }
            (Kind::Shared, Some(bits)) => {
                let used = (0..GRANULES).filter(|&granule| bits.at(granule) != super::bits::At::Free).count();
                assert_eq!(usize::from(block.used), used);
                let [said, counted] = bits.open();
                assert_eq!(said, counted, "words of block {index}");
                // What is not zeroed when it is handed out lies behind all that was, so behind all that is taken but by somebody else.
                let is_foreign = leaf.fixed & bit != 0 && bits.at(0) == super::bits::At::Inside;
                let from = u32::from(block.high).max(if is_foreign { bits.end_of_object(0) } else { 0 });
                assert!(bits.next_used(from) >= u32::from(block.end), "block {index}, from {from} on");
                assert_eq!(leaf.free & bit, 0);
                assert!(used > 0);
                // Objects may be put into it from when it is populated on.
                assert_eq!(zones[block.zone as usize], leaf.populated & bit != 0);
                assert!(!zones[block.zone.other() as usize]);
                if zones[block.zone as usize] {
                    holes = bits.holes(&Holes::UNBOUNDED);
                }
            }
            state => panic!("block {index} is {state:?}"),
        }
        // What was taken since the last count need not be known, but nothing may be hidden, but where it is said to be.
        let is_uncounted = leaf.uncounted & bit != 0;
        assert!(is_uncounted || leaf.holes[index].or(holes) == leaf.holes[index], "block {index}");
        assert!(!is_uncounted || zones != [false; 2], "block {index} has nothing to count");
        assert!(zones != [false; 2] || leaf.holes[index] == Holes::NONE, "block {index}");
        if leaf.populated & bit == 0 {
            assert!(block.high == 0 || leaf.free & bit == 0);
        }
    }
    assert!(leaf.floors.iter().zip(leaf.zones).all(|(floor, zone)| floor.is_true_of(zone, &leaf.holes)));
    assert_eq!(leaf.free & leaf.held, 0);
    leaf.pages_of(leaf.surplus())
}

/// What a node says of its children; returns what is counted below it.
fn check_node(node: &Node) -> ([Holes; 2], Runs, usize) {
    let mut surplus_of_all = 0;
    let mut holes_of_all = [Holes::NONE; 2];
    let mut counted = Neighbours::new(false, 1 << node.shift);
    for (index, child) in node.children.iter().enumerate() {
        let (holes, runs, idle, surplus) = match child {
            Child::Outside => ([Holes::NONE; 2], Runs::NONE, false, 0),
            Child::Untouched => ([Holes::NONE; 2], Runs::whole(1 << node.shift), false, 0),
            Child::Leaf(leaf) => {
                let surplus = check_leaf(leaf);
                let holes = Zone::ALL.map(|zone| leaf.holes_of(zone, &Holes::UNBOUNDED));
                (holes, Runs::of_mask(leaf.free), leaf.idle() != 0, surplus)
            }
            Child::Node(below) => {
                let (holes, runs, surplus) = check_node(below);
                (holes, runs, below.idle != 0, surplus)
            }
        };
        let is_uncounted = match child {
            Child::Leaf(leaf) => leaf.uncounted != 0,
            Child::Node(below) => below.uncounted != 0,
            Child::Outside | Child::Untouched => false,
        };
        assert!(!is_uncounted || node.uncounted >> index & 1 != 0, "child {index} is uncounted");
        let said = Zone::ALL.map(|zone| node.holes[zone as usize][index]);
        assert!(said.iter().zip(holes).all(|(said, holes)| said.or(holes) == *said), "child {index}");
        let is_present = matches!(child, Child::Leaf(_) | Child::Node(_));
        assert_eq!(node.present >> index & 1 != 0, is_present, "child {index}");
        assert!(is_present || said == [Holes::NONE; 2], "child {index} has none");
        assert_eq!(node.runs.of(index), runs, "child {index}");
        counted.set(index, runs);
        assert_eq!((node.idle >> index & 1 != 0, node.surplus >> index & 1 != 0), (idle, surplus != 0));
        surplus_of_all += surplus;
        for (all, holes) in holes_of_all.iter_mut().zip(holes) {
            *all = all.or(holes);
        }
    }
    assert!(node.floors.iter().zip(&node.holes).all(|(floor, holes)| floor.is_true_of(!0, holes)));
    assert_eq!(node.runs.all(), counted.all());
    (holes_of_all, node.runs.all(), surplus_of_all)
}

fn check(map: &Map) {
    let surplus = map.root.as_ref().map_or(0, |root| check_node(root).2);
    assert_eq!(map.surplus, surplus + map.pages_ahead());
    refusals::check(map);
}

/// Blocks that are held below `node`, whose first block is `base`, each.
fn held(node: &Node, base: u32, all: &mut Vec<u32>) {
    for (index, child) in node.children.iter().enumerate() {
        let first = base + ((index as u32) << node.shift);
        match child {
            Child::Node(below) => held(below, first, all),
            Child::Leaf(leaf) => all.extend(ones(leaf.held).map(|block| first + block)),
            Child::Outside | Child::Untouched => {}
        }
    }
}

/// As [`check`], where no page is on its way: nothing is held then but for the next small objects.
fn check_settled(map: &Map) {
    check(map);
    let mut all = Vec::new();
    if let Some(root) = &map.root {
        held(root, 0, &mut all);
    }
    assert!(all.iter().copied().eq(map.ahead.clone()), "{all:?} and {:?}", map.ahead);
}

/// A xorshift generator.
fn next(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state >> 16) as usize
}

/// Places an object and populates it, unless `fails` says that its pages are not to be had.
fn place(map: &mut Map, request: &Request, size: usize, fails: bool) -> Option<usize> {
    let (has_room, mut from) = (refusals::has_room(map, request), 0);
    let placed = with_records(map, |map| match map.place(request) {
        Err(Want::Range) => map.place_anywhere(request, &mut from),
        placed => placed,
    });
    let placed = placed.or_else(|| recount::place_uncounted(map, request));
    assert_eq!(placed.is_some(), has_room, "{request:?}");
    check(map);
    let placed = placed?;
    if let Some(Fresh { mut pages, ahead }) = placed.fresh {
        let end = placed.offset + size;
        if fails {
            let own = end.next_multiple_of(BLOCK * map.page_blocks as usize);
            map.unhold(own..own + ahead);
            check(map);
            map.cancel(placed.offset, size);
            return None;
        }
        loop {
            map.set_populated(pages.clone(), end);
            check(map);
            let Some(next) = map.unpopulated(pages.end, end, ahead) else { break };
            pages = next;
        }
    }
    Some(placed.offset)
}

/// With an object of `large` bytes, which stays.
fn run(page_blocks: u32, blocks: usize, large: usize, steps: usize) {
    let mut random = 0x9e37_79b9_7f4a_7c15;
    let mut map = Map::new(page_blocks);
    let fixed = 300..BLOCK * 3 * page_blocks as usize;
    let rest = fixed.end + BLOCK * page_blocks as usize..blocks * BLOCK;
    with_records(&mut map, |map| map.add_range(&fixed, true));
    with_records(&mut map, |map| map.add_range(&rest, false));
    check(&map);
    let mut live = Vec::new();
    if large > 0 {
        place(&mut map, &Request::new(large, 4, false), large, false).expect("room");
    }
    for _ in 0..steps {
        match next(&mut random) % 8 {
            0..=3 => {
                let size = match next(&mut random) % 9 {
                    0 => 4096 * (1 + next(&mut random) % 4),
                    // Looked for in vain, most often.
                    8 => 1 + next(&mut random) % (blocks * BLOCK),
                    1 => 1 + next(&mut random) % 20_000,
                    2..=4 => 1 + next(&mut random) % 4096,
                    _ => 1 + next(&mut random) % 64,
                };
                let align = 1 << (next(&mut random) % 13);
                let request = Request::new(size, align, next(&mut random).is_multiple_of(8));
                let fails = next(&mut random).is_multiple_of(4);
                live.extend(place(&mut map, &request, size, fails).map(|offset| (offset, size)));
            }
            4 => {
                let size = 4 * (1 + next(&mut random) % 100);
                let mut places = [Entry::EMPTY; 8];
                let count = map.place_many(&Request::new(size, 4, false), &mut places);
                live.extend(places[..count].iter().map(|place| (place.offset(), size)));
            }
            5 if !live.is_empty() => {
                // Some of one size together, as a cache does, in the order of their addresses.
                let (_, size) = live[next(&mut random) % live.len()];
                let mut places: Vec<Entry> = Vec::new();
                live.retain(|&(offset, of)| {
                    let goes = of == size && places.len() < 8;
                    if goes {
                        places.push(Entry::new(offset, true));
                    }
                    !goes
                });
                places.sort();
                let freed = map.release_many(&places, size.div_ceil(4) as u64, usize::MAX);
                assert_eq!(freed, (places.len(), None));
            }
            6 => {
                while let Some(pages) = map.take_surplus() {
                    check(&map);
                    map.set_depopulated(pages);
                }
                while let Some((page, _)) = map.surplus_metadata() {
                    free_page(page);
                }
            }
            _ if !live.is_empty() => {
                let (offset, size) = live.swap_remove(next(&mut random) % live.len());
                assert_eq!(map.release(offset), Ok(size.next_multiple_of(4)));
                assert!(matches!(map.release(offset), Err(FreeError::Nothing)));
            }
            _ => {}
        }
        check_settled(&map);
    }
    for (offset, size) in live {
        assert_eq!(map.release(offset), Ok(size.next_multiple_of(4)));
    }
    check_settled(&map);
    while let Some(page) = map.dismantle() {
        free_page(page);
    }
    assert_eq!(map.metadata_bytes(), 0);
}

/// Steps that an unoptimised build does in some seconds.
const STEPS: usize = if cfg!(miri) { 60 } else { 500 };

#[test]
fn the_indexes_say_what_counting_says() {
    run(1, FANOUT * 40, 0, STEPS);
}

/// Where much is refused.
#[test]
fn nothing_is_hidden_in_a_full_map() {
    run(1, FANOUT * 3, 0, 2 * STEPS);
}

#[test]
fn with_pages_of_several_blocks() {
    run(16, FANOUT * 6, 0, STEPS);
}

/// Of so many that some come along with an object's.
#[test]
fn with_many_pages_of_several_blocks() {
    run(4, FANOUT * 64, FANOUT * 49 * BLOCK, 2 * STEPS);
}
