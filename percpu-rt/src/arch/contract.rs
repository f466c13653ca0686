//! What a backend implements: operations on this CPU's copy, by the type of the value.

use super::place::Place;

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
    /// For this function and all others of the backends: `place` is that of a live, aligned variable of this
    /// type, whose every copy is initialised, and which is accessed through these traits and by atomic loads and
    /// stores of its own width alone.
    unsafe fn read(place: &impl Place) -> Self;
    /// Writes this CPU's copy.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`].
    unsafe fn write(place: &impl Place, value: Self);
    /// Replaces the value and returns the old one.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`].
    unsafe fn xchg(place: &impl Place, value: Self) -> Self;
    /// Replaces the value if it is `old`; returns the value found.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`].
    unsafe fn cmpxchg(place: &impl Place, old: Self, new: Self) -> Self;
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
    unsafe fn inc(place: &impl Place);
    /// Subtracts one.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`].
    unsafe fn dec(place: &impl Place);
    /// Adds `value`.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`].
    unsafe fn add(place: &impl Place, value: Self);
    /// Keeps the bits of `value`.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`].
    unsafe fn and(place: &impl Place, value: Self);
    /// Sets the bits of `value`.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`].
    unsafe fn or(place: &impl Place, value: Self);
    /// Flips the bits of `value`.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`].
    unsafe fn xor(place: &impl Place, value: Self);
    /// Adds `value` and returns the sum.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`].
    unsafe fn add_return(place: &impl Place, value: Self) -> Self;
    /// Adds `value` and returns the value before.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`].
    unsafe fn fetch_add(place: &impl Place, value: Self) -> Self;
}

/// The two operations of a 16-byte word.
///
/// # Safety
///
/// As [`LocalWord`].
#[cfg(any(backend = "x86_64", backend = "x86_64_kernel"))]
pub(crate) unsafe trait LocalWide: Copy {
    /// Reads this CPU's copy.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`], but through this trait alone.
    unsafe fn read(place: &impl Place) -> Self;
    /// Replaces the value if it is `old`; returns the value found.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`], but through this trait alone.
    unsafe fn cmpxchg(place: &impl Place, old: Self, new: Self) -> Self;
}
