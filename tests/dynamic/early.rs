//! What is to be had at once: without a system call, as where the kernel ends whoever makes one.

use percpu_rt::{AllocFlags, alloc_percpu, free_percpu};
use percpu_tests::tool::skip_sanitized;
use rustix::process::{Pid, WaitOptions, waitpid};

use crate::alone;
use crate::object::layout;

/// What Linux has for allocations before its allocator can grow, and so the least here.
const EARLY: usize = 20 << 10;

/// Ends the process by the one call that is left to it.
fn end(status: i32) -> ! {
    // SAFETY: ends the calling thread, the only one.
    unsafe { libc::syscall(libc::SYS_exit, status) };
    unreachable!()
}

/// Allocates all there is of a size, and frees every second; tells how many bytes there were.
fn bytes_of(size: usize) -> usize {
    let mut count = 0;
    let mut even = None;
    while let Ok(object) = alloc_percpu(layout(size, 4), AllocFlags::ATOMIC) {
        count += 1;
        if let Some(object) = even.take() {
            // SAFETY: allocated by the round before, never used.
            unsafe { free_percpu(object) };
        } else {
            even = Some(object);
        }
        if count * size > 64 * EARLY {
            break;
        }
    }
    count * size
}

#[test]
fn the_first_chunk_needs_no_system_call() {
    if skip_sanitized("counting system calls") {
        return;
    }
    if !alone("early::the_first_chunk_needs_no_system_call") {
        return;
    }
    for size in [4, 60, 512, 4096] {
        // SAFETY: the child allocates per-CPU objects, which asks nothing of its libc, and ends.
        let pid = match unsafe { libc::fork() } {
            0 => {
                // SAFETY: from here on every system call but four kills.
                let strict = unsafe { libc::prctl(libc::PR_SET_SECCOMP, 1) };
                if strict != 0 {
                    end(2);
                }
                end(i32::from(bytes_of(size) < EARLY));
            }
            pid => Pid::from_raw(pid).expect("a child"),
        };
        let (_, status) = waitpid(Some(pid), WaitOptions::empty()).expect("our child").expect("it has ended");
        match status.exit_status() {
            Some(2) => return percpu_tests::tool::missing("strict mode of seccomp"),
            code => assert_eq!(code, Some(0), "objects of {size} bytes: {status:?}; 1: less than {EARLY} bytes"),
        }
    }
}
