//! One thread and its guards: nested, after a migration, forgotten, dropped by a panic.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use percpu_rt::{LocalLock, per_cpu};
use percpu_tests::{pin, tool};

fn panics(f: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(f)).is_err()
}

#[test]
fn a_held_copy_is_refused_and_not_waited_for() {
    #[per_cpu]
    static NESTED: LocalLock<u64> = LocalLock::new(0);
    pin::on(pin::allowed()[0], || {
        let mut held = NESTED.lock();
        assert!(NESTED.try_lock().is_none());
        assert!(panics(|| drop(NESTED.lock())));
        assert!(panics(|| drop(NESTED.lock_on(pin::allowed()[0]))));
        *held += 1;
        drop(held);
        assert_eq!(*NESTED.lock(), 1, "the refusals have left it as it was");
        assert_eq!(*NESTED.lock_on(pin::allowed()[0]).expect("Linux 5.10"), 1);
    });
}

#[test]
fn a_thread_that_was_moved_does_not_wait_for_itself() {
    #[per_cpu]
    static MOVED: LocalLock<u64> = LocalLock::new(0);
    let [first, second, ..] = pin::allowed()[..] else {
        tool::missing("second CPU for this process");
        return;
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            pin::pin(None, first).expect("an allowed CPU");
            let held = MOVED.lock();
            pin::pin(None, second).expect("an allowed CPU");
            // A copy that is free is sound to have too; only debug builds refuse it.
            assert_eq!(panics(|| drop(MOVED.lock())), cfg!(debug_assertions));
            // Another CPU's copy is only ever waited for, so that is refused in all builds.
            assert!(panics(|| drop(MOVED.lock_on(second))));
            drop(held);
        });
    });
}

#[test]
fn waiting_with_a_copy_in_hand_is_refused() {
    #[per_cpu]
    static CROSSED: LocalLock<u64> = LocalLock::new(0);
    let [first, second, ..] = pin::allowed()[..] else {
        tool::missing("second CPU for this process");
        return;
    };
    thread::scope(|scope| {
        let (tell, held) = std::sync::mpsc::channel();
        let (release, released) = std::sync::mpsc::channel::<()>();
        scope.spawn(move || {
            pin::pin(None, second).expect("an allowed CPU");
            let guard = CROSSED.lock();
            tell.send(()).expect("the other thread waits");
            // Until the other thread is done with what it tries.
            let _ = released.recv();
            drop(guard);
        });
        scope.spawn(move || {
            pin::pin(None, first).expect("an allowed CPU");
            let guard = CROSSED.lock();
            held.recv().expect("the other thread tells");
            pin::pin(None, second).expect("an allowed CPU");
            assert!(panics(|| drop(CROSSED.lock())));
            drop(guard);
            drop(release);
        });
    });
    assert_eq!(*CROSSED.lock_on(second).expect("Linux 5.10"), 0);
}

#[test]
fn a_panic_unlocks_and_a_forgotten_guard_does_not() {
    #[per_cpu]
    static LEFT: LocalLock<u64> = LocalLock::new(0);
    pin::on(pin::allowed()[0], || {
        assert!(panics(|| LEFT.with(|_| panic!("while it is locked"))));
        std::mem::forget(LEFT.try_lock().expect("the panic has unlocked it"));
        assert!(LEFT.try_lock().is_none());
        assert!(panics(|| drop(LEFT.lock())));
    });
}
