//! Set-up in a process: every mistake before a byte is written, then units as they have to be.
//!
//! Nothing here is privileged; the templates are linked by the fragment of programs:
//! `PERCPU_LINK=script cargo test -p percpu-rt --no-default-features --features kernel,macros --lib kernel::`.

extern crate std;
use core::alloc::Layout;
use core::cell::{Cell, RefCell};
use core::ptr::NonNull;
use std::format;
use std::vec::Vec;

use super::set_up::template_is_aligned;
use super::units::{self, Scratch};
use super::{FirstChunk, NodeMemory, PageMemory, PossibleCpu, SetupError, setup_per_cpu_areas};
use crate::abi::layout::{LayoutError, Request};
use crate::abi::record::{Record, RecordError};
use crate::arch::{self, Linked, MAX_CPUS};
use crate::area::template;
use crate::cpu::{CpuId, nr_cpu_ids, per_cpu_offset, possible_cpus};

const PAGE: usize = 4096;
const MIB: usize = 1 << 20;

/// What memory holds that nobody has written to.
const UNTOUCHED: u8 = 0xa5;

/// Memory that gives what it is told to, and knows what has come back.
#[derive(Default)]
struct Memory {
    /// Calls that succeed.
    left: Cell<usize>,
    /// In place of what is asked for.
    instead: Cell<Option<NonNull<u8>>>,
    given: RefCell<Vec<(usize, usize)>>,
    freed: RefCell<Vec<(usize, usize)>>,
    backed: Cell<usize>,
}

impl Memory {
    fn new(left: usize) -> Self {
        Self { left: Cell::new(left), ..Self::default() }
    }

    fn give(&self, layout: Layout) -> Option<NonNull<u8>> {
        self.left.set(self.left.get().checked_sub(1)?);
        if let Some(instead) = self.instead.get() {
            return Some(instead);
        }
        // SAFETY: of some size; kept for good.
        let start = NonNull::new(unsafe { std::alloc::alloc(layout) })?;
        // SAFETY: just allocated.
        unsafe { start.write_bytes(UNTOUCHED, layout.size()) };
        self.given.borrow_mut().push((start.addr().get(), layout.size()));
        Some(start)
    }

    fn is_untouched(&self) -> bool {
        self.given.borrow().iter().all(|&(start, bytes)| {
            let start = core::ptr::with_exposed_provenance::<u8>(start);
            // SAFETY: given above, and kept.
            unsafe { core::slice::from_raw_parts(start, bytes) }.iter().all(|byte| *byte == UNTOUCHED)
        })
    }
}

// SAFETY: memory of the process's, each byte once; what is given instead is for calls that fail.
unsafe impl NodeMemory for Memory {
    fn alloc(&self, _: u32, layout: Layout) -> Option<NonNull<u8>> {
        let start = self.give(layout);
        let _ = start.map(|start| start.as_ptr().expose_provenance());
        start
    }

    fn free(&self, _: u32, start: NonNull<u8>, bytes: usize) {
        self.freed.borrow_mut().push((start.addr().get(), bytes));
    }
}

// SAFETY: likewise.
unsafe impl PageMemory for Memory {
    fn reserve(&self, bytes: usize, align: usize) -> Option<NonNull<u8>> {
        NodeMemory::alloc(self, 0, Layout::from_size_align(bytes, align).ok()?)
    }

    fn back(&self, _: u32, _: NonNull<u8>) -> bool {
        let backs = self.left.get() > 0;
        self.left.set(self.left.get().saturating_sub(1));
        self.backed.set(self.backed.get() + usize::from(backs));
        backs
    }

    fn unback(&self, _: u32, _: NonNull<u8>) {
        self.backed.set(self.backed.get() - 1);
    }

    fn release(&self, start: NonNull<u8>, bytes: usize) {
        NodeMemory::free(self, 0, start, bytes);
    }
}

const CPUS: [PossibleCpu; 4] = [
    PossibleCpu { id: 0, node: 0 },
    PossibleCpu { id: 1, node: 1 },
    PossibleCpu { id: 4, node: 0 },
    PossibleCpu { id: 7, node: 1 },
];

#[track_caller]
fn refused(cpus: &[PossibleCpu], first_chunk: FirstChunk<'_>) -> SetupError {
    // SAFETY: refused before anything is written, as the callers see.
    let error = unsafe { setup_per_cpu_areas(cpus, &|_, _| 20, first_chunk) }.expect_err("a mistake");
    assert_eq!(nr_cpu_ids(), 0);
    assert!(arch::offset_table().iter().all(|entry| entry.load(core::sync::atomic::Ordering::Relaxed).is_null()));
    assert!(CpuId::new(0).is_none());
    error
}

fn embed(memory: &Memory) -> FirstChunk<'_> {
    FirstChunk::Embed { memory, atom_size: PAGE }
}

#[test]
fn a_template_that_was_moved_is_told() {
    assert_eq!(template_is_aligned(0x20_0040, 64), Ok(()));
    let error = template_is_aligned(0x20_0040, 4096).expect_err("moved");
    assert_eq!(error, SetupError::MisalignedTemplate { start: 0x20_0040, align: 4096 });
    assert!(format!("{error}").contains("0x200040"));
}

/// Units that the script reserves, and what the record says of them: nothing of it is looked into before all is right.
#[test]
fn static_units_are_looked_at() {
    let request = Request::new(template::size() as u64);
    let sizes = Request { atom_size: PAGE as u64, ..request }.sizes().expect("a layout");
    let unit_size = (sizes.min_unit_size as usize).next_multiple_of(PAGE);
    let start: *mut u8 = core::ptr::without_provenance_mut(0x40_0000);
    let good = Linked { align: 64, units: [start, start.wrapping_add(8 * unit_size)], unit_size };
    let record = Record {
        static_size: sizes.static_size,
        reserved_size: sizes.reserved_size,
        dyn_size: sizes.dyn_size,
        align: 64,
        unit_size: unit_size as u64,
        nr_units: 8,
    };
    let place = |linked: Linked, record| {
        let (groups, offsets) = (&mut [0; 4][..], &mut [0; 4][..]);
        let mut starts = [core::ptr::null_mut(); 4];
        let scratch = Scratch { groups, offsets, starts: &mut starts };
        units::linked(linked, record, &request, &CPUS, scratch, PAGE).map(|_| ()).map(|()| starts.map(<*mut u8>::addr))
    };
    let at = [0, 1, 4, 7].map(|cpu| start.addr() + cpu * unit_size);
    assert_eq!((place(good, Ok(None)), place(good, Ok(Some(record)))), (Ok(at), Ok(at)));
    let none = Linked { units: [start, start], ..good };
    assert_eq!(place(none, Ok(None)), Err(SetupError::NoStaticUnits));
    let small = Linked { unit_size: PAGE, ..good };
    assert_eq!(
        place(small, Ok(None)),
        Err(SetupError::SmallUnits { unit_size: PAGE, needed: sizes.min_unit_size as usize })
    );
    let few = Linked { units: [start, start.wrapping_add(7 * unit_size)], ..good };
    assert_eq!(place(few, Ok(None)), Err(SetupError::TooFewUnits { units: 7, needed: 8 }));
    let stated = Record { nr_units: 5, ..record };
    assert_eq!(place(good, Ok(Some(stated))), Err(SetupError::TooFewUnits { units: 5, needed: 8 }));
    for foreign in [
        Ok(Some(Record { static_size: record.static_size + 1, ..record })),
        Ok(Some(Record { unit_size: record.unit_size * 2, ..record })),
        Err(RecordError::Corrupt),
    ] {
        assert_eq!(place(good, foreign), Err(SetupError::ForeignRecord));
    }
    let moved = Linked { units: good.units.map(|at| at.wrapping_add(64)), ..good };
    assert_eq!(place(moved, Ok(None)), Err(SetupError::MisalignedMemory { start: start.addr() + 64, align: PAGE }));
    let apart = Linked { unit_size: unit_size + 64, units: [start, start.wrapping_add(8 * unit_size + PAGE)], ..good };
    let second = start.addr() + unit_size + 64;
    assert_eq!(place(apart, Ok(None)), Err(SetupError::MisalignedMemory { start: second, align: PAGE }));
}

/// One after the other, since set-up succeeds once in a process.
#[test]
fn mistakes_are_told_and_then_it_succeeds() {
    let memory = Memory::new(usize::MAX);
    let cpu = |id| PossibleCpu { id, node: 0 };
    assert_eq!(refused(&[], embed(&memory)), SetupError::NoCpus);
    let out = SetupError::CpuOutOfRange { cpu: MAX_CPUS, limit: MAX_CPUS };
    assert_eq!(refused(&[cpu(0), cpu(MAX_CPUS)], embed(&memory)), out);
    assert_eq!(refused(&[cpu(2), cpu(0), cpu(2)], embed(&memory)), SetupError::DuplicateCpu { cpu: 2 });
    let odd = FirstChunk::Embed { memory: &memory, atom_size: PAGE + 1 };
    let layout = LayoutError::AtomSize { atom_size: PAGE as u64 + 1, page_size: PAGE as u64 };
    assert_eq!(refused(&CPUS, odd), SetupError::Layout(layout));
    assert!(memory.given.borrow().is_empty(), "found out before memory is asked for");

    // Memory for the first group, and none for the second: the first comes back, untouched.
    let memory = Memory::new(1);
    let error = refused(&CPUS, embed(&memory));
    assert!(matches!(error, SetupError::NoMemory { node: 1, bytes } if bytes >= 2 * PAGE), "{error}");
    assert_eq!(*memory.given.borrow(), *memory.freed.borrow());
    assert!(memory.is_untouched());

    let template = NonNull::new(template::start().cast_mut()).expect("a template");
    let memory = Memory::new(usize::MAX);
    let aligned = template.as_ptr().map_addr(|start| start / PAGE * PAGE);
    memory.instead.set(NonNull::new(aligned));
    assert!(matches!(refused(&CPUS, embed(&memory)), SetupError::Overlap { start, .. } if start == aligned.addr()));
    memory.instead.set(NonNull::new(aligned.wrapping_add(8)));
    let error = refused(&CPUS, embed(&memory));
    assert_eq!(error, SetupError::MisalignedMemory { start: aligned.addr() + 8, align: PAGE });
    // The upper half is far from a template in the lower.
    let far = NonNull::new(core::ptr::without_provenance_mut(0xffff_8000_0000_0000));
    memory.instead.set(far);
    let error = refused(&CPUS, embed(&memory));
    assert!(matches!(error, SetupError::NotCanonical { start: 0xffff_8000_0000_0000, .. }), "{error}");
    // Twice the same, for two groups.
    let twice = Memory::new(1).give(Layout::from_size_align(MIB, PAGE).expect("a layout"));
    memory.instead.set(twice);
    let error = refused(&CPUS, embed(&memory));
    assert!(matches!(error, SetupError::Overlap { start, .. } if Some(start) == twice.map(|at| at.addr().get())));

    let none = Memory::new(0);
    let error = refused(&CPUS, FirstChunk::Page { memory: &none });
    assert!(matches!(error, SetupError::NoAddressSpace { bytes } if bytes >= 4 * PAGE), "{error}");
    // Address space, and pages for a unit and a half.
    let memory = Memory::new(1 + 15);
    let error = refused(&CPUS, FirstChunk::Page { memory: &memory });
    assert!(matches!(error, SetupError::PageRefused { cpu: 1, offset } if offset.is_multiple_of(PAGE)), "{error}");
    assert_eq!((memory.backed.get(), memory.freed.borrow().len()), (0, 1));
    assert!(memory.is_untouched());
    assert_eq!(refused(&CPUS, FirstChunk::Static), SetupError::NoStaticUnits);
    for error in [out, error, SetupError::NoStaticUnits] {
        assert!(!format!("{error}").is_empty() && !format!("{error:?}").is_empty());
    }

    let memory = Memory::new(usize::MAX);
    // SAFETY: nobody uses a variable before or meanwhile; the memory is kept.
    let areas = unsafe { setup_per_cpu_areas(&CPUS, &|_, _| 20, embed(&memory)) }.expect("memory");
    assert_eq!((areas.nr_groups, areas.unit_size % PAGE, areas.static_size), (2, 0, template::size()));
    assert_eq!((nr_cpu_ids(), possible_cpus().count()), (8, 4));
    assert!(possible_cpus().map(CpuId::index).eq([0, 1, 4, 7]));
    for cpu in possible_cpus() {
        let at = |place: usize| per_cpu_offset(cpu).cast_unsigned().wrapping_add(place);
        let number = core::ptr::with_exposed_provenance::<u32>(at(arch::cpu_number().addr()));
        // SAFETY: words of a filled unit, and what is behind the template.
        unsafe {
            assert_eq!(number.read() as usize, cpu.index());
            let rest = core::ptr::with_exposed_provenance::<u8>(at(template::start().addr() + template::size()));
            let rest = core::slice::from_raw_parts(rest, areas.reserved_size + areas.dyn_size);
            assert!(rest.iter().all(|byte| *byte == 0), "what is behind the template of {cpu} is zero");
        }
    }
    // SAFETY: refused.
    let again = unsafe { setup_per_cpu_areas(&CPUS, &|_, _| 20, embed(&memory)) };
    assert_eq!(again, Err(SetupError::AlreadySetUp));
}
