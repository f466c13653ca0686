//! Every copy that is made is dropped once, whatever panics.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use percpu_rt::{PerCpuBox, possible_cpus, stats};

/// Counts its drops, and panics in one if it is told to.
struct Counted {
    drops: &'static AtomicUsize,
    panics: bool,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.drops.fetch_add(1, Relaxed);
        assert!(!self.panics, "a drop that panics");
    }
}

fn panics(f: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(f)).is_err()
}

#[test]
fn each_copy_is_dropped_once() {
    static DROPS: AtomicUsize = AtomicUsize::new(0);
    let drops = &DROPS;
    let boxed = PerCpuBox::try_new_with(|_| Counted { drops, panics: false }).expect("memory");
    assert_eq!(drops.load(Relaxed), 0);
    drop(boxed);
    assert_eq!(drops.load(Relaxed), possible_cpus().count());
}

#[test]
fn a_panic_in_a_constructor_drops_what_it_has_made() {
    static DROPS: AtomicUsize = AtomicUsize::new(0);
    let drops = &DROPS;
    let made = Cell::new(0);
    assert!(panics(|| {
        let _ = PerCpuBox::try_new_with(|cpu| {
            assert!(Some(cpu) != possible_cpus().next_back(), "the last constructor");
            made.set(made.get() + 1);
            Counted { drops, panics: false }
        });
    }));
    assert_eq!((drops.load(Relaxed), made.get()), (possible_cpus().count() - 1, possible_cpus().count() - 1));
}

#[test]
fn a_panic_in_a_drop_leaves_none_undropped() {
    static DROPS: AtomicUsize = AtomicUsize::new(0);
    let drops = &DROPS;
    let first = possible_cpus().next();
    let boxed = PerCpuBox::try_new_with(|cpu| Counted { drops, panics: Some(cpu) == first }).expect("memory");
    assert!(panics(|| drop(boxed)));
    assert_eq!(drops.load(Relaxed), possible_cpus().count());
}

/// Also what the tests above have unwound has been freed: the count of live objects comes back.
#[test]
fn memory_comes_back_and_a_forgotten_box_keeps_it() {
    let exact = || {
        let before = stats().nr_dealloc;
        static DROPS: AtomicUsize = AtomicUsize::new(0);
        let drops = &DROPS;
        let first = possible_cpus().next();
        let boxed = PerCpuBox::try_new_with(|cpu| Counted { drops, panics: Some(cpu) == first }).expect("memory");
        assert!(panics(|| drop(boxed)));
        assert!(panics(|| drop(PerCpuBox::<u64>::try_new_with(|_| panic!("a constructor")))));
        stats().nr_dealloc - before
    };
    assert!(exact() >= 2);
    let forgotten = PerCpuBox::try_new(7_u64).expect("memory");
    let copies: Vec<_> = possible_cpus().map(|cpu| forgotten.per_cpu_ptr(cpu).addr()).collect();
    std::mem::forget(forgotten);
    let others: Vec<_> = (0..100).map(|_| PerCpuBox::try_new(0_u64).expect("memory")).collect();
    for other in &others {
        assert!(possible_cpus().all(|cpu| !copies.contains(&other.per_cpu_ptr(cpu).addr())));
    }
}
