//! Holes that were left uncounted: when they are found all the same.

use super::super::recount::Counted;
use super::{Map, *};

const SMALL: usize = 16;
const LARGE: usize = 4 * SMALL;

/// Counts all, until there is a place.
pub(super) fn place_uncounted(map: &mut Map, request: &Request) -> Option<Placed> {
    let mut from = 0;
    loop {
        match map.place_in_uncounted(request, &mut from) {
            Counted::Placed(placed) => return Some(placed),
            Counted::All => return None,
            Counted::NotAll => check(map),
        }
    }
}

/// A map of `blocks` blocks, all of them full of small objects; and these.
fn full(blocks: usize) -> (Map, Vec<usize>) {
    let mut map = Map::new(1);
    with_records(&mut map, |map| map.add_range(&(0..blocks * BLOCK), false));
    let request = Request::new(SMALL, 4, false);
    let mut small = || {
        let placed = with_records(&mut map, |map| map.place(&request)).expect("room");
        if let Some(Fresh { pages, .. }) = placed.fresh {
            map.set_populated(pages, placed.offset + SMALL);
        }
        placed.offset
    };
    let objects = (0..blocks * BLOCK / SMALL).map(|_| small()).collect();
    check_settled(&map);
    (map, objects)
}

/// Frees objects in a row of block `block`, as a stock does, from the one at `first` of it on.
fn free(map: &mut Map, objects: &[usize], block: usize, first: usize, count: usize) {
    let at = block * BLOCK / SMALL + first;
    let places: Vec<_> = objects[at..at + count].iter().map(|offset| Entry::new(*offset, true)).collect();
    assert_eq!(map.release_many(&places, (SMALL / GRANULE) as u64, usize::MAX), (count, None));
    check_settled(map);
}

/// Four, as long as a large one.
fn free_four(map: &mut Map, objects: &[usize], block: usize, first: usize) {
    free(map, objects, block, first, LARGE / SMALL);
}

/// Where a large object goes that the indexes know a place for.
fn known(map: &mut Map) -> Option<usize> {
    map.place(&Request::new(LARGE, 4, true)).ok().map(|placed| placed.offset)
}

/// Blocks of the first leaf that are uncounted.
fn uncounted(map: &Map) -> u32 {
    map.root.as_ref().and_then(|root| root.leaf(0)).expect("in use").uncounted
}

fn end(mut map: Map) {
    while let Some(page) = map.dismantle() {
        free_page(page);
    }
}

#[test]
fn what_is_freed_at_once_is_known_by_its_own_size() {
    let (mut map, objects) = full(2);
    free_four(&mut map, &objects, 1, 8);
    assert_eq!(known(&mut map), None);
    let again = map.place(&Request::new(SMALL, 4, true)).expect("known");
    assert_eq!(again.offset, objects[BLOCK / SMALL + 8]);
    end(map);
}

#[test]
fn a_block_that_is_full_again_has_nothing_to_count() {
    let (mut map, objects) = full(2);
    free_four(&mut map, &objects, 1, 8);
    let mut places = [Entry::EMPTY; LARGE / SMALL];
    assert_eq!(map.place_many(&Request::new(SMALL, 4, false), &mut places), places.len());
    check_settled(&map);
    assert_eq!(uncounted(&map), 0);
    end(map);
}

#[test]
fn what_was_missed_is_counted_by_the_next_that_finds_a_place() {
    let (mut map, objects) = full(3);
    free_four(&mut map, &objects, 1, 8);
    free_four(&mut map, &objects, 2, 20);
    let small = |map: &mut Map| map.place(&Request::new(SMALL, 4, false)).expect("known").offset;
    assert_eq!(small(&mut map), objects[BLOCK / SMALL + 8]);
    assert_eq!(uncounted(&map), 0b110, "nothing was missed");
    assert_eq!(known(&mut map), None);
    // The first has too little left to be worth it.
    small(&mut map);
    check_settled(&map);
    assert_eq!(uncounted(&map), 0b010);
    assert_eq!(known(&mut map), Some(objects[2 * BLOCK / SMALL + 20]));
    end(map);
}

#[test]
fn nothing_is_refused_that_is_uncounted() {
    let (mut map, objects) = full(2);
    free_four(&mut map, &objects, 1, 8);
    assert_eq!(known(&mut map), None);
    let placed = place_uncounted(&mut map, &Request::new(LARGE, 4, true)).expect("room");
    assert_eq!(placed.offset, objects[BLOCK / SMALL + 8]);
    check_settled(&map);
    // Who is refused has counted all.
    assert!(place_uncounted(&mut map, &Request::new(LARGE, 4, true)).is_none());
    assert_eq!(map.root.as_ref().expect("in use").uncounted, 0);
    end(map);
}

/// The others have their turn.
#[test]
fn not_all_is_counted_without_a_break() {
    let blocks = 3 * FANOUT;
    let (mut map, objects) = full(blocks);
    // The last has room; the others have four places that do not adjoin.
    for block in 0..blocks - 1 {
        let places: Vec<_> = (0..4).map(|at| Entry::new(objects[block * BLOCK / SMALL + 2 * at], true)).collect();
        assert_eq!(map.release_many(&places, (SMALL / GRANULE) as u64, usize::MAX), (4, None));
    }
    free_four(&mut map, &objects, blocks - 1, 8);
    let (mut from, mut turns) = (0, 0);
    let placed = loop {
        match map.place_in_uncounted(&Request::new(LARGE, 4, false), &mut from) {
            Counted::NotAll => turns += 1,
            Counted::Placed(placed) => break placed,
            Counted::All => panic!("there is room"),
        }
        check_settled(&map);
    };
    assert_eq!(placed.offset, objects[(blocks - 1) * BLOCK / SMALL + 8]);
    assert!(turns >= blocks / 4 - 1, "{turns}");
    end(map);
}

/// Objects of which few are in a block are looked at, each.
#[test]
fn holes_that_larger_objects_leave_are_known() {
    let mut map = Map::new(1);
    with_records(&mut map, |map| map.add_range(&(0..BLOCK), false));
    let request = Request::new(256, 4, false);
    let objects: Vec<_> = (0..16).map(|_| place(&mut map, &request, 256, false).expect("room")).collect();
    let places = [Entry::new(objects[3], true), Entry::new(objects[4], true)];
    assert_eq!(map.release_many(&places, 64, usize::MAX), (2, None));
    check_settled(&map);
    assert_eq!(map.place(&Request::new(512, 4, true)).expect("known").offset, objects[3]);
    end(map);
}

/// By two requests: one of the same zone, one of the other.
#[test]
fn nothing_is_refused_whatever_its_zone() {
    for size in [LARGE, 32 * SMALL] {
        let (mut map, objects) = full(2);
        for first in (0..32).step_by(4) {
            free_four(&mut map, &objects, 1, first);
        }
        assert!(map.place(&Request::new(size, 4, true)).is_err());
        let placed = place_uncounted(&mut map, &Request::new(size, 4, true)).expect("room");
        assert_eq!(placed.offset, objects[BLOCK / SMALL], "{size}");
        end(map);
    }
}

#[test]
fn what_is_uncounted_stays_so_when_the_root_grows() {
    let (mut map, objects) = full(3 * FANOUT);
    free_four(&mut map, &objects, 70, 8);
    let far = FANOUT * FANOUT * FANOUT * BLOCK;
    with_records(&mut map, |map| map.add_range(&(far..far + BLOCK), false));
    check_settled(&map);
    let placed = place_uncounted(&mut map, &Request::new(LARGE, 4, true)).expect("room");
    assert_eq!(placed.offset, objects[70 * BLOCK / SMALL + 8]);
    end(map);
}

/// Searches look from where the last has looked, up to the end and from the begin again, and not at blocks of the other zone.
#[test]
fn what_was_missed_is_looked_for_in_turn() {
    let (mut map, objects) = full(4);
    let small = |map: &mut Map| map.place(&Request::new(SMALL, 4, false)).expect("known").offset;
    // Room for a large one in all, and not in one.
    let missed = |map: &mut Map| assert_eq!(known(map), None);
    for block in 0..4 {
        free(&mut map, &objects, block, 100, 2);
        free(&mut map, &objects, block, 200, 3);
    }
    for left in [0b1110, 0b1100, 0b1000, 0b0000] {
        missed(&mut map);
        small(&mut map);
        assert_eq!(uncounted(&map), left);
    }
    // From the begin again; and two searches are enough for what was missed once.
    for block in 1..4 {
        free(&mut map, &objects, block, 40, 3);
    }
    small(&mut map);
    assert_eq!(uncounted(&map), 0b1100);
    small(&mut map);
    assert_eq!(uncounted(&map), 0b1100, "the second was the last");
    // Objects of this size lie in the other zone.
    assert!(map.place(&Request::new(2 * LARGE, 4, true)).is_err());
    small(&mut map);
    assert_eq!(uncounted(&map), 0b1100);
    end(map);
}

/// What a block has of an object that goes on in the next is not one of its size.
#[test]
fn half_an_object_is_not_freed() {
    let mut map = Map::new(1);
    with_records(&mut map, |map| map.add_range(&(0..4 * BLOCK), true));
    let request = |size: usize| Request::new(size, 4, false);
    // It begins in the block of another, which leaves as much of that as it has of its next.
    let first = with_records(&mut map, |map| map.place(&request(BLOCK + BLOCK / 2))).expect("room").offset;
    let across = with_records(&mut map, |map| map.place(&request(BLOCK + BLOCK / 4))).expect("room").offset;
    assert_eq!((first, across), (0, BLOCK + BLOCK / 2));
    let half = [Entry::new(across, true)];
    for granules in [BLOCK / 2 / GRANULE, 4] {
        assert_eq!(map.release_many(&half, granules as u64, usize::MAX), (0, Some(FreeError::Interior)));
        check_settled(&map);
    }
    let whole = ((BLOCK + BLOCK / 4) / GRANULE) as u64;
    assert_eq!(map.release_many(&half, whole, usize::MAX), (1, None));
    end(map);
}
