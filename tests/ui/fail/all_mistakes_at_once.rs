//! Every mistake of an item is told in one build.

use percpu_rt::per_cpu;

#[per_cpu(cold, hot, hot)]
#[unsafe(no_mangle)]
static mut HITS: u64;

fn main() {
    HITS.inc();
}
