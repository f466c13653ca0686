//! What does it cost to make a zeroed variable with a copy on each CPU, and to drop it, with 100,000 others alive?
//!
//! `PerCpuBox` on the one side. On the other what a program without per-CPU memory does: an array of slots, one a CPU, each on
//! cache lines of its own, from mimalloc, jemalloc and glibc. All in one process, in turn, pinned; the allocators are called by
//! name, and none is the program's own. Each pair writes to this CPU's copy.
//!
//! Run from this folder: `cargo run --release -- [--check] [--test] [part of a title]`.

use std::alloc::{GlobalAlloc, Layout, System};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use harness::{Group, Session};
use mimalloc::MiMalloc;
use percpu_rt::{PerCpuBox, Zeroable, possible_cpus, this_cpu};
use tikv_jemallocator::Jemalloc;

#[path = "../../../percpu-rt/benches/harness/mod.rs"]
mod harness;

/// Variables of each size that live meanwhile.
const LIVE: usize = 100_000;

/// Where they are few, and of large ones.
const FEW: usize = 1000;

/// Bytes that are on one cache line.
const LINE: usize = 64;

/// Alone on its cache line.
#[repr(align(64))]
struct Line(AtomicU64);

static SHARED: Line = Line(AtomicU64::new(0));

fn lock_xadd(repetitions: u64) {
    (0..repetitions).for_each(|_| _ = SHARED.0.fetch_add(1, Relaxed));
}

fn percpu<T: Zeroable + Send + 'static>(repetitions: u64) {
    for _ in 0..repetitions {
        let boxed = PerCpuBox::<T>::try_zeroed().expect("memory");
        // SAFETY: every type here begins with a `u64`, and nobody else knows the variable.
        unsafe { boxed.per_cpu_ptr(this_cpu()).cast::<u64>().write_volatile(1) };
        drop(boxed);
    }
}

/// Slots of `bytes` for the CPUs that a machine has; the orphan is ours alone.
fn slots(bytes: usize) -> Layout {
    let cpus = possible_cpus().filter(|cpu| !cpu.is_orphan()).count();
    Layout::from_size_align(cpus * bytes.next_multiple_of(LINE), LINE).expect("small")
}

fn array<const BYTES: usize>(allocator: &impl GlobalAlloc, repetitions: u64) {
    let layout = slots(BYTES);
    for _ in 0..repetitions {
        // SAFETY: the layout has a size; one slot of it is written to, and it is freed once with the same layout.
        unsafe {
            let start = allocator.alloc_zeroed(layout);
            start.add(this_cpu().index() * BYTES.next_multiple_of(LINE)).cast::<u64>().write_volatile(1);
            allocator.dealloc(start, layout);
        }
    }
}

/// The variables that live meanwhile, of every allocator alike; they live for as long as the program.
fn fill<T: Zeroable + Send + 'static>(bytes: usize, count: usize) {
    for _ in 0..count {
        std::mem::forget(PerCpuBox::<T>::try_zeroed().expect("memory"));
        for allocator in [&MiMalloc as &dyn GlobalAlloc, &Jemalloc, &System] {
            // SAFETY: the layout has a size. Kept for good.
            let kept = unsafe { allocator.alloc_zeroed(slots(bytes)) };
            assert!(!kept.is_null(), "memory");
        }
    }
}

/// One size: against a lock, each of the others, and itself with a second thread.
macro_rules! size {
    ($session:ident, $title:literal, $type:ty, $bytes:literal) => {
        fill::<$type>($bytes, FEW);
        Group::new(concat!($title, ", 1,000 alive, in locks"))
            .variant("PerCpuBox", percpu::<$type>)
            .faster(1.0 / 0.75)
            .yardstick("lock xadd", lock_xadd)
            .run(&mut $session);
        fill::<$type>($bytes, LIVE - FEW);
        Group::new(concat!($title, ", in locks"))
            .variant("PerCpuBox", percpu::<$type>)
            .faster(1.0 / 0.75)
            .yardstick("lock xadd", lock_xadd)
            .run(&mut $session);
        Group::new(concat!($title, ", mimalloc"))
            .variant("PerCpuBox", percpu::<$type>)
            .faster(1.1)
            .yardstick("mimalloc", |n| array::<$bytes>(&MiMalloc, n))
            .run(&mut $session);
        Group::new(concat!($title, ", jemalloc"))
            .variant("PerCpuBox", percpu::<$type>)
            .faster(2.0)
            .yardstick("jemalloc", |n| array::<$bytes>(&Jemalloc, n))
            .run(&mut $session);
        Group::new(concat!($title, ", glibc"))
            .variant("PerCpuBox", percpu::<$type>)
            .faster(10.0)
            .yardstick("glibc", |n| array::<$bytes>(&System, n))
            .run(&mut $session);
        // Two threads do 1.7 times as much: each takes at most 2 / 1.7 of the time.
        Group::new(concat!($title, ", two threads"))
            .floor("one thread", percpu::<$type>)
            .contended("two threads", percpu::<$type>)
            .at_most(2.0 / 1.7)
            .run(&mut $session);
    };
}

fn main() -> ExitCode {
    let mut session = Session::start();
    size!(session, "8 bytes", u64, 8);
    size!(session, "64 bytes", [u64; 8], 64);
    fill::<[u64; 512]>(4096, FEW);
    Group::new("4096 bytes, 64 of them dirtied")
        .variant("PerCpuBox", |n| {
            for _ in 0..n {
                let boxed = PerCpuBox::<[u64; 512]>::try_zeroed().expect("memory");
                // SAFETY: a copy that nobody else knows.
                unsafe { boxed.per_cpu_ptr(this_cpu()).cast::<[u64; 8]>().write_volatile([1; 8]) };
            }
        })
        .faster(1.0 / 90.0)
        .variant("mimalloc", |n| array::<4096>(&MiMalloc, n))
        .variant("jemalloc", |n| array::<4096>(&Jemalloc, n))
        .variant("glibc", |n| array::<4096>(&System, n))
        .yardstick("lock xadd", lock_xadd)
        .run(&mut session);
    session.finish()
}
