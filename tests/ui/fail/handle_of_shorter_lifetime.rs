//! A handle as one of a subtype: what it takes would be read as the type it was declared with.

use percpu_rt::{IsWord, PerCpu, per_cpu};

fn keep(_: &u64) {}

static KEEP: for<'a> fn(&'a u64) = keep;

#[per_cpu]
static CALLED: &'static for<'a> fn(&'a u64) = &KEEP;

fn main() {
    let _: &PerCpu<CALLED, &'static fn(&'static u64), IsWord> = &CALLED;
}
