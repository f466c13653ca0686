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

/// Of a stock of places of `granules` that is too full: has those that are to go back behind the others, and returns how many stay.
///
/// The higher go, so that what stays keeps as few pages in use as possible: of the last in `places`, twice as many as go, the higher
/// of each two. To choose better among these, or among all, takes longer than it saves in pages; and what was put in together
/// lies together most often, so that neighbours are freed together without a sort. Not too many: whoever frees waits for all, and the
/// larger they are, the fewer are in one block.
pub(crate) fn keep_lower(places: &mut [Entry], granules: u64) -> usize {
    let at_once = match granules {
        ..=32 => 16,
        33..=64 => 8,
        65..=128 => 4,
        _ => 2,
    };
    let go = (places.len() / 2).clamp(1, at_once);
    let kept = places.len() - go;
    let (lower, higher) = places.split_at_mut(kept);
    // Which of two is higher a CPU would guess wrongly: there is no branch in this.
    for (lower, higher) in lower.iter_mut().rev().zip(higher.iter_mut().rev()) {
        (*lower, *higher) = ((*lower).min(*higher), (*lower).max(*higher));
    }
    kept
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

    #[test]
    fn the_higher_of_two_goes_back() {
        for (count, granules, go) in
            [(33, 1, 16), (33, 40, 8), (17, 4, 8), (9, 80, 4), (3, 40, 1), (5, 200, 2), (1, 1, 1)]
        {
            let before: [_; LARGEST + 1] = core::array::from_fn(|at| Entry::new((at * 7 + 3) % count * GRANULE, true));
            let mut places = before;
            let kept = keep_lower(&mut places[..count], granules);
            assert_eq!(kept, count - go, "{count}");
            for at in 0..kept.saturating_sub(go) {
                assert_eq!(places[at], before[at], "{at} of {count}");
            }
            for at in kept.saturating_sub(go)..kept {
                let (one, other) = (before[at], before[at + go]);
                assert_eq!((places[at], places[at + go]), (one.min(other), one.max(other)), "{at} of {count}");
            }
        }
    }
}
