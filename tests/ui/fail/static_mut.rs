//! A variable that is changed through its handle needs no `static mut`.

use percpu_rt::per_cpu;

#[per_cpu]
static mut HITS: u64 = 0;

fn main() {
    HITS.inc();
}
