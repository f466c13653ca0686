//! Nobody is refused for want of what is on its way: whoever may sleep waits for it.

use std::sync::atomic::Ordering::Relaxed;
use std::thread;

use percpu_rt::chunk::{AllocError, AllocFlags, Allocator, SpinLock};

use crate::stopping::{Answer, Call, PAGE, Stopping, allocator};

type Result = std::result::Result<usize, AllocError>;

/// Runs `first` until it stops in `call`, then `second` until it waits; lets the call succeed or not, and both end.
fn wait_for<R: Send>(
    memory: &Stopping,
    call: Call,
    answer: Answer,
    first: impl FnOnce() -> R + Send,
    second: impl FnOnce() -> Result + Send,
) -> (R, Result) {
    memory.is_patient.store(true, Relaxed);
    thread::scope(|scope| {
        let (stopped, go_on) = memory.stop(call);
        let first = scope.spawn(first);
        stopped.recv().expect("the call comes");
        let second = scope.spawn(second);
        while memory.waits.load(Relaxed) == 0 {
            assert!(!second.is_finished(), "it does not wait: {:?}", second.join());
            thread::yield_now();
        }
        go_on.send(answer).expect("it waits");
        (first.join().expect("no panic"), second.join().expect("no panic"))
    })
}

#[test]
fn pages_on_their_way_back() {
    let bytes = 12 * PAGE;
    let memory = Stopping::new(bytes, PAGE);
    let allocator = allocator(&memory, bytes, PAGE);
    let all = allocator.alloc(bytes, PAGE, AllocFlags::NONE).expect("room");
    let free = || {
        allocator.free(all).expect("live");
        allocator.balance();
    };
    let ((), second) =
        wait_for(&memory, Call::Depopulate, Answer::Succeed, free, || allocator.alloc(bytes, PAGE, AllocFlags::NONE));
    assert_eq!(second, Ok(all), "all of it is free");
}

/// What comes with the page of a small object, or does not come after all.
#[test]
fn pages_on_their_way() {
    for answer in [Answer::Succeed, Answer::RefuseAll] {
        let (page_size, bytes) = (64 << 10, 128 << 10);
        let memory = Stopping::new(bytes, page_size);
        let allocator = allocator(&memory, bytes, page_size);
        let rest = bytes - page_size;
        allocator.alloc(rest, 4, AllocFlags::NONE).expect("room");
        let first = || allocator.alloc(16, 4, AllocFlags::NONE);
        let second = || allocator.alloc(page_size / 2, 4, AllocFlags::NONE);
        let (first, second) = wait_for(&memory, Call::Populate, answer, first, second);
        assert_eq!((first.is_ok(), second.is_ok()), (answer == Answer::Succeed, true), "{first:?} {second:?}");
    }
}

#[test]
fn a_chunk_that_another_thread_adds() {
    let chunk = 8 << 20;
    for answer in [Answer::Succeed, Answer::RefuseAll] {
        let mut memory = Stopping::new(chunk + PAGE, PAGE);
        memory.units = memory.units.in_chunks(chunk);
        let allocator: Allocator<_, SpinLock> = Allocator::new(&memory, SpinLock::new(), PAGE);
        let alloc = || allocator.alloc(10_000, 4, AllocFlags::NONE);
        let (first, second) = wait_for(&memory, Call::Metadata, answer, alloc, alloc);
        assert_eq!((first.is_ok(), second.is_ok()), (answer == Answer::Succeed, true), "{first:?} {second:?}");
    }
}

/// What cannot wait does not, and nobody does forever.
#[test]
fn an_atomic_one_waits_for_nothing() {
    let bytes = 12 * PAGE;
    let memory = Stopping::new(bytes, PAGE);
    let allocator = allocator(&memory, bytes, PAGE);
    let all = allocator.alloc(bytes, PAGE, AllocFlags::NONE).expect("room");
    thread::scope(|scope| {
        let (stopped, go_on) = memory.stop(Call::Depopulate);
        scope.spawn(|| {
            allocator.free(all).expect("live");
            allocator.balance();
        });
        stopped.recv().expect("the call comes");
        let (size, align) = (bytes, PAGE);
        assert_eq!(allocator.alloc(size, align, AllocFlags::ATOMIC), Err(AllocError::AtomicExhausted { size, align }));
        assert_eq!(memory.waits.load(Relaxed), 0);
        assert_eq!(allocator.alloc(size, align, AllocFlags::NONE), Err(AllocError::Exhausted { size, align }));
        assert_eq!(memory.waits.load(Relaxed), 1, "the platform says when to give up");
        go_on.send(Answer::Succeed).expect("it waits");
    });
}
