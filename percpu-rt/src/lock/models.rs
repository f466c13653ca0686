//! The portable backend's lock in every interleaving that the memory model allows, up to a number of preemptions.
//!
//! The steps are the real ones. The copies are a model's own, two of them; its threads are on the CPU that they say, and a
//! futex is a mutex and a condition variable. loom fails where a value is reached by two threads at once or without being
//! handed over, and where every thread sleeps.

extern crate std;

use core::cell::Cell;
use core::ptr;
use core::sync::atomic::Ordering::{Relaxed, SeqCst};
use core::time::Duration;
use std::sync::Arc;
use std::vec::Vec;

use loom::cell::UnsafeCell;
use loom::sync::{Condvar, Mutex};
use loom::thread;

use super::steps::{self, View};
use crate::arch::{LockWords, acquire_copy};
use crate::primitive::{AtomicU32, fence};

/// Where threads sleep until a word changes.
#[derive(Default)]
struct Futex {
    looking: Mutex<()>,
    woken: Condvar,
}

/// One CPU's copy of a lock.
#[derive(Default)]
struct Copy {
    words: LockWords,
    sleepers: Futex,
    value: UnsafeCell<u32>,
}

/// All copies of a lock.
type Copies = Arc<[Copy; 2]>;

/// A thread that uses the lock.
struct Thread {
    copies: Copies,
    owner: u64,
    cpu: Cell<usize>,
    /// The CPU on which it goes on after it has slept.
    wakes_on: usize,
    /// Whether its barriers do anything.
    has_barrier: bool,
}

impl Thread {
    fn new(copies: &Copies, owner: u64, cpu: usize) -> Self {
        Self { copies: copies.clone(), owner, cpu: Cell::new(cpu), wakes_on: cpu, has_barrier: true }
    }

    fn waking_on(self, cpu: usize) -> Self {
        Self { wakes_on: cpu, ..self }
    }

    fn without_barrier(self) -> Self {
        Self { has_barrier: false, ..self }
    }

    fn lock(&self) -> &Copy {
        let words = self.acquire().unwrap_or_else(|_| steps::acquire_slowly(self));
        self.copies.iter().find(|copy| ptr::eq(&copy.words, words)).expect("a copy of this lock")
    }

    fn unlock(&self, copy: &Copy) {
        steps::release(&copy.words, |word| self.wake_all(word));
    }

    fn lock_on(&self, cpu: usize) -> &Copy {
        let copy = &self.copies[cpu];
        // Nothing to restart: this backend's fast path is made of atomics.
        assert!(steps::claim(self, &copy.words, || true));
        copy
    }

    fn unlock_claimed(&self, copy: &Copy) {
        steps::release_claim(&copy.words, |word| self.wake_all(word));
    }

    /// Locks this CPU's copy once, and counts it there.
    fn count(&self) {
        let copy = self.lock();
        copy.count();
        self.unlock(copy);
    }

    /// Claims a CPU's copy once, and counts it there.
    fn count_on(&self, cpu: usize) {
        let copy = self.lock_on(cpu);
        copy.count();
        self.unlock_claimed(copy);
    }

    fn futex(&self, word: &AtomicU32) -> &Futex {
        let copy = self.copies.iter().find(|copy| ptr::eq(&copy.words.sleepers, word));
        &copy.expect("a word of this lock").sleepers
    }
}

impl View for Thread {
    fn acquire(&self) -> Result<*mut LockWords, &LockWords> {
        let words = &self.copies[self.cpu.get()].words;
        match acquire_copy(words, self.owner) {
            0 => Ok(ptr::from_ref(words).cast_mut()),
            _ => Err(words),
        }
    }

    fn owner(&self) -> u64 {
        self.owner
    }

    fn is_gone(&self, _: u64) -> bool {
        false
    }

    fn assert_not_mine(&self) {
        let is_mine = |copy: &Copy| steps::is_mine(&copy.words, |owner| owner == self.owner);
        assert!(!self.copies.iter().any(is_mine), "this thread has nothing while it locks");
    }

    fn barrier(&self) -> bool {
        // A system call, behind which a thread may be elsewhere.
        self.cpu.set(self.wakes_on);
        if self.has_barrier {
            fence(SeqCst);
        }
        true
    }

    fn wait(&self, word: &AtomicU32, expected: u32, at_most: Option<Duration>) {
        assert!(at_most.is_none(), "there was a barrier");
        let futex = self.futex(word);
        let looking = futex.looking.lock().expect("nobody panics");
        if word.load(Relaxed) == expected {
            drop(futex.woken.wait(looking).expect("nobody panics"));
            self.cpu.set(self.wakes_on);
        }
    }

    fn wake_all(&self, word: &AtomicU32) {
        let futex = self.futex(word);
        let _looking = futex.looking.lock().expect("nobody panics");
        futex.woken.notify_all();
    }
}

impl Copy {
    fn count(&self) {
        // SAFETY: the thread has locked or claimed this copy; loom looks whether it is alone.
        self.value.with_mut(|value| unsafe { *value += 1 });
    }

    /// What was counted, once all threads have ended.
    fn counted(&self) -> u32 {
        // SAFETY: nobody else is left; loom looks whether that is so.
        self.value.with(|value| unsafe { *value })
    }
}

/// Interleavings that are tried of more than three threads.
const PERMUTATIONS: usize = 50_000;

/// Tries `threads` at once, the first of them as the one that starts the others. In the end `counted` holds for what
/// was counted on each copy.
fn model<const THREADS: usize>(preemptions: usize, threads: [fn(Copies); THREADS], counted: fn([u32; 2]) -> bool) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    if THREADS > 3 {
        // All of them would take hours. The order is always the same, and what these models are for is among the first.
        builder.max_permutations = Some(PERMUTATIONS);
    }
    builder.check(move || {
        let copies = Copies::default();
        let [first, others @ ..] = &threads[..] else { panic!("a model has threads") };
        let spawn = |&other: &fn(Copies)| {
            let copies = copies.clone();
            thread::spawn(move || other(copies))
        };
        let others: Vec<_> = others.iter().map(spawn).collect();
        first(copies.clone());
        others.into_iter().for_each(|other| other.join().expect("no thread panics"));
        let found = [copies[0].counted(), copies[1].counted()];
        assert!(counted(found), "{found:?}");
    });
}

#[test]
fn one_at_a_time_has_a_copy() {
    let twice = |copies| (0..2).for_each(|_| Thread::new(&copies, 1, 0).count());
    let once = |copies| Thread::new(&copies, 2, 0).count();
    model(4, [twice, once], |counted| counted == [3, 0]);
}

#[test]
fn a_holder_that_was_moved_frees_what_it_has() {
    let moved = |copies| {
        let thread = Thread::new(&copies, 1, 0);
        let copy = thread.lock();
        copy.count();
        thread.cpu.set(1);
        thread.unlock(copy);
        thread.count();
    };
    let stays = |copies| Thread::new(&copies, 2, 0).count();
    model(4, [moved, stays], |counted| counted == [2, 1]);
}

#[test]
fn no_sleeper_is_left_behind() {
    let holds = |copies| Thread::new(&copies, 1, 0).count();
    // Woken, it goes for the other copy: whoever sleeps beside it must have been woken too.
    let leaves = |copies| Thread::new(&copies, 2, 0).waking_on(1).count();
    let stays = |copies| Thread::new(&copies, 3, 0).count();
    model(2, [holds, leaves, stays], |[first, second]| first + second == 3 && second <= 1);
}

#[test]
fn a_mark_that_was_taken_away_and_set_again_keeps_nobody_asleep() {
    let locks = |copies| Thread::new(&copies, 1, 0).count();
    let too = |copies| Thread::new(&copies, 2, 0).count();
    let sleeps = |copies| Thread::new(&copies, 3, 0).count();
    // It marks the copy and goes for the other one.
    let leaves = |copies| Thread::new(&copies, 4, 0).waking_on(1).count();
    model(4, [locks, too, sleeps, leaves], |[first, second]| first + second == 4 && second <= 1);
}

/// The control: a sleeper is not woken whom its barrier does not tell that the copy is free.
#[test]
#[should_panic(expected = "deadlock")]
fn without_its_barrier_a_sleeper_is_left_behind() {
    let holds = |copies| Thread::new(&copies, 1, 0).count();
    let sleeps = |copies| Thread::new(&copies, 2, 0).without_barrier().count();
    model(4, [holds, sleeps], |counted| counted == [2, 0]);
}

#[test]
fn a_claimer_and_a_locker_take_turns() {
    let claims = |copies| (0..2).for_each(|_| Thread::new(&copies, 1, 1).count_on(0));
    let locks = |copies| Thread::new(&copies, 2, 0).count();
    model(3, [claims, locks], |counted| counted == [3, 0]);
}

/// A claim that cannot make the CPU restart is taken back, and wakes whom it has made sleep.
#[test]
fn a_claim_that_is_withdrawn_leaves_nobody_behind() {
    let withdraws = |copies: Copies| {
        let thread = Thread::new(&copies, 1, 1);
        assert!(!steps::claim(&thread, &copies[0].words, || false));
    };
    let locks = |copies| Thread::new(&copies, 2, 0).count();
    let claims = |copies| Thread::new(&copies, 3, 1).count_on(0);
    model(2, [withdraws, locks, claims], |counted| counted == [2, 0]);
}

#[test]
fn claimers_take_turns() {
    let twice = |copies| (0..2).for_each(|_| Thread::new(&copies, 1, 1).count_on(0));
    let once = |copies| Thread::new(&copies, 2, 0).count_on(0);
    model(3, [twice, once], |counted| counted == [3, 0]);
}

#[test]
fn claimers_and_a_locker_take_turns() {
    let claims = |copies| Thread::new(&copies, 1, 1).count_on(0);
    let too = |copies| Thread::new(&copies, 2, 1).count_on(0);
    let locks = |copies| Thread::new(&copies, 3, 0).count();
    model(2, [claims, too, locks], |counted| counted == [3, 0]);
}
