//! Signal handlers: they never wait for the thread that they have interrupted.

use std::alloc::Layout;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use percpu_rt::{AllocError, AllocFlags, FreeError, alloc_percpu, possible_cpus, try_free_percpu};

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
    let handler: extern "C" fn(libc::c_int) = handler;
    let every = libc::timeval { tv_sec: 0, tv_usec: 50 };
    let timer = libc::itimerval { it_interval: every, it_value: every };
    // SAFETY: a handler that allocates atomically and counts; then a filled timer.
    unsafe {
        assert_ne!(libc::signal(libc::SIGPROF, handler as *const () as libc::sighandler_t), libc::SIG_ERR);
        assert_eq!(libc::setitimer(libc::ITIMER_PROF, &raw const timer, std::ptr::null_mut()), 0);
    }
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
    // SAFETY: a filled timer, which stops it.
    unsafe {
        let stop: libc::itimerval = std::mem::zeroed();
        libc::setitimer(libc::ITIMER_PROF, &raw const stop, std::ptr::null_mut());
    }
    println!("{SERVED:?} served, {BUSY:?} busy");
    assert_eq!(WRONG.load(Relaxed), 0);
}
