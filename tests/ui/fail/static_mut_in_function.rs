//! A refusal inside a function body leaves the name declared there too.

use percpu_rt::per_cpu;

fn main() {
    #[per_cpu]
    static mut HITS: u64 = 0;

    HITS.inc();
}
