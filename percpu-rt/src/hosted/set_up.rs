//! Set-up of the units, before `main`.

use core::sync::atomic::Ordering;

use super::failure::Failure;
use super::memory::{self, Need};
use super::{fork, image, nodes, record, rseq, topology};
use crate::abi::layout;
use crate::arch::{self, ORPHAN_SLOT};
use crate::area::{init, template, unit};
use crate::cpu::{self, CpuId};

arch::entry!(crate::hosted::set_up::set_up);

/// The start-up hook: sets up every unit, or ends the process with the reason.
pub(crate) extern "C" fn set_up() {
    // SAFETY: the loader calls the hook once, before any other thread exists that could hold a handle.
    if let Err(failure) = unsafe { try_set_up() } {
        failure.abort();
    }
}

/// # Safety
///
/// Called once, before anything uses a per-CPU variable.
unsafe fn try_set_up() -> Result<(), Failure> {
    let topology::Possible { cpus: possible, complete } = topology::possible();
    // The set is not empty, so there is a last one. The orphan stands behind it.
    let orphan = possible.last().map_or(1, |last| last + 1);

    // SAFETY: asks for a constant of the system.
    let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096);
    let sizes = layout::Request {
        static_size: template::size() as u64,
        reserved_size: layout::DEFAULT_RESERVED_SIZE,
        dyn_size: layout::DEFAULT_DYN_SIZE,
        atom_size: page as u64,
        page_size: page as u64,
    }
    .sizes()
    .map_err(Failure::Layout)?;
    let alignment = image::alignment();
    let need = Need { used: orphan + 1, bytes: sizes.min_unit_size as usize, align: alignment.max(page) };
    let units = memory::reserve(need, record::unit_size(need, sizes.static_size, alignment))?;
    // The last unit is never opened: it is that of the numbers that are not expected.
    let closed = orphan + 1;
    unit::set_unit_size(units.size);
    nodes::place(|cpu| (units.base.wrapping_byte_add(cpu.min(closed) * units.size), units.size));

    // Every number first gets a unit that faults: no entry may stay null, as that is the template's own offset.
    let table = arch::offset_table();
    for (slot, entry) in table.iter().enumerate() {
        let unit = units.base.wrapping_byte_add(slot.min(closed) * units.size);
        entry.store(unit::offset(unit), Ordering::Relaxed);
    }

    let open = template::size().next_multiple_of(page);
    for index in (0..=orphan).filter(|&index| index == orphan || possible.contains(index)) {
        let filled = if open == 0 { units.base } else { memory::open(units, index, open)? };
        // SAFETY: `open` bytes of a unit that was made writable for this, aligned as the image asks.
        unsafe { unit::fill(filled) };
        let slot = if index == orphan { ORPHAN_SLOT } else { index };
        table[slot].store(unit::offset(filled), Ordering::Relaxed);
        // SAFETY: the unit is filled and in the table, and nobody can use it before `publish`.
        unsafe { init::run(CpuId::in_set_up(index as u32)) };
    }

    fork::watch();
    cpu::publish(&possible, orphan);
    // With CPU numbers that the table has no room for, no number may be looked up.
    arch::arm(rseq::offset().filter(|_| complete));
    Ok(())
}
