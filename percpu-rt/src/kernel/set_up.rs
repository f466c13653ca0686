//! Set-up: the first chunk, and what is written to it.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};

use super::cpus::{PossibleCpu, set_of};
use super::error::SetupError;
use super::memory::{NodeMemory, PageMemory};
use super::units::{self, Scratch, Units};
use crate::abi::layout::Request;
use crate::abi::record::{ByteOrder, Record};
use crate::arch::{self, MAX_CPUS};
use crate::area::{init, template, unit};
use crate::cpu::{self, CpuId};
use crate::dynamic;

/// Where the first chunk comes from.
#[derive(Clone, Copy)]
#[non_exhaustive]
#[allow(missing_debug_implementations, reason = "memory has none")]
pub enum FirstChunk<'a> {
    /// One allocation a group of CPUs that are near each other, in memory that is mapped already. Linux: `percpu_alloc=embed`.
    Embed {
        /// Memory by node.
        memory: &'a dyn NodeMemory,
        /// Allocations are of so many bytes: [`DEFAULT_ATOM_SIZE`](crate::abi::layout::DEFAULT_ATOM_SIZE), a huge page, or a page.
        atom_size: usize,
    },
    /// One range of address space, backed page by page. Linux: `percpu_alloc=page`.
    Page {
        /// Address space and pages.
        memory: &'a dyn PageMemory,
    },
    /// What the linker script has reserved by `INCLUDE percpu-units.ld`: boot does nothing but copy. Where `percpu-link patch --cpus N` has
    /// been run, it has looked at that, and a machine with more CPUs than it was told is refused.
    Static,
}

/// What set-up has made: the numbers of `percpu-link layout`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Areas {
    /// Bytes of the template.
    pub static_size: usize,
    /// Bytes behind it, for modules.
    pub reserved_size: usize,
    /// Bytes behind those, for dynamic objects.
    pub dyn_size: usize,
    /// Bytes from one unit to the next of its group.
    pub unit_size: usize,
    /// Bytes of an allocation.
    pub alloc_size: usize,
    /// Units of an allocation.
    pub upa: usize,
    /// Groups of CPUs.
    pub nr_groups: usize,
    /// Units, those without a CPU among them.
    pub nr_units: usize,
}

/// Room for arithmetic without an allocator, used once.
struct Static(UnsafeCell<Room>);

struct Room {
    groups: [usize; MAX_CPUS],
    offsets: [u64; MAX_CPUS],
    starts: [*mut u8; MAX_CPUS],
    /// Where each unit is, and its CPU's node; how many there are, and what is in each.
    units: [(*mut u8, u32); MAX_CPUS],
    areas: Option<(usize, Areas)>,
}

/// What the allocator has to know of the first chunk.
pub(super) struct First {
    pub(super) units: &'static [(*mut u8, u32)],
    pub(super) unit_size: usize,
    pub(super) areas: dynamic::Areas,
}

/// The first chunk, behind set-up.
pub(super) fn first_chunk() -> Option<First> {
    if cpu::nr_cpu_ids() == 0 {
        return None;
    }
    // SAFETY: set-up has written it before it has published a CPU, and nobody writes it again.
    let room = unsafe { &*ROOM.0.get() };
    let (count, areas) = room.areas.as_ref()?;
    let reserved = areas.static_size..areas.static_size + areas.reserved_size;
    let open = reserved.end + areas.dyn_size;
    let end = reserved.end + areas.unit_size.max(areas.dyn_size);
    let areas = dynamic::Areas { reserved, open, end };
    Some(First { units: &room.units[..*count], unit_size: unit::unit_size(), areas })
}

// SAFETY: used by set-up alone, which runs once.
unsafe impl Sync for Static {}

static ROOM: Static = Static(UnsafeCell::new(Room {
    groups: [0; MAX_CPUS],
    offsets: [0; MAX_CPUS],
    starts: [core::ptr::null_mut(); MAX_CPUS],
    units: [(core::ptr::null_mut(), 0); MAX_CPUS],
    areas: None,
}));

static RUNS: AtomicBool = AtomicBool::new(false);

/// Sets up the units of all possible CPUs: copies the template into each, runs initializers, and makes the CPUs known.
///
/// `distance` is that of two nodes as ACPI's SLIT has it: CPUs at [`LOCAL_DISTANCE`](crate::abi::layout::LOCAL_DISTANCE) share an
/// allocation. Each CPU goes on to [`install`](super::install) its unit.
///
/// Context: the boot CPU, once, before any other uses a variable. Costs a copy of the template for each CPU. Linux:
/// `setup_per_cpu_areas` (arch/x86/kernel/setup_percpu.c), `pcpu_setup_first_chunk` (mm/percpu.c).
///
/// # Errors
///
/// As [`SetupError`] says. Nothing has been written then, and memory that was asked for is given back; set-up may be tried again.
///
/// # Safety
///
/// In ring 0, as [`poison`](super::poison). No CPU uses a per-CPU variable meanwhile. The memory keeps its promises.
pub unsafe fn setup_per_cpu_areas(
    cpus: &[PossibleCpu],
    distance: &dyn Fn(u32, u32) -> u32,
    first_chunk: FirstChunk<'_>,
) -> Result<Areas, SetupError> {
    if cpu::nr_cpu_ids() != 0 || RUNS.swap(true, Ordering::Acquire) {
        return Err(SetupError::AlreadySetUp);
    }
    // SAFETY: the flag has been taken above, and nobody else gets here before it is given back.
    let room = unsafe { &mut *ROOM.0.get() };
    let areas = try_set_up(cpus, distance, first_chunk, room);
    RUNS.store(false, Ordering::Release);
    areas
}

fn try_set_up(
    cpus: &[PossibleCpu],
    distance: &dyn Fn(u32, u32) -> u32,
    first_chunk: FirstChunk<'_>,
    room: &mut Room,
) -> Result<Areas, SetupError> {
    let possible = set_of(cpus)?;
    let align = arch::linked().align;
    template_is_aligned(template::start().addr(), align)?;
    let request = Request::new(template::size() as u64);
    let align = align.max(request.page_size as usize);
    let count = cpus.len();
    let scratch = Scratch {
        groups: &mut room.groups[..count],
        offsets: &mut room.offsets[..count],
        starts: &mut room.starts[..count],
    };
    let units = match first_chunk {
        FirstChunk::Embed { memory, atom_size } => {
            let request = Request { atom_size: atom_size as u64, ..request };
            units::embed(memory, &request, cpus, distance, scratch, align)?
        }
        FirstChunk::Page { memory } => units::page(memory, &request, cpus, scratch, align)?,
        FirstChunk::Static => {
            let record = Record::decode(&arch::layout_record(), ByteOrder::NATIVE);
            units::linked(arch::linked(), record, &request, cpus, scratch, align)?
        }
    };
    let Units { arrangement, used, starts } = units;
    // Nothing can be wrong any more, and now it is written.
    unit::set_unit_size(arrangement.unit_size as usize);
    let table = arch::offset_table();
    for ((cpu, &mut unit), kept) in cpus.iter().zip(&mut *starts).zip(&mut room.units) {
        *kept = (unit, cpu.node);
        // No entry may stay null, as that is the template's own offset, and no initializer may reach another one's copies.
        table[cpu.id].store(nowhere(), Ordering::Relaxed);
        // SAFETY: memory for this unit alone, looked at above, that nobody knows.
        unsafe { fill(cpu.id, unit, used) };
        // Copies are found by address, see `locate`.
        let _ = unit.expose_provenance();
    }
    for (cpu, &mut unit) in cpus.iter().zip(&mut *starts) {
        // SAFETY: filled above.
        unsafe { init::run(CpuId::in_set_up(cpu.id as u32), unit) };
    }
    for (cpu, &mut unit) in cpus.iter().zip(&mut *starts) {
        table[cpu.id].store(unit::offset(unit), Ordering::Relaxed);
    }
    let sizes = arrangement.sizes;
    let areas = Areas {
        static_size: sizes.static_size as usize,
        reserved_size: sizes.reserved_size as usize,
        dyn_size: sizes.dyn_size as usize,
        unit_size: arrangement.unit_size as usize,
        alloc_size: arrangement.alloc_size as usize,
        upa: arrangement.upa as usize,
        nr_groups: arrangement.nr_groups,
        nr_units: arrangement.nr_units as usize,
    };
    room.areas = Some((count, areas));
    cpu::publish_all(&possible);
    Ok(areas)
}

/// Whether the script has left the template where the fragment had put it.
pub(super) fn template_is_aligned(start: usize, align: usize) -> Result<(), SetupError> {
    if start.is_multiple_of(align) { Ok(()) } else { Err(SetupError::MisalignedTemplate { start, align }) }
}

/// An offset that takes the template to the middle of what no address can be, however many bits those have.
fn nowhere() -> *mut u8 {
    const MIDDLE: usize = 1 << (usize::BITS - 1);
    core::ptr::without_provenance_mut(MIDDLE.wrapping_sub(template::start().addr()))
}

/// Fills the unit of `cpu`: the template, zeroes behind it, the CPU's number.
///
/// # Safety
///
/// `unit` is the start of `used` bytes that nobody else has, aligned as the template is.
unsafe fn fill(cpu: usize, unit: *mut u8, used: usize) {
    // SAFETY: the caller's.
    unsafe {
        unit::fill(unit);
        unit.add(template::size()).write_bytes(0, used - template::size());
        let number = unit::offset(unit).wrapping_byte_add(arch::cpu_number().addr()).cast::<u32>();
        number.write(cpu as u32);
    }
}
