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
        cpu.magazine.capacity.store(Magazine::below_top(PLACES), Relaxed);
        cpu
    }

    /// As on x86-64: two sequences, between which anything may come.
    fn pop(&self, tag: u32) -> usize {
        match self.sequence(|magazine| magazine.pop_top(tag)) {
            NOTHING => self.sequence(|magazine| magazine.pop_below(tag)),
            place => place,
        }
    }

    fn push(&self, tag: u32, place: usize) -> bool {
        self.sequence(|magazine| magazine.push_top(tag, place))
            || self.sequence(|magazine| magazine.push_below(tag, place))
    }

    fn adopt(&self, tag: u32) -> bool {
        self.sequence(|magazine| magazine.adopt(tag))
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
        assert!(cpu.adopt(SMALL) && cpu.push(SMALL, 10));
        let user = thread::spawn({
            let cpu = cpu.clone();
            move || {
                let mut own = vec![];
                if !cpu.push(SMALL, 11) {
                    own.push(11);
                }
                own.extend([cpu.pop(SMALL)].into_iter().filter(|place| *place != NOTHING));
                own
            }
        });
        let (size, mut all) = cpu.empty(restarts).unwrap_or((SMALL, vec![]));
        assert_eq!(size, SMALL);
        all.extend(user.join().expect("no panic"));
        while let place @ 1.. = cpu.pop(SMALL) {
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

/// A magazine that is empty goes to another size while it is being closed: what comes out is of the size that is told. One place
/// lies at the top and one below.
#[test]
fn what_is_taken_out_is_of_the_size_told() {
    loom::model(|| {
        let cpu = Cpu::new();
        assert!(cpu.adopt(SMALL) && cpu.push(SMALL, 10) && cpu.push(SMALL, 11));
        let user = thread::spawn({
            let cpu = cpu.clone();
            move || {
                let popped = [cpu.pop(SMALL), cpu.pop(SMALL)];
                (popped, cpu.adopt(LARGE) && cpu.push(LARGE, 20))
            }
        });
        let taken = cpu.empty(true);
        let (popped, pushed) = user.join().expect("no panic");
        let left = |size| [cpu.pop(size), cpu.pop(size)];
        let mut small = [popped, left(SMALL)].concat();
        let mut large = left(LARGE).to_vec();
        match taken {
            Some((SMALL, places)) => small.extend(places),
            Some((_, places)) => large.extend(places),
            None => {}
        }
        for places in [&mut small, &mut large] {
            places.retain(|place| *place != NOTHING);
            places.sort_unstable();
        }
        assert_eq!(small, [10, 11]);
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
                if cpu.adopt(SMALL) {
                    own.retain(|place| !cpu.push(SMALL, *place));
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
        assert!(made.adopt(SMALL) && made.push(SMALL, 10));
        assert!(dropped.adopt(SMALL));
        let user = thread::spawn({
            let (made, dropped) = (made.clone(), dropped.clone());
            move || {
                let place = made.pop(SMALL);
                let is_kept = place != NOTHING && !dropped.push(SMALL, place);
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
        magazine.capacity.store(Magazine::below_top(PLACES), Relaxed);
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
