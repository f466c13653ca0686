//! What is asked for wrongly, or cannot be had: nothing has changed then.

use percpu_rt::chunk::{AllocError, AllocFlags, Allocator, FreeError, SpinLock};
use percpu_tests::model::Model;
use percpu_tests::units::{Pages, Units};

use crate::valgrind::is_short;

const PAGE: usize = 4096;

/// What a scripted program does next.
#[derive(Clone, Copy)]
enum Step {
    Alloc(usize, usize),
    /// Frees the object of that step.
    Free(usize),
    Balance,
}

/// Steps that need pages and records of every kind: one block, several, across chunks, and chunks more.
fn script(page_size: usize) -> Vec<Step> {
    use Step::{Alloc, Balance, Free};
    let mut steps = vec![
        Alloc(4, 4),
        Alloc(64, 64),
        Alloc(3000, 4),
        Alloc(3000, 4),
        Alloc(PAGE, PAGE),
        Alloc(2 * PAGE + 12, 8),
        Free(4),
        Alloc(5 * PAGE, PAGE),
        Free(2),
        Free(5),
        Balance,
        Alloc(9 * PAGE + 4, 4),
        Alloc(40 * PAGE, 4),
    ];
    // Enough for pages of bits.
    steps.extend((0..40).map(|_| Alloc(2500, 4)));
    steps.extend([
        Free(12),
        Free(11),
        Balance,
        Alloc(100 * PAGE, PAGE),
        Alloc(4, 4),
        Alloc(130 * PAGE, 4),
        Free(7),
        Balance,
    ]);
    steps.extend([Alloc(PAGE / 2, PAGE), Alloc(20 * PAGE, 4)]);
    // Populated pages with others before and behind: what one object needs is brought in two parts.
    let first = steps.len();
    steps.extend((0..7).map(|_| Alloc(page_size, 4)));
    steps.extend((0..6).map(|page| Free(first + page)));
    steps.extend([Balance, Free(first + 6), Alloc(12 * page_size, 4)]);
    steps
}

/// Runs the script with all calls for pages refused from number `call` on, until one operation has failed, and then `more` times
/// again. False where there are not so many calls.
fn run(units: &Units, grows: bool, call: usize, page_size: usize) -> bool {
    let bytes = 4 << 20;
    let mut model = if grows {
        Model::growing(units, page_size, &crate::grown::chunks(bytes, 1 << 20, page_size))
    } else {
        Model::new(units, page_size, std::slice::from_ref(&(0..bytes)), false)
    };
    let mut offsets = Vec::new();
    let mut failed = false;
    Units::grant(Some(call));
    for step in script(page_size) {
        match step {
            Step::Alloc(size, align) => {
                let before = model.allocator.stats();
                let offset = model.alloc(size, align, AllocFlags::NONE).unwrap_or_else(|error| {
                    assert!(!failed, "nothing is refused any more: {error}");
                    failed = true;
                    let refused = |error| match error {
                        AllocError::NoMemory { size: of, units: 3 } => of == size,
                        // A chunk that is refused is one that there is not.
                        AllocError::Exhausted { .. } | AllocError::TooLarge { .. } => grows,
                        _ => false,
                    };
                    assert!(refused(error), "{error}");
                    // Again, and what is there is had in spite of it.
                    let error = model.alloc(size, align, AllocFlags::NONE).expect_err("still refused");
                    assert!(refused(error), "{error}");
                    if let Ok(small) = model.alloc(4, 4, AllocFlags::ATOMIC) {
                        model.free(small);
                    }
                    model.allocator.balance();
                    let after = model.allocator.stats();
                    assert_eq!(after.populated_bytes, units.populated_pages() * page_size);
                    assert!(after.populated_bytes <= before.populated_bytes);
                    // Two spare pages stay, for the next that needs one, and the records of a chunk that has come.
                    let (pages, chunks) = if grows { (3, 2) } else { (2, 0) };
                    assert!(after.metadata_bytes <= before.metadata_bytes + pages * PAGE, "{before:?} {after:?}");
                    assert!(after.nr_chunks <= before.nr_chunks + chunks, "{before:?} {after:?}");
                    Units::grant(None);
                    model.alloc(size, align, AllocFlags::NONE).expect("not refused any more")
                });
                offsets.push(Some(offset));
            }
            Step::Free(step) => {
                model.free(offsets[step].take().expect("not freed before"));
                offsets.push(None);
            }
            Step::Balance => {
                model.allocator.balance();
                offsets.push(None);
            }
        }
    }
    Units::grant(None);
    model.finish();
    failed
}

/// Every call for pages is refused once, with all that follow it until the operation has failed.
#[test]
fn a_refusal_at_every_point_leaks_nothing() {
    for page_size in [PAGE, 16 << 10, 64 << 10] {
        for grows in [false, true] {
            let mut calls = 0;
            loop {
                let units = Units::new(3, 4 << 20, page_size, Pages::Checked);
                let units = if grows { units.in_chunks(1 << 20) } else { units };
                let failed = run(&units, grows, calls, page_size);
                assert_eq!(units.metadata_pages(), 0, "pages of records are lost with call {calls}");
                if !failed {
                    break;
                }
                calls += if is_short() { 20 } else { 1 };
            }
            println!("{calls} calls for pages of {page_size}, each refused once");
            assert!(calls > 10, "{calls}");
        }
    }
}

/// Before there is anything.
#[test]
fn a_range_without_records_is_not_added() {
    for populated in [false, true] {
        let mut calls = 0;
        loop {
            let units = Units::new(1, 4 << 20, PAGE, Pages::Checked);
            {
                let allocator = Allocator::new(&units, SpinLock::new(), PAGE);
                Units::grant(Some(calls));
                let add = || {
                    // SAFETY: the units are this test's, and zero.
                    unsafe {
                        if populated { allocator.add_populated(100..4 << 20) } else { allocator.add_range(0..4 << 20) }
                    }
                };
                let added = add();
                Units::grant(None);
                if added.is_ok() {
                    break;
                }
                assert!(matches!(added, Err(AllocError::NoMemory { units: 1, .. })));
                assert_eq!(allocator.free(256), Err(FreeError::Foreign { offset: 256 }));
                assert!(allocator.alloc(8, 8, AllocFlags::NONE).is_err());
                add().expect("not refused any more");
                allocator.alloc(8, 8, AllocFlags::NONE).expect("room");
            }
            assert_eq!(units.metadata_pages(), 0);
            calls += 1;
        }
        assert!(calls > 0);
    }
}

/// An atomic allocation gets all that is populated, and asks for nothing.
#[test]
fn atomic_ones_take_what_is_populated() {
    let bytes = 1 << 20;
    let mut model =
        Model::new(Units::new(2, bytes, PAGE, Pages::Checked), PAGE, std::slice::from_ref(&(0..bytes)), false);
    let none = AllocError::AtomicExhausted { size: 1024, align: 4 };
    assert_eq!(model.alloc(1024, 4, AllocFlags::ATOMIC), Err(none));
    // Pages of two zones, one of them emptied again.
    let small = model.alloc(4, 4, AllocFlags::NONE).expect("room");
    model.alloc(100, 4, AllocFlags::NONE).expect("room");
    let page = model.alloc(PAGE, PAGE, AllocFlags::NONE).expect("room");
    model.free(page);
    let pages = model.allocator.stats().populated_bytes / PAGE;
    assert_eq!(pages, 3);
    Units::grant(Some(0));
    // Of the first two pages something is taken.
    for _ in 0..3 + 3 + 4 {
        model.alloc(1024, 4, AllocFlags::ATOMIC).expect("a populated place");
    }
    assert_eq!(model.alloc(1024, 4, AllocFlags::ATOMIC), Err(none));
    let size = 2 * PAGE;
    assert_eq!(model.alloc(size, 4, AllocFlags::ATOMIC), Err(AllocError::AtomicExhausted { size, align: 4 }));
    model.alloc(900, 4, AllocFlags::ATOMIC).expect("what is left of a page");
    model.free(small);
    Units::grant(None);
    model.finish();
}

/// Each with the values, and as if nothing had been asked for.
#[test]
fn errors_of_allocations() {
    let bytes = 64 << 10;
    let units = Units::new(4, bytes, PAGE, Pages::Checked);
    let mut model = Model::new(units, PAGE, std::slice::from_ref(&(0..bytes)), false);
    model.alloc(10, 4, AllocFlags::NONE).expect("room");
    let before = model.allocator.stats();
    let cases = [
        ((0, 4), AllocError::ZeroSize),
        ((0, 3), AllocError::ZeroSize),
        ((8, 0), AllocError::BadAlign { align: 0, max: PAGE }),
        ((8, 3), AllocError::BadAlign { align: 3, max: PAGE }),
        ((8, 12), AllocError::BadAlign { align: 12, max: PAGE }),
        ((8, 2 * PAGE), AllocError::BadAlign { align: 2 * PAGE, max: PAGE }),
        ((8, 1 << 63), AllocError::BadAlign { align: 1 << 63, max: PAGE }),
        ((bytes + 1, 4), AllocError::TooLarge { size: bytes + 1, max: bytes }),
        ((bytes, 4), AllocError::Exhausted { size: bytes, align: 4 }),
        ((usize::MAX, 1), AllocError::TooLarge { size: usize::MAX, max: bytes }),
        ((usize::MAX - 4, PAGE), AllocError::TooLarge { size: usize::MAX - 4, max: bytes }),
        ((1 << 63, 4), AllocError::TooLarge { size: 1 << 63, max: bytes }),
        ((1 << 44, PAGE), AllocError::TooLarge { size: 1 << 44, max: bytes }),
        (((1 << 44) - 1, PAGE), AllocError::TooLarge { size: (1 << 44) - 1, max: bytes }),
    ];
    for ((size, align), error) in cases {
        for flags in [AllocFlags::NONE, AllocFlags::ATOMIC] {
            let refused = model.alloc(size, align, flags).expect_err("wrong or too much");
            let atomic = AllocError::AtomicExhausted { size, align };
            let is_room = matches!(error, AllocError::Exhausted { .. } | AllocError::TooLarge { .. });
            let expected = if flags == AllocFlags::ATOMIC && is_room { atomic } else { error };
            assert_eq!(refused, expected);
            let values = format!("{refused}");
            assert!(values.chars().any(|char| char.is_ascii_digit()), "{values} has no values");
        }
    }
    assert_eq!(model.allocator.stats(), before);
    // Less than a granule is one.
    for align in [1, 2, 4] {
        let offset = model.alloc(1, align, AllocFlags::NONE).expect("room");
        assert_eq!(model.allocator.size_of(offset), Ok(4));
    }
    model.finish();
}

/// A batch is whole, or as if it had not been asked for.
#[test]
fn a_batch_is_whole_or_nothing() {
    let bytes = 64 << 10;
    let units = Units::new(2, bytes, PAGE, Pages::Checked);
    let mut model = Model::new(units, PAGE, std::slice::from_ref(&(0..bytes)), false);
    model.alloc(100, 4, AllocFlags::NONE).expect("room");
    let before = model.allocator.stats();
    let mut offsets = [usize::MAX; 100];
    let error = model.allocator.alloc_batch(1000, 8, AllocFlags::NONE, &mut offsets);
    assert_eq!(error, Err(AllocError::Exhausted { size: 1000, align: 8 }));
    let after = model.allocator.stats();
    assert_eq!((after.nr_cur_alloc, after.live_bytes), (before.nr_cur_alloc, before.live_bytes));
    model.allocator.alloc_batch(400, 8, AllocFlags::NONE, &mut offsets).expect("room");
    for offset in offsets {
        assert_eq!(model.allocator.size_of(offset), Ok(400));
        model.allocator.free(offset).expect("live");
    }
    model.finish();
}

/// Each with the offset, and what is live stays so.
#[test]
fn errors_of_frees() {
    let bytes = 64 << 10;
    let units = Units::new(2, bytes + PAGE, PAGE, Pages::Checked);
    let mut model = Model::new(units, PAGE, std::slice::from_ref(&(PAGE..bytes)), false);
    let small = model.alloc(24, 8, AllocFlags::NONE).expect("room");
    let large = model.alloc(3 * PAGE + 100, 4, AllocFlags::NONE).expect("room");
    let behind = model.alloc(200, 4, AllocFlags::NONE).expect("room");
    let before = model.allocator.stats();
    let foreign = |offset| FreeError::Foreign { offset };
    let interior = |offset| FreeError::Interior { offset };
    let nothing = |offset| FreeError::NotAllocated { offset };
    for (error, offset) in [
        (foreign as fn(usize) -> FreeError, 0),
        (foreign, PAGE - 4),
        (foreign, bytes),
        (foreign, 1 << 40),
        (foreign, usize::MAX),
        (interior, small + 1),
        (interior, small + 4),
        (interior, small + 20),
        (interior, large + 4),
        (interior, large + PAGE),
        (interior, (large + PAGE).next_multiple_of(PAGE)),
        (interior, large + 3 * PAGE + 96),
        (nothing, small + 24),
        (nothing, bytes - 4),
        (nothing, behind + 200),
    ] {
        assert_eq!(model.allocator.free(offset), Err(error(offset)), "{offset:#x}");
        assert_eq!(model.allocator.size_of(offset), Err(error(offset)), "{offset:#x}");
    }
    assert_eq!(model.allocator.stats(), before);
    for offset in [small, large, behind] {
        model.free(offset);
        assert_eq!(model.allocator.free(offset), Err(FreeError::NotAllocated { offset }));
    }
    model.finish();
}
