//! Which memory of the units is written to, and which is not even read.

use percpu_rt::chunk::{AllocFlags, Allocator, Memory as _, SpinLock};
use percpu_tests::ledger::is_all;
use percpu_tests::units::{Pages, Units};

const PAGE: usize = 4096;
const UNIT: usize = 64 * PAGE;

fn allocator(units: &Units) -> Allocator<&Units, SpinLock> {
    let allocator = Allocator::new(units, SpinLock::new(), PAGE);
    // SAFETY: the units are the test's, and it makes one allocator.
    unsafe { allocator.add_range(0..UNIT) }.expect("records");
    allocator
}

/// The same with pages that stay populated: what was written to them stays there, too.
fn fixed(units: &Units) -> Allocator<&Units, SpinLock> {
    let allocator = Allocator::new(units, SpinLock::new(), PAGE);
    // SAFETY: as above.
    unsafe { allocator.add_populated(0..UNIT) }.expect("records");
    allocator
}

/// A fresh object costs as much with many CPUs as with few: no unit is looked at.
#[test]
fn fresh_memory_is_not_read() {
    let units = Units::new(512, UNIT, PAGE, Pages::Counted);
    let allocator = allocator(&units);
    for number in 0..1000 {
        allocator.alloc(8 + number % 57, 8, AllocFlags::NONE).expect("room");
    }
    for size in [5000, 3 * PAGE, 16 * PAGE] {
        allocator.alloc(size, PAGE, AllocFlags::NONE).expect("room");
    }
    assert_eq!(units.touched_pages(), 0, "pages of 512 units");
}

/// What is fresh behind a used object is not read with it.
#[test]
fn fresh_memory_behind_a_used_object_is_not_read() {
    let units = Units::new(64, UNIT, PAGE, Pages::Counted);
    let allocator = allocator(&units);
    let small = allocator.alloc(PAGE, PAGE, AllocFlags::NONE).expect("room");
    allocator.free(small).expect("live");
    let large = allocator.alloc(16 * PAGE, PAGE, AllocFlags::NONE).expect("room");
    assert_eq!(large, small);
    // The first page may have been written to, and is looked at.
    assert_eq!(units.touched_pages(), 64);
}

/// Nor is what an object would have had whose pages were refused.
#[test]
fn memory_that_was_refused_is_not_read() {
    let units = Units::new(64, UNIT, PAGE, Pages::Counted);
    let allocator = allocator(&units);
    for size in [100, PAGE, 16 * PAGE] {
        // Records come, and then pages do not, as there are more small objects than fit in a page.
        Units::grant(Some(1));
        while allocator.alloc(size, 4, AllocFlags::NONE).is_ok() {}
        Units::grant(None);
        allocator.alloc(size, 4, AllocFlags::NONE).expect("room");
        assert_eq!(units.touched_pages(), 0, "{size}");
    }
}

/// Pages that were given back come back as zero: they are fresh again, but for those that were kept.
#[test]
fn pages_that_were_given_back_are_not_read() {
    let units = Units::new(64, UNIT, PAGE, Pages::Counted);
    let allocator = allocator(&units);
    for _ in 0..2 {
        let offsets: Vec<_> = (0..32).map(|_| allocator.alloc(PAGE, PAGE, AllocFlags::NONE).expect("room")).collect();
        for offset in offsets {
            allocator.free(offset).expect("live");
        }
        allocator.balance();
    }
    let kept = allocator.stats().populated_bytes / PAGE;
    assert!(kept <= 4 && units.touched_pages() <= 64 * kept, "{} pages, {kept} kept", units.touched_pages());
}

/// Recycling writes to the copies that were written to, and looks at the others. If it wrote to one, this process
/// would end by SIGSEGV.
#[test]
fn clean_copies_are_not_written_to() {
    const USED: usize = 2;
    let units = Units::new(8, UNIT, PAGE, Pages::Counted);
    let allocator = fixed(&units);
    for size in [8, 100, PAGE, 3 * PAGE + 500] {
        for _ in 0..3 {
            let offset = allocator.alloc(size, 8, AllocFlags::NONE).expect("room");
            let copy = units.copy(USED, offset);
            // SAFETY: the object that was just allocated, on one CPU.
            unsafe {
                assert!(is_all(std::slice::from_raw_parts(copy, size), 0), "{size} at {offset:#x}");
                copy.write_bytes(0xa5, size);
            }
            allocator.free(offset).expect("live");
            for unit in (0..8).filter(|unit| *unit != USED) {
                units.protect(unit, 0..UNIT, false);
            }
        }
        for unit in 0..8 {
            units.protect(unit, 0..UNIT, true);
        }
    }
}

/// Nor are clean pages of a copy of which others are dirty.
#[test]
fn clean_pages_are_not_written_to() {
    let units = Units::new(2, UNIT, PAGE, Pages::Counted);
    let allocator = fixed(&units);
    let offset = allocator.alloc(8 * PAGE, PAGE, AllocFlags::NONE).expect("room");
    // SAFETY: a live object's page.
    unsafe { units.copy(1, offset + 5 * PAGE).write_bytes(0xa5, PAGE) };
    allocator.free(offset).expect("live");
    units.protect(0, 0..UNIT, false);
    units.protect(1, offset..offset + 5 * PAGE, false);
    units.protect(1, offset + 6 * PAGE..UNIT, false);
    assert_eq!(allocator.alloc(8 * PAGE, PAGE, AllocFlags::NONE), Ok(offset));
    // SAFETY: a live object.
    let copy = unsafe { std::slice::from_raw_parts(units.copy(1, offset), 8 * PAGE) };
    assert!(is_all(copy, 0));
}
