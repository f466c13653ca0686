//! The thread's error number, which a signal handler has to leave as it has found it.

/// Runs `calls` of the system, after which the thread's error number is what it was.
pub(super) fn preserve<R>(calls: impl FnOnce() -> R) -> R {
    // SAFETY: the thread's own error number, here and below.
    let before = unsafe { *libc::__errno_location() };
    let result = calls();
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = before };
    result
}
