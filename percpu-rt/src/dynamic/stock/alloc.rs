//! How a variable gets its memory: from what is at hand, from the rest of the stock, from the allocator with some for the stock.

use core::alloc::Layout;

use super::super::global::{self, Global, global};
use super::super::pointer::PerCpuPtr;
use super::super::raw::alloc_percpu;
use super::magazines::{Size, rounded, stocks, word};
use crate::chunk::supply::{Entry, LARGEST, LINE, zero_aligned};
use crate::chunk::{AllocError, AllocFlags, Memory as _};
use crate::platform;

/// Allocates from what is at hand: most variables are made here. What it has not, [`alloc`] may have.
///
/// Context: any.
#[inline(always)]
pub(crate) fn alloc_top(layout: Layout) -> Option<PerCpuPtr<u8>> {
    let (size, align) = rounded(layout);
    let word = Size::new(size, align)?.stock()?.pop_top()?;
    // SAFETY: the place came from a stock, which an allocator has made.
    ready(unsafe { global::made() }, word, size)
}

/// Allocates from the stock alone: without a lock.
///
/// Context: any.
pub(crate) fn alloc_at_once(layout: Layout) -> Option<PerCpuPtr<u8>> {
    let (size, align) = rounded(layout);
    let word = Size::new(size, align)?.stock()?.pop()?;
    // SAFETY: as above.
    ready(unsafe { global::made() }, word, size)
}

/// Allocates as [`alloc_percpu`], from the stock where it has a place, and with some for it.
///
/// # Errors
///
/// As there.
pub(crate) fn alloc(layout: Layout) -> Result<PerCpuPtr<u8>, AllocError> {
    alloc_at_once(layout).map_or_else(|| alloc_slowly(layout), Ok)
}

/// From the allocator, with some for the stock.
fn alloc_slowly(layout: Layout) -> Result<PerCpuPtr<u8>, AllocError> {
    let global = global()?;
    let (size, align) = rounded(layout);
    if global.is_busy_here() {
        return Err(AllocError::Busy);
    }
    global.free_postponed();
    if let Some(stocked) = Size::new(size, align).and_then(|size| size.stock_or_make(global)) {
        let mut places = [Entry::EMPTY; LARGEST];
        let makes_room = |capacity| stocked.adopt(capacity);
        let count = global.allocator().supply(size, align, stocks(), &mut places, makes_room);
        if let Some((first, rest)) = away_from_others(&mut places[..count]).split_first() {
            // The lowest goes to the top, and of the others the last in is the first out: the lowest again.
            let (top, below) = rest.split_at(rest.len().min(1));
            let kept = top.iter().chain(below.iter().rev()).take_while(|place| stocked.push(word(**place))).count();
            let over = if kept == 0 { rest } else { &below[..rest.len() - kept] };
            if !over.is_empty() {
                // What was just taken can be freed.
                let _ = global.allocator().put_back(over, u64::from(stocked.granules));
            }
            // None where the addresses end and begin again: that place is given up.
            if let Some(object) = ready(global, word(*first), size) {
                return Ok(object);
            }
        }
    }
    // As aligned as those from stock: that is where it may go. What is too large for this is too large for the stock.
    alloc_percpu(layout.align_to(align).unwrap_or(layout), AllocFlags::NONE)
}

/// Ascending places in the order in which they are to be handed out: what shares a line with a lower neighbour comes last, since
/// that may be in another CPU's stock, and a line that two CPUs write to is slow for both.
fn away_from_others(places: &mut [Entry]) -> &[Entry] {
    if let Some(first) = places.first().map(|place| place.offset())
        && !first.is_multiple_of(LINE)
    {
        let shared = places.iter().take_while(|place| place.offset() / LINE == first / LINE).count();
        places.rotate_left(shared);
    }
    places
}

/// The pointer to the object at a place, if it has one that is not null, zero in every unit. It begins at a multiple of the
/// largest power of two, up to a line, that divides `size`, which is one of granules.
#[inline(always)]
fn ready(global: &Global, word: usize, size: usize) -> Option<PerCpuPtr<u8>> {
    let dirty = word & 1;
    let address = word - dirty;
    if dirty != 0 {
        make_zero(global, platform::per_cpu_offset_of(address), size);
    }
    PerCpuPtr::new(core::ptr::without_provenance_mut(address))
}

/// Makes a place zero in every unit, which begins as [`ready`] says.
#[inline(always)]
fn make_zero(global: &Global, offset: usize, size: usize) {
    /// Copies that are looked at by an instruction of their own, so that the processor learns of each whether it is written to: one
    /// that has learned of some that a store is just before it, and meets another, starts over.
    const APART: usize = 4;

    #[cold]
    fn one_by_one(global: &Global, offset: usize, size: usize) {
        global.allocator().zero_range(offset, size);
    }

    let memory = global.allocator().memory();
    let Some(distance) = memory.distance() else { return one_by_one(global, offset, size) };
    let mut copy = memory.copy(0, offset);
    let mut left = memory.units();
    while left > 0 {
        for _ in 0..APART {
            // SAFETY: populated bytes of a place that nobody has yet, and it begins as the caller says.
            unsafe { zero_aligned(copy, size) };
            left -= 1;
            if left == 0 {
                return;
            }
            copy = copy.wrapping_byte_add(distance);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn what_shares_a_line_with_a_lower_place_comes_last() {
        let ordered = |offsets: [usize; 4]| {
            let mut places = offsets.map(|offset| Entry::new(offset, false));
            away_from_others(&mut places);
            places.map(Entry::offset)
        };
        assert_eq!(ordered([48, 56, 64, 72]), [64, 72, 48, 56]);
        assert_eq!(ordered([64, 72, 80, 88]), [64, 72, 80, 88], "the first of a line has no lower neighbour there");
        assert_eq!(ordered([72, 80, 88, 96]), [72, 80, 88, 96], "there is no better one");
    }
}
