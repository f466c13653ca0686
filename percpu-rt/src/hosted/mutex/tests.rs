extern crate std;
use core::cell::UnsafeCell;
use std::thread;

use super::*;

struct Counter {
    mutex: Mutex,
    count: UnsafeCell<u64>,
}

// SAFETY: the count is changed under the lock.
unsafe impl Sync for Counter {}

impl Counter {
    fn add(&self) {
        self.mutex.lock();
        // SAFETY: the lock is held, and taken above.
        unsafe {
            *self.count.get() += 1;
            self.mutex.unlock();
        }
    }
}

#[test]
fn threads_take_turns() {
    const THREADS: u64 = 4;
    const EACH: u64 = 200_000;
    let counter = Counter { mutex: Mutex::new(), count: UnsafeCell::new(0) };
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| (0..EACH).for_each(|_| counter.add()));
        }
    });
    assert_eq!(counter.count.into_inner(), THREADS * EACH);
    assert_eq!(counter.mutex.word.into_inner(), 0);
}

#[test]
fn whoever_has_entered_takes_it_within_and_nobody_else() {
    let counter = Counter { mutex: Mutex::new(), count: UnsafeCell::new(0) };
    assert!(counter.mutex.enter());
    assert!(!counter.mutex.enter(), "a handler");
    counter.add();
    counter.add();
    assert!(counter.mutex.is_held_here());
    let waits = thread::scope(|scope| {
        let other = scope.spawn(|| counter.add());
        // SAFETY: entered above.
        unsafe { counter.mutex.leave() };
        other.join()
    });
    assert!(waits.is_ok() && !counter.mutex.is_held_here());
    assert_eq!((counter.count.into_inner(), counter.mutex.word.into_inner()), (3, 0));
}

/// Were it to sleep, this would not end.
#[test]
fn who_must_not_sleep_is_refused() {
    let mutex = Mutex::new();
    mutex.lock();
    assert!(!thread::scope(|scope| scope.spawn(|| mutex.enter_awake()).join().expect("no panic")));
    // SAFETY: taken above.
    unsafe { mutex.unlock() };
    assert!(mutex.enter_awake() && !mutex.enter_awake(), "a handler");
    // SAFETY: entered above.
    unsafe { mutex.leave() };
}

/// Also those that sleep already when the fork begins.
#[test]
fn nobody_enters_while_another_forks() {
    let mutex = Mutex::new();
    mutex.lock();
    thread::scope(|scope| {
        let enters = scope.spawn(|| {
            if mutex.enter() {
                // SAFETY: entered above.
                unsafe { mutex.leave() };
            }
        });
        scope.spawn(|| {
            mutex.before_fork();
            // It ends before the fork does, let in or refused.
            enters.join().expect("no panic");
            mutex.after_fork();
        });
        // Until both are asleep, or nearly so.
        while mutex.forks.load(Relaxed) == 0 || mutex.word.load(Relaxed) & WAITERS == 0 {
            thread::yield_now();
        }
        // SAFETY: taken above.
        unsafe { mutex.unlock() };
    });
    assert!(mutex.enter(), "the fork is over");
}

/// A handler that forks in the midst of a fork, and one that forks over the holder.
#[test]
fn forks_of_handlers_are_forks() {
    let mutex = Mutex::new();
    mutex.before_fork();
    mutex.before_fork();
    mutex.after_fork();
    assert!(mutex.is_taken_for_fork(), "the outer one goes on");
    mutex.forget_other_forks();
    mutex.after_fork();
    assert_eq!((mutex.is_held_here(), mutex.forks.load(Relaxed)), (false, 0));
    mutex.lock();
    mutex.before_fork();
    let enters = thread::scope(|scope| scope.spawn(|| mutex.enter()).join()).expect("no panic");
    assert!(!enters, "the fork may wait for whoever a handler has interrupted");
    mutex.after_fork();
    // SAFETY: taken above.
    unsafe { mutex.unlock() };
    assert!(mutex.enter() && !mutex.try_for_a_while());
}

#[test]
fn a_holder_is_known_to_itself_alone() {
    let mutex = Mutex::new();
    assert!(!mutex.is_held_here());
    mutex.lock();
    assert!(mutex.is_held_here());
    assert!(!thread::scope(|scope| scope.spawn(|| mutex.is_held_here()).join()).expect("no panic"));
    // A fork of a handler that has interrupted the holder.
    mutex.before_fork();
    mutex.after_fork();
    assert!(mutex.is_held_here(), "the holder still has it");
    // SAFETY: taken above.
    unsafe { mutex.unlock() };
    mutex.before_fork();
    assert!(mutex.is_held_here());
    mutex.after_fork();
    assert!(!mutex.is_held_here());
}
