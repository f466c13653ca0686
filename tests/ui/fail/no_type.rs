//! A static without a type is rustc's to refuse; the attribute adds nothing.

use percpu_rt::per_cpu;

#[per_cpu]
static HITS = 0_u64;

fn main() {}
