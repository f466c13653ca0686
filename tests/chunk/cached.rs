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
