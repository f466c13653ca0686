//! A CPU is named by a `CpuId`, which exists for possible CPUs alone.

use percpu_rt::{LocalLock, per_cpu};

#[per_cpu]
static HITS: u64 = 0;

#[per_cpu]
static NAME: LocalLock<String> = LocalLock::new(String::new());

fn main() {
    println!("{}", HITS.read_on(0));
    let cpu: usize = 1;
    NAME.lock_on(cpu).unwrap().clear();
}
