//! A class is the section and the alignment of the template; the handle does not know it.

use std::sync::atomic::AtomicU64;

use percpu_rt::per_cpu;

#[per_cpu(shared_aligned)]
static BYTES: [AtomicU64; 2] = [const { AtomicU64::new(0) }; 2];
