//! The magazines of each size: which there are, and what goes in and out.

use core::alloc::Layout;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicU8, AtomicUsize};

use super::super::global::Global;
use crate::arch::magazine::{self, Magazine};
use crate::arch::{self, LocalWord};
use crate::chunk::GRANULE;
use crate::chunk::supply::{Entry, LARGEST, LINE, SLOTS, slot_of};
use crate::cpu::{CpuId, possible_cpus};
use crate::platform;

/// The per-CPU pointers of the magazines; 0 where there is none yet.
static WHERE: [AtomicUsize; SLOTS] = [const { AtomicUsize::new(0) }; SLOTS];

/// What is to be done where there is none: [`NOT_WANTED`], [`WANTED`], or nothing, since somebody [`MAKES`] it.
static STATES: [AtomicU8; SLOTS] = [const { AtomicU8::new(NOT_WANTED) }; SLOTS];

const NOT_WANTED: u8 = 0;
const WANTED: u8 = 1;
const MAKES: u8 = 2;

/// The largest alignment of places in stock: what a program pads to that keeps two CPUs from one pair of lines.
const MOST_ALIGN: usize = 2 * LINE;

const _: () = assert!(LARGEST <= magazine::PLACES);

/// A place as it is in a magazine: its per-CPU pointer, so that a pair has nothing to work out. Templates begin at a multiple of a
/// granule, or there is no stock: so the lowest bit is what it is of an [`Entry`].
#[inline(always)]
pub(super) fn word(place: Entry) -> usize {
    platform::per_cpu_address(place.to_bits())
}

/// And back.
#[inline(always)]
pub(super) fn place(word: usize) -> Entry {
    Entry::from_bits(platform::per_cpu_offset_of(word))
}

/// A size that may be in stock, and its slot.
#[derive(Clone, Copy)]
pub(super) struct Size {
    slot: usize,
    pub(super) granules: u32,
}

impl Size {
    /// `None` where the size or the alignment is not kept in stock.
    #[inline(always)]
    pub(super) fn new(size: usize, align: usize) -> Option<Self> {
        if align > natural_align(size) {
            return None;
        }
        let granules = size / GRANULE;
        Some(Self { slot: slot_of(granules as u64)?, granules: granules as u32 })
    }

    /// Its magazines, if there are some.
    #[inline(always)]
    pub(super) fn stock(self) -> Option<Stocked> {
        let address = WHERE[self.slot].load(Acquire);
        let magazine = core::ptr::without_provenance_mut(address);
        (address != 0).then_some(Stocked { magazine, granules: self.granules })
    }

    /// As [`stock`](Self::stock), and has the next allocation make them.
    pub(super) fn stock_or_want(self) -> Option<Stocked> {
        if platform::per_cpu_address(0).is_multiple_of(GRANULE) {
            self.step(NOT_WANTED, WANTED);
        }
        self.stock()
    }

    /// As [`stock`](Self::stock), and makes them where that is wanted.
    pub(super) fn stock_or_make(self, global: &Global) -> Option<Stocked> {
        let at = &WHERE[self.slot];
        if at.load(Relaxed) == 0 && self.step(WANTED, MAKES) {
            let layout = Layout::new::<Magazine>();
            match global.allocator().alloc_for_good(layout.size(), layout.align()) {
                // In a child that a handler has forked over this thread, another one may have made them: these are given up then.
                Ok(offset) => _ = at.compare_exchange(0, platform::per_cpu_address(offset), Release, Relaxed),
                Err(_) => STATES[self.slot].store(NOT_WANTED, Relaxed),
            }
        }
        self.stock()
    }

    fn step(self, from: u8, to: u8) -> bool {
        let state = &STATES[self.slot];
        state.load(Relaxed) == from && state.compare_exchange(from, to, Relaxed, Relaxed).is_ok()
    }
}

/// A size, and the magazines that it may have.
#[derive(Clone, Copy)]
pub(super) struct Stocked {
    /// The per-CPU pointer of its magazine.
    magazine: *mut Magazine,
    pub(super) granules: u32,
}

impl Stocked {
    /// A place's [`word`].
    pub(super) fn pop(self) -> Option<usize> {
        // SAFETY: a magazine of the stock, which is never freed; likewise below.
        let word = unsafe { arch::pop(self.magazine, self.granules) };
        (word != magazine::NOTHING).then_some(word)
    }

    pub(super) fn push(self, word: usize) -> bool {
        // SAFETY: as above.
        unsafe { arch::push(self.magazine, self.granules, word) }
    }

    /// As [`pop`](Self::pop), but that there may be one all the same.
    #[inline(always)]
    pub(super) fn pop_top(self) -> Option<usize> {
        // SAFETY: as above.
        let word = unsafe { arch::pop_top(self.magazine, self.granules) };
        (word != magazine::NOTHING).then_some(word)
    }

    /// As [`push`](Self::push), but that there may be room all the same.
    #[inline(always)]
    pub(super) fn push_top(self, word: usize) -> bool {
        // SAFETY: as above.
        unsafe { arch::push_top(self.magazine, self.granules, word) }
    }

    /// Has this CPU's magazine hold up to `capacity` places of the size, unless it has others.
    pub(super) fn adopt(self, capacity: usize) -> bool {
        // SAFETY: a magazine of the stock, which is never freed. The capacity is a word of its own, read and written as words are,
        // and of no consequence where the thread has been moved meanwhile.
        unsafe {
            let adopted = arch::adopt(self.magazine, self.granules);
            if adopted {
                u32::write(&magazine::Capacity(self.magazine), Magazine::below_top(capacity));
            }
            adopted
        }
    }
}

/// `layout` by whole granules, and aligned as all of its size are that may be in stock.
#[inline(always)]
pub(super) fn rounded(layout: Layout) -> (usize, usize) {
    let size = layout.size().next_multiple_of(GRANULE);
    (size, layout.align().max(natural_align(size)))
}

#[inline(always)]
fn natural_align(size: usize) -> usize {
    MOST_ALIGN.min(1 << size.trailing_zeros())
}

/// CPUs that share what may be in stock: all but the orphan, whose threads are few.
pub(super) fn stocks() -> usize {
    possible_cpus().filter(|cpu| !cpu.is_orphan()).count().max(1)
}

/// The magazines that there are.
pub(super) fn magazines() -> impl Iterator<Item = *mut Magazine> {
    let made = WHERE.iter().map(|address| address.load(Acquire)).filter(|address| *address != 0);
    made.map(core::ptr::without_provenance_mut)
}

/// The copies of the magazines that `cpu` has.
pub(super) fn magazines_of(cpu: CpuId) -> impl Iterator<Item = &'static Magazine> {
    // SAFETY: a magazine is never freed, and every possible CPU has a unit.
    magazines().map(move |magazine| unsafe { Magazine::copy(magazine, cpu.index()) })
}

/// Has those made again that a thread was making that a forked child does not have.
pub(super) fn in_child() {
    for (address, state) in WHERE.iter().zip(&STATES) {
        if address.load(Relaxed) == 0 {
            state.store(NOT_WANTED, Relaxed);
        }
    }
}
