//! A class is a word by itself.

use percpu_rt::per_cpu;

#[per_cpu(page_aligned = 4096)]
static HITS: u64 = 0;

fn main() {
    HITS.inc();
}
