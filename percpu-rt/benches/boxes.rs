//! What does a dynamic variable cost that is made and dropped, with many others alive?
//!
//! A pair makes a zeroed variable and drops it, while 100,000 of its size live, of the largest 1,000. The yardstick is one `lock xadd` on a line of its
//! own. Fairness: a place from stock is looked at on every possible CPU, and zeroed where it is not zero; so the first CPU's copy is
//! written to in each pair.

mod harness;

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use harness::{Group, Session};
use percpu_rt::{AllocFlags, PerCpuBox, Zeroable, alloc_percpu, free_percpu, this_cpu};

/// Alone on its cache line.
#[repr(align(64))]
struct Line(AtomicU64);

static SHARED: Line = Line(AtomicU64::new(0));

/// Variables of each small size that live meanwhile, and of the large one.
const LIVE: usize = 100_000;
const FEW: usize = 1000;

fn pair<T: Zeroable + Send + 'static>(repetitions: u64) {
    for _ in 0..repetitions {
        let boxed = PerCpuBox::<T>::try_zeroed().expect("memory");
        // SAFETY: every type here begins with a `u64`, and nobody else knows the variable.
        unsafe { boxed.per_cpu_ptr(this_cpu()).cast::<u64>().write_volatile(1) };
        drop(boxed);
    }
}

fn raw(repetitions: u64) {
    for _ in 0..repetitions {
        let object = alloc_percpu(std::alloc::Layout::new::<u64>(), AllocFlags::NONE).expect("memory");
        // SAFETY: allocated above for a `u64`, which nobody else knows.
        unsafe {
            object.cast::<u64>().per_cpu_ptr(this_cpu()).write_volatile(1);
            free_percpu(object);
        }
    }
}

fn main() -> ExitCode {
    let mut session = Session::start();
    let live: Vec<_> = (0..LIVE).map(|_| PerCpuBox::<u64>::try_zeroed().expect("memory")).collect();
    let larger: Vec<_> = (0..LIVE).map(|_| PerCpuBox::<[u64; 8]>::try_zeroed().expect("memory")).collect();
    let pages: Vec<_> = (0..FEW).map(|_| PerCpuBox::<[u64; 512]>::try_zeroed().expect("memory")).collect();
    Group::new("a variable made and dropped")
        .variant("PerCpuBox of 8 bytes", pair::<u64>)
        .variant("PerCpuBox of 64 bytes", pair::<[u64; 8]>)
        .variant("PerCpuBox of 4096 bytes", pair::<[u64; 512]>)
        .variant("alloc_percpu and free_percpu, 8 bytes", raw)
        .yardstick("lock xadd", |n| (0..n).for_each(|_| _ = SHARED.0.fetch_add(1, Relaxed)))
        .run(&mut session);
    drop((live, larger, pages));
    session.finish()
}
