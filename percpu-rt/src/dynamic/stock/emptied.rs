//! All stocks put back, from wherever that is asked for.

use super::super::global::global;
use super::magazines::{self, magazines_of, place};
use crate::arch;
use crate::arch::magazine::{self, Magazine};
use crate::chunk::RawLock;
use crate::cpu::{CpuId, possible_cpus};
use crate::platform::{self, Mutex};

/// Taken by whoever empties magazines from elsewhere. A fork does not wait for it: the emptier may be waiting for a lock that the
/// forking thread has, whose handler this is.
static EMPTYING: Mutex = Mutex::new();

/// Looks at a magazine that somebody is at, until it is left alone.
const ATTEMPTS: u32 = 1000;

/// Puts the stock of every CPU back, as far as it can be had; false where there is none.
///
/// Context: threads.
#[cold]
pub(crate) fn put_back() -> bool {
    let Ok(global) = global() else { return false };
    if magazines::magazines().next().is_none() || EMPTYING.is_held_here() || global.is_busy_here() {
        return false;
    }
    EMPTYING.lock();
    for cpu in possible_cpus() {
        for copy in magazines_of(cpu) {
            let mut words = [0; magazine::PLACES];
            let Some((granules, count)) = take_out(copy, cpu, &mut words) else { continue };
            let mut places = words.map(place);
            places[..count].sort_unstable();
            // What is wrong with a place has been its user's mistake, and there is nobody to tell.
            let _ = global.allocator().put_back(&places[..count], u64::from(granules));
        }
    }
    // SAFETY: taken above.
    unsafe { EMPTYING.unlock() };
    global.balance();
    true
}

/// Empties a magazine of `cpu`, if it has something and can be had.
fn take_out(copy: &Magazine, cpu: CpuId, words: &mut [usize; magazine::PLACES]) -> Option<(u32, usize)> {
    if copy.is_empty() {
        return None;
    }
    if arch::STEPS_ARE_SEQUENCES && !cpu.is_orphan() {
        return platform::can_restart_sequences()
            .then(|| copy.take_out_of_sequences(|| platform::restart_sequences(cpu), words))?;
    }
    // Somebody may be at it, for some instructions; in a forked child, somebody who is not there.
    (0..ATTEMPTS).find_map(|_| {
        core::hint::spin_loop();
        copy.alone(None, |copy| Some(copy.take_out(words)))
    })
}

/// Ends what threads were at that a forked child does not have: the magazines that one was emptying are opened. What they had in hand is
/// given up.
pub(crate) fn in_child() {
    possible_cpus().flat_map(magazines_of).for_each(Magazine::abandon_steps_of_others);
    if !EMPTYING.is_held_here() {
        EMPTYING.in_child();
        possible_cpus().flat_map(magazines_of).for_each(Magazine::open);
    }
    magazines::in_child();
}
