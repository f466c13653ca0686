//! Forked children: they have their own snapshot of every object, and an allocator that nobody holds.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use percpu_rt::AllocFlags;
use rustix::process::{Pid, WaitOptions, waitpid};

use crate::object::Object;
use crate::{alone, alone_with};

/// Forks under load.
const FORKS: usize = 300;

/// Threads that allocate meanwhile.
const THREADS: usize = 3;

/// Runs `f` in a forked child; tells whether it came to its end.
fn in_child(f: impl FnOnce()) -> bool {
    // SAFETY: the child runs `f` and ends; glibc keeps its own allocator usable in it.
    match unsafe { libc::fork() } {
        0 => {
            let passed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).is_ok();
            // SAFETY: ends the child; takes any number.
            unsafe { libc::_exit(i32::from(!passed)) }
        }
        pid => {
            let pid = Pid::from_raw(pid).expect("a child");
            let (_, status) = waitpid(Some(pid), WaitOptions::empty()).expect("our child").expect("it has ended");
            status.exit_status() == Some(0)
        }
    }
}

#[track_caller]
fn new(size: usize) -> Object {
    Object::new(size, 8, AllocFlags::NONE).expect("there is room")
}

#[test]
fn parent_and_child_have_objects_of_their_own() {
    let mut kept = new(500);
    let mut freed = new(100_000);
    kept.fill(1);
    freed.fill(2);
    let (kept, freed) = (&mut kept, freed);
    let passed = in_child(|| {
        kept.check(1);
        freed.check(2);
        // Freed in the child alone, with its pages; and new ones where it was.
        let place = freed.ptr;
        // SAFETY: the child's own copy of the allocator, which knows the object; nobody uses it behind this.
        unsafe { percpu_rt::free_percpu(place) };
        kept.fill(3);
        let mut again = new(100_000);
        again.fill(4);
        again.check(4);
        kept.check(3);
        again.free();
    });
    assert!(passed);
    kept.check(1);
    freed.check(2);
    freed.free();
    let mut next = new(100_000);
    next.fill(5);
    // And what the parent does behind the fork is nothing to the child's, nor the other way.
    assert!(in_child(|| next.check(5)));
    next.free();
}

/// Threads hold the locks most of the time: without their release in the child this does not end.
#[test]
fn a_child_waits_for_no_thread_of_its_parent() {
    if !alone("fork::a_child_waits_for_no_thread_of_its_parent") {
        return;
    }
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let stop = &stop;
            scope.spawn(move || {
                while !stop.load(Relaxed) {
                    let flags = if thread == 0 { AllocFlags::RESERVED } else { AllocFlags::NONE };
                    let objects = [4, 64, 9000].map(|size| Object::new(size, 4, flags).expect("there is room"));
                    objects.into_iter().for_each(Object::free);
                }
            });
        }
        let all = (0..FORKS).all(|_| {
            in_child(|| {
                let objects: Vec<_> = (0..50)
                    .map(|n| Object::new(4 << (n % 12), 4, AllocFlags::RESERVED).expect("there is room"))
                    .collect();
                objects.into_iter().for_each(Object::free);
            })
        });
        stop.store(true, Relaxed);
        assert!(all);
    });
}

/// A thread that gives pages back, or brings them, does not exist in the child: a fork waits until it is done.
#[test]
#[cfg_attr(feature = "checked", ignore = "objects are larger there, and errors say more")]
fn a_child_has_all_pages_that_are_free() {
    /// Pages of 4 KiB of the object, and of the unit's dynamic range less what is not the object's.
    const SIZE: usize = 1400 << 10;
    const PAGE: usize = 4096;
    if !alone_with("fork::a_child_has_all_pages_that_are_free", &[("PERCPU_UNIT_SIZE", "1536K")]) {
        return;
    }
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Relaxed) {
                if let Ok(object) = Object::new(SIZE, 4, AllocFlags::NONE) {
                    object.free();
                }
            }
        });
        let all = (0..FORKS).all(|_| {
            in_child(|| {
                let pages = std::iter::from_fn(|| Object::new(PAGE, PAGE, AllocFlags::NONE).ok()).count();
                // The object is the parent's thread's, which is not there, or free.
                let others = pages.checked_sub(SIZE / PAGE).unwrap_or(pages);
                assert!(others < 40, "{pages} pages are to be had");
            })
        });
        stop.store(true, Relaxed);
        assert!(all);
    });
}
