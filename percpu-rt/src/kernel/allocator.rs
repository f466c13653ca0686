//! Dynamic per-CPU memory of the kernel: over pages that it provides.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};

use super::chunks::{Chunks, Window};
use super::memory::PageMemory;
use crate::chunk::AllocError;
use crate::dynamic;

/// Where further chunks are; behind the flag.
static WINDOW: Cell = Cell(UnsafeCell::new(None));
static IS_SET: AtomicBool = AtomicBool::new(false);

struct Cell(UnsafeCell<Option<Window>>);

// SAFETY: written once, before the flag is set, and only read behind that.
unsafe impl Sync for Cell {}

/// Sets up [`alloc_percpu`](crate::alloc_percpu), [`PerCpuBox`](crate::PerCpuBox) and the like: over the dynamic part of the first
/// chunk, and up to `chunks` further chunks of as many bytes as a unit has, whose pages `memory` provides when they are needed.
///
/// With no chunk more, as before there is a provider of pages, what the first chunk has is all.
///
/// Context: one CPU, once, behind [`setup_per_cpu_areas`](super::setup_per_cpu_areas) and its own [`install`](super::install). Linux:
/// `pcpu_setup_first_chunk`, `pcpu_create_chunk` (mm/percpu-vm.c).
///
/// # Errors
///
/// [`AllocError::NotSetUp`] before set-up; [`AllocError::Busy`] where it is set up already; [`AllocError::NoMemory`] without address
/// space for the chunks, or pages for records. There is no allocator then, and it may be tried again.
///
/// # Safety
///
/// The memory keeps its promises. No other CPU calls this meanwhile. No CPU uses a dynamic object before its own
/// [`install`](super::install): those of further chunks are where [`poison`](super::poison) does not reach.
pub unsafe fn set_up_allocator(memory: &'static (dyn PageMemory + Sync), chunks: usize) -> Result<(), AllocError> {
    let Some(first) = super::set_up::first_chunk() else { return Err(AllocError::NotSetUp) };
    if IS_SET.load(Ordering::Acquire) {
        return Err(AllocError::Busy);
    }
    let no_memory = AllocError::NoMemory { size: chunks.saturating_mul(first.unit_size), units: first.units.len() };
    let window = Window::new(memory, first.units, first.unit_size, chunks).ok_or(no_memory)?;
    // SAFETY: the flag is not set, so nobody reads it, and no other CPU is here (the caller).
    unsafe { *WINDOW.0.get() = Some(window) };
    // SAFETY: the units of the first chunk as set-up has made them, behind the static part nobody's.
    let added = unsafe { dynamic::set_up([Chunks::new(window, true), Chunks::new(window, false)], 4096, first.areas) };
    added.inspect_err(|_| window.release())?;
    IS_SET.store(true, Ordering::Release);
    Ok(())
}

/// Whether there is an allocator.
pub(crate) fn has_allocator() -> bool {
    IS_SET.load(Ordering::Acquire)
}

/// Gives pages back that nobody needs any more: to be called when a CPU is idle.
///
/// Context: threads, with interrupts on. Costs what the provider takes. Linux: `pcpu_balance_workfn`.
pub fn balance() {
    dynamic::balance();
}

fn window() -> Option<&'static Window> {
    // SAFETY: behind the flag nobody writes it; what is allocated before the flag is set is not told to anybody.
    unsafe { (*WINDOW.0.get()).as_ref() }
}

/// The address in the template's space of what lies at an offset of the allocator's.
pub(crate) fn per_cpu_address(offset: usize) -> usize {
    window().map_or(0, |window| window.address(offset))
}

/// And back.
pub(crate) fn per_cpu_offset_of(address: usize) -> usize {
    window().map_or(usize::MAX, |window| window.offset(address))
}
