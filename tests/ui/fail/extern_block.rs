//! The statics of an `extern` block are defined elsewhere.

use percpu_rt::per_cpu;

#[per_cpu]
unsafe extern "C" {
    static HITS: u64;
}

fn main() {
    let _ = &raw const HITS;
}
