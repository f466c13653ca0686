//! A thread's work interrupted every 50 microseconds of its process's time: a pace, not a promise.

use std::mem::zeroed;
use std::ptr::null_mut;

/// Has `handler` run until [`stop`].
///
/// # Panics
///
/// Where the system refuses.
pub fn start(handler: extern "C" fn(libc::c_int)) {
    let every = libc::timeval { tv_sec: 0, tv_usec: 50 };
    let timer = libc::itimerval { it_interval: every, it_value: every };
    // SAFETY: a handler's address, which is there for good; then a filled timer.
    unsafe {
        assert_ne!(libc::signal(libc::SIGPROF, handler as *const () as libc::sighandler_t), libc::SIG_ERR);
        assert_eq!(libc::setitimer(libc::ITIMER_PROF, &raw const timer, null_mut()), 0);
    }
}

/// No more.
pub fn stop() {
    // SAFETY: a filled timer, which stops it.
    unsafe {
        let stop: libc::itimerval = zeroed();
        libc::setitimer(libc::ITIMER_PROF, &raw const stop, null_mut());
    }
}
