//! How much of which size may be in stock, and what of it goes back.
//!
//! To the map a place in stock is taken, so a stock costs memory. It follows what is live:
//!
//! | objects | places in stock |
//! |---|---|
//! | small ones | one for 8 live, up to 8; and from 256 live on one for 32, up to 32 |
//! | larger ones | one for 128 live: they are most of the memory |
//! | the smallest | as much as 64 granules, however little is live |
//!
//! A few places spare most of the searches for a size of which few are live, and cost little; of many, each one more spares less.

use super::map::request::Entry;

/// Places that may be in stock of one size.
pub(crate) const LARGEST: usize = 32;

/// Granules of the largest small object.
const SMALL_GRANULES: u64 = 128;

/// Live small objects of a size for which one more may be in stock; and up to [`FEW`] places.
const LIVE_FOR_ONE: usize = 32;
const LIVE_FOR_ONE_OF_FEW: usize = 8;
const FEW: usize = 8;

/// The same of large objects.
const LIVE_FOR_ONE_LARGE: usize = 128;

/// Granules that may be in stock of each size, however little is live.
const ALWAYS_GRANULES: u32 = 64;

/// Granules of the largest object that is kept in stock.
const LARGEST_GRANULES: u64 = 1024;

/// Sizes that can be in stock at once, a power of two.
pub(crate) const SLOTS: usize = 64;

/// The slot that a size has in every stock, if it is kept there.
#[inline]
pub(crate) fn slot_of(granules: u64) -> Option<usize> {
    // By Fibonacci hashing: sizes come as powers of two and as their neighbours.
    let hash = (granules as u16).wrapping_mul(0x9e37) >> (u16::BITS - SLOTS.ilog2());
    (granules <= LARGEST_GRANULES).then_some(usize::from(hash))
}

/// How many places of `granules` may be in stock where `live` objects are of their size. One alone is not worth it.
pub(super) fn capacity_for(live: usize, granules: u64) -> usize {
    if granules > LARGEST_GRANULES {
        return 0;
    }
    // Of 32 bits: a division of 64 takes twice as long.
    let free_of_charge = (ALWAYS_GRANULES / granules as u32) as usize;
    let of_live = if granules <= SMALL_GRANULES {
        (live / LIVE_FOR_ONE).max((live / LIVE_FOR_ONE_OF_FEW).min(FEW))
    } else {
        live / LIVE_FOR_ONE_LARGE
    };
    let capacity = of_live.max(free_of_charge).min(LARGEST);
    if capacity < 2 { 0 } else { capacity }
}

/// Of a stock of places of `granules` that is too full: has those that are to go back behind the others, ascending, and returns
/// how many stay.
///
/// The highest go, so that what stays keeps as few pages in use as possible: of the last in `places`, twice as many as go, since to
/// choose among all takes longer than it saves in pages. By address, so that neighbours are freed together. Not too many: whoever
/// frees waits for all, and the larger they are, the fewer are in one block.
pub(crate) fn keep_lowest(places: &mut [Entry], granules: u64) -> usize {
    let at_once = match granules {
        ..=64 => 8,
        65..=128 => 4,
        _ => 2,
    };
    let kept = places.len() - (places.len() / 2).clamp(1, at_once);
    let chosen_from = places.len().saturating_sub(2 * (places.len() - kept));
    sort(&mut places[chosen_from..]);
    kept
}

/// Puts the lower of two first, for pair after pair.
macro_rules! exchange {
    ($all:ident: $($a:literal $b:literal),+) => {{
        $(($all[$a], $all[$b]) = ($all[$a].min($all[$b]), $all[$a].max($all[$b]));)+
    }};
}

/// Sorts by address. They are in no order: which of two is lower a CPU would guess wrongly, so they are compared without a branch,
/// in an order that is always the same.
fn sort(places: &mut [Entry]) {
    // Pairs, then by merging what lies at odd and what lies at even places.
    if let Ok(all) = <&mut [Entry; 16]>::try_from(&mut *places) {
        exchange!(all: 0 1, 2 3, 4 5, 6 7, 8 9, 10 11, 12 13, 14 15, 0 2, 1 3, 4 6, 5 7, 8 10, 9 11, 12 14, 13 15);
        exchange!(all: 1 2, 5 6, 9 10, 13 14, 0 4, 1 5, 2 6, 3 7, 8 12, 9 13, 10 14, 11 15, 2 4, 3 5, 10 12, 11 13);
        exchange!(all: 1 2, 3 4, 5 6, 9 10, 11 12, 13 14, 0 8, 1 9, 2 10, 3 11, 4 12, 5 13, 6 14, 7 15);
        exchange!(all: 4 8, 5 9, 6 10, 7 11, 2 4, 3 5, 6 8, 7 9, 10 12, 11 13, 1 2, 3 4, 5 6, 7 8, 9 10, 11 12, 13 14);
    } else if let Ok(all) = <&mut [Entry; 8]>::try_from(&mut *places) {
        exchange!(all: 0 1, 2 3, 4 5, 6 7, 0 2, 1 3, 4 6, 5 7, 1 2, 5 6, 0 4, 1 5, 2 6, 3 7, 2 4, 3 5, 1 2, 3 4, 5 6);
    } else if let Ok(all) = <&mut [Entry; 4]>::try_from(&mut *places) {
        exchange!(all: 0 1, 2 3, 0 2, 1 3, 1 2);
    } else {
        places.sort_unstable();
    }
}

#[cfg(test)]
mod tests {
    use super::super::map::holes::GRANULE;
    use super::*;

    /// The table above, in numbers.
    #[test]
    fn capacities_follow_what_is_live() {
        const GRANULES: [u64; 6] = [2, 16, 128, 129, 1024, 1025];
        for (live, capacities) in [
            (7, [32, 4, 0, 0, 0, 0]),
            (8, [32, 4, 0, 0, 0, 0]),
            (15, [32, 4, 0, 0, 0, 0]),
            (16, [32, 4, 2, 0, 0, 0]),
            (64, [32, 8, 8, 0, 0, 0]),
            (255, [32, 8, 8, 0, 0, 0]),
            (256, [32, 8, 8, 2, 2, 0]),
            (1024, [32, 32, 32, 8, 8, 0]),
            (5000, [32, 32, 32, 32, 32, 0]),
        ] {
            assert_eq!(GRANULES.map(|granules| capacity_for(live, granules)), capacities, "{live} live");
        }
    }

    /// What sorts all that is made of two values sorts everything.
    #[test]
    fn all_are_sorted() {
        for count in 0..=16 {
            for bits in 0..1_u32 << count {
                let mut places: [Entry; 16] =
                    core::array::from_fn(|at| Entry::new((bits as usize >> at & 1) * GRANULE, true));
                let places = &mut places[..count];
                sort(places);
                assert!(places.is_sorted(), "{count} {bits:#x}");
                let high = places.iter().filter(|place| place.offset() > 0).count();
                assert_eq!(high, bits.count_ones() as usize, "{count} {bits:#x}");
            }
        }
    }

    #[test]
    fn the_highest_of_the_last_go_back() {
        for (count, granules, goes, from) in
            [(33, 1, 8, 17), (17, 4, 8, 1), (9, 8, 4, 1), (3, 40, 1, 1), (5, 200, 2, 1)]
        {
            let mut places = [Entry::EMPTY; LARGEST + 1];
            let places = &mut places[..count];
            for (at, place) in places.iter_mut().enumerate() {
                *place = Entry::new((at * 7 + 3) % count * GRANULE, true);
            }
            let mut last = [Entry::EMPTY; LARGEST + 1];
            let last = &mut last[..count - from];
            last.copy_from_slice(&places[from..]);
            last.sort_unstable();
            assert_eq!(keep_lowest(places, granules), count - goes, "{count}");
            assert_eq!(places[count - goes..], last[last.len() - goes..], "{count}");
        }
    }
}
