//! An alias is what it stands for: a word stays a word.

use percpu_rt::per_cpu;

type Count = u64;

#[per_cpu]
static HITS: Count = 0;

fn main() {
    HITS.with(|hits| println!("{hits}"));
}
