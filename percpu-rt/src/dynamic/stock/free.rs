//! Where a variable's memory goes: to where it is at hand, to the rest of the stock, to the allocator with some of it.

use core::alloc::Layout;

use super::super::global::{Global, global};
use super::super::pointer::PerCpuPtr;
use super::magazines::{Size, place, rounded, stocks, word};
use crate::chunk::FreeError;
use crate::chunk::supply::{Entry, LARGEST, keep_lower};

/// Frees to where it is at hand, if there is room; most variables end here. False where there is none, and nothing is freed.
///
/// Context: any.
///
/// # Safety
///
/// As [`free`].
#[inline(always)]
pub(crate) unsafe fn free_top(pointer: PerCpuPtr<u8>, layout: Layout) -> bool {
    let (size, align) = rounded(layout);
    Size::new(size, align).and_then(Size::stock).is_some_and(|stocked| stocked.push_top(pointer.address() | 1))
}

/// Frees what [`alloc`](super::alloc()) has returned for `layout`, into the stock where it has room; to the allocator with some of it if it is full.
///
/// # Errors
///
/// As [`try_free_percpu`](crate::try_free_percpu).
///
/// # Safety
///
/// As [`free_percpu`](crate::free_percpu), and the object was allocated with this layout.
pub(crate) unsafe fn free(pointer: PerCpuPtr<u8>, layout: Layout) -> Result<(), FreeError> {
    let (size, align) = rounded(layout);
    let offset = pointer.offset();
    let size = Size::new(size, align);
    let free = Entry::new(offset, true);
    if size.and_then(Size::stock).is_some_and(|stocked| stocked.push(word(free))) {
        return Ok(());
    }
    let Ok(global) = global() else { return Err(FreeError::Foreign { offset }) };
    global.free_postponed();
    let Some(size) = size else { return global.free(offset, pointer.stamp()) };
    global.entered(|| free_into(global, size, free)).unwrap_or(Err(FreeError::Busy { offset }))?;
    global.balance();
    Ok(())
}

/// Into the stock if it has room, else to the allocator with some of it.
fn free_into(global: &Global, size: Size, free: Entry) -> Result<(), FreeError> {
    let granules = u64::from(size.granules);
    let capacity = global.allocator().capacity(granules, stocks());
    let stocked = if capacity == 0 { None } else { size.stock_or_want() };
    let Some(stocked) = stocked.filter(|stocked| stocked.adopt(capacity)) else {
        return global.allocator().put_back(&[free], granules);
    };
    if stocked.push(word(free)) {
        return Ok(());
    }
    // As they lie in the stock, the last in behind the others, and behind all what comes in.
    let mut places = [free; LARGEST + 1];
    let room = places[..LARGEST].iter_mut().rev();
    let count = room.map_while(|free| stocked.pop().map(|word| *free = place(word))).count();
    let places = &mut places[LARGEST - count..];
    let kept = keep_lower(places, granules);
    // What is pushed first is at the top, and so the first out.
    places[..kept].rotate_right(1.min(kept));
    // Whoever was faster may have filled the room.
    let push = |places: &[Entry]| places.iter().take_while(|place| stocked.push(word(**place))).count();
    let kept = push(&places[..kept]);
    let (done, result) = global.allocator().put_back_some(&places[kept..], granules);
    let rest = &places[kept + done..];
    let over = &rest[push(rest)..];
    // Most often there is none, which is not worth the lock.
    if over.is_empty() { result } else { result.and(global.allocator().put_back(over, granules)) }
}
