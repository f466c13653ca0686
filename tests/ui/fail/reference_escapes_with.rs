//! The reference that `with` lends ends with the closure.

use std::sync::atomic::AtomicU64;

use percpu_rt::per_cpu;

#[per_cpu]
static HITS: AtomicU64 = AtomicU64::new(0);

fn main() {
    let mut kept = None;
    HITS.with(|hits| kept = Some(hits));
    let returned: &AtomicU64 = HITS.with(|hits| hits);
    println!("{kept:?} {returned:?}");
}
