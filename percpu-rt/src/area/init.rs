//! The functions of `#[per_cpu(init = ..)]`, and the table in which the linker collects them.

use super::unit;
use crate::arch;
use crate::cpu::CpuId;

/// What `init = ..` names. An alias, since an elided lifetime in `T` then is the variable's and not a parameter of the
/// function type.
pub type Init<T> = unsafe fn(CpuId, *mut T);

/// One variable's initializer, as the attribute's expansion leaves it in the table.
#[derive(Debug)]
#[repr(C)]
pub struct InitEntry {
    place: *mut u8,
    function: Init<u8>,
}

// SAFETY: the per-CPU pointer in it is used by set-up alone, on one thread.
unsafe impl Sync for InitEntry {}

impl InitEntry {
    /// The entry of the variable of type `T` at per-CPU pointer `place`.
    ///
    /// # Safety
    ///
    /// `place` is the template of a static per-CPU variable of type `T`. That `function` may be called on each
    /// copy is what its author asserts by `init = ..`.
    #[must_use]
    pub const unsafe fn new<T: 'static>(place: *mut u8, function: Init<T>) -> Self {
        // SAFETY: pointers to sized types are passed alike, so the function may be called through this type.
        let function = unsafe { core::mem::transmute::<Init<T>, Init<u8>>(function) };
        Self { place, function }
    }
}

/// Runs every initializer on the copy of its variable in `unit`, which is to be `cpu`'s.
///
/// # Safety
///
/// The unit is filled, and nobody can reach it yet.
pub(crate) unsafe fn run(cpu: CpuId, unit: *mut u8) {
    let [first, end] = arch::init_bounds();
    let mut entry = first.cast::<InitEntry>();
    while entry < end.cast() {
        // SAFETY: between the two bounds lie the entries, one behind the other.
        let InitEntry { place, function } = unsafe { &*entry };
        // SAFETY: `place` is a variable's template and `function` its author's, by `InitEntry::new`; the caller
        // vouches for the unit.
        unsafe { function(cpu, unit::offset(unit).wrapping_byte_add(place.addr())) };
        // SAFETY: stays within the table or goes to its end.
        entry = unsafe { entry.add(1) };
    }
}
