//! Sleeping until a word changes.

use crate::primitive::AtomicU32;

/// Sleeps while `word` is `expected`, until [`wake_all`]; may return at any time.
pub(crate) fn wait(word: &AtomicU32, expected: u32) {
    let no_timeout = core::ptr::null::<libc::timespec>();
    // SAFETY: the address of a live word; the kernel only reads it. Failure is a reason to look at the word again.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            core::ptr::from_ref(word),
            libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG,
            expected,
            no_timeout,
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
