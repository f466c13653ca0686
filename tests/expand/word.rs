//! A word: a handle, a place of the same name, and the template inside of the place.

use percpu_rt::per_cpu;

/// Forks seen by each CPU.
#[per_cpu]
pub static FORKS: u64 = 0;
