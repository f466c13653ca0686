//! Memory, by node: handed out from the start of each range up. Pages alone come back, and go out again before others.

use core::alloc::Layout;
use core::ptr::NonNull;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};

use crate::acpi::Numa;
use crate::machine::{Machine, at};

/// Below are the kernel and what the loader has left.
const FIRST: u64 = 128 << 20;

/// Above nothing is mapped.
const LAST: u64 = 4 << 30;

const MAX_RANGES: usize = 16;

pub const PAGE: Layout = match Layout::from_size_align(4096, 4096) {
    Ok(page) => page,
    Err(_) => panic!(),
};

struct Range {
    node: AtomicUsize,
    next: AtomicU64,
    end: AtomicU64,
    /// The first page that has come back, or 0; each begins with the next. Behind the lock.
    back: AtomicU64,
}

impl Range {
    const fn new() -> Self {
        Self { node: AtomicUsize::new(0), next: AtomicU64::new(0), end: AtomicU64::new(0), back: AtomicU64::new(0) }
    }
}

static RANGES: [Range; MAX_RANGES] = [const { Range::new() }; MAX_RANGES];

/// Whether a CPU is at the pages that have come back.
static TAKEN: AtomicBool = AtomicBool::new(false);

static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Takes the machine's memory; on a machine without nodes it is all of node 0.
pub fn take(machine: &Machine, numa: &Numa) {
    let mut ranges = RANGES.iter();
    let mut add = |node: u32, start: u64, end: u64| {
        let (start, end) = (start.max(FIRST), end.min(LAST));
        if start < end
            && let Some(range) = ranges.next()
        {
            range.node.store(node as usize, Relaxed);
            range.next.store(start, Relaxed);
            range.end.store(end, Relaxed);
        }
    };
    for range in machine.ranges.iter().filter(|range| range.kind == 1) {
        let end = range.start + range.bytes;
        if numa.ranges().is_empty() {
            add(0, range.start, end);
        }
        for of in numa.ranges() {
            add(of.node, range.start.max(of.start), end.min(of.start + of.bytes));
        }
    }
}

/// Memory on `node`, zero.
pub fn alloc(node: u32, layout: Layout) -> Option<NonNull<u8>> {
    of_node(node)
        .filter(|_| layout == PAGE)
        .find_map(page_that_came_back)
        .or_else(|| {
            let start = of_node(node).find_map(|range| never_used(range, layout))?;
            NonNull::new(at::<u8>(start))
        })
        .inspect(|start| {
            // SAFETY: memory that nobody has.
            unsafe { start.write_bytes(0, layout.size()) };
        })
}

fn of_node(node: u32) -> impl Iterator<Item = &'static Range> {
    RANGES.iter().filter(move |range| range.node.load(Relaxed) == node as usize)
}

fn never_used(range: &Range, layout: Layout) -> Option<u64> {
    let place = |next: u64| {
        let start = next.checked_next_multiple_of(layout.align() as u64)?;
        let end = start.checked_add(layout.size() as u64)?;
        (end <= range.end.load(Relaxed)).then_some((start, end))
    };
    let next = range.next.fetch_update(Relaxed, Relaxed, |next| place(next).map(|(_, end)| end)).ok()?;
    place(next).map(|(start, _)| start)
}

fn page_that_came_back(range: &Range) -> Option<NonNull<u8>> {
    locked(|| {
        let page = NonNull::new(at::<u64>(range.back.load(Relaxed)))?;
        // SAFETY: a page of the list, which begins with the next one's address.
        range.back.store(unsafe { page.read() }, Relaxed);
        Some(page.cast())
    })
}

/// Takes back a page that `alloc` has handed out for `node`, and that nobody uses.
pub fn free_page(node: u32, page: NonNull<u8>) {
    let Some(range) = of_node(node).next() else { return };
    locked(|| {
        // SAFETY: a page that is this file's again.
        unsafe { page.cast::<u64>().write(range.back.load(Relaxed)) };
        range.back.store(page.addr().get() as u64, Relaxed);
    });
    COUNT.fetch_add(1, Relaxed);
}

/// Pages that have come back so far.
pub fn pages_that_came_back() -> usize {
    COUNT.load(Relaxed)
}

fn locked<R>(f: impl FnOnce() -> R) -> R {
    while TAKEN.swap(true, Acquire) {
        core::hint::spin_loop();
    }
    let result = f();
    TAKEN.store(false, Release);
    result
}

/// The node of a physical address.
pub fn node_of(numa: &Numa, physical: u64) -> u32 {
    let of = numa.ranges().iter().find(|range| (range.start..range.start + range.bytes).contains(&physical));
    of.map_or(0, |range| range.node)
}
