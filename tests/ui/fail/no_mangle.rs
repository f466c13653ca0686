//! The symbol of a template is not to be named.

use percpu_rt::per_cpu;

#[per_cpu]
#[unsafe(no_mangle)]
static HITS: u64 = 0;

fn main() {
    HITS.inc();
}
