//! Borrowed, it would be an object beside operations.

use percpu_rt::{PerCpuRef, per_cpu};

static ONE: u64 = 1;

#[per_cpu]
static CURRENT: &u64 = &ONE;

fn main() {
    let _: PerCpuRef<'_, &'static u64> = (&CURRENT).into();
}
