//! What a backend implements: operations on this CPU's copy, by the type of the value.

/// A value that this CPU's copy can be read, written and exchanged as.
///
/// Every operation happens as a whole on one CPU's copy: that of the CPU on which the thread runs at the moment
/// the operation takes effect (on the generic backend: ran, at a moment inside the call). Nothing that runs on
/// that CPU, be it another thread or a signal handler, comes between its reading and its writing.
///
/// # Safety
///
/// Implementations keep the promise above and touch no byte outside the variable.
pub(crate) unsafe trait LocalWord: Copy {
    /// Reads this CPU's copy.
    ///
    /// # Safety
    ///
    /// For this function and all others of the backends: `place` is the per-CPU pointer of a live, aligned variable of this
    /// type, whose every copy is initialised, and which is accessed through these traits and by atomic loads and
    /// stores of its own width alone.
    unsafe fn read(place: *mut Self) -> Self;
    /// Writes this CPU's copy.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`].
    unsafe fn write(place: *mut Self, value: Self);
    /// Replaces the value and returns the old one.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`].
    unsafe fn xchg(place: *mut Self, value: Self) -> Self;
    /// Replaces the value if it is `old`; returns the value found.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`].
    unsafe fn cmpxchg(place: *mut Self, old: Self, new: Self) -> Self;
}

/// A value that this CPU's copy can be counted and masked as; arithmetic wraps.
///
/// # Safety
///
/// As [`LocalWord`].
pub(crate) unsafe trait LocalInteger: LocalWord {
    /// Adds one.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`].
    unsafe fn inc(place: *mut Self);
    /// Subtracts one.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`].
    unsafe fn dec(place: *mut Self);
    /// Adds `value`.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`].
    unsafe fn add(place: *mut Self, value: Self);
    /// Keeps the bits of `value`.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`].
    unsafe fn and(place: *mut Self, value: Self);
    /// Sets the bits of `value`.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`].
    unsafe fn or(place: *mut Self, value: Self);
    /// Flips the bits of `value`.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`].
    unsafe fn xor(place: *mut Self, value: Self);
    /// Adds `value` and returns the sum.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`].
    unsafe fn add_return(place: *mut Self, value: Self) -> Self;
    /// Adds `value` and returns the value before.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`].
    unsafe fn fetch_add(place: *mut Self, value: Self) -> Self;
}

/// The two operations of a 16-byte word.
///
/// # Safety
///
/// As [`LocalWord`].
#[cfg(backend = "x86_64")]
pub(crate) unsafe trait LocalWide: Copy {
    /// Reads this CPU's copy.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`], but through this trait alone.
    unsafe fn read(place: *mut Self) -> Self;
    /// Replaces the value if it is `old`; returns the value found.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`], but through this trait alone.
    unsafe fn cmpxchg(place: *mut Self, old: Self, new: Self) -> Self;
}
