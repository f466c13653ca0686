use std::sync::atomic::{AtomicU64, Ordering};

use percpu_rt::{PerCpuBox, this_cpu};

fn main() {
    let boxed = PerCpuBox::<AtomicU64>::try_zeroed().unwrap();
    let copy = boxed.on(this_cpu());
    drop(boxed);
    copy.load(Ordering::Relaxed);
}
