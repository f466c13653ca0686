//! Where each unit lies, in each form of the first chunk: memory is asked for, looked at, and given back where anything is wrong.

use core::alloc::Layout;
use core::ptr::NonNull;

use super::cpus::PossibleCpu;
use super::error::SetupError;
use super::memory::{NodeMemory, PageMemory};
use crate::abi::layout::{FirstChunk as Arrangement, LOCAL_DISTANCE, Request, Sizes};
use crate::abi::record::{Record, RecordError};
use crate::arch::{self, Linked};
use crate::area::template;

/// Where the units are, by the index of their CPU among the possible ones.
pub(super) struct Units<'a> {
    pub(super) arrangement: Arrangement,
    /// Bytes of a unit from its begin on that are there.
    pub(super) used: usize,
    pub(super) starts: &'a mut [*mut u8],
}

/// Room for the arithmetic: an entry for each CPU.
pub(super) struct Scratch<'a> {
    pub(super) groups: &'a mut [usize],
    pub(super) offsets: &'a mut [u64],
    pub(super) starts: &'a mut [*mut u8],
}

/// The group and the offset of each CPU, and room for where its unit is.
struct Arranged<'a> {
    groups: &'a [usize],
    offsets: &'a [u64],
    starts: &'a mut [*mut u8],
}

impl<'a> Scratch<'a> {
    fn arrange(
        self,
        request: &Request,
        cpus: &[PossibleCpu],
        distance: &dyn Fn(u32, u32) -> u32,
    ) -> Result<(Arrangement, Arranged<'a>), SetupError> {
        let Self { groups, offsets, starts } = self;
        let between = |a: usize, b: usize| {
            if cpus[a].node == cpus[b].node { LOCAL_DISTANCE } else { distance(cpus[a].node, cpus[b].node) }
        };
        let arrangement = request.arrange(between, groups, offsets)?;
        Ok((arrangement, Arranged { groups, offsets, starts }))
    }
}

/// One allocation a group, of whole atoms on the group's node.
pub(super) fn embed<'a>(
    memory: &dyn NodeMemory,
    request: &Request,
    cpus: &[PossibleCpu],
    distance: &dyn Fn(u32, u32) -> u32,
    scratch: Scratch<'a>,
    align: usize,
) -> Result<Units<'a>, SetupError> {
    let (arrangement, Arranged { groups, offsets, starts }) = scratch.arrange(request, cpus, distance)?;
    let unit_size = arrangement.unit_size as usize;
    let used = arrangement.sizes.min_unit_size as usize;
    let layout = |count: usize| {
        let bytes = embed_bytes(count, &arrangement);
        Layout::from_size_align(bytes, align.max(request.atom_size as usize).next_power_of_two())
            .map_err(|_| SetupError::NoAddressSpace { bytes })
    };
    let members = |group: usize| groups.iter().enumerate().filter(move |(_, of)| **of == group).map(|(index, _)| index);
    let first_of = |group: usize| members(group).next().unwrap_or(0);
    for group in 0..arrangement.nr_groups {
        let node = cpus[first_of(group)].node;
        let placed = layout(members(group).count()).and_then(|layout| {
            let start = memory.alloc(node, layout).ok_or(SetupError::NoMemory { node, bytes: layout.size() })?;
            let bytes_of = |group| embed_bytes(members(group).count(), &arrangement);
            let others = (0..group).map(|group| (starts[first_of(group)], bytes_of(group)));
            check(start, layout, others).inspect_err(|_| memory.free(node, start, layout.size()))
        });
        match placed {
            Ok(start) => {
                let base = offsets[first_of(group)];
                for index in members(group) {
                    starts[index] = start.as_ptr().wrapping_add((offsets[index] - base) as usize);
                }
            }
            Err(error) => {
                for group in 0..group {
                    let bytes = embed_bytes(members(group).count(), &arrangement);
                    if let Some(start) = NonNull::new(starts[first_of(group)]) {
                        memory.free(cpus[first_of(group)].node, start, bytes);
                    }
                }
                return Err(error);
            }
        }
    }
    // What no unit has goes back: the ends of units, and units without a CPU.
    let page = request.page_size as usize;
    for group in 0..arrangement.nr_groups {
        let (count, node) = (members(group).count(), cpus[first_of(group)].node);
        let start = starts[first_of(group)];
        for unit in 0..embed_bytes(count, &arrangement) / unit_size {
            let kept = if unit < count { used.next_multiple_of(page) } else { 0 };
            let end = start.wrapping_add(unit * unit_size + kept);
            if let Some(end) = NonNull::new(end).filter(|_| kept < unit_size) {
                memory.free(node, end, unit_size - kept);
            }
        }
    }
    Ok(Units { arrangement, used, starts })
}

/// Bytes of the allocation of a group of `count` CPUs.
fn embed_bytes(count: usize, arrangement: &Arrangement) -> usize {
    (count as u64).next_multiple_of(arrangement.upa) as usize * arrangement.unit_size as usize
}

/// One range of address space, backed page by page, each by the node of its CPU.
pub(super) fn page<'a>(
    memory: &dyn PageMemory,
    request: &Request,
    cpus: &[PossibleCpu],
    scratch: Scratch<'a>,
    align: usize,
) -> Result<Units<'a>, SetupError> {
    let page = request.page_size as usize;
    let request = Request { atom_size: (align.max(page)) as u64, ..*request };
    // One group, as no two units share a page.
    let (arrangement, Arranged { offsets, starts, .. }) = scratch.arrange(&request, cpus, &|_, _| LOCAL_DISTANCE)?;
    let unit_size = arrangement.unit_size as usize;
    let used = arrangement.sizes.min_unit_size as usize;
    let bytes = arrangement.nr_units as usize * unit_size;
    let layout = Layout::from_size_align(bytes, align.max(page)).map_err(|_| SetupError::NoAddressSpace { bytes })?;
    let base = memory.reserve(bytes, layout.align()).ok_or(SetupError::NoAddressSpace { bytes })?;
    let base = check(base, layout, core::iter::empty()).inspect_err(|_| memory.release(base, bytes))?;
    for (start, offset) in starts.iter_mut().zip(offsets) {
        *start = base.as_ptr().wrapping_add(*offset as usize);
    }
    let pages = || (0..cpus.len()).flat_map(|index| (0..used).step_by(page).map(move |offset| (index, offset)));
    let at = |starts: &[*mut u8], index: usize, offset: usize| NonNull::new(starts[index].wrapping_add(offset));
    let backed = pages()
        .position(|(index, offset)| !at(starts, index, offset).is_some_and(|page| memory.back(cpus[index].node, page)));
    if let Some(refused) = backed {
        for (index, offset) in pages().take(refused) {
            if let Some(page) = at(starts, index, offset) {
                memory.unback(cpus[index].node, page);
            }
        }
        memory.release(base, bytes);
        let (index, offset) = pages().nth(refused).unwrap_or_default();
        return Err(SetupError::PageRefused { cpu: cpus[index].id, offset });
    }
    Ok(Units { arrangement, used, starts })
}

/// The units that the linker script has reserved, by the CPUs' numbers.
pub(super) fn linked<'a>(
    linked: Linked,
    record: Result<Option<Record>, RecordError>,
    request: &Request,
    cpus: &[PossibleCpu],
    scratch: Scratch<'a>,
    align: usize,
) -> Result<Units<'a>, SetupError> {
    let Linked { units: [start, end], unit_size, .. } = linked;
    let request = Request { atom_size: unit_size.max(1) as u64, ..*request };
    if start == end || unit_size == 0 {
        return Err(SetupError::NoStaticUnits);
    }
    let sizes = Request { atom_size: request.page_size, ..request }.sizes()?;
    let needed = sizes.min_unit_size as usize;
    if unit_size < needed {
        return Err(SetupError::SmallUnits { unit_size, needed });
    }
    let units = (end.addr() - start.addr()) / unit_size;
    let last = cpus.iter().map(|cpu| cpu.id).max().unwrap_or(0);
    if units <= last {
        return Err(SetupError::TooFewUnits { units, needed: last + 1 });
    }
    check_record(record, &sizes, unit_size, last + 1)?;
    // The second stands for all behind the first.
    for start in [start.addr(), start.addr() + unit_size] {
        if !start.is_multiple_of(align) {
            return Err(SetupError::MisalignedMemory { start, align });
        }
    }
    let Scratch { starts, .. } = scratch;
    for (unit, cpu) in starts.iter_mut().zip(cpus) {
        *unit = start.wrapping_add(cpu.id * unit_size);
    }
    let arrangement = Arrangement {
        sizes,
        unit_size: unit_size as u64,
        alloc_size: unit_size as u64,
        upa: 1,
        nr_groups: 1,
        nr_units: units as u64,
    };
    Ok(Units { arrangement, used: needed, starts })
}

/// Whether `percpu-link patch`, if it has been run, has laid out these units: it was told for how many CPUs.
fn check_record(
    record: Result<Option<Record>, RecordError>,
    sizes: &Sizes,
    unit_size: usize,
    needed: usize,
) -> Result<(), SetupError> {
    match record {
        Ok(None) => Ok(()),
        Ok(Some(record)) if record.static_size != sizes.static_size || record.unit_size != unit_size as u64 => {
            Err(SetupError::ForeignRecord)
        }
        Ok(Some(record)) if record.nr_units < needed as u64 => {
            Err(SetupError::TooFewUnits { units: record.nr_units as usize, needed })
        }
        Ok(Some(_)) => Ok(()),
        Err(_) => Err(SetupError::ForeignRecord),
    }
}

/// Whether memory is aligned, where offsets can say, and nobody else's as far as that can be seen.
fn check(
    start: NonNull<u8>,
    layout: Layout,
    others: impl Iterator<Item = (*mut u8, usize)>,
) -> Result<NonNull<u8>, SetupError> {
    let (begin, bytes) = (start.as_ptr().addr(), layout.size());
    if !begin.is_multiple_of(layout.align()) {
        return Err(SetupError::MisalignedMemory { start: begin, align: layout.align() });
    }
    // SAFETY: in ring 0, as set-up's caller says.
    let bits = unsafe { arch::base::address_bits() };
    for unit in [begin, begin + bytes - 1] {
        let offset = unit.wrapping_sub(template::start().addr());
        if !arch::base::is_canonical(offset as u64, bits) {
            return Err(SetupError::NotCanonical { start: begin, offset });
        }
    }
    let template = (template::start().addr(), template::size());
    let taken = others.map(|(start, bytes)| (start.addr(), bytes)).chain([template]);
    for (other, length) in taken {
        if begin < other + length && other < begin + bytes {
            return Err(SetupError::Overlap { start: begin, bytes });
        }
    }
    Ok(start)
}
