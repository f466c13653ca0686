//! What is to be had at once: without a system call, as where the kernel ends whoever makes one.

use percpu_rt::{AllocFlags, alloc_percpu, free_percpu, reserve_atomic};
use percpu_tests::tool::skip_sanitized;
use rustix::process::{Pid, WaitOptions, waitpid};

use crate::object::layout;
use crate::{alone, alone_with};

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

/// Runs `count` in a child to which every system call but its end is forbidden: it returns how many bytes it has allocated.
/// `None` where this machine has no such mode.
fn in_strict_child(count: impl FnOnce() -> usize, at_least: usize) -> Option<Result<(), String>> {
    // SAFETY: the child allocates per-CPU objects, which asks nothing of its libc, and ends.
    let pid = match unsafe { libc::fork() } {
        0 => {
            // SAFETY: from here on every system call but four kills.
            let strict = unsafe { libc::prctl(libc::PR_SET_SECCOMP, 1) };
            if strict != 0 {
                end(2);
            }
            end(i32::from(count() < at_least));
        }
        pid => Pid::from_raw(pid).expect("a child"),
    };
    let (_, status) = waitpid(Some(pid), WaitOptions::empty()).expect("our child").expect("it has ended");
    match status.exit_status() {
        Some(0) => Some(Ok(())),
        Some(1) => Some(Err(format!("less than {at_least} bytes"))),
        Some(2) => None,
        _ => Some(Err(format!("a system call: {status:?}"))),
    }
}

#[test]
#[cfg_attr(feature = "checked", ignore = "objects are larger there, and errors say more")]
fn the_first_chunk_needs_no_system_call() {
    if skip_sanitized("counting system calls") {
        return;
    }
    if !alone("early::the_first_chunk_needs_no_system_call") {
        return;
    }
    for size in [4, 60, 512, 4096] {
        match in_strict_child(|| bytes_of(size), EARLY) {
            Some(result) => assert_eq!(result, Ok(()), "objects of {size} bytes"),
            None => return percpu_tests::tool::missing("strict mode of seccomp"),
        }
    }
}

/// Where Linux fails: a burst of atomic allocations, as of packets that come all at once.
#[test]
#[cfg_attr(feature = "checked", ignore = "objects are larger there, and errors say more")]
fn a_burst_of_ten_thousand_needs_no_system_call() {
    const BURST: usize = 10_000;
    const SIZE: usize = 64;
    if skip_sanitized("counting system calls") {
        return;
    }
    if !alone("early::a_burst_of_ten_thousand_needs_no_system_call") {
        return;
    }
    let burst = || SIZE * (0..BURST).take_while(|_| alloc_percpu(layout(SIZE, 8), AllocFlags::ATOMIC).is_ok()).count();
    match in_strict_child(burst, BURST * SIZE) {
        Some(result) => assert_eq!(result, Ok(())),
        None => percpu_tests::tool::missing("strict mode of seccomp"),
    }
}

/// And whatever is reserved: for a larger one, and where others have all the rest.
#[test]
#[cfg_attr(feature = "checked", ignore = "objects are larger there, and errors say more")]
fn a_burst_finds_what_is_reserved() {
    const SIZE: usize = 64;
    const RESERVED: usize = 8 << 20;
    if skip_sanitized("counting system calls") {
        return;
    }
    if !alone_with("early::a_burst_finds_what_is_reserved", &[("PERCPU_UNIT_SIZE", "16M")]) {
        return;
    }
    reserve_atomic(RESERVED).expect("there is room");
    while alloc_percpu(layout(500, 8), AllocFlags::NONE).is_ok() {}
    let burst = || {
        let served = |_: &usize| alloc_percpu(layout(SIZE, 8), AllocFlags::ATOMIC).is_ok();
        SIZE * (0..RESERVED / SIZE).take_while(served).count()
    };
    match in_strict_child(burst, RESERVED) {
        Some(result) => assert_eq!(result, Ok(())),
        None => percpu_tests::tool::missing("strict mode of seccomp"),
    }
}
