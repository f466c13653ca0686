//! Where libc keeps the threads' `struct rseq`.
//!
//! glibc registers every thread since 2.35 and tells where in `__rseq_offset`, counted from the thread pointer. A thread
//! whose registration failed or is switched off has a negative CPU number there. Other libcs know no such symbol, and all
//! their threads count as not registered.

/// The offset of a thread's `struct rseq` from its thread pointer; `None` where libc does not keep one.
pub(super) fn offset() -> Option<isize> {
    let symbol = address();
    if symbol.is_null() {
        return None;
    }
    // SAFETY: glibc's `const ptrdiff_t __rseq_offset`, constant since before the first constructor.
    Some(unsafe { symbol.read() })
}

/// The address of `__rseq_offset`.
///
/// By name at run time: a reference would tie the program to glibc 2.35, and would not link with musl.
#[cfg(not(all(target_env = "gnu", target_feature = "crt-static")))]
fn address() -> *const isize {
    // SAFETY: looks up a C string among the loaded objects; any answer is handled.
    unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"__rseq_offset".as_ptr()) }.cast_const().cast()
}

/// The address of `__rseq_offset`: a static program has no symbols to look up, but glibc is in it.
#[cfg(all(target_env = "gnu", target_feature = "crt-static"))]
fn address() -> *const isize {
    unsafe extern "C" {
        static __rseq_offset: isize;
    }
    &raw const __rseq_offset
}
