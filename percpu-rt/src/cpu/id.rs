//! The number of a possible CPU.

use core::fmt;

use super::set;
use crate::arch;

/// The number of a possible CPU.
///
/// Holding one proves that the CPU's unit is set up, for good: an access to a given CPU's copy needs no check. (The
/// functions of `init = ..` are given one earlier; an access through it faults until set-up is over.) Numbers are dense or not as the machine's are, and all less than
/// [`nr_cpu_ids`](crate::nr_cpu_ids).
///
/// In a Linux process the last possible CPU is the **orphan**: no processor, but the unit on which threads without restartable
/// sequences work (no support in libc, switched off by `GLIBC_TUNABLES=glibc.pthread.rseq=0`, valgrind). It takes
/// part in every loop, so that sums stay exact.
///
/// ```
/// use percpu_rt::{CpuId, nr_cpu_ids, possible_cpus};
///
/// let last = possible_cpus().last().expect("there is a CPU");
/// assert_eq!(last.index(), nr_cpu_ids() - 1);
/// assert!(last.is_orphan() && last.os_id().is_none());
/// assert_eq!(CpuId::new(nr_cpu_ids()), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CpuId(u32);

impl CpuId {
    /// The possible CPU with this number; `None` where there is none, and for every number before set-up.
    ///
    /// Context: any. Linux: `cpu_possible`.
    #[doc(alias = "cpu_possible")]
    #[inline]
    #[must_use]
    pub fn new(index: usize) -> Option<Self> {
        if set::is_possible(index) { u32::try_from(index).ok().map(Self) } else { None }
    }

    /// The CPU whose unit set-up has just filled, for its initializers: the one exception to what holding a `CpuId`
    /// proves, and an access through it faults.
    pub(crate) const fn in_set_up(index: u32) -> Self {
        Self(index)
    }

    /// The number, less than [`nr_cpu_ids`](crate::nr_cpu_ids).
    #[inline]
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The number by which the operating system knows the CPU; `None` for the orphan.
    #[must_use]
    pub fn os_id(self) -> Option<u32> {
        (!self.is_orphan()).then_some(self.0)
    }

    /// Whether this is the unit of threads without restartable sequences and no processor.
    #[must_use]
    pub fn is_orphan(self) -> bool {
        set::is_orphan(self.index())
    }
}

impl fmt::Debug for CpuId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CpuId").field(&self.0).finish()
    }
}

impl fmt::Display for CpuId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The CPU on which the thread runs, or the orphan for a thread without restartable sequences.
///
/// A hint where the thread can migrate: it may be on another CPU by the time the answer is looked at. Operations
/// never need it, they find their CPU by themselves.
///
/// Context: any, after set-up; faults before. Costs two loads. Linux: `raw_smp_processor_id`.
#[doc(alias = "smp_processor_id")]
#[doc(alias = "raw_smp_processor_id")]
#[inline]
#[must_use]
pub fn this_cpu() -> CpuId {
    let slot = arch::current_cpu();
    if slot == arch::ORPHAN_SLOT { orphan() } else { CpuId(slot as u32) }
}

#[cold]
fn orphan() -> CpuId {
    // Before set-up there is no orphan either: the backend has faulted, or this number is out of the table.
    CpuId(u32::try_from(set::nr_cpu_ids().wrapping_sub(1)).unwrap_or(u32::MAX))
}

/// The offset of a CPU: the address of its unit less `__per_cpu_start`.
///
/// Template address plus offset is the address of that CPU's copy. Context: any. Linux: `per_cpu_offset`.
#[must_use]
pub fn per_cpu_offset(cpu: CpuId) -> isize {
    arch::locate(core::ptr::null_mut(), cpu.index()).addr().cast_signed()
}
