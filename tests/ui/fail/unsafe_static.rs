//! `unsafe` in front of a `static` has a meaning in `extern` blocks only.

use percpu_rt::per_cpu;

#[per_cpu]
unsafe static HITS: u64 = 0;

fn main() {
    HITS.inc();
}
