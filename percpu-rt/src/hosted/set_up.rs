//! Set-up of the units, before `main`.

use core::sync::atomic::Ordering;

use super::chunks::Chunks;
use super::failure::Failure;
use super::memory::{self, Need};
use super::pages::{Pages, Places};
use super::{fork, image, nodes, pin, record, rseq, topology};
use crate::abi::layout;
use crate::arch::{self, ORPHAN_SLOT};
use crate::area::{init, template, unit};
use crate::cpu::{self, CpuId};
use crate::dynamic::{self, Areas};

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
    let image = image::find();
    pin::pin(image)?;
    let alignment = image.alignment;
    let need = Need { used: orphan + 1, bytes: sizes.min_unit_size as usize, align: alignment.max(page) };
    let units = memory::reserve(need, record::unit_size(need, sizes.static_size, alignment))?;
    // The last unit is never opened: it is that of the numbers that are not expected.
    let closed = orphan + 1;
    unit::set_unit_size(units.size);
    nodes::place(|cpu| (units.base.wrapping_byte_add(cpu.min(closed) * units.size), units.size));

    // Every number first gets a unit that faults: no entry may stay null, as that is the template's own offset, and
    // no initializer may reach another one's copies.
    let table = arch::offset_table();
    let unit_of = |index: usize| units.base.wrapping_byte_add(index * units.size);
    for entry in table {
        entry.store(unit::offset(unit_of(closed)), Ordering::Relaxed);
    }
    cpu::announce_orphan(orphan);

    // The first chunk and what follows it, for the price of its static part: opening costs a system call a unit, and pages
    // that nobody touches cost nothing. So an allocation in it needs no system call, from the start and for good.
    let areas = Areas::new(&sizes, units.size, page);
    let used = || (0..=orphan).filter(|&index| index == orphan || possible.contains(index));
    for index in used() {
        let unit = memory::open(units, index, areas.open)?;
        // SAFETY: bytes that were made writable for this, aligned as the image asks; nobody else knows them.
        unsafe {
            unit::fill(unit);
            init::run(CpuId::in_set_up(index as u32), unit);
        }
    }

    for index in used() {
        table[index].store(unit::offset(unit_of(index)), Ordering::Relaxed);
    }
    // By number for debuggers and loops, and where threads without a number look.
    table[ORPHAN_SLOT].store(unit::offset(unit_of(orphan)), Ordering::Relaxed);
    static PLACES: Places = Places::new();
    let pages = Pages::new(units, &PLACES, used());
    let chunks = |grown, end| Chunks::new(pages, page, grown, end);
    let parts = [chunks(areas.open, areas.end), chunks(areas.reserved.end, areas.reserved.end)];
    // SAFETY: the units are as `areas` has them, their first chunk is open, and behind the static part nobody uses them.
    unsafe { dynamic::set_up(parts, page, areas) }.map_err(Failure::Dynamic)?;
    fork::watch()?;
    cpu::publish(&possible, orphan);
    // With CPU numbers that the table has no room for, no number may be looked up.
    arch::arm(rseq::offset().filter(|_| complete));
    Ok(())
}
