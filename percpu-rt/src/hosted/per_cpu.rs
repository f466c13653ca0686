//! Offsets of the allocator and addresses in the template's space: a unit is one range, so they differ by a constant.

use crate::area::template;
use crate::cpu::nr_cpu_ids;

/// Whether there is an allocator: set-up makes it before it publishes a CPU.
#[inline]
pub(crate) fn has_allocator() -> bool {
    nr_cpu_ids() != 0
}

/// The address in the template's space of what lies at an offset of the allocator's.
#[inline]
pub(crate) fn per_cpu_address(offset: usize) -> usize {
    template::start().addr().wrapping_add(offset)
}

/// And back.
#[inline]
pub(crate) fn per_cpu_offset_of(address: usize) -> usize {
    address.wrapping_sub(template::start().addr())
}
