//! Sets of CPUs: possible and online.

use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::CpuId;
use crate::arch::MAX_CPUS;

/// Words of a set that has room for every CPU and the orphan.
const WORDS: usize = MAX_CPUS / 64 + 1;

/// The number behind the last possible CPU; 0 before set-up, so that no [`CpuId`] exists.
static NR_CPU_IDS: AtomicUsize = AtomicUsize::new(0);

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

    /// The largest number in the set.
    pub(crate) fn last(&self) -> Option<usize> {
        let word = self.0.iter().rposition(|&word| word != 0)?;
        Some(word * 64 + 63 - self.0[word].leading_zeros() as usize)
    }
}

/// Makes the possible CPUs known, the orphan as the one behind the last; ends set-up of the units.
///
/// Release: whoever sees a CPU here finds its unit.
pub(crate) fn publish(possible: &Bits, orphan: usize) {
    for (shared, &word) in POSSIBLE.iter().zip(&possible.0) {
        shared.store(word, Ordering::Relaxed);
    }
    POSSIBLE[orphan / 64].fetch_or(1 << (orphan % 64), Ordering::Relaxed);
    NR_CPU_IDS.store(orphan + 1, Ordering::Release);
}

/// Whether a possible CPU has this number.
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

/// All CPUs that can ever exist, in the order of their numbers; none before set-up.
///
/// In a Linux process the orphan (see [`CpuId`]) is the last of them. Context: any. Linux: `for_each_possible_cpu`.
#[must_use]
pub fn possible_cpus() -> Cpus {
    Cpus { next: 0, end: nr_cpu_ids(), online: None }
}

/// The possible CPUs that run now, in the order of their numbers, as of this call.
///
/// A CPU may leave at any time, and its copies keep what they hold: to add something up, loop over
/// [`possible_cpus`]. The orphan is no CPU that could run, so it is not among them. In a Linux process this reads a
/// file of some bytes (`/sys/devices/system/cpu/online`), and yields every possible CPU where that is not there.
///
/// Context: any that may make system calls. Linux: `for_each_online_cpu`.
#[must_use]
pub fn online_cpus() -> Cpus {
    let orphan = nr_cpu_ids().saturating_sub(1);
    Cpus { next: 0, end: orphan, online: crate::platform::online() }
}

/// A loop over CPUs, made by [`possible_cpus`] and [`online_cpus`].
#[derive(Clone)]
#[must_use = "a loop does nothing until it is run"]
pub struct Cpus {
    next: usize,
    end: usize,
    /// Only these of the possible ones.
    online: Option<Bits>,
}

impl core::fmt::Debug for Cpus {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

impl Iterator for Cpus {
    type Item = CpuId;

    fn next(&mut self) -> Option<CpuId> {
        while self.next < self.end {
            let index = self.next;
            self.next += 1;
            if self.online.as_ref().is_none_or(|online| online.contains(index)) {
                if let Some(cpu) = CpuId::new(index) {
                    return Some(cpu);
                }
            }
        }
        None
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.end.saturating_sub(self.next)))
    }
}

impl core::iter::FusedIterator for Cpus {}
