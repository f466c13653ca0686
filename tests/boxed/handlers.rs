//! Boxes in signal handlers: those that a handler drops in the middle of the allocator's work are freed behind it.

use std::alloc::Layout;
use std::cell::UnsafeCell;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, compiler_fence};

use percpu_rt::{AllocError, AllocFlags, PerCpuBox, alloc_percpu, free_percpu, stats};
use percpu_tests::alone::alone;
use percpu_tests::ticks;

/// Too large for any stock: its drop goes to the allocator.
type Large = [u64; 700];

/// Drops in the middle of the allocator's work, before the test ends.
const ENOUGH: u64 = 50;

/// What the handler drops, if it is there.
struct Slot(UnsafeCell<Option<[PerCpuBox<Large>; 3]>>);

// SAFETY: one thread and its handler use it, and `IS_FULL` says which of the two may.
unsafe impl Sync for Slot {}

static SLOT: Slot = Slot(UnsafeCell::new(None));
static IS_FULL: AtomicBool = AtomicBool::new(false);
static DROPPED: AtomicU64 = AtomicU64::new(0);

extern "C" fn handler(_: libc::c_int) {
    match alloc_percpu(Layout::new::<u32>(), AllocFlags::ATOMIC) {
        Err(AllocError::Busy) if IS_FULL.load(Relaxed) => {
            compiler_fence(SeqCst);
            // SAFETY: full, so the handler's.
            drop(unsafe { (*SLOT.0.get()).take() });
            IS_FULL.store(false, Relaxed);
            DROPPED.fetch_add(1, Relaxed);
        }
        // SAFETY: allocated above.
        Ok(object) => unsafe { free_percpu(object) },
        Err(_) => {}
    }
}

#[test]
fn a_box_is_dropped_in_the_middle_of_the_allocators_work() {
    if !alone("handlers::a_box_is_dropped_in_the_middle_of_the_allocators_work") {
        return;
    }
    let before = stats();
    ticks::start(handler);
    let mut rounds = 0_u64;
    while DROPPED.load(Relaxed) < ENOUGH {
        if !IS_FULL.load(Relaxed) {
            // SAFETY: empty, so this thread's.
            unsafe { *SLOT.0.get() = Some([(); 3].map(|()| PerCpuBox::try_new([rounds; 700]).expect("memory"))) };
            compiler_fence(SeqCst);
            IS_FULL.store(true, Relaxed);
        }
        let kept: Vec<_> = (0..40).map(|at| PerCpuBox::try_new([at; 3]).expect("memory")).collect();
        let other = PerCpuBox::try_new([!rounds; 900]).expect("memory");
        assert!(kept.iter().enumerate().all(|(at, kept)| kept.iter().all(|(_, copy)| *copy == [at; 3])));
        assert!(other.iter().all(|(_, copy)| *copy == [!rounds; 900]));
        rounds += 1;
        assert!(rounds < 10_000_000, "{DROPPED:?} dropped");
    }
    ticks::stop();
    // SAFETY: the handler runs no more.
    drop(unsafe { (*SLOT.0.get()).take() });
    println!("{DROPPED:?} dropped by handlers in {rounds} rounds");
    let after = stats();
    assert_eq!((after.nr_cur_alloc, after.live_bytes), (before.nr_cur_alloc, before.live_bytes), "all are freed");
}
