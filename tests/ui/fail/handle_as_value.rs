//! The handle is not the variable: it is neither calculated with nor compared.

use percpu_rt::per_cpu;

#[per_cpu]
static HITS: u64 = 0;

fn main() {
    HITS += 1;
    let more = HITS + 1;
    if HITS == 1 {
        let _: u64 = HITS;
        let _: &u64 = &HITS;
    }
    let _ = more;
}
