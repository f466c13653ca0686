//! Random operations through the stocks of several CPUs.

use percpu_rt::chunk::{AllocError, AllocFlags, Allocator, Cache, FreeError, SpinLock};
use percpu_tests::ledger::Ledger;
use percpu_tests::random::Random;
use percpu_tests::units::{Pages, Units};

use crate::valgrind::load;

const PAGE: usize = 4096;

/// An allocator of `bytes` in units of their own.
fn allocator(units: &Units, bytes: usize) -> Allocator<&Units, SpinLock> {
    let allocator = Allocator::new(units, SpinLock::new(), PAGE);
    // SAFETY: the units are the test's.
    unsafe { allocator.add_range(0..bytes) }.expect("metadata");
    allocator
}

/// Allocates and frees, each on one of three CPUs: an object often comes back on another than it came from.
fn run(bytes: usize, most_live: usize) {
    let mut random = Random::printed();
    let units = Units::new(3, bytes, PAGE, Pages::Checked);
    let allocator = allocator(&units, bytes);
    let mut caches = [(); 3].map(|()| Cache::new(&allocator));
    let mut ledger = Ledger::new(std::slice::from_ref(&(0..bytes)));
    for _ in 0..load(if cfg!(debug_assertions) { 60_000 } else { 1_000_000 }) {
        let cpu = random.bits() as usize % caches.len();
        // Phases of growth and of decline.
        let grows = ledger.offsets().len() < most_live && random.bits() % 8 < 4 + ledger.offsets().len() as u64 % 2;
        if grows || ledger.offsets().is_empty() {
            let size = match random.bits() % 8 {
                0..=4 => 4 << (random.bits() % 4),
                5..=6 => 1 + random.bits() as usize % 512,
                _ => 1 + random.bits() as usize % 5000,
            };
            let align = 1 << (random.bits() % 7);
            match caches[cpu].alloc(size, align, AllocFlags::NONE) {
                Ok(offset) => ledger.take(&units, offset, size, align),
                // Others may have in stock what is lacking.
                Err(error @ AllocError::Exhausted { .. }) => {
                    caches.iter_mut().for_each(|cache| cache.drain().expect("frees without mistakes"));
                    let excused = !ledger.has_room(size, align);
                    assert!(
                        excused
                            || caches[cpu].alloc(size, align, AllocFlags::NONE).is_ok_and(|offset| {
                                ledger.take(&units, offset, size, align);
                                true
                            }),
                        "{error}"
                    );
                }
                Err(error) => panic!("{error}"),
            }
        } else {
            let offset = ledger.any(&mut random);
            let size = ledger.give(&units, offset);
            // SAFETY: a live object of this size, which the ledger has struck out.
            unsafe { caches[cpu].free(offset, size) }.expect("a live object");
        }
    }
    while let Some(&offset) = ledger.offsets().last() {
        let size = ledger.give(&units, offset);
        // SAFETY: as above.
        unsafe { caches[0].free(offset, size) }.expect("a live object");
    }
    drop(caches);
    assert_eq!(allocator.stats().nr_cur_alloc, 0);
    assert_eq!(allocator.stats().live_bytes, 0);
}

#[test]
fn roomy() {
    run(16 << 20, 5000);
}

#[test]
fn tight() {
    run(256 << 10, 100_000);
}

/// A place is looked at when it leaves the stock: at the latest then a mistake is told.
#[test]
fn mistakes_are_told_when_places_are_put_back() {
    let units = Units::new(1, 1 << 20, PAGE, Pages::Checked);
    let allocator = allocator(&units, 1 << 20);
    let mut cache = Cache::new(&allocator);
    let objects = [(); 3].map(|()| cache.alloc(8, 8, AllocFlags::NONE).expect("room"));
    // SAFETY: not fulfilled on purpose: the second is freed twice. Nobody allocates or uses it from here on.
    unsafe {
        cache.free(objects[1], 8).expect("in stock");
        cache.free(objects[1], 8).expect("in stock");
    }
    assert_eq!(cache.drain(), Err(FreeError::NotAllocated { offset: objects[1] }));
    // SAFETY: not fulfilled on purpose: the third is larger.
    unsafe { cache.free(objects[2], 4) }.expect("in stock");
    assert_eq!(cache.drain(), Err(FreeError::WrongSize { offset: objects[2], size: 4, actual: 8 }));
    // SAFETY: live, and of this size.
    unsafe { cache.free(objects[0], 8) }.expect("a live object");
    assert_eq!(cache.drain(), Ok(()));
    assert_eq!(allocator.size_of(objects[2]), Ok(8), "a wrong free has changed nothing");
}

/// A place in stock is no better aligned than its page, whatever its offset says.
#[test]
fn no_stock_has_more_than_a_page_s_alignment() {
    for (page_size, align) in [(PAGE, 2 * PAGE), (16 * PAGE, 32 * PAGE)] {
        let units = Units::new(1, 1 << 20, page_size, Pages::Checked);
        let allocator: Allocator<_, SpinLock> = Allocator::new(&units, SpinLock::new(), page_size);
        // SAFETY: the units are this test's.
        unsafe { allocator.add_range(0..1 << 20) }.expect("records");
        let mut cache = Cache::new(&allocator);
        // The stock has the place at offset 0, a multiple of everything.
        let offset = cache.alloc(64, 4, AllocFlags::NONE).expect("room");
        assert_eq!(offset, 0);
        // SAFETY: live, and of this size.
        unsafe { cache.free(offset, 64) }.expect("a live object");
        assert_eq!(cache.alloc(64, align, AllocFlags::NONE), Err(AllocError::BadAlign { align, max: page_size }));
        assert_eq!(cache.alloc(64, page_size, AllocFlags::NONE), Ok(0));
    }
}

/// Where a page is more than the allocator's block of 4 KiB.
#[test]
fn alignments_up_to_a_large_page() {
    for page_size in [16 << 10, 64 << 10] {
        let units = Units::new(1, 2 << 20, page_size, Pages::Checked);
        let allocator: Allocator<_, SpinLock> = Allocator::new(&units, SpinLock::new(), page_size);
        // SAFETY: the units are this test's.
        unsafe { allocator.add_range(0..2 << 20) }.expect("records");
        let objects: Vec<_> = (0..300).map(|_| allocator.alloc(64, 4, AllocFlags::NONE).expect("room")).collect();
        let mut cache = Cache::new(&allocator);
        for align in [1 << 12, 1 << 13, 1 << 14] {
            // A hole at an offset that is a multiple of a block and of nothing more.
            let hole = *objects.iter().find(|offset| **offset == PAGE).expect("the second block is full");
            allocator.free(hole).expect("live");
            let offset = cache.alloc(64, align, AllocFlags::NONE).expect("room");
            assert!(offset.is_multiple_of(align), "{offset:#x} at {align:#x}");
            assert_eq!(align == PAGE, offset == hole);
            if align == PAGE {
                // SAFETY: live, and of this size.
                unsafe { cache.free(offset, 64) }.expect("a live object");
                cache.drain().expect("no mistake");
            }
            allocator.alloc(64, 4, AllocFlags::NONE).expect("the hole");
        }
    }
}

/// What was looked for in vain is looked for again behind frees of which one was a mistake.
#[test]
fn a_mistake_does_not_hide_what_was_freed_before_it() {
    let bytes = 2 * PAGE;
    let units = Units::new(1, bytes, PAGE, Pages::Checked);
    let allocator = allocator(&units, bytes);
    while allocator.alloc(64, 4, AllocFlags::NONE).is_ok() {}
    let size = 128;
    let refused = Err(AllocError::Exhausted { size, align: 4 });
    // A hole across the border of two blocks: nothing but a look at every hole finds it.
    allocator.free(PAGE).expect("live");
    assert_eq!(allocator.alloc(size, 4, AllocFlags::NONE), refused);
    let mut cache = Cache::new(&allocator);
    // SAFETY: not fulfilled on purpose: it is freed twice, and nobody allocates of this size from here on.
    unsafe {
        let _ = cache.free(PAGE - 64, 64);
        let _ = cache.free(PAGE - 64, 64);
    }
    drop(cache);
    assert_eq!(allocator.alloc(size, 4, AllocFlags::NONE), Ok(PAGE - 64));
}

#[test]
#[should_panic(expected = "one of no caches")]
fn one_of_no_caches() {
    let units = Units::new(1, 1 << 20, PAGE, Pages::Checked);
    let allocator = allocator(&units, 1 << 20);
    let _ = Cache::one_of(0, &allocator);
}

/// What is in stock of objects of `size` bytes, of which `live` are live: of small ones one for eight, up to eight, and from 256 live on
/// one for 32, up to 32; of those beyond 512 bytes one for 128; and of the smallest as many as have 256 bytes.
fn in_stock(size: usize, live: usize) -> usize {
    let of_live = if size > 512 { live / 128 } else { (live / 8).min(8).max(live / 32) };
    let places = of_live.max(256 / size).min(32);
    // One is not worth it.
    if places < 2 { 0 } else { places }
}

/// However much comes and goes, a stock is small; and it is made use of.
#[test]
fn a_stock_follows_what_is_live() {
    let sizes = [4, 32, 64, 512, 516, 2048];
    for (size, all) in sizes.into_iter().flat_map(|size| [20, 100, 1500].map(|all| (size, all))) {
        let units = Units::new(1, 4 << 20, PAGE, Pages::Checked);
        let allocator = allocator(&units, 4 << 20);
        let mut cache = Cache::new(&allocator);
        let stock = |live: usize| allocator.stats().nr_cur_alloc as usize - live;
        let mut objects = Vec::new();
        for live in 1..=all {
            objects.push(cache.alloc(size, 4, AllocFlags::NONE).expect("room"));
            assert!(stock(live) <= in_stock(size, live + stock(live)), "{} of {size} with {live} live", stock(live));
        }
        let (mut before, mut most) = (stock(all), 0);
        while let Some(offset) = objects.pop() {
            // SAFETY: live, and of this size.
            unsafe { cache.free(offset, size) }.expect("a live object");
            let live = objects.len();
            // How much may be is found out when some goes back, which is sixteen at the most; what is in stock beyond may stay.
            let may_be = in_stock(size, live + stock(live) + 16).max(before);
            assert!(stock(live) <= may_be, "{} of {size} with {live} live", stock(live));
            (before, most) = (stock(live), most.max(stock(live)));
        }
        assert_eq!(most, in_stock(size, all), "of {size} with {all} live");
        drop(cache);
        assert_eq!(stock(0), 0);
    }
}

/// What a cache has in stock goes back before it refuses: also where that is all there is.
#[test]
fn a_larger_object_has_what_is_in_stock_of_smaller_ones() {
    for (small, bytes) in [(4, PAGE), (64, 2 * PAGE), (512, 8 * PAGE)] {
        let units = Units::new(1, bytes, PAGE, Pages::Checked);
        let allocator = allocator(&units, bytes);
        let mut cache = Cache::new(&allocator);
        let mut objects = Vec::new();
        while let Ok(offset) = cache.alloc(small, 4, AllocFlags::NONE) {
            objects.push(offset);
        }
        assert_eq!(objects.len(), bytes / small, "all of it");
        for offset in objects {
            // SAFETY: live, and of this size.
            unsafe { cache.free(offset, small) }.expect("a live object");
        }
        assert!(allocator.stats().nr_cur_alloc > 0, "some is in stock");
        assert_eq!(allocator.alloc(bytes, 4, AllocFlags::NONE), Err(AllocError::Exhausted { size: bytes, align: 4 }));
        assert_eq!(cache.alloc(bytes, 4, AllocFlags::NONE), Ok(0));
    }
}

/// Where each object has a page to itself, each that goes back empties one: the stock shrinks with the heap all the same.
#[test]
fn a_stock_of_whole_pages_shrinks() {
    let size = 4092;
    let units = Units::new(1, 32 << 20, PAGE, Pages::Counted);
    let allocator = allocator(&units, 32 << 20);
    let mut cache = Cache::new(&allocator);
    let objects: Vec<usize> = (0..5000).map(|_| cache.alloc(size, 4, AllocFlags::NONE).expect("room")).collect();
    let mut most = 0;
    for (freed, offset) in objects.into_iter().enumerate() {
        // SAFETY: live, and of this size.
        unsafe { cache.free(offset, size) }.expect("a live object");
        let live = 4999 - freed;
        let stock = allocator.stats().nr_cur_alloc as usize - live;
        let may_be = in_stock(size, live + stock) + 1;
        assert!(stock <= may_be.max(2), "{stock} with {live} live");
        most = most.max(stock);
    }
    assert!(most > 16, "{most}: the others had none to shrink");
}

/// One of several that go back is a mistake: it is told with its own offset, and the others are free.
#[test]
fn a_mistake_among_others_is_told_with_its_offset() {
    let units = Units::new(1, 1 << 20, PAGE, Pages::Checked);
    let allocator = allocator(&units, 1 << 20);
    let mut cache = Cache::new(&allocator);
    let mut objects: Vec<usize> = (0..100).map(|_| cache.alloc(8, 8, AllocFlags::NONE).expect("room")).collect();
    cache.drain().expect("no mistakes");
    objects.sort_unstable();
    for at in [10, 11, 12, 12, 13] {
        // SAFETY: of this size, and one of them freed twice: the mistake that is looked for, which hands out nothing meanwhile.
        unsafe { cache.free(objects[at], 8) }.expect("told when it leaves the stock");
    }
    assert_eq!(cache.drain(), Err(FreeError::NotAllocated { offset: objects[12] }));
    assert_eq!(allocator.stats().nr_cur_alloc, 96);
}
