//! Other threads, while pages are on their way.
//!
//! The lock is not held meanwhile, so anything may happen. Who would wait for what is on its way gives up at once here, so
//! that all that can be had meanwhile is seen.

use std::thread;

use percpu_rt::chunk::{AllocError, AllocFlags, Allocator, Memory, SpinLock};
use percpu_tests::ledger::is_all;
use percpu_tests::random::Random;
use percpu_tests::units::{Pages, Units};

use crate::stopping::{Answer, Call, PAGE, Stopping, allocator, interleave};
use crate::valgrind::load;

/// Nobody gets a part of a page that is not there yet, and all of it when it is there.
#[test]
fn a_page_on_its_way_is_nobodys() {
    for page_size in [PAGE, 64 << 10] {
        for size in [16, 1000, PAGE, PAGE + 100] {
            for succeeds in [true, false] {
                let bytes = 2 * page_size;
                let memory = Stopping::new(bytes, page_size);
                let allocator = allocator(&memory, bytes, page_size);
                let mut others = Vec::new();
                let first = interleave(
                    &memory,
                    Call::Populate,
                    succeeds,
                    || allocator.alloc(size, 4, AllocFlags::NONE),
                    || {
                        let atomic = allocator.alloc(4, 4, AllocFlags::ATOMIC);
                        assert_eq!(atomic, Err(AllocError::AtomicExhausted { size: 4, align: 4 }));
                        // All that the first does not need the page of.
                        while let Ok(offset) = allocator.alloc(64, 4, AllocFlags::NONE) {
                            // SAFETY: a live object.
                            unsafe { memory.copy(1, offset).write_bytes(0xa5, 64) };
                            others.push(offset);
                        }
                    },
                );
                assert_eq!(first.is_ok(), succeeds, "{first:?}");
                let pages = (size.div_ceil(page_size)).min(2);
                assert_eq!(others.len(), (2 - pages) * page_size / 64);
                // Refused before, it is there now: nobody remembers.
                let live = others.len() * 64 + if succeeds { size.next_multiple_of(64) } else { 0 };
                for number in 0..(bytes - live) / 64 {
                    let offset = allocator.alloc(64, 64, AllocFlags::NONE);
                    assert!(offset.is_ok(), "{number} of {}, {offset:?}", (bytes - live) / 64);
                }
            }
        }
    }
}

/// A hole that only a look at every hole finds is found again, once what was in it did not come to be.
#[test]
fn what_was_looked_for_in_vain_may_be_there_later() {
    let memory = Stopping::new(2 * PAGE, PAGE);
    let allocator = allocator(&memory, 2 * PAGE, PAGE);
    allocator.alloc(60, 4, AllocFlags::NONE).expect("room");
    let size = PAGE + 1024;
    let alloc = || allocator.alloc(size, 4, AllocFlags::NONE);
    let refused = interleave(
        &memory,
        Call::Populate,
        false,
        || allocator.alloc(PAGE, PAGE, AllocFlags::NONE),
        || assert_eq!(alloc(), Err(AllocError::Exhausted { size, align: 4 })),
    );
    assert_eq!(refused, Err(AllocError::NoMemory { size: PAGE, units: 2 }));
    let offset = alloc().expect("the end of one page, and the other");
    allocator.free(offset).expect("live");

    // Or while it is on its way back.
    let pages = 12;
    let memory = Stopping::new(pages * PAGE, PAGE);
    let allocator = self::allocator(&memory, pages * PAGE, PAGE);
    allocator.alloc(60, 4, AllocFlags::NONE).expect("room");
    let last = allocator.alloc((pages - 1) * PAGE, PAGE, AllocFlags::NONE).expect("room");
    let size = (pages - 1) * PAGE + 1024;
    let alloc = || allocator.alloc(size, 4, AllocFlags::NONE);
    let none = Err(AllocError::Exhausted { size, align: 4 });
    let free = || {
        allocator.free(last).expect("live");
        allocator.balance();
    };
    interleave(&memory, Call::Depopulate, true, free, || assert_eq!(alloc(), none));
    alloc().expect("the end of one page, and the others");
}

/// Nor while less is asked for, after more was refused.
#[test]
fn a_page_that_is_asked_for_again_is_nobodys() {
    let page_size = 64 << 10;
    for live in [0, 400] {
        let bytes = (live + 4) * page_size;
        let memory = Stopping::new(bytes, page_size);
        let allocator = allocator(&memory, bytes, page_size);
        // The more pages there are, the more come ahead.
        for _ in 0..live {
            allocator.alloc(page_size, page_size, AllocFlags::NONE).expect("room");
        }
        thread::scope(|scope| {
            let (stopped, go_on) = memory.stop(Call::Populate);
            let first = scope.spawn(|| {
                let first = allocator.alloc(16, 4, AllocFlags::NONE);
                memory.at.lock().expect("no panic").take();
                first
            });
            stopped.recv().expect("a page is brought");
            let (stopped, go_on_again) = memory.stop(Call::Populate);
            go_on.send(Answer::Refuse).expect("it waits");
            if stopped.recv().is_ok() {
                let mut others = Vec::new();
                while let Ok(offset) = allocator.alloc(64, 4, AllocFlags::NONE) {
                    others.push(offset);
                }
                go_on_again.send(Answer::Succeed).expect("it waits");
                let first = first.join().expect("no panic").expect("its page has come");
                let page = first / page_size;
                assert!(others.iter().all(|offset| offset / page_size != page), "{first:#x} is on another's page");
                return;
            }
            assert!(first.join().expect("no panic").is_err());
        });
    }
}

/// Nobody gets a page that is being given back, and everybody when it is.
#[test]
fn a_page_on_its_way_back_is_nobodys() {
    for page_size in [PAGE, 64 << 10] {
        let pages = 12;
        let memory = Stopping::new(pages * page_size, page_size);
        let allocator = allocator(&memory, pages * page_size, page_size);
        let mut objects: Vec<_> =
            (0..pages - 6).map(|_| allocator.alloc(page_size, 4, AllocFlags::NONE).expect("room")).collect();
        objects.push(allocator.alloc(6 * page_size, 4, AllocFlags::NONE).expect("room"));
        for offset in &objects {
            // SAFETY: a live object, of this size at least.
            unsafe { memory.copy(0, *offset).write_bytes(0xa5, page_size) };
        }
        let last = objects.pop().expect("an object");
        for offset in objects {
            allocator.free(offset).expect("live");
        }
        let mut got = Vec::new();
        let alloc = || allocator.alloc(page_size, 4, AllocFlags::NONE);
        interleave(
            &memory,
            Call::Depopulate,
            true,
            || {
                allocator.free(last).expect("live");
                allocator.balance();
            },
            || {
                while let Ok(offset) = alloc() {
                    got.push(offset);
                }
            },
        );
        assert!(got.len() < pages, "nothing was on its way");
        while let Ok(offset) = alloc() {
            got.push(offset);
        }
        got.sort_unstable();
        assert!(got.iter().copied().eq((0..pages).map(|page| page * page_size)), "all pages are there again: {got:x?}");
        for offset in got {
            // SAFETY: a live object.
            let copy = unsafe { std::slice::from_raw_parts(memory.copy(0, offset), page_size) };
            assert!(is_all(copy, 0), "{offset:#x}");
        }
    }
}

/// Threads that allocate, fill, check and free, with pages refused now and then: nobody has what another has.
#[test]
fn many_threads() {
    for (bytes, page_size) in [(256 << 10, PAGE), (4 << 20, PAGE), (4 << 20, 64 << 10)] {
        let seed = Random::printed().bits();
        let units = Units::new(2, bytes, page_size, Pages::Checked);
        {
            let allocator = Allocator::new(&units, SpinLock::new(), page_size);
            // SAFETY: the units are this test's.
            unsafe { allocator.add_range(0..bytes) }.expect("records");
            thread::scope(|scope| {
                for thread in 0..3_u64 {
                    let (allocator, units) = (&allocator, &units);
                    scope.spawn(move || work(allocator, units, Random::new(seed + thread), thread as u8 + 1));
                }
            });
            allocator.balance();
            let stats = allocator.stats();
            assert_eq!((stats.nr_cur_alloc, stats.live_bytes), (0, 0));
            assert_eq!(stats.populated_bytes, units.populated_pages() * page_size);
            // All of it is one hole again.
            assert_eq!(allocator.alloc(bytes, page_size, AllocFlags::NONE), Ok(0));
        }
        assert_eq!(units.metadata_pages(), 0);
    }
}

fn work(allocator: &Allocator<&Units, SpinLock>, units: &Units, mut random: Random, mark: u8) {
    let mut live: Vec<(usize, usize)> = Vec::new();
    let is = |offset: usize, size: usize, value: u8| {
        // SAFETY: a live object of this thread.
        let mut copies = (0..2).map(|unit| unsafe { std::slice::from_raw_parts(units.copy(unit, offset), size) });
        copies.all(|copy| is_all(copy, value))
    };
    for _ in 0..load(if cfg!(debug_assertions) { 20_000 } else { 200_000 }) {
        if live.is_empty() || live.len() < 100 && random.below(2) == 0 {
            let most = if random.below(8) == 0 { 20_000 } else { 700 };
            let size = 1 + random.below(most);
            let flags = if random.below(4) == 0 { AllocFlags::ATOMIC } else { AllocFlags::NONE };
            Units::grant((random.below(8) == 0).then_some(0));
            if let Ok(offset) = allocator.alloc(size, 1 << random.below(13), flags) {
                assert!(is(offset, size, 0), "{offset:#x}+{size} is not zero");
                for unit in 0..2 {
                    // SAFETY: a live object of this thread.
                    unsafe { units.copy(unit, offset).write_bytes(mark, size) };
                }
                live.push((offset, size));
            }
        } else {
            let (offset, size) = live.swap_remove(random.below(live.len()));
            assert!(is(offset, size, mark), "{offset:#x}+{size} is another's, too");
            allocator.free(offset).expect("a live object");
            if random.below(4) == 0 {
                allocator.balance();
            }
        }
    }
    for (offset, size) in live {
        assert!(is(offset, size, mark), "{offset:#x}+{size} is another's, too");
        allocator.free(offset).expect("a live object");
    }
}
