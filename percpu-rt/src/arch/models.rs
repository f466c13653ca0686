//! Emptying a magazine from elsewhere, in every interleaving that the memory model allows.
//!
//! A CPU's sequences are steps under a mutex that is the CPU: none is seen half done by another one of the CPU, and a
//! restart is over when the CPU has been had once. What the emptier does is not under it.

extern crate std;

use core::sync::atomic::Ordering::Relaxed;
use std::sync::Arc;
use std::vec;
use std::vec::Vec;

use loom::sync::Mutex;
use loom::thread;

use super::magazine::{Magazine, NOTHING, PLACES};

/// Sizes.
const SMALL: u32 = 2;
const LARGE: u32 = 3;

#[derive(Default)]
struct Cpu {
    is_in_a_sequence: Mutex<()>,
    magazine: Magazine,
}

impl Cpu {
    fn new() -> Arc<Self> {
        let cpu = Arc::new(Self::default());
        cpu.magazine.capacity.store(PLACES as u32, Relaxed);
        cpu
    }

    fn sequence<R>(&self, step: impl FnOnce(&Magazine) -> R) -> R {
        let _whole = self.is_in_a_sequence.lock().expect("no panic");
        step(&self.magazine)
    }

    /// The size and the places, if they were to be had.
    fn empty(&self, restarts: bool) -> Option<(u32, Vec<usize>)> {
        let restart = || {
            if restarts {
                drop(self.is_in_a_sequence.lock().expect("no panic"));
            }
            true
        };
        let mut places = [NOTHING; PLACES];
        let (tag, count) = self.magazine.take_out_of_sequences(restart, &mut places)?;
        Some((tag, places[..count].to_vec()))
    }
}

/// One thread puts places in and takes some out while another one empties the magazine: each place is with one of them.
fn puts_and_takes(restarts: bool) {
    loom::model(move || {
        let cpu = Cpu::new();
        assert!(cpu.sequence(|magazine| magazine.adopt(SMALL) && magazine.push(SMALL, 10)));
        let user = thread::spawn({
            let cpu = cpu.clone();
            move || {
                let mut own = vec![];
                if !cpu.sequence(|magazine| magazine.push(SMALL, 11)) {
                    own.push(11);
                }
                own.extend(
                    [cpu.sequence(|magazine| magazine.pop(SMALL))].into_iter().filter(|place| *place != NOTHING),
                );
                own
            }
        });
        let (size, mut all) = cpu.empty(restarts).unwrap_or((SMALL, vec![]));
        assert_eq!(size, SMALL);
        all.extend(user.join().expect("no panic"));
        while let place @ 1.. = cpu.sequence(|magazine| magazine.pop(SMALL)) {
            all.push(place);
        }
        all.sort_unstable();
        assert_eq!(all, [10, 11]);
    });
}

#[test]
fn a_place_is_with_one_thread() {
    puts_and_takes(true);
}

/// Without restarts a sequence that has seen its size ends after the magazine has been emptied.
#[test]
#[should_panic(expected = "assertion")]
fn without_restarts_it_is_not() {
    puts_and_takes(false);
}

/// A magazine that is empty goes to another size while it is being closed: what comes out is of the size that is told.
#[test]
fn what_is_taken_out_is_of_the_size_told() {
    loom::model(|| {
        let cpu = Cpu::new();
        assert!(cpu.sequence(|magazine| magazine.adopt(SMALL) && magazine.push(SMALL, 10)));
        let user = thread::spawn({
            let cpu = cpu.clone();
            move || {
                let popped = cpu.sequence(|magazine| magazine.pop(SMALL));
                let pushed =
                    cpu.sequence(|magazine| magazine.adopt(LARGE)) && cpu.sequence(|magazine| magazine.push(LARGE, 20));
                (popped, pushed)
            }
        });
        let taken = cpu.empty(true);
        let (popped, pushed) = user.join().expect("no panic");
        let left = cpu.sequence(|magazine| magazine.pop(LARGE));
        let mut small: Vec<usize> = [popped].into_iter().filter(|place| *place != NOTHING).collect();
        let mut large: Vec<usize> = [left].into_iter().filter(|place| *place != NOTHING).collect();
        match taken {
            Some((SMALL, places)) => small.extend(places),
            Some((_, places)) => large.extend(places),
            None => {}
        }
        assert_eq!(small, [10]);
        assert_eq!(large, if pushed { vec![20] } else { vec![] });
    });
}

/// What a CPU brings from the allocator goes in, or stays in hand, while the magazine is emptied.
#[test]
fn a_refill_is_in_stock_or_in_hand() {
    loom::model(|| {
        let cpu = Cpu::new();
        let user = thread::spawn({
            let cpu = cpu.clone();
            move || {
                let mut own = vec![10, 11];
                if cpu.sequence(|magazine| magazine.adopt(SMALL)) {
                    own.retain(|place| !cpu.sequence(|magazine| magazine.push(SMALL, *place)));
                }
                own
            }
        });
        let mut all = cpu.empty(true).map_or(vec![], |(_, places)| places);
        all.extend(user.join().expect("no panic"));
        all.extend(cpu.empty(true).map_or(vec![], |(_, places)| places));
        all.sort_unstable();
        assert_eq!(all, [10, 11]);
    });
}

/// A variable that was made on one CPU is dropped on another, while both are emptied.
#[test]
fn what_is_freed_elsewhere_is_there() {
    loom::model(|| {
        let [made, dropped] = [Cpu::new(), Cpu::new()];
        assert!(made.sequence(|magazine| magazine.adopt(SMALL) && magazine.push(SMALL, 10)));
        assert!(dropped.sequence(|magazine| magazine.adopt(SMALL)));
        let user = thread::spawn({
            let (made, dropped) = (made.clone(), dropped.clone());
            move || {
                let place = made.sequence(|magazine| magazine.pop(SMALL));
                let is_kept = place != NOTHING && !dropped.sequence(|magazine| magazine.push(SMALL, place));
                is_kept.then_some(place)
            }
        });
        let empty = || [&made, &dropped].map(|cpu| cpu.empty(true).map_or(vec![], |(_, places)| places)).concat();
        let mut all = empty();
        all.extend(user.join().expect("no panic"));
        all.extend(empty());
        assert_eq!(all, [10]);
    });
}

/// Where threads of several CPUs meet in a copy, they take turns.
#[test]
fn turns_are_taken() {
    loom::model(|| {
        let magazine = Arc::new(Magazine::default());
        magazine.capacity.store(PLACES as u32, Relaxed);
        assert!(magazine.alone(false, |copy| copy.adopt(SMALL) && copy.push(SMALL, 10)));
        let user = thread::spawn({
            let magazine = magazine.clone();
            move || magazine.alone(NOTHING, |copy| copy.pop(SMALL))
        });
        let mut places = [NOTHING; PLACES];
        let taken = magazine.alone(None, |copy| Some(copy.take_out(&mut places)));
        let popped = user.join().expect("no panic");
        let left = magazine.alone(NOTHING, |copy| copy.pop(SMALL));
        let count = taken.map_or(0, |(_, count)| count);
        let found = places[..count].iter().chain([&popped, &left]).filter(|place| **place == 10).count();
        assert_eq!(found, 1);
    });
}
