//! Memory, by node: handed out from the start of each range up, and never taken back.

use core::alloc::Layout;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use crate::acpi::Numa;
use crate::machine::{Machine, at};

/// Below are the kernel and what the loader has left.
const FIRST: u64 = 128 << 20;

/// Above nothing is mapped.
const LAST: u64 = 4 << 30;

const MAX_RANGES: usize = 16;

struct Range {
    node: AtomicUsize,
    next: AtomicU64,
    end: AtomicU64,
}

static RANGES: [Range; MAX_RANGES] =
    [const { Range { node: AtomicUsize::new(0), next: AtomicU64::new(0), end: AtomicU64::new(0) } }; MAX_RANGES];

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
    let of_node = RANGES.iter().filter(|range| range.node.load(Relaxed) == node as usize);
    of_node.into_iter().find_map(|range| {
        let place = |next: u64| {
            let start = next.checked_next_multiple_of(layout.align() as u64)?;
            let end = start.checked_add(layout.size() as u64)?;
            (end <= range.end.load(Relaxed)).then_some((start, end))
        };
        let next = range.next.fetch_update(Relaxed, Relaxed, |next| place(next).map(|(_, end)| end)).ok()?;
        let (start, _) = place(next)?;
        let start = NonNull::new(at::<u8>(start))?;
        // SAFETY: memory that nobody has had: the counter only goes up.
        unsafe { start.write_bytes(0, layout.size()) };
        Some(start)
    })
}

/// The node of a physical address.
pub fn node_of(numa: &Numa, physical: u64) -> u32 {
    let of = numa.ranges().iter().find(|range| (range.start..range.start + range.bytes).contains(&physical));
    of.map_or(0, |range| range.node)
}
