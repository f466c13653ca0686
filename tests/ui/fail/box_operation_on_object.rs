use std::sync::atomic::AtomicU64;

use percpu_rt::PerCpuBox;

fn main() {
    let boxed = PerCpuBox::<AtomicU64>::try_zeroed().unwrap();
    boxed.inc();
}
