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

/// However much comes and goes, a stock is small: of each size a 64th of what is live, or 128 bytes.
#[test]
fn a_stock_follows_what_is_live() {
    let units = Units::new(1, 4 << 20, PAGE, Pages::Checked);
    let allocator = allocator(&units, 4 << 20);
    let mut cache = Cache::new(&allocator);
    let stock = |live: usize| allocator.stats().nr_cur_alloc as usize - live;
    let objects: Vec<usize> = (0..2000).map(|_| cache.alloc(64, 8, AllocFlags::NONE).expect("room")).collect();
    assert!((1..=32).contains(&stock(2000)), "{}", stock(2000));
    for (freed, &offset) in objects.iter().enumerate() {
        // SAFETY: live, and of this size.
        unsafe { cache.free(offset, 64) }.expect("a live object");
        assert!(stock(1999 - freed) <= 32, "{}", stock(1999 - freed));
    }
    assert!(stock(0) <= 32);
    drop(cache);
    assert_eq!(stock(0), 0);
}
