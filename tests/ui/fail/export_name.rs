//! The symbol of a template is not to be chosen.

use percpu_rt::per_cpu;

#[per_cpu]
#[unsafe(export_name = "hits")]
static HITS: u64 = 0;

fn main() {
    HITS.inc();
}
