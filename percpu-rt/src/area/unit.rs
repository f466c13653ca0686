//! A unit as set-up fills it.

use core::sync::atomic::{AtomicUsize, Ordering};

use super::template;
use crate::arch;

/// Bytes from one unit to the next; 0 before set-up.
static UNIT_SIZE: AtomicUsize = AtomicUsize::new(0);

/// Bytes of the static part of every unit: all static per-CPU variables with the padding between them.
///
/// A property of the linked image. Context: any. Linux: `__per_cpu_end - __per_cpu_start`.
#[must_use]
pub fn static_size() -> usize {
    template::size()
}

/// Bytes from one unit to the next, the difference of the offsets of neighbouring CPUs; 0 before set-up.
///
/// Context: any. In a Linux process this is address space, most of it never backed by memory. Linux:
/// `pcpu_unit_size`.
#[must_use]
pub fn unit_size() -> usize {
    UNIT_SIZE.load(Ordering::Relaxed)
}

/// Records the unit size, once, at set-up.
pub(crate) fn set_unit_size(bytes: usize) {
    UNIT_SIZE.store(bytes, Ordering::Relaxed);
}

/// The offset of the CPU whose unit is at `unit`, as the offset table keeps it: a pointer into that unit's memory,
/// moved to the address that is the offset (`arch::locate` moves it back).
pub(crate) fn offset(unit: *mut u8) -> *mut u8 {
    unit.wrapping_byte_sub(template::start().addr())
}

/// Copies the template into a unit and writes the unit's `this_cpu_off`.
///
/// # Safety
///
/// `unit` is the start of at least [`static_size`] writable bytes that nobody else uses, aligned as the template's section is.
pub(crate) unsafe fn fill(unit: *mut u8) {
    unsafe extern "C" {
        static this_cpu_off: AtomicUsize;
    }
    // SAFETY: the linker fragment puts `static_size` bytes of initialised templates at `start`, nobody ever
    // writes them, and a unit is memory apart (the caller).
    unsafe { arch::copy(template::start(), unit, template::size()) };
    let own = offset(unit);
    let anchor = own.wrapping_byte_add((&raw const this_cpu_off).addr()).cast::<usize>();
    // SAFETY: `this_cpu_off` is one of the templates, so its copy is an aligned word of the unit just filled.
    unsafe { anchor.write(own.addr()) };
}
