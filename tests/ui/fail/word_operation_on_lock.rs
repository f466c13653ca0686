//! What a lock holds is changed under the lock.

use percpu_rt::{LocalLock, per_cpu, this_cpu};

#[per_cpu]
static HITS: LocalLock<u64> = LocalLock::new(0);

fn main() {
    HITS.inc();
    println!("{}", HITS.on(this_cpu()) + HITS.sum());
    for (_, hits) in HITS.iter() {
        println!("{hits}");
    }
}
