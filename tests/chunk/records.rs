//! Pages for the allocator's own records: who asks for them and when, and when they go back.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use percpu_rt::chunk::{AllocError, AllocFlags, Allocator, Cache, Memory, MetadataPage, Refused, SpinLock};
use percpu_tests::units::{Pages, Units};

const PAGE: usize = 4096;
const UNIT: usize = 16 << 20;

/// Of more than half a block, so that each has one to itself, and records.
const SIZE: usize = 2500;

/// Units that count the calls for pages of records, and may answer otherwise. Without `BALANCES`, idle blocks stay.
struct Counting<const BALANCES: bool> {
    units: Units,
    brought: AtomicUsize,
    returned: AtomicUsize,
    /// Nobody may wait now.
    is_atomic: AtomicBool,
    /// The first call of each two has no page to give.
    refuses_every_other: AtomicBool,
}

type Allocating<'a, const BALANCES: bool> = Allocator<&'a Counting<BALANCES>, SpinLock>;

impl<const BALANCES: bool> Counting<BALANCES> {
    fn new() -> Self {
        Self {
            units: Units::new(1, UNIT, PAGE, Pages::Checked),
            brought: AtomicUsize::new(0),
            returned: AtomicUsize::new(0),
            is_atomic: AtomicBool::new(false),
            refuses_every_other: AtomicBool::new(false),
        }
    }

    fn allocator(&self) -> Allocating<'_, BALANCES> {
        let allocator = Allocator::new(self, SpinLock::new(), PAGE);
        // SAFETY: the units are the test's, and it makes one allocator.
        unsafe { allocator.add_range(0..UNIT) }.expect("records");
        allocator
    }

    /// Calls for pages of records, and with such.
    fn calls(&self) -> (usize, usize) {
        (self.brought.load(Relaxed), self.returned.load(Relaxed))
    }
}

// SAFETY: the promises are those of `Units`, which does all of it.
unsafe impl<const BALANCES: bool> Memory for Counting<BALANCES> {
    const BALANCES_ON_FREE: bool = BALANCES;

    fn units(&self) -> usize {
        self.units.units()
    }

    fn copy(&self, unit: usize, offset: usize) -> *mut u8 {
        self.units.copy(unit, offset)
    }

    fn populate(&self, offsets: Range<usize>) -> Result<(), Refused> {
        self.units.populate(offsets)
    }

    fn depopulate(&self, offsets: Range<usize>) {
        self.units.depopulate(offsets);
    }

    fn metadata(&self) -> Option<MetadataPage> {
        assert!(!self.is_atomic.load(Relaxed), "an atomic allocation may not wait");
        let call = self.brought.fetch_add(1, Relaxed);
        if self.refuses_every_other.load(Relaxed) && call.is_multiple_of(2) { None } else { self.units.metadata() }
    }

    fn metadata_at_once(&self) -> Option<MetadataPage> {
        self.units.metadata_at_once()
    }

    fn free_metadata(&self, page: MetadataPage) {
        self.returned.fetch_add(1, Relaxed);
        self.units.free_metadata(page);
    }
}

/// Has `blocks` idle ones, without records for what will be in them.
fn make_idle(allocator: &Allocating<'_, false>, blocks: usize) {
    let all = allocator.alloc(blocks * PAGE, PAGE, AllocFlags::NONE).expect("room");
    allocator.free(all).expect("live");
}

/// Neither for its own records, nor for those of others that it has left without a spare page, nor for a stock's.
#[test]
fn an_atomic_allocation_asks_only_for_what_is_there_at_once() {
    for (is_cached, granted) in [(false, None), (true, None), (false, Some(3)), (true, Some(3)), (false, Some(0))] {
        let memory = Counting::<false>::new();
        let allocator = memory.allocator();
        make_idle(&allocator, 200);
        let mut cache = Cache::new(&allocator);
        let mut alloc = |size| match is_cached {
            true => cache.alloc(size, 4, AllocFlags::ATOMIC),
            false => allocator.alloc(size, 4, AllocFlags::ATOMIC),
        };
        memory.is_atomic.store(true, Relaxed);
        Units::grant(granted);
        let count = (0..200).take_while(|_| alloc(SIZE).is_ok()).count();
        let refused = alloc(SIZE);
        // Of these there would be a stock.
        (4..=64).for_each(|size| _ = alloc(size));
        Units::grant(None);
        memory.is_atomic.store(false, Relaxed);
        assert_eq!(refused, Err(AllocError::AtomicExhausted { size: SIZE, align: 4 }));
        assert_eq!(count == 200, granted.is_none(), "{count}");
    }
}

/// As few pages go back as come in again: what comes and goes all the time asks nobody.
#[test]
fn a_steady_load_moves_no_records() {
    for count in [3, 5, 10, 14, 15] {
        let memory = Counting::<true>::new();
        let allocator = memory.allocator();
        let cycle = || {
            let objects: Vec<_> =
                (0..count).map(|_| allocator.alloc(SIZE, 4, AllocFlags::NONE).expect("room")).collect();
            objects.into_iter().for_each(|object| allocator.free(object).expect("live"));
        };
        // The second has the page brought that is spare from then on: who populates brings none.
        (0..2).for_each(|_| cycle());
        let before = memory.calls();
        (0..100).for_each(|_| cycle());
        assert_eq!(memory.calls(), before, "with {count} objects");
    }
}

/// Who takes the last spare page asks for another, and has a place without it. So where every other call is in vain, nobody is
/// refused: there is a second before a page is needed.
#[test]
fn pages_for_records_are_brought_ahead() {
    let memory = Counting::<false>::new();
    let allocator = memory.allocator();
    make_idle(&allocator, 200);
    allocator.alloc(SIZE, 4, AllocFlags::NONE).expect("room");
    memory.brought.store(0, Relaxed);
    memory.refuses_every_other.store(true, Relaxed);
    for number in 1..200 {
        allocator.alloc(SIZE, 4, AllocFlags::NONE).unwrap_or_else(|error| panic!("object {number}: {error}"));
    }
    // A page is enough for more than ten of them; those that have pages of their own seldom ask.
    assert!((10..=40).contains(&memory.calls().0), "{} calls", memory.calls().0);
}

/// Of many objects that are gone, next to no records stay: a page for those of each kind, and two spare ones.
#[test]
fn records_go_back_with_what_they_told_of() {
    let memory = Counting::<false>::new();
    let allocator = memory.allocator();
    let objects: Vec<_> = (0..3000).map(|_| allocator.alloc(SIZE, 4, AllocFlags::NONE).expect("room")).collect();
    assert!(allocator.stats().metadata_bytes > 100 * PAGE, "each has records");
    objects.into_iter().for_each(|object| allocator.free(object).expect("live"));
    allocator.balance();
    // Nodes, leaves, bits; and the two that are kept.
    let bytes = allocator.stats().metadata_bytes;
    assert!(bytes <= (3 + 2) * PAGE, "{bytes} bytes of records for nothing");
}

/// An atomic request that lacks records has those that empty magazines take up.
#[test]
fn empty_magazines_help_an_atomic_request() {
    let memory = Counting::<false>::new();
    let allocator = memory.allocator();
    make_idle(&allocator, 200);
    let mut cache = Cache::new(&allocator);
    let mut live = 0;
    for size in (4..=128).step_by(4) {
        // One at least, which makes the magazine, and then all that has come with it.
        loop {
            cache.alloc(size, 4, AllocFlags::NONE).expect("room");
            live += 1;
            if allocator.stats().nr_cur_alloc == live {
                break;
            }
        }
    }
    Units::grant(Some(0));
    let alone = (0..).take_while(|_| allocator.alloc(SIZE, 4, AllocFlags::ATOMIC).is_ok()).count();
    let helped = (0..).take_while(|_| cache.alloc(SIZE, 4, AllocFlags::ATOMIC).is_ok()).count();
    Units::grant(None);
    // Thirty-two magazines fill more than a page, and with a page of bits come more than ten places.
    assert!(helped > 10, "{helped} more than {alone}");
}

/// Nobody is refused, for want of records or of pages, what has room between places that went back from a stock together.
#[test]
fn a_hole_that_is_uncounted_needs_neither_records_nor_pages() {
    const SMALL: usize = 16;
    for (flags, idle) in
        [(AllocFlags::NONE, 0), (AllocFlags::NONE, 140), (AllocFlags::ATOMIC, 0), (AllocFlags::ATOMIC, 140)]
    {
        let memory = Counting::<false>::new();
        let allocator = memory.allocator();
        make_idle(&allocator, 200);
        let mut cache = Cache::new(&allocator);
        // As much as is idle, or less.
        let count = (200 - idle) * PAGE / SMALL;
        let mut objects: Vec<_> = (0..count).map(|_| cache.alloc(SMALL, 4, AllocFlags::NONE).expect("room")).collect();
        objects.sort_unstable();
        // For those that find no other place.
        allocator.reserve_atomic(PAGE).expect("room");
        Units::grant(Some(0));
        while allocator.alloc(SMALL, 4, AllocFlags::NONE).is_ok() {}
        // Most of a block.
        let first = objects.iter().position(|at| *at >= 10 * PAGE).expect("there are some") + 1;
        let freed = objects.drain(first..first + PAGE / SMALL - 2);
        let hole = freed.as_slice()[0]..freed.as_slice()[0] + PAGE;
        for at in freed {
            // SAFETY: of this size, and freed once.
            unsafe { cache.free(at, SMALL) }.expect("live");
        }
        let places = (0..3).map(|_| allocator.alloc(4 * SMALL, 4, flags));
        let found = places.filter(|place| place.as_ref().is_ok_and(|at| hole.contains(at))).count();
        Units::grant(None);
        assert_eq!(found, 3, "{flags:?}, {idle} idle");
    }
}
