//! A word never yields a reference: `inc` beside a `&u64` would be undefined behaviour.

use percpu_rt::{per_cpu, this_cpu};

#[per_cpu]
static HITS: u64 = 0;

fn main() {
    HITS.with(|hits| println!("{hits}"));
    println!("{}", HITS.on(this_cpu()));
    println!("{}", *HITS.get_cpu_var());
}
