//! `used` would keep the handle, which has no bytes.

use percpu_rt::per_cpu;

#[per_cpu]
#[used]
static HITS: u64 = 0;

fn main() {
    HITS.inc();
}
