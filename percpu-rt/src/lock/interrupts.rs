//! The lock's steps as a kernel fills them: taken with interrupts off, and the claim's barrier an interprocessor interrupt.
//!
//! ```text
//!  lock      interrupts off; owner: 0 → me, while claimer is 0; interrupts as before     two loads and a store
//!  sleep     look again, with interrupts as before
//!  lock_on   claimer: 0 → me; interrupt that CPU and wait for its answer, which it gives with interrupts on and so
//!            before or behind its own two loads and a store
//! ```
//!
//! A model, as [`steps`] has no kernel yet: a thread stands for a CPU, and looks for its interrupts where it has them on.

extern crate std;

use core::cell::{Cell, UnsafeCell};
use core::ptr;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use core::sync::atomic::{AtomicBool, AtomicU64};
use core::time::Duration;
use std::thread;

use super::steps::{self, View};
use crate::arch::LockWords;
use crate::primitive::AtomicU32;

const CPUS: usize = 3;

/// What one CPU has, and its part of the machine.
struct Unit {
    words: LockWords,
    value: UnsafeCell<[u64; 2]>,
    /// Interrupts that were sent to this CPU, and that it has answered.
    sent: AtomicU64,
    answered: AtomicU64,
    is_off: AtomicBool,
}

// SAFETY: the value is reached by the holder of the words alone, which is what is tested.
unsafe impl Sync for Unit {}

struct Machine([Unit; CPUS]);

impl Machine {
    fn new() -> Self {
        Self(core::array::from_fn(|_| Unit {
            words: LockWords::new(),
            value: UnsafeCell::new([0; 2]),
            sent: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            is_off: AtomicBool::new(false),
        }))
    }
}

/// A lock as one CPU sees it.
struct Cpu<'a> {
    machine: &'a Machine,
    index: usize,
    interrupts: Cell<bool>,
    /// Whether its interrupts make the other CPU wait for them.
    sends: bool,
}

impl<'a> Cpu<'a> {
    fn new(machine: &'a Machine, index: usize) -> Self {
        Self { machine, index, interrupts: Cell::new(true), sends: true }
    }

    fn unit(&self) -> &'a Unit {
        &self.machine.0[self.index]
    }

    /// Answers what has been sent to this CPU, if it has interrupts on.
    fn poll(&self) {
        if self.interrupts.get() {
            let sent = self.unit().sent.load(SeqCst);
            self.unit().answered.fetch_max(sent, SeqCst);
        }
    }

    fn with_interrupts_off<R>(&self, f: impl FnOnce() -> R) -> R {
        let before = self.interrupts.replace(false);
        let result = f();
        self.interrupts.set(before);
        self.poll();
        result
    }

    /// Waits until CPU `to` has answered an interrupt.
    fn interrupt(&self, to: usize) -> bool {
        let unit = &self.machine.0[to];
        if self.sends && to != self.index {
            let number = unit.sent.fetch_add(1, SeqCst) + 1;
            while unit.answered.load(SeqCst) < number && !unit.is_off.load(SeqCst) {
                self.poll();
                thread::yield_now();
            }
        }
        true
    }

    fn lock(&self) -> &'a LockWords {
        let words = self.acquire().unwrap_or_else(|_| steps::acquire_slowly(self));
        let words = ptr::from_ref(&self.unit().words).with_addr(words.addr());
        // SAFETY: the words of this CPU, in the machine.
        unsafe { &*words }
    }

    fn count(&self) -> bool {
        let words = self.lock();
        let whole = add(self.unit());
        steps::release(words, |_| {});
        whole
    }

    fn count_on(&self, cpu: usize) -> bool {
        let unit = &self.machine.0[cpu];
        assert!(steps::claim(self, &unit.words, || self.interrupt(cpu)));
        let whole = add(unit);
        steps::release_claim(&unit.words, |_| {});
        whole
    }
}

/// Adds one to both numbers; tells whether they were equal before.
fn add(unit: &Unit) -> bool {
    let value = unit.value.get();
    // SAFETY: the caller holds the unit's words. By volatile accesses, so that whoever holds them too is noticed.
    unsafe {
        let [first, second] = value.read_volatile();
        value.cast::<u64>().write_volatile(first + 1);
        core::hint::spin_loop();
        value.cast::<u64>().add(1).write_volatile(second + 1);
        first == second
    }
}

impl View for Cpu<'_> {
    fn acquire(&self) -> Result<*mut LockWords, &LockWords> {
        let words = &self.unit().words;
        self.with_interrupts_off(|| {
            if words.owner.load(Acquire) | words.claimer.load(Relaxed) != 0 {
                return Err(words);
            }
            // Not an exchange: no other CPU takes it while this one has not answered.
            words.owner.store(self.owner(), Release);
            Ok(ptr::from_ref(words).cast_mut())
        })
    }

    fn owner(&self) -> u64 {
        self.index as u64 + 1
    }

    fn is_gone(&self, _: u64) -> bool {
        false
    }

    fn assert_not_mine(&self) {
        let is_mine = |unit: &Unit| steps::is_mine(&unit.words, |owner| owner == self.owner());
        assert!(!self.machine.0.iter().any(is_mine), "this CPU already holds a copy of the lock");
    }

    fn barrier(&self) -> bool {
        // Nobody is woken, so nobody has to be told.
        true
    }

    fn wait(&self, _: &AtomicU32, _: u32, _: Option<Duration>) {
        self.poll();
        thread::yield_now();
    }

    fn wake_all(&self, _: &AtomicU32) {}
}

/// Rounds of the load.
const ROUNDS: u64 = if cfg!(miri) { 20 } else { 20_000 };

/// Two CPUs that lock their own copy and one that claims both; tells whether all was exact.
fn load(sends: bool) -> bool {
    let machine = Machine::new();
    let whole = thread::scope(|scope| {
        let lockers = [0, 1].map(|index| {
            let machine = &machine;
            scope.spawn(move || {
                let cpu = Cpu::new(machine, index);
                let whole = (0..ROUNDS).fold(true, |whole, _| cpu.count() & whole);
                cpu.unit().is_off.store(true, SeqCst);
                whole
            })
        });
        let cpu = Cpu { sends, ..Cpu::new(&machine, 2) };
        let whole = (0..ROUNDS).fold(true, |whole, round| cpu.count_on(round as usize % 2) & whole);
        lockers.into_iter().fold(whole, |whole, locker| locker.join().expect("it does not panic") & whole)
    });
    // SAFETY: all threads have ended.
    let counted = machine.0.iter().map(|unit| unsafe { unit.value.get().read() }[0]).sum::<u64>();
    whole && counted == 3 * ROUNDS
}

#[test]
fn a_lock_taken_with_interrupts_off_is_claimed_by_interrupts() {
    assert!(load(true));
}

/// The control: without its answer a claimer may have what a locker is about to take.
#[test]
#[cfg_attr(miri, ignore = "a race, which Miri would report as one")]
fn a_claim_that_does_not_interrupt_is_not_exact() {
    assert!((0..200).any(|_| !load(false)), "the load is too light to prove anything");
}

#[test]
#[should_panic(expected = "already holds a copy")]
fn a_handler_that_locks_what_it_has_interrupted_is_refused() {
    let machine = Machine::new();
    let cpu = Cpu::new(&machine, 0);
    let _held = cpu.lock();
    let _again = cpu.lock();
}

#[test]
fn a_forgotten_copy_stays_taken_and_the_others_do_not() {
    let machine = Machine::new();
    let cpu = Cpu::new(&machine, 0);
    let _forgotten = cpu.lock();
    assert!(cpu.acquire().is_err());
    assert!(Cpu::new(&machine, 1).count());
}

#[test]
fn a_claim_that_cannot_interrupt_leaves_the_copy_as_it_was() {
    let machine = Machine::new();
    let claimer = Cpu::new(&machine, 1);
    assert!(!steps::claim(&claimer, &machine.0[0].words, || false));
    assert!(Cpu::new(&machine, 0).count());
}
