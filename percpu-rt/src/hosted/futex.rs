//! Sleeping until a word changes.

use core::time::Duration;

use crate::primitive::AtomicU32;

/// Sleeps while `word` is `expected`, until [`wake_all`] or for `at_most`; may return at any time.
pub(crate) fn wait(word: &AtomicU32, expected: u32, at_most: Option<Duration>) {
    let timeout = at_most
        .map(|time| libc::timespec { tv_sec: time.as_secs().cast_signed(), tv_nsec: time.subsec_nanos().into() });
    // SAFETY: the address of a live word and of a time that lives across the call, or null; the kernel only reads
    // them. Failure is a reason to look at the word again.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            core::ptr::from_ref(word),
            libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG,
            expected,
            timeout.as_ref().map_or(core::ptr::null(), core::ptr::from_ref),
        );
    }
}

/// Wakes every thread that sleeps on `word`.
pub(crate) fn wake_all(word: &AtomicU32) {
    // SAFETY: the address of a live word, which the kernel uses as a key.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            core::ptr::from_ref(word),
            libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG,
            i32::MAX,
        );
    }
}
