//! Where a variable is, in the template's space.

/// What knows the per-CPU pointer of one variable.
///
/// For a static that is the address of its template, and the place is zero-sized; for a dynamic object it is a
/// value. Every method of the handle is written against this trait, and so serves both at no cost.
///
/// # Safety
///
/// [`address`](Place::address) always returns the same address, that of a variable that lives in every unit for as long
/// as the place does; the accesses are to that variable.
pub unsafe trait Place {
    /// The variable's per-CPU pointer: adding a CPU's offset gives that CPU's copy.
    fn address(&self) -> *mut u8;

    /// One instruction on this CPU's copy, by an address in a register; a static names itself. See `access`.
    ///
    /// # Safety
    ///
    /// The variable is of `SIZE` bytes, initialised, and accessed as its kind is.
    #[cfg(backend = "x86_64_kernel")]
    #[inline(always)]
    unsafe fn access<const SHAPE: u8, const SIZE: usize>(&self, a: u128, b: u128) -> u128 {
        // SAFETY: the caller's. A register of its own, as one that the compiler chooses may be the one that is exchanged.
        unsafe { crate::__gs_access!(SHAPE, SIZE, a, b, "rdi", in("rdi") self.address()) }
    }
}
