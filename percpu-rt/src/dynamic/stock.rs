//! What each CPU has in stock for variables with an owner: most of them are made and dropped without a lock.
//!
//! ```text
//!                    ◀─────────── slots, by a hash of the size ───────────▶
//!  unit of CPU 0  ┌─ ─┬────────────────────┬────────────────────┬─ ─ ─┬─ ─
//!                 │   │ 8 bytes, 12 of 32  │ 304 bytes, 3 of 6  │     │       one object of the allocator's own, made at the
//!  unit of CPU 1  ├─ ─┼────────────────────┼────────────────────┼─ ─ ─┼─ ─    first free; all zero, it is empty
//!                 │   │ 8 bytes, 20 of 32  │ nobody's           │     │
//! ```
//!
//! # Rules
//!
//! - A place goes in and out by one step on this CPU's magazine ([`magazine`]), which handlers, other threads and a fork find
//!   done or not begun. So a place in a magazine is nobody else's, and one in hand is its thread's alone.
//! - Nothing is held meanwhile: whoever finds no place, or no room, takes some in hand and goes to the allocator.
//! - A place in stock begins at a multiple of the largest power of two, up to [`MOST_ALIGN`], that divides its size: all types of
//!   the size can have it. What asks for more is not kept in stock.
//! - Frees tell the size, so only owners come here; [`free_percpu`](super::free_percpu) does not know it.
//! - What counts, and what finds no room, has every CPU's stock put back before, one thread at a time.

use core::alloc::Layout;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicBool, AtomicUsize};

use super::area::Stamp;
use super::global::{self, Global, global};
use super::pointer::PerCpuPtr;
use super::raw::alloc_percpu;
use crate::arch::magazine::{self, Magazine};
use crate::arch::{self, LocalWord};
use crate::chunk::supply::{Entry, LARGEST, LINE, SLOTS, keep_lowest, slot_of};
use crate::chunk::{AllocError, AllocFlags, FreeError, GRANULE, RawLock};
use crate::cpu::{CpuId, possible_cpus};
use crate::platform::{self, Mutex};

/// The per-CPU pointer of the stock, an array of [`SLOTS`] magazines; 0 while there is none.
static WHERE: AtomicUsize = AtomicUsize::new(0);

/// Whether somebody makes it, or has made it.
static IS_MADE: AtomicBool = AtomicBool::new(false);

/// Taken by whoever empties magazines from elsewhere. A fork does not wait for it: the emptier may be waiting for a lock that the
/// forking thread has, whose handler this is.
static EMPTYING: Mutex = Mutex::new();

/// Looks at a magazine that somebody is at, until it is left alone.
const ATTEMPTS: u32 = 1000;

/// The largest alignment of places in stock: what a program pads to that keeps two CPUs from one pair of lines.
const MOST_ALIGN: usize = 2 * LINE;

const _: () = assert!(LARGEST <= magazine::PLACES);

/// A size, and the magazines that it may have.
#[derive(Clone, Copy)]
struct Stocked {
    /// The per-CPU pointer of its magazine.
    magazine: *mut Magazine,
    granules: u32,
}

impl Stocked {
    /// `None` where the size or the alignment is not kept in stock, or there is none.
    #[inline(always)]
    fn new(size: usize, align: usize) -> Option<Self> {
        if align > natural_align(size) {
            return None;
        }
        let granules = size / GRANULE;
        let slot = slot_of(granules as u64)?;
        let first = WHERE.load(Acquire);
        let magazine = core::ptr::without_provenance_mut::<Magazine>(first).wrapping_add(slot);
        (first != 0).then_some(Self { magazine, granules: granules as u32 })
    }

    #[inline(always)]
    fn pop(self) -> Option<Entry> {
        // SAFETY: a magazine of the stock, which is never freed; likewise below.
        let place = unsafe { arch::pop(self.magazine, self.granules) };
        (place != magazine::NOTHING).then(|| Entry::unpack(place))
    }

    #[inline(always)]
    fn push(self, place: Entry) -> bool {
        // SAFETY: as above.
        place.pack().is_some_and(|place| unsafe { arch::push(self.magazine, self.granules, place) })
    }

    /// Has this CPU's magazine hold up to `capacity` places of the size, unless it has others.
    fn adopt(self, capacity: usize) -> bool {
        // SAFETY: a magazine of the stock, which is never freed. The capacity is a word of its own, read and written as words are,
        // and of no consequence where the thread has been moved meanwhile.
        unsafe {
            let adopted = arch::adopt(self.magazine, self.granules);
            if adopted {
                u32::write(&magazine::Capacity(self.magazine), capacity.min(magazine::PLACES) as u32);
            }
            adopted
        }
    }
}

/// `layout` by whole granules, and aligned as all of its size are that may be in stock.
#[inline(always)]
fn rounded(layout: Layout) -> (usize, usize) {
    let size = layout.size().next_multiple_of(GRANULE);
    (size, layout.align().max(natural_align(size)))
}

#[inline(always)]
fn natural_align(size: usize) -> usize {
    MOST_ALIGN.min(1 << size.trailing_zeros())
}

/// Allocates as [`alloc_percpu`], from the stock where it has a place.
///
/// # Errors
///
/// As there.
#[inline(always)]
pub(crate) fn alloc(layout: Layout) -> Result<PerCpuPtr<u8>, AllocError> {
    match alloc_at_once(layout) {
        Some(object) => Ok(object),
        None => alloc_slowly(layout),
    }
}

/// As [`alloc`], from the stock alone: without a lock.
///
/// Context: any.
#[inline(always)]
pub(super) fn alloc_at_once(layout: Layout) -> Option<PerCpuPtr<u8>> {
    let (size, align) = rounded(layout);
    let place = Stocked::new(size, align)?.pop()?;
    // SAFETY: the place came from a stock, which an allocator has made.
    let global = unsafe { global::made() };
    Some(PerCpuPtr::from_offset(global.allocator().ready(place, size), Stamp::UNKNOWN))
}

/// From the allocator, with some for the stock.
#[cold]
fn alloc_slowly(layout: Layout) -> Result<PerCpuPtr<u8>, AllocError> {
    let global = global()?;
    let (size, align) = rounded(layout);
    if global.is_busy_here() {
        return Err(AllocError::Busy);
    }
    global.free_postponed();
    if let Some(stocked) = Stocked::new(size, align) {
        let mut places = [Entry::EMPTY; LARGEST];
        let makes_room = |capacity| stocked.adopt(capacity);
        let count = global.allocator().supply(size, align, stocks(), &mut places, makes_room);
        if let Some((first, rest)) = away_from_others(&mut places[..count]).split_first() {
            // The last in is the first out: the lowest.
            let kept = rest.iter().rev().take_while(|place| stocked.push(**place)).count();
            let over = &rest[..rest.len() - kept];
            if !over.is_empty() {
                // What was just taken can be freed.
                let _ = global.allocator().put_back(over, u64::from(stocked.granules));
            }
            return Ok(PerCpuPtr::from_offset(global.allocator().ready(*first, size), Stamp::UNKNOWN));
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

/// Frees what [`alloc`] has returned for `layout`, into the stock where it has room.
///
/// # Errors
///
/// As [`try_free_percpu`](super::try_free_percpu).
///
/// # Safety
///
/// As [`free_percpu`](super::free_percpu), and the object was allocated with this layout.
#[inline(always)]
pub(crate) unsafe fn free(pointer: PerCpuPtr<u8>, layout: Layout) -> Result<(), FreeError> {
    let (size, align) = rounded(layout);
    if let Some(stocked) = Stocked::new(size, align)
        && stocked.push(Entry::new(pointer.offset(), true))
    {
        return Ok(());
    }
    free_slowly(pointer, size, align)
}

/// To the allocator, with some of the stock if it is full; and makes the stock if there is none.
#[cold]
fn free_slowly(pointer: PerCpuPtr<u8>, size: usize, align: usize) -> Result<(), FreeError> {
    let offset = pointer.offset();
    let Ok(global) = global() else { return Err(FreeError::Foreign { offset }) };
    global.free_postponed();
    let Some(stocked) = Stocked::new(size, align) else {
        global.free(offset, pointer.stamp())?;
        if WHERE.load(Relaxed) == 0 {
            global.entered(|| make(global));
        }
        return Ok(());
    };
    let freed = global.entered(|| free_into(global, stocked, Entry::new(offset, true)));
    freed.unwrap_or(Err(FreeError::Busy { offset }))?;
    global.balance();
    Ok(())
}

/// Into the stock if it has room, else to the allocator with some of it.
fn free_into(global: &Global, stocked: Stocked, place: Entry) -> Result<(), FreeError> {
    let granules = u64::from(stocked.granules);
    let capacity = global.allocator().capacity(granules, stocks());
    if capacity == 0 || !stocked.adopt(capacity) {
        global.allocator().put_back(&[place], granules)
    } else if stocked.push(place) {
        Ok(())
    } else {
        let mut places = [place; LARGEST + 1];
        let count = 1 + places[1..].iter_mut().map_while(|free| stocked.pop().map(|place| *free = place)).count();
        let places = &mut places[..count];
        let mut kept = keep_lowest(places, granules);
        // Whoever was faster may have filled the room.
        kept = places[..kept].iter().take_while(|place| stocked.push(**place)).count();
        global.allocator().put_back(&places[kept..], granules)
    }
}

/// Makes the stock, if there is room for it at once.
fn make(global: &Global) {
    if IS_MADE.swap(true, Relaxed) {
        return;
    }
    let layout = Layout::new::<[Magazine; SLOTS]>();
    match global.allocator().alloc_uncounted(layout.size(), layout.align()) {
        Some(offset) => WHERE.store(PerCpuPtr::<u8>::from_offset(offset, Stamp::UNKNOWN).address(), Release),
        None => IS_MADE.store(false, Relaxed),
    }
}

/// CPUs that share what may be in stock: all but the orphan, whose threads are few.
fn stocks() -> usize {
    possible_cpus().filter(|cpu| !cpu.is_orphan()).count().max(1)
}

/// The copies of the magazines that `cpu` has.
fn magazines_of(cpu: CpuId) -> impl Iterator<Item = &'static Magazine> {
    let first = WHERE.load(Acquire);
    let magazines = core::ptr::without_provenance_mut::<Magazine>(first);
    let slots = if first == 0 { 0 } else { SLOTS };
    // SAFETY: the stock is never freed, and every possible CPU has a unit.
    (0..slots).map(move |slot| unsafe { Magazine::copy(magazines.wrapping_add(slot), cpu.index()) })
}

/// Puts the stock of every CPU back, as far as it can be had; false where there is none.
///
/// Context: threads.
#[cold]
pub(super) fn put_back() -> bool {
    let Ok(global) = global() else { return false };
    if WHERE.load(Relaxed) == 0 || EMPTYING.is_held_here() || global.is_busy_here() {
        return false;
    }
    EMPTYING.lock();
    for cpu in possible_cpus() {
        for copy in magazines_of(cpu) {
            let mut packed = [0; magazine::PLACES];
            let Some((granules, count)) = take_out(copy, cpu, &mut packed) else { continue };
            let mut places = packed.map(Entry::unpack);
            places[..count].sort_unstable();
            // What is wrong with a place has been its user's mistake, and there is nobody to tell.
            let _ = global.allocator().put_back(&places[..count], u64::from(granules));
        }
    }
    // SAFETY: taken above.
    unsafe { EMPTYING.unlock() };
    global.balance();
    true
}

/// Empties a magazine of `cpu`, if it has something and can be had.
fn take_out(copy: &Magazine, cpu: CpuId, places: &mut [u32; magazine::PLACES]) -> Option<(u32, usize)> {
    if copy.count.load(Relaxed) == 0 {
        return None;
    }
    if arch::STEPS_ARE_SEQUENCES && !cpu.is_orphan() {
        return platform::can_restart_sequences()
            .then(|| copy.take_out_of_sequences(|| platform::restart_sequences(cpu), places))?;
    }
    // Somebody may be at it, for some instructions; in a forked child, somebody who is not there.
    (0..ATTEMPTS).find_map(|_| {
        core::hint::spin_loop();
        copy.alone(None, |copy| Some(copy.take_out(places)))
    })
}

/// Ends what threads were at that a forked child does not have: the magazines that one was emptying are opened. What they had in hand is
/// given up.
pub(super) fn in_child() {
    possible_cpus().flat_map(magazines_of).for_each(Magazine::abandon_steps_of_others);
    if !EMPTYING.is_held_here() {
        EMPTYING.in_child();
        possible_cpus().flat_map(magazines_of).for_each(Magazine::open);
    }
    if WHERE.load(Relaxed) == 0 {
        IS_MADE.store(false, Relaxed);
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
