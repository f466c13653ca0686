//! Where a variable is, in the template's space.

/// What knows the per-CPU pointer of one variable.
///
/// For a static that is the address of its template, and the place is zero-sized; for a dynamic object it is a
/// value. Every method of the handle is written against this trait, and so serves both at no cost.
///
/// # Safety
///
/// [`address`](Place::address) always returns the same address, that of a variable that lives in every unit for as long
/// as the place does.
pub unsafe trait Place {
    /// The variable's per-CPU pointer: adding a CPU's offset gives that CPU's copy.
    fn address(&self) -> *mut u8;
}
