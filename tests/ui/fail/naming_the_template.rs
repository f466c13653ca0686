//! The template has no name outside of the expansion.

use percpu_rt::per_cpu;

#[per_cpu]
static HITS: u64 = 0;

fn main() {
    let _ = &raw const __PERCPU_TEMPLATE;
    let _ = &raw const HITS::__PERCPU_TEMPLATE;
}
