//! Signal handlers: they never wait for the thread that they have interrupted.

use std::alloc::Layout;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use percpu_rt::{AllocError, AllocFlags, FreeError, alloc_percpu, possible_cpus, try_free_percpu};
use percpu_tests::ticks;

use crate::alone;
use crate::object::Object;

/// What came of the handler's calls.
static SERVED: AtomicU64 = AtomicU64::new(0);
static BUSY: AtomicU64 = AtomicU64::new(0);
static WRONG: AtomicU64 = AtomicU64::new(0);

/// Of each, before the test ends.
const ENOUGH: u64 = 20;

extern "C" fn handler(_: libc::c_int) {
    let Ok(object) = alloc_percpu(Layout::new::<[u64; 3]>(), AllocFlags::ATOMIC).map_err(|error| match error {
        AllocError::Busy => BUSY.fetch_add(1, Relaxed),
        _ => WRONG.fetch_add(1, Relaxed),
    }) else {
        return;
    };
    for cpu in possible_cpus() {
        let copy = object.cast::<[u64; 3]>().per_cpu_ptr(cpu);
        // SAFETY: allocated above for three words, and known to this handler alone, which nothing like it interrupts.
        let found = unsafe { copy.replace([u64::MAX; 3]) };
        WRONG.fetch_add(u64::from(found != [0; 3]), Relaxed);
    }
    // SAFETY: allocated above, and not used any more.
    let freed: Result<(), FreeError> = unsafe { try_free_percpu(object) };
    WRONG.fetch_add(u64::from(freed.is_err()), Relaxed);
    SERVED.fetch_add(1, Relaxed);
}

#[test]
fn a_handler_is_served_or_told_that_it_interrupted() {
    if !alone("signals::a_handler_is_served_or_told_that_it_interrupted") {
        return;
    }
    ticks::start(handler);
    let mut rounds = 0_u64;
    while SERVED.load(Relaxed) < ENOUGH || BUSY.load(Relaxed) < ENOUGH {
        // Records, pages and the map: everything that can be interrupted.
        let mut objects =
            [24, 5, 24, 20_000].map(|size| Object::new(size, 4, AllocFlags::NONE).expect("there is room"));
        objects[2].fill(rounds);
        objects[2].check(rounds);
        objects.into_iter().for_each(Object::free);
        rounds += 1;
        assert!(rounds < 10_000_000, "{SERVED:?} served, {BUSY:?} busy");
    }
    ticks::stop();
    println!("{SERVED:?} served, {BUSY:?} busy");
    assert_eq!(WRONG.load(Relaxed), 0);
}
