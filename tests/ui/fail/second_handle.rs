//! Another handle to a variable, perhaps of another type, takes an `unsafe` block.

use percpu_rt::{IsObject, PerCpu, per_cpu};

#[per_cpu]
static HITS: u64 = 0;

static OTHER: PerCpu<HITS, u64, IsObject> = PerCpu::from_place(HITS {});

fn main() {
    OTHER.with(|_| HITS.inc());
}
