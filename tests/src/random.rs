//! Random operands that can be had again.

use std::env;
use std::time::{SystemTime, UNIX_EPOCH};

/// Gives the seed of an earlier run.
const SEED: &str = "PERCPU_SEED";

/// A xorshift64* generator.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// A generator with the seed of `PERCPU_SEED`, else with a new one; prints it, so that a failure can be repeated.
    ///
    /// # Panics
    ///
    /// Where `PERCPU_SEED` is no number.
    #[must_use]
    pub fn printed() -> Self {
        let seed = match env::var(SEED) {
            Ok(text) => text.parse().expect("PERCPU_SEED is a decimal number"),
            Err(_) => SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |time| time.as_nanos() as u64),
        };
        println!("{SEED}={seed}");
        Self::new(seed)
    }

    /// A generator with this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        // The generator never leaves 0.
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number less than `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.bits() >> 32) as usize % end
    }

    /// An operand: now and then one at which a width ends, else any.
    pub fn operand(&mut self) -> u64 {
        const EDGES: [u64; 8] = [0, 1, 0x7f, 0x8000, 0x7fff_ffff, 0xffff_ffff, 1 << 63, u64::MAX];
        let edge = EDGES[self.below(EDGES.len())];
        if self.below(3) == 0 { edge } else { self.bits() }
    }
}
