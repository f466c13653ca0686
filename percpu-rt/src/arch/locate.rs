//! From a variable to one of its copies.

use core::sync::atomic::Ordering;

use super::offset_table;

/// The copy of the variable at per-CPU pointer `place` in the unit that stands at `slot` of the offset table.
///
/// The table's entries are pointers into the units' memory, moved to the address that is the offset. So the sum
/// below is that memory's pointer again: a copy is not part of the template's allocation, and no pointer to the
/// template is ever stretched to reach it.
#[inline(always)]
#[cfg(platform = "hosted")]
pub(crate) fn locate(place: *mut u8, slot: usize) -> *mut u8 {
    offset_table()[slot].load(Ordering::Relaxed).wrapping_byte_add(place.addr())
}

/// The same in a kernel, where further chunks are memory apart: by address.
#[inline(always)]
#[cfg(platform = "kernel")]
pub(crate) fn locate(place: *mut u8, slot: usize) -> *mut u8 {
    let offset = offset_table()[slot].load(Ordering::Relaxed).addr();
    core::ptr::with_exposed_provenance_mut(offset.wrapping_add(place.addr()))
}
