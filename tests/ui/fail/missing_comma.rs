//! Two arguments without a comma between them.

use percpu_rt::per_cpu;

#[per_cpu(hot crate = ::percpu_rt)]
static HITS: u64 = 0;

fn main() {
    HITS.inc();
}
