//! How much of which size may be in stock, and what of it goes back.
//!
//! To the map a place in stock is taken, so a stock costs memory. It follows what is live: at the most one place for
//! [`LIVE_FOR_ONE`] live objects of the size, or [`ALWAYS_GRANULES`] if that is more, and [`LARGEST`] in all. A size of large
//! objects of which few are live is not kept in stock.

use super::map::request::Entry;

/// Places that may be in stock of one size.
pub(crate) const LARGEST: usize = 32;

/// Live objects of a size for which one more may be in stock.
const LIVE_FOR_ONE: usize = 64;

/// Granules that may be in stock of each size, however little is live.
const ALWAYS_GRANULES: usize = 64;

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
    let free_of_charge = ALWAYS_GRANULES / granules as usize;
    let capacity = (live / LIVE_FOR_ONE).max(free_of_charge).min(LARGEST);
    if capacity < 2 { 0 } else { capacity }
}

/// Of a stock of places of `granules` that is too full: has those that are to go back behind the others, ascending, and returns
/// how many stay.
///
/// The highest go, so that what stays keeps as few pages in use as possible: of the last in `places`, twice as many as go, since to
/// choose among all takes longer than it saves in pages. By address, so that neighbours are freed together. Not too many: whoever
/// frees waits for all, and the larger they are, the fewer are in one block.
pub(crate) fn keep_lowest(places: &mut [Entry], granules: u64) -> usize {
    let at_once = (512 / granules as usize).clamp(2, 8);
    let kept = places.len() - (places.len() / 2).clamp(1, at_once);
    let chosen_from = places.len().saturating_sub(2 * (places.len() - kept));
    places[chosen_from..].sort_unstable();
    kept
}
