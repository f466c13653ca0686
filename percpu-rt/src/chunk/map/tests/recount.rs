//! Holes that were left uncounted: when they are found all the same.

use super::*;

const SMALL: usize = 16;
const LARGE: usize = 4 * SMALL;

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

/// Frees four objects in a row of block `block`, as a stock does, from the one at `first` of it on.
fn free_four(map: &mut Map, objects: &[usize], block: usize, first: usize) {
    let at = block * BLOCK / SMALL + first;
    let places: Vec<_> = objects[at..at + 4].iter().map(|offset| Entry::new(*offset, true)).collect();
    assert_eq!(map.release_many(&places, (SMALL / GRANULE) as u64, usize::MAX), (4, None));
    check_settled(map);
}

/// Where a large object goes that the indexes know a place for.
fn known(map: &mut Map) -> Option<usize> {
    map.place(&Request::new(LARGE, 4, true)).ok().map(|placed| placed.offset)
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
fn what_was_missed_is_counted_by_the_next_that_finds_a_place() {
    let (mut map, objects) = full(3);
    free_four(&mut map, &objects, 1, 8);
    free_four(&mut map, &objects, 2, 20);
    let small = |map: &mut Map| map.place(&Request::new(SMALL, 4, true)).expect("known").offset;
    let uncounted = |map: &Map| map.root.as_ref().and_then(|root| root.leaf(0)).expect("in use").uncounted;
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
    let placed = map.place_anywhere(&Request::new(LARGE, 4, true), &mut 0).expect("room");
    assert_eq!(placed.offset, objects[BLOCK / SMALL + 8]);
    check_settled(&map);
    // Who is refused has counted all.
    assert_eq!(map.place_anywhere(&Request::new(LARGE, 4, true), &mut 0).err(), Some(Want::Range));
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
        match map.place_anywhere(&Request::new(LARGE, 4, false), &mut from) {
            Err(Want::Turn) => turns += 1,
            placed => break placed.expect("room"),
        }
        check_settled(&map);
    };
    assert_eq!(placed.offset, objects[(blocks - 1) * BLOCK / SMALL + 8]);
    assert!(turns >= 2, "{turns}");
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
