//! A forked child: what its one thread holds it goes on holding, and what others held it does not wait for.

use std::panic::catch_unwind;
use std::sync::mpsc::channel;
use std::thread;

use percpu_rt::{LocalLock, per_cpu};
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

#[test]
fn a_copy_that_another_thread_held_is_refused_in_the_child() {
    #[per_cpu]
    static THEIRS: LocalLock<u64> = LocalLock::new(0);
    let cpu = pin::allowed()[0];
    let (tell, held) = channel();
    let (release, released) = channel::<()>();
    let holder = thread::spawn(move || {
        pin::pin(None, cpu).expect("an allowed CPU");
        let guard = THEIRS.lock();
        tell.send(()).expect("the test waits");
        let _ = released.recv();
        drop(guard);
    });
    held.recv().expect("the holder tells");
    pin::on(cpu, || {
        assert!(in_child(|| {
            let local = catch_unwind(|| drop(THEIRS.lock())).is_err();
            let remote = catch_unwind(|| drop(THEIRS.lock_on(cpu))).is_err();
            local && remote && catch_unwind(|| drop(THEIRS.lock())).is_err()
        }));
    });
    drop(release);
    holder.join().expect("it only held");
    assert_eq!(*THEIRS.lock_on(cpu).expect("Linux 5.10"), 0, "the parent's own copy is free again");
}
