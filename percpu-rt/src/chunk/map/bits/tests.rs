//! Bits against loops over granules.

extern crate std;

use std::vec::Vec;

use super::super::holes::GRANULE;
use super::*;

/// Where the runs begin that are taken.
fn take_many(bits: &mut Bits, need: u32, lane: usize, most: usize) -> Vec<u32> {
    let mut entries = std::vec![Entry::EMPTY; most];
    let count = bits.take_many(need, lane, &mut entries, |begin| Entry::new(begin as usize * GRANULE, false));
    entries[..count].iter().map(|entry| (entry.offset() / GRANULE) as u32).collect()
}

#[test]
fn objects_end_where_the_next_begins_or_nothing_is() {
    let mut bits = Bits::EMPTY;
    for (begin, end) in [(0, 2), (2, 200), (300, GRANULES)] {
        bits.take(begin, end, true);
    }
    assert_eq!([0, 2, 300].map(|granule| bits.end_of_object(granule)), [2, 200, GRANULES]);
    assert_eq!(
        [0, 1, 200, 299, 300].map(|granule| bits.at(granule)),
        [At::Start, At::Inside, At::Free, At::Free, At::Start]
    );
    bits.release(2, 200);
    assert_eq!(bits.hole_around(2, 200), (2, 300));
    assert_eq!(bits.at(2), At::Free);
}

/// Within a word and across, at every place: an object is freed by its begin and its size, and by nothing else.
#[test]
fn frees_an_object_and_nothing_else() {
    for (begin, need) in (0..200).flat_map(|begin| [1, 2, 3, 40, 63, 64, 65, 130].map(|need| (begin, need))) {
        let mut bits = Bits::EMPTY;
        let (first, behind) = (begin + 3, begin + 3 + need);
        for (from, to) in [(begin, first), (first, behind), (behind, behind + 2)] {
            bits.take(from, to, true);
        }
        for (from, length) in
            [(first - 1, need), (first, need + 1), (first + 1, need), (first, need - 1), (behind + 2, 1)]
        {
            assert!(length == 0 || !bits.release_object(from, length), "{length} from {from} on, of {need} at {first}");
        }
        assert!(bits.release_object(first, need) && !bits.release_object(first, need));
        assert_eq!(
            [begin, first, behind - 1, behind].map(|at| bits.at(at)),
            [At::Start, At::Free, At::Free, At::Start]
        );
        assert_eq!(bits.hole_around(first, behind), (first, behind));
    }
}

/// Against a loop over granules, for every length and alignment.
#[test]
fn finds_the_lowest_fit() {
    let mut bits = Bits::EMPTY;
    for granule in (0..GRANULES).filter(|granule| granule * granule % 97 < 5 && *granule < 700) {
        bits.take(granule, granule + 1, true);
    }
    let is_free: Vec<bool> = (0..GRANULES).map(|granule| bits.at(granule) == At::Free).collect();
    let free = |granule: u32| is_free.get(granule as usize) == Some(&true);
    let holes = bits.holes(&Holes::UNBOUNDED);
    for lane in 0..=10 {
        for need in 1..=GRANULES {
            let lowest = (0..GRANULES).step_by(1 << lane).find(|&begin| (begin..begin + need).all(free));
            let found = take_many(&mut bits, need, lane, 1).first().copied();
            assert_eq!(found, lowest, "{need} granules at {lane}");
            if let Some(begin) = found {
                bits.release(begin, begin + need);
            }
            assert_eq!(holes.fit(lane, need), lowest.is_some(), "{need} granules at {lane}");
        }
    }
}

/// As many as are asked for or as there are, each the lowest behind the one before, and nothing else; and as many once more when they
/// are freed. With few, it is over within a word, or in one whose run goes on in the next.
#[test]
fn takes_all_that_fit() {
    let mut bits = Bits::EMPTY;
    for begin in [5, 70, 73, 200, 460, 767, 1010] {
        bits.take(begin, begin + 3, true);
    }
    let of_all = |bits: &Bits| -> Vec<At> { (0..GRANULES).map(|granule| bits.at(granule)).collect() };
    let before = of_all(&bits);
    let free = |granule: u32| before.get(granule as usize) == Some(&At::Free);
    for lane in 0..=8 {
        for need in [1, 2, 3, 7, 40, 63, 64, 65, 100, 128, 129, 250] {
            let mut all = Vec::new();
            for begin in (0..GRANULES).step_by(1 << lane) {
                if all.last().is_none_or(|last| last + need <= begin) && (begin..begin + need).all(free) {
                    all.push(begin);
                }
            }
            for most in [1, 2, 3, 5, 16, GRANULES as usize, GRANULES as usize] {
                let found = take_many(&mut bits, need, lane, most);
                assert_eq!(found, all[..most.min(all.len())], "{most} of {need} granules at {lane}");
                let mut after = before.clone();
                for &begin in &found {
                    after[begin as usize..(begin + need) as usize].fill(At::Inside);
                    after[begin as usize] = At::Start;
                }
                assert_eq!(of_all(&bits), after, "{most} of {need} granules at {lane}");
                let [said, counted] = bits.open();
                assert_eq!(said, counted, "{most} of {need} granules at {lane}");
                for begin in found {
                    bits.release(begin, begin + need);
                }
            }
        }
    }
}
