//! Further chunks: congruent to the first, page by page.
//!
//! ```text
//!  first chunk    ┌─ unit of CPU 0 ─┐   ┌─ unit of CPU 1 ─┐        ┌─ unit of CPU 2, on another node ─┐
//!                 lowest            ◀──────────── span ───────────────────────────────────────────────▶
//!  chunk 1        ┌─ of CPU 0 ──────┐   ┌─ of CPU 1 ──────┐        ┌─ of CPU 2 ─────────────────────┐
//!                 window, as far apart as the units above
//!  chunk 2        window + span ..
//! ```
//!
//! So one address in the template's space, plus a CPU's offset, is that CPU's copy in a further chunk, too. The allocator
//! counts offsets of its own, in which chunks follow each other with a page between two: objects lie in one chunk each.

use core::ops::Range;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::memory::PageMemory;
use super::records;
use crate::area::template;
use crate::chunk::{Memory, MetadataPage, Refused};

const PAGE: usize = 4096;

/// Where further chunks are; one for the kernel, written by set-up.
#[derive(Clone, Copy)]
pub(crate) struct Window {
    memory: &'static (dyn PageMemory + Sync),
    /// The units of the first chunk: where each begins, and its CPU's node.
    units: &'static [(*mut u8, u32)],
    lowest: usize,
    span: usize,
    unit_size: usize,
    /// The first byte of chunk 1, and how many chunks there may be behind the first.
    start: usize,
    chunks: usize,
}

// SAFETY: addresses of memory that the allocator gives to one owner each.
unsafe impl Send for Window {}
// SAFETY: as above.
unsafe impl Sync for Window {}

impl Window {
    /// Address space for `chunks` chunks behind the first; `None` where there is none.
    pub(super) fn new(
        memory: &'static (dyn PageMemory + Sync),
        units: &'static [(*mut u8, u32)],
        unit_size: usize,
        chunks: usize,
    ) -> Option<Self> {
        let starts = || units.iter().map(|(start, _)| start.addr());
        let (lowest, highest) = (starts().min()?, starts().max()?);
        let span = highest - lowest + unit_size;
        let start = match chunks {
            0 => 0,
            _ => memory.reserve(span.checked_mul(chunks)?, PAGE)?.as_ptr().expose_provenance(),
        };
        Some(Self { memory, units, lowest, span, unit_size, start, chunks })
    }

    /// Takes the address space back, of which nothing is in use.
    pub(super) fn release(&self) {
        if let Some(start) = NonNull::new(core::ptr::with_exposed_provenance_mut(self.start)) {
            self.memory.release(start, self.span * self.chunks);
        }
    }

    /// Offsets from one chunk to the next.
    fn stride(&self) -> usize {
        self.unit_size + PAGE
    }

    /// From the allocator's offset to the per-CPU pointer's address.
    pub(super) fn address(&self, offset: usize) -> usize {
        let (chunk, within) = (offset / self.stride(), offset % self.stride());
        let base = template::start().addr();
        match chunk.checked_sub(1) {
            None => base + offset,
            Some(further) => {
                base.wrapping_add(self.start).wrapping_sub(self.lowest).wrapping_add(further * self.span + within)
            }
        }
    }

    /// And back; what is no address of the allocator's comes to an offset that it has not.
    pub(super) fn offset(&self, address: usize) -> usize {
        let first = address.wrapping_sub(template::start().addr());
        if first < self.unit_size {
            return first;
        }
        let within = first.wrapping_add(self.lowest).wrapping_sub(self.start);
        let (chunk, within) = (within / self.span, within % self.span);
        if chunk < self.chunks && within < self.unit_size { (chunk + 1) * self.stride() + within } else { usize::MAX }
    }
}

/// The memory of an allocator: units, and chunks of them on demand.
pub(crate) struct Chunks {
    window: Window,
    /// Chunks behind the first that have been handed over.
    grown: AtomicUsize,
}

impl Chunks {
    /// With as many further chunks as the window has room for; none for an area that is never to grow.
    pub(super) const fn new(window: Window, grows: bool) -> Self {
        let none = window.chunks;
        Self { window, grown: AtomicUsize::new(if grows { 0 } else { none }) }
    }

    /// Undoes the backing of the first `count` pages of `offsets`, unit by unit.
    fn unback(&self, offsets: &Range<usize>, count: usize) {
        for (unit, page) in self.pages(offsets).take(count) {
            self.window.memory.unback(self.window.units[unit].1, page);
        }
    }

    fn pages(&self, offsets: &Range<usize>) -> impl Iterator<Item = (usize, NonNull<u8>)> {
        let offsets = offsets.clone();
        (0..self.window.units.len())
            .flat_map(move |unit| offsets.clone().step_by(PAGE).map(move |offset| (unit, offset)))
            .filter_map(|(unit, offset)| Some((unit, NonNull::new(self.copy(unit, offset))?)))
    }
}

// SAFETY: every offset of a chunk has an address of its own in each unit, apart as the offsets are; between two chunks a page is
// left out. The provider's pages are readable and writable; they are zeroed here.
unsafe impl Memory for Chunks {
    // By the kernel, when it is idle: `balance`.
    const BALANCES_ON_FREE: bool = false;

    fn units(&self) -> usize {
        self.window.units.len()
    }

    #[inline]
    fn copy(&self, unit: usize, offset: usize) -> *mut u8 {
        let Window { units, lowest, start, span, .. } = self.window;
        let first = units[unit].0;
        let (chunk, within) = (offset / self.window.stride(), offset % self.window.stride());
        match chunk.checked_sub(1) {
            None => first.wrapping_add(offset),
            Some(further) => {
                core::ptr::with_exposed_provenance_mut(start + further * span + (first.addr() - lowest) + within)
            }
        }
    }

    fn populate(&self, offsets: Range<usize>) -> Result<(), Refused> {
        let refused = self.pages(&offsets).position(|(unit, page)| {
            let backed = self.window.memory.back(self.window.units[unit].1, page);
            if backed {
                // SAFETY: a page that was just backed, and is nobody's yet.
                unsafe { page.write_bytes(0, PAGE) };
            }
            !backed
        });
        match refused {
            None => Ok(()),
            Some(count) => {
                self.unback(&offsets, count);
                Err(Refused)
            }
        }
    }

    fn depopulate(&self, offsets: Range<usize>) {
        self.unback(&offsets, usize::MAX);
    }

    fn metadata(&self) -> Option<MetadataPage> {
        records::take_at_once().or_else(|| records::new(self.window.memory))
    }

    fn metadata_at_once(&self) -> Option<MetadataPage> {
        records::take_at_once()
    }

    fn free_metadata(&self, page: MetadataPage) {
        records::give_back(page);
    }

    fn grow(&self, size: usize) -> Option<Range<usize>> {
        let Window { unit_size, chunks, .. } = self.window;
        if size > unit_size {
            return None;
        }
        let next = |grown: usize| (grown < chunks).then_some(grown + 1);
        let grown = self.grown.fetch_update(Relaxed, Relaxed, next).ok()?;
        let begin = (grown + 1) * self.window.stride();
        Some(begin..begin + unit_size)
    }

    fn shrink(&self, _: Range<usize>) {
        // Chunks are given to one CPU at a time, so this is the last.
        self.grown.fetch_sub(1, Relaxed);
    }
}
