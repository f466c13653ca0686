//! Variables of every width, and steps that change them by every operation: whoever interrupts whom, the sums tell.
//!
//! One source for two mains: a room of Linux threads and signals, and a kernel of CPUs, timers and NMIs. It uses nothing but
//! `core` and per-CPU variables.

use percpu_rt::per_cpu;

/// Steps done.
#[per_cpu]
pub static STEPS: u64 = 0;

/// Updates of the control, which are none: a load, an addition and a store.
#[per_cpu]
pub static TORN: u64 = 0;

/// Operations that a step does, by name: each once, on one of the four widths in turn.
pub const OPERATIONS: [&str; 11] =
    ["inc", "dec", "add", "sub", "add_return", "fetch_add", "xchg", "cmpxchg", "and", "or", "xor"];

/// One step of `actor`, a number below 8 that is the same for all steps that never interrupt each other on a CPU; `stays` says
/// that it never moves to another within a step, and `number` counts its steps. Nothing is lost where each operation is exact.
#[inline]
pub fn step(actor: u32, stays: bool, number: u64) {
    match number % 4 {
        0 => of_u8::step(actor, stays, number),
        1 => of_u16::step(actor, stays, number),
        2 => of_u32::step(actor, stays, number),
        _ => of_u64::step(actor, stays, number),
    }
    STEPS.inc();
}

/// Updates of the control a step: so many that a fair part of all interrupts meet one.
const TORN_UPDATES: u64 = 8;

/// The control's step.
#[inline]
pub fn torn_step() {
    for _ in 0..TORN_UPDATES {
        TORN.write(TORN.read().wrapping_add(1));
    }
}

/// What is wrong once everybody has stopped; to be called after any number of steps.
///
/// # Errors
///
/// The name of a sum that is not as it has to be, with what it is and what it should be.
pub fn verify() -> Result<(), (&'static str, u64, u64)> {
    of_u8::verify()?;
    of_u16::verify()?;
    of_u32::verify()?;
    of_u64::verify()
}

/// What the control has lost of its updates in `steps`.
pub fn lost(steps: u64) -> u64 {
    (steps * TORN_UPDATES).wrapping_sub(TORN.sum())
}

macro_rules! width {
    ($module:ident: $word:ident) => {
        mod $module {
            use super::*;

            /// Steps on this width.
            #[per_cpu]
            static DONE: u64 = 0;
            /// Goes up by [`EACH`] a step, by the operations that count.
            #[per_cpu]
            static COUNT: $word = 0;
            /// Goes up by one a step, by `cmpxchg`.
            #[per_cpu]
            static COMPARED: $word = 0;
            /// Numbers that are put in and taken out, and the sums of both.
            #[per_cpu]
            static TOKEN: $word = 0;
            #[per_cpu]
            static PUT: u64 = 0;
            #[per_cpu]
            static TAKEN: u64 = 0;
            /// An actor's bit is set and cleared by each of its steps, and flipped twice.
            #[per_cpu]
            static BITS: $word = 0;
            /// Actors whose bit was not as they had left it.
            #[per_cpu]
            static WRONG: u64 = 0;

            const EACH: u64 = 1 - 1 + 3 + 5 + 7 - 2;

            pub(super) fn step(actor: u32, stays: bool, number: u64) {
                COUNT.inc();
                COUNT.add(3);
                COUNT.add_return(5);
                COUNT.fetch_add(7);
                COUNT.sub(2);
                COUNT.dec();
                loop {
                    let found = COMPARED.read();
                    if COMPARED.cmpxchg(found, found.wrapping_add(1)).is_ok() {
                        break;
                    }
                }
                let token = number as $word | 1;
                PUT.add(u64::from(token));
                TAKEN.add(u64::from(TOKEN.xchg(token)));
                // Only where whoever does it stays on its CPU are the bits its own.
                let bit = 1 << (actor % 8);
                let is_set = || BITS.read() & bit != 0;
                let wrong = |is: bool| WRONG.add(u64::from(stays && is));
                BITS.or(bit);
                wrong(!is_set());
                BITS.xor(bit);
                wrong(is_set());
                BITS.xor(bit);
                wrong(!is_set());
                BITS.and(!bit);
                wrong(is_set());
                DONE.inc();
            }

            pub(super) fn verify() -> Result<(), (&'static str, u64, u64)> {
                let done = DONE.sum();
                let counted = done.wrapping_mul(EACH) as $word;
                let tokens = TOKEN.iter().map(|(_, token)| u64::from(token)).fold(TAKEN.sum(), u64::wrapping_add);
                for (name, is, should) in [
                    (concat!("counts of ", stringify!($word)), u64::from(COUNT.sum()), u64::from(counted)),
                    (concat!("cmpxchg of ", stringify!($word)), u64::from(COMPARED.sum()), u64::from(done as $word)),
                    (concat!("xchg of ", stringify!($word)), tokens, PUT.sum()),
                    (concat!("bits of ", stringify!($word)), WRONG.sum(), 0),
                ] {
                    if is != should {
                        return Err((name, is, should));
                    }
                }
                Ok(())
            }
        }
    };
}
width!(of_u8: u8);
width!(of_u16: u16);
width!(of_u32: u32);
width!(of_u64: u64);
