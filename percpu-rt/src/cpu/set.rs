//! Sets of CPUs, and the one of the possible CPUs.

use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::arch::MAX_CPUS;

/// Words of a set that has room for every CPU and the orphan.
const WORDS: usize = MAX_CPUS / 64 + 1;

/// The number behind the last possible CPU; 0 before set-up, so that no `CpuId` exists.
static NR_CPU_IDS: AtomicUsize = AtomicUsize::new(0);

/// The orphan's number; known from the start of set-up, as initializers may ask.
static ORPHAN: AtomicUsize = AtomicUsize::new(usize::MAX);

/// One bit a possible CPU, the orphan's included.
static POSSIBLE: [AtomicU64; WORDS] = [const { AtomicU64::new(0) }; WORDS];

/// A plain set of CPU numbers.
#[derive(Clone)]
pub(crate) struct Bits([u64; WORDS]);

impl Bits {
    /// No CPU.
    pub(crate) const EMPTY: Self = Self([0; WORDS]);

    /// Adds the CPUs of a range; those beyond [`MAX_CPUS`] are left out.
    pub(crate) fn insert(&mut self, first: usize, last: usize) {
        for cpu in first..=last.min(MAX_CPUS - 1) {
            self.0[cpu / 64] |= 1 << (cpu % 64);
        }
    }

    /// Whether the CPU is in the set.
    pub(crate) fn contains(&self, cpu: usize) -> bool {
        self.0.get(cpu / 64).is_some_and(|word| word >> (cpu % 64) & 1 == 1)
    }

    /// The numbers in the set, in order.
    #[cfg(platform = "hosted")]
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> {
        (0..MAX_CPUS).filter(|&cpu| self.contains(cpu))
    }

    /// The largest number in the set.
    pub(crate) fn last(&self) -> Option<usize> {
        let word = self.0.iter().rposition(|&word| word != 0)?;
        Some(word * 64 + 63 - self.0[word].leading_zeros() as usize)
    }
}

/// Makes the orphan's number known.
#[cfg(platform = "hosted")]
pub(crate) fn announce_orphan(orphan: usize) {
    ORPHAN.store(orphan, Ordering::Relaxed);
}

/// Whether this is the orphan's number.
pub(super) fn is_orphan(index: usize) -> bool {
    ORPHAN.load(Ordering::Relaxed) == index
}

/// Makes the possible CPUs known, the orphan as the one behind the last; ends set-up of the units.
///
/// Release: whoever sees a CPU here finds its unit.
#[cfg(platform = "hosted")]
pub(crate) fn publish(possible: &Bits, orphan: usize) {
    for (shared, &word) in POSSIBLE.iter().zip(&possible.0) {
        shared.store(word, Ordering::Relaxed);
    }
    POSSIBLE[orphan / 64].fetch_or(1 << (orphan % 64), Ordering::Relaxed);
    NR_CPU_IDS.store(orphan + 1, Ordering::Release);
}

/// Makes the possible CPUs known, where none is the orphan; ends set-up of the units. Release, likewise.
#[cfg(platform = "kernel")]
pub(crate) fn publish_all(possible: &Bits) {
    for (shared, &word) in POSSIBLE.iter().zip(&possible.0) {
        shared.store(word, Ordering::Relaxed);
    }
    NR_CPU_IDS.store(possible.last().map_or(0, |last| last + 1), Ordering::Release);
}

/// Whether a possible CPU has this number.
#[inline]
pub(super) fn is_possible(index: usize) -> bool {
    index < nr_cpu_ids() && POSSIBLE[index / 64].load(Ordering::Relaxed) >> (index % 64) & 1 == 1
}

/// The number behind the last possible CPU, and so the length of a table indexed by CPU; 0 before set-up.
///
/// Context: any. Linux: `nr_cpu_ids`, but with the orphan of a Linux process counted.
#[inline]
#[must_use]
pub fn nr_cpu_ids() -> usize {
    NR_CPU_IDS.load(Ordering::Acquire)
}
