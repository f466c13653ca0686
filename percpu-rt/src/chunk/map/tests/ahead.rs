//! Pages that came along: who gets them, of what size they may be, and what is left of them for others.

use super::*;

/// Blocks of a page; and pages that are in use, so that one more comes along with each that a small object brings.
const PAGE: u32 = 4;
const USED: usize = 200;

/// A map in which the last small object has brought a page more than its own, and the first block of that.
fn map() -> (Map, u32) {
    let mut map = Map::new(PAGE);
    with_records(&mut map, |map| map.add_range(&(0..2 * USED * PAGE as usize * BLOCK), false));
    place(&mut map, &Request::new(USED * PAGE as usize * BLOCK, 4, false), USED * PAGE as usize * BLOCK, false);
    assert_eq!(place(&mut map, &Request::new(64, 4, false), 64, false), Some(USED * PAGE as usize * BLOCK));
    let first = USED as u32 * PAGE + PAGE;
    assert_eq!(map.ahead, first..first + PAGE);
    // What is left of its own page.
    for _ in 1..PAGE {
        small(&mut map);
    }
    check_settled(&map);
    (map, first)
}

/// Has a small object open a block, and returns which.
fn small(map: &mut Map) -> u32 {
    let size = BLOCK - 8;
    let offset = place(map, &Request::new(size, 4, false), size, false).expect("room");
    check_settled(map);
    assert_eq!(offset % BLOCK, 0);
    (offset / BLOCK) as u32
}

fn end(mut map: Map) {
    while let Some(page) = map.dismantle() {
        free_page(page);
    }
}

#[test]
fn small_objects_get_them_block_by_block() {
    let (mut map, first) = map();
    let surplus = map.surplus;
    for block in first..first + PAGE {
        assert_eq!(small(&mut map), block);
        assert_eq!(map.surplus, surplus - 1, "what a block is taken of is not empty");
    }
    // The next brings pages again.
    assert_eq!(small(&mut map), first + PAGE);
    assert_eq!(map.ahead, first + 2 * PAGE..first + 3 * PAGE);
    end(map);
}

/// Whether it is the leaf that counts them or not.
#[test]
fn a_page_that_was_begun_and_is_free_again_is_empty() {
    let (mut map, first) = map();
    let empty = map.empty_pages();
    for taken in [1, PAGE - 1] {
        for block in first..first + taken {
            assert_eq!(small(&mut map), block);
            assert_eq!(map.empty_pages(), empty - 1);
        }
        for block in first..first + taken {
            map.release(block as usize * BLOCK).expect("live");
        }
        assert_eq!(map.empty_pages(), empty);
        if taken == 1 {
            continue;
        }
        map.free_ahead();
        assert_eq!((map.empty_pages(), map.surplus), (empty, empty));
    }
    end(map);
}

#[test]
fn a_lower_idle_block_comes_first() {
    let (mut map, first) = map();
    assert_eq!(small(&mut map), first);
    map.release((first - 1) as usize * BLOCK).expect("live");
    assert_eq!(small(&mut map), first - 1);
    assert_eq!(small(&mut map), first + 1);
    // One that is idle behind them waits.
    map.release((first + 1) as usize * BLOCK).expect("live");
    assert_eq!(small(&mut map), first + 1);
    map.release(first as usize * BLOCK).expect("live");
    assert_eq!([small(&mut map), small(&mut map)], [first, first + 2]);
    end(map);
}

/// Whether it may have fresh pages or not.
#[test]
fn a_large_object_gets_what_is_left() {
    for populated in [false, true] {
        let (mut map, first) = map();
        small(&mut map);
        let size = (PAGE as usize - 1) * BLOCK;
        let offset = place(&mut map, &Request::new(size, 4, populated), size, false);
        assert_eq!(offset, Some((first as usize + 1) * BLOCK), "only where populated: {populated}");
        check_settled(&map);
        end(map);
    }
}

/// A page of which some blocks were taken and are free again is one to be given back, with those that nobody had.
#[test]
fn what_is_left_goes_back() {
    let (mut map, first) = map();
    small(&mut map);
    map.release(first as usize * BLOCK).expect("live");
    for block in first - PAGE..first {
        map.release(block as usize * BLOCK).expect("live");
    }
    map.release(0).expect("live");
    check_settled(&map);
    while let Some(pages) = map.take_surplus() {
        map.set_depopulated(pages);
        check_settled(&map);
    }
    assert!(map.ahead.is_empty());
    assert_eq!(map.populated, map.surplus, "nothing else is populated");
    end(map);
}

/// Of two objects whose pages are on their way at once, each has some come along: those of the first are free when the second's come.
#[test]
fn those_of_the_last_are_kept() {
    for fails in [false, true] {
        let (mut map, first) = map();
        // What is there is used up.
        for _ in 0..PAGE {
            small(&mut map);
        }
        let request = Request::new(BLOCK - 8, 4, false);
        let mut placed = || with_records(&mut map, |map| map.place(&request)).expect("room");
        let [one, other] = [placed(), placed()];
        let page = |placed: &Placed| (placed.offset / BLOCK) as u32;
        assert_eq!([page(&one), page(&other)], [first + PAGE, first + 3 * PAGE]);
        let Some(Fresh { pages, ahead }) = one.fresh else { panic!("fresh") };
        if fails {
            map.unhold(pages.end - ahead..pages.end);
            map.cancel(one.offset, request.bytes());
        } else {
            map.set_populated(pages, one.offset + request.bytes());
            assert_eq!(map.ahead, first + 2 * PAGE..first + 3 * PAGE);
        }
        check(&map);
        map.set_populated(other.fresh.expect("fresh").pages, other.offset + request.bytes());
        assert_eq!(map.ahead, first + 4 * PAGE..first + 5 * PAGE);
        check_settled(&map);
        end(map);
    }
}
