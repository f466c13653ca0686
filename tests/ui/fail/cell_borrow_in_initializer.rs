//! A shared cell in the template would be one value behind every copy.

use std::sync::atomic::AtomicU64;

use percpu_rt::per_cpu;

#[per_cpu]
static HITS: &'static AtomicU64 = &AtomicU64::new(0);

fn main() {}
