//! `crate` names something that is not percpu-rt.

use percpu_rt::per_cpu;

mod rt {}

#[per_cpu(crate = rt)]
static HITS: u64 = 0;

fn main() {}
