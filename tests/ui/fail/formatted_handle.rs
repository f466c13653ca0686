//! A variable is not one value, so there is nothing to print.

use percpu_rt::{LocalLock, per_cpu};

#[per_cpu]
static HITS: u64 = 0;

#[per_cpu]
static NAME: LocalLock<String> = LocalLock::new(String::new());

fn main() {
    println!("{}", HITS);
    println!("{NAME}");
}
