//! A forked child: what its one thread holds it goes on holding, and what others held it does not wait for.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::thread;

use percpu_rt::{CpuId, LocalLock, per_cpu};
use percpu_tests::pin;
use rustix::process::{Pid, WaitOptions, waitpid};

/// Runs `f` in a forked child; tells whether it returned true.
fn in_child(f: impl FnOnce() -> bool) -> bool {
    // SAFETY: the child runs `f` and ends; glibc keeps its allocator usable in it.
    match unsafe { libc::fork() } {
        // SAFETY: ends the child; takes any number.
        0 => unsafe { libc::_exit(i32::from(!f())) },
        pid => {
            let pid = Pid::from_raw(pid).expect("a child");
            let (_, status) = waitpid(Some(pid), WaitOptions::empty()).expect("our child").expect("it has ended");
            status.exit_status() == Some(0)
        }
    }
}

#[test]
fn a_guard_of_the_forking_thread_lives_on_in_the_child() {
    #[per_cpu]
    static OURS: LocalLock<u64> = LocalLock::new(0);
    pin::on(pin::allowed()[0], || {
        let mut guard = OURS.lock();
        assert!(in_child(|| {
            *guard += 1;
            let refused = catch_unwind(|| drop(OURS.lock())).is_err();
            let kept = OURS.try_lock().is_none();
            drop(guard);
            refused && kept && *OURS.lock() == 1
        }));
        // The parent's copy is another one; its guard was moved into the closure and forgotten with the child.
        assert_eq!(*OURS.lock(), 0);
    });
}

/// What the parent has registered for, the child has too.
#[test]
fn a_child_claims_what_nobody_holds() {
    #[per_cpu]
    static FREE: LocalLock<u64> = LocalLock::new(0);
    let cpu = pin::allowed()[0];
    *FREE.lock_on(cpu).expect("Linux 5.10") += 1;
    assert!(in_child(|| {
        *FREE.lock_on(cpu).expect("as in the parent") += 1;
        *FREE.lock_on(cpu).expect("as in the parent") == 2 && pin::on(cpu, || *FREE.lock()) == 2
    }));
    assert_eq!(*FREE.lock_on(cpu).expect("Linux 5.10"), 1);
}

#[test]
fn a_copy_that_another_thread_held_is_refused_in_the_child() {
    #[per_cpu]
    static THEIRS: LocalLock<u64> = LocalLock::new(0);
    refused_in_the_child(
        |_| THEIRS.lock(),
        || drop(THEIRS.lock()),
        |cpu| drop(THEIRS.lock_on(cpu).expect("Linux 5.10")),
    );
}

#[test]
fn a_copy_that_another_thread_had_claimed_is_refused_in_the_child() {
    #[per_cpu]
    static CLAIMED: LocalLock<u64> = LocalLock::new(0);
    refused_in_the_child(
        |cpu| CLAIMED.lock_on(cpu).expect("Linux 5.10"),
        || drop(CLAIMED.lock()),
        |cpu| drop(CLAIMED.lock_on(cpu).expect("Linux 5.10")),
    );
}

/// Has a thread `hold` a CPU's copy while another one forks; in the child both ways to take it must panic, and leave it
/// to panic again. In the parent both work once it is free.
fn refused_in_the_child<Guard>(
    hold: impl FnOnce(CpuId) -> Guard + Send,
    lock: impl Fn() + Sync,
    lock_on: impl Fn(CpuId) + Sync,
) {
    let cpu = pin::allowed()[0];
    let (tell, held) = channel();
    let (release, released) = channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            pin::pin(None, cpu).expect("an allowed CPU");
            let guard = hold(cpu);
            tell.send(()).expect("the test waits");
            let _ = released.recv();
            drop(guard);
        });
        held.recv().expect("the holder tells");
        let panics = |f: &dyn Fn()| catch_unwind(AssertUnwindSafe(f)).is_err();
        pin::on(cpu, || {
            assert!(in_child(|| (0..2).all(|_| panics(&lock) && panics(&|| lock_on(cpu)))));
        });
        drop(release);
    });
    pin::on(cpu, || {
        lock();
        lock_on(cpu);
    });
}
