//! One test an operation. Each total is exact, whatever moved, preempted or interrupted the threads.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};

use percpu_rt::{per_cpu, possible_cpus};
use percpu_tests::operations;

use crate::worker::{LANES, limit, run};

/// A count for each number that a run can come to.
struct Tally(LazyLock<&'static [AtomicU8]>);

impl Tally {
    const fn new() -> Self {
        Self(LazyLock::new(|| {
            let zeros = vec![0_u8; (limit() * LANES as u64) as usize + 1].leak();
            // SAFETY: an `AtomicU8` is as a `u8` in memory, and nobody else has these.
            unsafe { &*(&raw mut *zeros as *const [AtomicU8]) }
        }))
    }

    fn count(&self, number: u64) {
        self.0[number as usize].fetch_add(1, Relaxed);
    }

    fn of(&self, number: u64) -> u8 {
        self.0[number as usize].load(Relaxed)
    }
}

#[test]
fn additions_are_counted() {
    #[per_cpu]
    static INC: u64 = 0;
    #[per_cpu]
    static ADD: u64 = 0;
    #[per_cpu]
    static FETCHED: u64 = 0;
    let load = run(|lane| {
        INC.inc();
        ADD.add(lane.turn());
        FETCHED.fetch_add(3);
    });
    assert_eq!(INC.sum(), load.operations);
    assert_eq!(FETCHED.sum(), 3 * load.operations);
    let added: u64 = load.lanes.iter().map(|lane| lane.turn() * lane.turn().saturating_sub(1) / 2).sum();
    assert_eq!(ADD.sum(), added);
}

#[test]
fn subtractions_are_counted() {
    #[per_cpu]
    static DEC: i64 = 0;
    #[per_cpu]
    static SUB: i64 = 0;
    let load = run(|_| {
        DEC.dec();
        SUB.sub(-5);
    });
    assert_eq!(DEC.sum(), -(load.operations as i64));
    assert_eq!(SUB.sum(), 5 * load.operations as i64);
}

#[test]
fn narrow_words_are_counted() {
    #[per_cpu]
    static BYTE: u8 = 0;
    #[per_cpu]
    static SHORT: u16 = 0;
    #[per_cpu]
    static WORD: u32 = 0;
    let load = run(|_| {
        BYTE.inc();
        SHORT.add_return(0x101);
        WORD.fetch_add(3);
    });
    assert_eq!(BYTE.sum(), load.operations as u8);
    assert_eq!(SHORT.sum(), (load.operations as u16).wrapping_mul(0x101));
    assert_eq!(WORD.sum(), (load.operations as u32).wrapping_mul(3));
}

/// Each CPU's copy goes through 1, 2, 3 .. to its last value. So a value has been returned as often as there are
/// copies that reached it.
#[test]
fn each_sum_is_returned_once() {
    #[per_cpu]
    static TICKETS: u64 = 0;
    static RETURNED: Tally = Tally::new();
    LazyLock::force(&RETURNED.0);
    let load = run(|_| RETURNED.count(TICKETS.add_return(1)));
    assert_eq!(TICKETS.sum(), load.operations);
    let lasts: Vec<u64> = TICKETS.iter().map(|(_, last)| last).collect();
    for ticket in 1..=load.operations {
        let reached = lasts.iter().filter(|&&last| last >= ticket).count();
        assert_eq!(usize::from(RETURNED.of(ticket)), reached, "ticket {ticket}");
    }
    assert_eq!(RETURNED.of(0), 0);
}

/// Every token put in is taken out once, or lies there at the end.
#[test]
fn tokens_are_conserved() {
    /// 0 where no token was put in yet.
    #[per_cpu]
    static SLOT: u64 = 0;
    static SEEN: Tally = Tally::new();
    LazyLock::force(&SEEN.0);
    let load = run(|lane| {
        let token = lane.id as u64 * limit() + lane.turn() + 1;
        SEEN.count(SLOT.xchg(token));
    });
    SLOT.iter().for_each(|(_, left)| SEEN.count(left));
    assert_eq!(usize::from(SEEN.of(0)), possible_cpus().count(), "empty slots");
    for lane in load.lanes {
        for turn in 0..lane.turn() {
            let token = lane.id as u64 * limit() + turn + 1;
            assert_eq!(SEEN.of(token), 1, "token {token}");
        }
    }
}

#[test]
fn compared_exchanges_are_counted() {
    #[per_cpu]
    static COUNT: u64 = 0;
    static WRONG: AtomicU64 = AtomicU64::new(0);
    let load = run(|_| {
        let mut old = COUNT.read();
        loop {
            match COUNT.cmpxchg(old, old + 1) {
                Ok(found) => {
                    WRONG.fetch_add(u64::from(found != old), Relaxed);
                    break;
                }
                // Another thread or handler was faster, or the thread is on another CPU by now.
                Err(found) => {
                    WRONG.fetch_add(u64::from(found == old), Relaxed);
                    old = found;
                }
            }
        }
    });
    assert_eq!(COUNT.sum(), load.operations);
    assert_eq!(WRONG.load(Relaxed), 0, "results that contradict the value found");
}

/// The halves count in opposite directions, so that a torn value shows.
#[test]
#[cfg(all(target_arch = "x86_64", not(percpu_backend = "generic")))]
fn wide_compared_exchanges_are_counted() {
    #[per_cpu]
    static COUNT: u128 = 0;
    static TORN: AtomicU64 = AtomicU64::new(0);
    let load = run(|_| {
        let mut old = COUNT.read();
        loop {
            let [low, high] = [old as u64, (old >> 64) as u64];
            TORN.fetch_add(u64::from(low != high.wrapping_neg()), Relaxed);
            let new = u128::from(low.wrapping_add(1)) | u128::from(high.wrapping_sub(1)) << 64;
            match COUNT.cmpxchg(old, new) {
                Ok(_) => break,
                Err(found) => old = found,
            }
        }
    });
    let counts = possible_cpus().map(|cpu| {
        // SAFETY: an aligned copy, which nobody writes any more.
        unsafe { COUNT.per_cpu_ptr(cpu).read() as u64 }
    });
    assert_eq!(counts.sum::<u64>(), load.operations);
    assert_eq!(TORN.load(Relaxed), 0, "values of which the halves do not belong together");
}

/// The flips of all copies together are those of all lanes.
#[test]
fn flips_are_kept() {
    #[per_cpu]
    static BITS: u64 = 0;
    let load = run(|lane| {
        let flips = (lane.turn() << 4 | lane.id as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        BITS.xor(flips);
        lane.state.store(lane.state.load(Relaxed) ^ flips, Relaxed);
    });
    let expected = load.lanes.iter().fold(0, |bits, lane| bits ^ lane.state.load(Relaxed));
    assert_eq!(BITS.iter().fold(0, |bits, (_, copy)| bits ^ copy), expected);
}

/// Each lane has a bit of its own in every copy, which nobody but the lane may set or clear: one operation changes it in
/// one copy at the most, to the value asked for, and between two operations it stays.
#[test]
fn bits_stay_as_they_were_set() {
    #[per_cpu]
    static BITS: u32 = 0;
    static WRONG: AtomicU64 = AtomicU64::new(0);
    /// The lane's bit in every copy, as a number with one bit for each of the first 64 copies.
    fn copies(bit: u32) -> u64 {
        BITS.iter().take(64).enumerate().fold(0, |set, (n, (_, copy))| set | u64::from(copy & bit != 0) << n)
    }
    let load = run(|lane| {
        let bit = 1 << lane.id;
        let before = copies(bit);
        let set = lane.turn() & 2 == 0;
        if set {
            BITS.or(bit);
        } else {
            BITS.and(!bit);
        }
        let after = copies(bit);
        let changed = before ^ after;
        let as_asked = changed & !(if set { after } else { before }) == 0;
        let took_place = if set { after != 0 } else { after.count_ones() < possible_cpus().count().min(64) as u32 };
        let kept = before == lane.state.swap(after, Relaxed);
        let right = kept && as_asked && took_place && changed.count_ones() <= 1;
        WRONG.fetch_add(u64::from(!right), Relaxed);
    });
    assert_eq!(WRONG.load(Relaxed), 0, "of {} operations", load.operations);
}

/// The variables and steps of the kernel's torture, here among threads and signals.
#[test]
fn what_a_kernel_runs_is_exact_here_too() {
    let load = run(|lane| operations::step(lane.id as u32, false, lane.turn()));
    assert_eq!(operations::STEPS.sum(), load.operations);
    assert_eq!(operations::verify(), Ok(()));
}
