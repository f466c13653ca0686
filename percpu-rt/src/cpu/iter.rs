//! Loops over CPUs.

use core::fmt;
use core::iter::FusedIterator;
use core::ops::Range;

use super::CpuId;
use super::set::{Bits, nr_cpu_ids};

/// All CPUs that can ever exist, in the order of their numbers; none before set-up.
///
/// In a Linux process the orphan (see [`CpuId`]) is the last of them. Context: any. Linux: `for_each_possible_cpu`.
#[doc(alias = "for_each_possible_cpu")]
pub fn possible_cpus() -> PossibleCpus {
    PossibleCpus { numbers: 0..nr_cpu_ids() }
}

/// The possible CPUs that run now, in the order of their numbers, as of this call.
///
/// A CPU may leave at any time, and its copies keep what they hold: to add something up, loop over
/// [`possible_cpus`]. The orphan is no CPU that could run, so it is not among them. In a Linux process this reads a
/// file of some bytes (`/sys/devices/system/cpu/online`), and yields every possible CPU where that is not there.
///
/// Context: any that may make system calls. Linux: `for_each_online_cpu`.
#[doc(alias = "for_each_online_cpu")]
pub fn online_cpus() -> OnlineCpus {
    OnlineCpus { possible: possible_cpus(), online: crate::platform::online() }
}

/// A loop over the CPUs that can ever exist, made by [`possible_cpus`].
#[derive(Clone)]
#[must_use = "a loop does nothing until it is run"]
pub struct PossibleCpus {
    numbers: Range<usize>,
}

impl Iterator for PossibleCpus {
    type Item = CpuId;

    #[inline]
    fn next(&mut self) -> Option<CpuId> {
        self.numbers.find_map(CpuId::new)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, self.numbers.size_hint().1)
    }
}

impl DoubleEndedIterator for PossibleCpus {
    fn next_back(&mut self) -> Option<CpuId> {
        self.numbers.by_ref().rev().find_map(CpuId::new)
    }
}

impl FusedIterator for PossibleCpus {}

impl fmt::Debug for PossibleCpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

/// A loop over the CPUs that ran when it was made, by [`online_cpus`].
#[derive(Clone)]
#[must_use = "a loop does nothing until it is run"]
pub struct OnlineCpus {
    possible: PossibleCpus,
    /// `None` where the platform does not tell.
    online: Option<Bits>,
}

impl Iterator for OnlineCpus {
    type Item = CpuId;

    fn next(&mut self) -> Option<CpuId> {
        let online = self.online.as_ref();
        self.possible.find(|cpu| !cpu.is_orphan() && online.is_none_or(|online| online.contains(cpu.index())))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.possible.size_hint()
    }
}

impl FusedIterator for OnlineCpus {}

impl fmt::Debug for OnlineCpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}
