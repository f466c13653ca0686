//! Sleeping until a word changes.

use core::time::Duration;

use super::errno;
use crate::primitive::AtomicU32;

/// Sleeps while `word` is `expected`, until [`wake_all`] or for `at_most`; may return at any time.
pub(crate) fn wait(word: &AtomicU32, expected: u32, at_most: Option<Duration>) {
    // SAFETY: the address of a live word.
    unsafe { wait_at(core::ptr::from_ref(word).cast(), expected, at_most) };
}

/// Wakes every thread that sleeps on `word`.
pub(crate) fn wake_all(word: &AtomicU32) {
    wake_at(core::ptr::from_ref(word).cast(), i32::MAX);
}

/// Sleeps while the word at `address` is `expected`, until it is woken or for `at_most`; may return at any time.
///
/// # Safety
///
/// The word lives until this returns.
pub(super) unsafe fn wait_at(address: *const u32, expected: u32, at_most: Option<Duration>) {
    let timeout = at_most
        .map(|time| libc::timespec { tv_sec: time.as_secs().cast_signed(), tv_nsec: time.subsec_nanos().into() });
    // SAFETY: the address of a live word (the caller), and of a time that lives across the call, or null; the kernel
    // only reads them. Failure is a reason to look at the word again.
    errno::preserve(|| unsafe {
        libc::syscall(
            libc::SYS_futex,
            address,
            libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG,
            expected,
            timeout.as_ref().map_or(core::ptr::null(), core::ptr::from_ref),
        )
    });
}

/// Wakes up to `threads` threads that sleep on the word at `address`.
pub(super) fn wake_at(address: *const u32, threads: i32) {
    // SAFETY: the kernel uses the address as a key, and reads nothing there.
    errno::preserve(|| unsafe {
        libc::syscall(libc::SYS_futex, address, libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG, threads)
    });
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// A lock that a signal handler waits for is freed at any time: also just before the kernel looks.
    #[test]
    fn a_wait_in_vain_leaves_the_error_number() {
        const UNTOUCHED: i32 = 4242;
        let word = 7_u32;
        // SAFETY: the thread's own error number; then a live word.
        unsafe {
            *libc::__errno_location() = UNTOUCHED;
            wait_at(&raw const word, 8, None);
            assert_eq!(*libc::__errno_location(), UNTOUCHED);
        }
    }
}
