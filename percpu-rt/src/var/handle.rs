//! The handle of a per-CPU variable, and raw pointers to its copies.

use core::fmt;
use core::marker::PhantomData;

use crate::arch;
use crate::arch::Place;
use crate::cpu::CpuId;

/// The handle of a per-CPU variable of type `T`: what `#[per_cpu]` makes of a `static`.
///
/// `P` is where the variable is and `K` its kind, which decides the methods. For a static it is zero-sized: all it
/// holds is in its type.
///
/// ```
/// use percpu_rt::{per_cpu, possible_cpus};
///
/// /// Packets seen by each CPU.
/// #[per_cpu]
/// static PACKETS: u64 = 0;
///
/// PACKETS.inc();
/// PACKETS.add(2);
/// assert_eq!(PACKETS.sum(), 3);
/// assert_eq!(possible_cpus().map(|cpu| PACKETS.read_on(cpu)).sum::<u64>(), 3);
/// ```
///
/// The handle is not the variable, which has a value on each CPU:
///
/// | instead of | write |
/// |---|---|
/// | `PACKETS += 1` | `PACKETS.inc()` or `PACKETS.add(1)` |
/// | `*PACKETS`, `PACKETS == 1`, `PACKETS + 1` | the same with `PACKETS.read()`, or with `PACKETS.sum()` for all CPUs |
/// | `PACKETS = 1` | `PACKETS.write(1)`, on this CPU |
/// | `println!("{}", PACKETS)` | `println!("{}", PACKETS.sum())` |
/// | `PACKETS.read_on(0)` | `PACKETS.read_on(cpu)` with a [`CpuId`] of [`possible_cpus`](crate::possible_cpus), [`this_cpu`](crate::this_cpu) or [`CpuId::new`] |
/// | `NAMES.push(name)` | `NAMES.with(\|names\| names.push(name))`, on a [`LocalLock`](crate::LocalLock) |
///
/// Names of other kinds' methods and of atomics' (`inc` of an object, `load` of a word) are taken, for messages that tell what to
/// write. A trait of your own for handles that has such a method is called by its path: `Trait::load(&HITS)`.
#[repr(transparent)]
pub struct PerCpu<P, T, K> {
    pub(super) place: P,
    // Invariant in `T`: a handle both takes and gives values.
    values: PhantomData<fn(T) -> T>,
    kind: PhantomData<K>,
}

impl<P, T, K> PerCpu<P, T, K> {
    /// The handle of the variable at `place`.
    ///
    /// # Safety
    ///
    /// The variable is of type `T`, its every copy is initialised at set-up or before the place exists, and `K` is the kind of `T`
    /// (`__kind!`). All handles of one variable agree in `T`.
    #[doc(hidden)]
    #[must_use]
    pub const unsafe fn from_place(place: P) -> Self {
        Self { place, values: PhantomData, kind: PhantomData }
    }
}

impl<P, T, K> PerCpu<P, T, K> {
    /// The handle of the variable at `place`, where that is.
    ///
    /// # Safety
    ///
    /// As [`from_place`](Self::from_place).
    #[inline(always)]
    pub(crate) unsafe fn from_place_ref(place: &P) -> &Self {
        // SAFETY: a handle is a place and nothing else (`repr(transparent)`).
        unsafe { &*core::ptr::from_ref(place).cast() }
    }

    /// Where the variable is.
    pub(crate) fn as_place(&self) -> &P {
        &self.place
    }

    /// The same handle by another kind's name.
    ///
    /// # Safety
    ///
    /// `K2` is the kind of `T`, or [`IsDynamic`](super::kind::IsDynamic) and `T` no reference.
    pub(crate) unsafe fn of_kind<K2>(&self) -> &PerCpu<P, T, K2> {
        // SAFETY: both are a place and nothing else (`repr(transparent)`).
        unsafe { &*core::ptr::from_ref(self).cast() }
    }
}

impl<P: Place, T: 'static, K> PerCpu<P, T, K> {
    /// The variable's per-CPU pointer.
    #[inline(always)]
    pub(crate) fn place(&self) -> *mut T {
        self.place.address().cast()
    }

    /// The address of this CPU's copy.
    ///
    /// Computing it is safe, and a hint where the thread can migrate: by the time it is used, the copy may be
    /// another CPU's. Using it is on the caller: the copy may be accessed by every thread and signal handler, and by
    /// operations that are not atomic.
    ///
    /// Context: any, after set-up; faults before. Costs three loads. Linux: `this_cpu_ptr`, `raw_cpu_ptr`.
    #[doc(alias = "raw_cpu_ptr")]
    #[doc(alias = "get_cpu_ptr")]
    #[inline]
    #[must_use]
    pub fn this_cpu_ptr(&self) -> *mut T {
        arch::locate(self.place().cast(), arch::current_cpu()).cast()
    }

    /// The address of `cpu`'s copy.
    ///
    /// Context: any. Costs one load. Linux: `per_cpu_ptr`.
    #[inline]
    #[must_use]
    pub fn per_cpu_ptr(&self, cpu: CpuId) -> *mut T {
        arch::locate(self.place().cast(), cpu.index()).cast()
    }
}

impl<P, T, K> fmt::Debug for PerCpu<P, T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PerCpu").field("type", &core::any::type_name::<T>()).finish_non_exhaustive()
    }
}
