//! Signal handlers: they never wait for the thread that they have interrupted.

use std::alloc::Layout;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use percpu_rt::{AllocError, AllocFlags, FreeError, PerCpuPtr, alloc_percpu, possible_cpus, try_free_percpu};
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

/// An object that lives while handlers free what is not theirs.
static KEPT: AtomicUsize = AtomicUsize::new(0);

/// Frees what the allocator would have to look at, where it may not: it is refused, or by its pointer alone.
extern "C" fn wrong_frees(_: libc::c_int) {
    let kept = KEPT.load(Relaxed);
    let free = |address: usize| {
        let pointer = PerCpuPtr::<u8>::new(std::ptr::without_provenance_mut(address)).expect("not null");
        // SAFETY: none of these was allocated, but the last, which is freed by its owner: they are refused, and that is the test.
        unsafe { try_free_percpu(pointer) }
    };
    // Whether it has interrupted the allocator, or not.
    let inside = [1, 2, 3].map(|bytes| free(kept + bytes));
    let outside = [1 << 50, usize::MAX - (1 << 20)].map(|bytes| free(kept.wrapping_add(bytes)));
    let is_wrong = |wrong: &Result<(), FreeError>| wrong.is_ok() || matches!(wrong, Err(FreeError::Busy { .. }));
    let wrong = inside.iter().chain(&outside).filter(|freed| is_wrong(freed)).count();
    WRONG.fetch_add(wrong as u64, Relaxed);
    match alloc_percpu(Layout::new::<u64>(), AllocFlags::ATOMIC) {
        Err(AllocError::Busy) => {
            let twice = [free(OWN.load(Relaxed)), free(OWN.load(Relaxed))];
            WRONG.fetch_add(u64::from(!matches!(twice, [Ok(()), Err(FreeError::NotAllocated { .. })])), Relaxed);
            // Another in its place; the main thread makes it.
            ticks::stop();
            BUSY.fetch_add(1, Relaxed);
        }
        Err(_) => {}
        // SAFETY: allocated above.
        Ok(object) => drop(unsafe { try_free_percpu(object) }),
    }
}

/// What a handler frees, once.
static OWN: AtomicUsize = AtomicUsize::new(0);

#[test]
fn a_wrong_free_in_a_handler_is_refused() {
    if !alone("signals::a_wrong_free_in_a_handler_is_refused") {
        return;
    }
    let mut kept = Object::new(24, 4, AllocFlags::NONE).expect("there is room");
    kept.fill(1);
    KEPT.store(kept.ptr.address(), Relaxed);
    for round in 1..=ENOUGH {
        let own = alloc_percpu(Layout::new::<u64>(), AllocFlags::NONE).expect("there is room");
        OWN.store(own.address(), Relaxed);
        ticks::start(wrong_frees);
        while BUSY.load(Relaxed) < round {
            let objects =
                [24, 5, 24, 20_000].map(|size| Object::new(size, 4, AllocFlags::NONE).expect("there is room"));
            objects.into_iter().for_each(Object::free);
        }
    }
    assert_eq!(WRONG.load(Relaxed), 0);
    kept.check(1);
    kept.free();
    assert_eq!(percpu_rt::stats().nr_cur_alloc, 0, "each was freed once");
}
