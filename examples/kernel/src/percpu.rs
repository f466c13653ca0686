//! The units of this kernel: what a kernel takes over is this file, two lines of its linker script, and `install` on each CPU.

use core::alloc::Layout;
use core::ptr::NonNull;

use percpu_rt::abi::layout::DEFAULT_ATOM_SIZE;
use percpu_rt::kernel::{Areas, FirstChunk, NodeMemory, PageMemory, PossibleCpu, SetupError, setup_per_cpu_areas};
use percpu_rt::{CpuId, per_cpu, per_cpu_offset, possible_cpus, this_cpu};

use crate::acpi::{MAX_CPUS, Numa};
use crate::console::println;
use crate::{exit, memory, operations, paging};

/// The kernel's memory, as the runtime asks for it.
pub struct Frames;

// SAFETY: `memory` hands out each byte once, and it stays mapped.
unsafe impl NodeMemory for Frames {
    fn alloc(&self, node: u32, layout: Layout) -> Option<NonNull<u8>> {
        memory::alloc(node, layout)
    }
}

// SAFETY: `paging` hands out each address once, and takes a page back when all CPUs have forgotten it.
unsafe impl PageMemory for Frames {
    fn reserve(&self, bytes: usize, align: usize) -> Option<NonNull<u8>> {
        paging::reserve(bytes, align)
    }

    fn back(&self, node: u32, page: NonNull<u8>) -> bool {
        paging::back(node, page.addr().get())
    }

    fn unback(&self, node: u32, page: NonNull<u8>) {
        paging::unback(node, page.addr().get());
    }
}

/// Sets up the units of all CPUs; `how` is `embed`, `page` or `static`.
pub fn set_up(numa: &Numa, how: Option<&str>) -> Result<Areas, SetupError> {
    let mut cpus = [PossibleCpu { id: 0, node: 0 }; MAX_CPUS];
    for (id, (possible, cpu)) in cpus.iter_mut().zip(numa.cpus()).enumerate() {
        *possible = PossibleCpu { id, node: cpu.node };
    }
    let cpus = &cpus[..numa.cpus().len()];
    let first_chunk = match how {
        Some("page") => FirstChunk::Page { memory: &Frames },
        Some("static") => FirstChunk::Static,
        _ => FirstChunk::Embed { memory: &Frames, atom_size: DEFAULT_ATOM_SIZE as usize },
    };
    // SAFETY: the boot CPU, in ring 0, before any other runs; nobody has used a variable.
    unsafe { setup_per_cpu_areas(cpus, &|from, to| numa.distance(from, to), first_chunk) }
}

/// The number of the CPU that a copy belongs to, written before any CPU runs.
#[per_cpu(init = number_of)]
static NUMBER: usize = usize::MAX;

/// # Safety
///
/// As the runtime calls it: with a copy.
unsafe fn number_of(cpu: CpuId, copy: *mut usize) {
    // Another variable's copy is not to be had yet, least of all the template's bytes.
    let other = TAG.per_cpu_ptr(cpu).addr() >> 47;
    if other == 0 || other == 0x1_ffff {
        exit::fail(format_args!("an initializer for CPU {cpu} reaches {:?}", TAG.per_cpu_ptr(cpu)));
    }
    // SAFETY: the caller's.
    unsafe { copy.write(cpu.index()) };
}

/// A template with file bytes.
#[per_cpu(read_mostly)]
static TAG: u64 = 0x7061_7065_722d_6370;

/// Checks, on the CPU that has just installed its unit, that it is as set-up has left it, or as this CPU did after so many steps.
pub fn check_copies(steps: u64) {
    let cpu = this_cpu();
    if (NUMBER.read(), TAG.read(), operations::STEPS.read()) != (cpu.index(), 0x7061_7065_722d_6370, steps) {
        exit::fail(format_args!("CPU {cpu} has {} and {:#x}", NUMBER.read(), TAG.read()));
    }
}

/// Prints what a program prints with the same variables.
pub fn print(areas: &Areas) {
    println!("static size {}", percpu_rt::static_size());
    println!("unit size {}", percpu_rt::unit_size());
    println!(
        "layout s{} r{} d{} u{} alloc={} upa={} groups={} units={}",
        areas.static_size,
        areas.reserved_size,
        areas.dyn_size,
        areas.unit_size,
        areas.alloc_size,
        areas.upa,
        areas.nr_groups,
        areas.nr_units
    );
    let mut previous = None;
    for cpu in possible_cpus() {
        let offset = per_cpu_offset(cpu);
        let delta = previous.map_or(percpu_rt::unit_size() as isize, |previous: isize| offset.wrapping_sub(previous));
        println!("cpu {cpu} offset {offset:#x} delta {delta}");
        previous = Some(offset);
    }
}

/// Checks that each unit lies on its CPU's node, but for those that the image has reserved.
pub fn check_nodes(numa: &Numa) {
    let mut elsewhere = 0;
    for cpu in possible_cpus() {
        let first = paging::physical(TAG.per_cpu_ptr(cpu).addr());
        let is = memory::node_of(numa, first);
        elsewhere += usize::from(is != numa.cpus()[cpu.index()].node);
    }
    println!("units on other nodes than their CPU's: {elsewhere}");
}
