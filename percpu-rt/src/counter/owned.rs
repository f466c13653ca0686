//! Counters with an owner.

use core::alloc::Layout;
use core::array;
use core::fmt;
use core::sync::atomic::AtomicI64;

use super::counter::{Counter, default_batch};
use crate::boxed::{PerCpuBox, PerCpuRef};
use crate::chunk::AllocError;

/// A signed number of 64 bits that every CPU adds to: `percpu_counter` of Linux.
///
/// Adding touches this CPU's line alone, but for once a batch; reading is one load, and off by less than a batch for each CPU.
/// For a number that is only ever summed up, a word ([`PerCpuBox<i64>`](PerCpuBox)) is cheaper to add to.
///
/// ```
/// use percpu_rt::PerCpuCounter;
///
/// let blocks = PerCpuCounter::try_new(0)?;
/// (0..1000).for_each(|_| blocks.inc());
/// assert_eq!(blocks.sum(), 1000);
/// assert!((blocks.read() - 1000).abs() < blocks.error_bound());
/// assert!(blocks.add_limited(24, 1024) && !blocks.add_limited(1, 1024));
/// # Ok::<(), percpu_rt::AllocError>(())
/// ```
pub struct PerCpuCounter {
    total: AtomicI64,
    deltas: PerCpuBox<i64>,
    batch: i64,
}

impl PerCpuCounter {
    /// A counter that holds `value`, with a batch of 32, or of twice the number of CPUs if that is more.
    ///
    /// Context: threads. Linux: `percpu_counter_init`.
    ///
    /// # Errors
    ///
    /// As [`alloc_percpu`](crate::alloc_percpu).
    #[doc(alias = "percpu_counter_init")]
    #[track_caller]
    pub fn try_new(value: i64) -> Result<Self, AllocError> {
        Self::with_batch(value, default_batch())
    }

    /// The same with a batch of one's own, which is at least 1.
    ///
    /// # Errors
    ///
    /// As [`try_new`](Self::try_new).
    #[track_caller]
    pub fn with_batch(value: i64, batch: i64) -> Result<Self, AllocError> {
        Ok(Self { total: AtomicI64::new(value), deltas: PerCpuBox::try_zeroed()?, batch: batch.max(1) })
    }

    /// The counter, borrowed: what functions take for one that is alone or one of many.
    #[inline(always)]
    #[must_use]
    pub fn as_counter(&self) -> Counter<'_> {
        Counter { total: &self.total, deltas: PerCpuRef::from(&self.deltas), batch: self.batch }
    }

    /// Sets the value. Nobody can be adding. Linux: `percpu_counter_set`.
    #[doc(alias = "percpu_counter_set")]
    pub fn set(&mut self, value: i64) {
        let present = self.sum();
        *self.total.get_mut() = self.total.get_mut().wrapping_add(value.wrapping_sub(present));
    }
}

/// Methods of a borrowed counter for one that is owned.
macro_rules! forward {
    ($($name:ident($($argument:ident: $of:ty),*) $(-> $result:ty)?;)*) => {
        impl PerCpuCounter {
            $(
                #[doc = concat!("As [`Counter::", stringify!($name), "`].")]
                #[inline]
                #[allow(clippy::must_use_candidate, reason = "as the method that it forwards to")]
                pub fn $name(&self, $($argument: $of),*) $(-> $result)? {
                    self.as_counter().$name($($argument),*)
                }
            )*
        }
    };
}
forward! {
    add(amount: i64);
    add_batch(amount: i64, batch: i64);
    inc();
    dec();
    sub(amount: i64);
    read() -> i64;
    read_positive() -> i64;
    error_bound() -> i64;
    sum() -> i64;
    sum_positive() -> i64;
    compare(other: i64) -> core::cmp::Ordering;
    add_limited(amount: i64, limit: i64) -> bool;
}

impl fmt::Debug for PerCpuCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PerCpuCounter").field("read", &self.read()).field("batch", &self.batch).finish_non_exhaustive()
    }
}

/// `N` counters that share one allocation, and a CPU's cache lines.
///
/// ```
/// use percpu_rt::PerCpuCounters;
///
/// let [files, anonymous] = [0, 1];
/// let rss = PerCpuCounters::<2>::try_new()?;
/// rss.get(files).add(10);
/// rss.get(anonymous).inc();
/// assert_eq!([files, anonymous].map(|kind| rss.get(kind).sum()), [10, 1]);
/// # Ok::<(), percpu_rt::AllocError>(())
/// ```
pub struct PerCpuCounters<const N: usize> {
    totals: [AtomicI64; N],
    deltas: PerCpuBox<Deltas<N>>,
    batch: i64,
}

/// Words, and no object: they are reached by operations on one of them alone.
#[repr(transparent)]
struct Deltas<const N: usize>([i64; N]);

impl<const N: usize> PerCpuCounters<N> {
    /// Counters that are 0, with the batch of [`PerCpuCounter::try_new`].
    ///
    /// Context: threads. Linux: `percpu_counter_init_many`.
    ///
    /// # Errors
    ///
    /// As [`alloc_percpu`](crate::alloc_percpu).
    #[doc(alias = "percpu_counter_init_many")]
    #[track_caller]
    pub fn try_new() -> Result<Self, AllocError> {
        let deltas = PerCpuBox::try_new_with(|_| Deltas([0; N]))?;
        Ok(Self { totals: array::from_fn(|_| AtomicI64::new(0)), deltas, batch: default_batch() })
    }

    /// One of the counters.
    ///
    /// # Panics
    ///
    /// Where `index` is not below `N`.
    #[inline]
    #[must_use]
    pub fn get(&self, index: usize) -> Counter<'_> {
        let total = &self.totals[index];
        // SAFETY: a word of the variable, which lives for as long as the box is borrowed, and is reached by this method alone;
        // the index has been looked at.
        let deltas = unsafe { PerCpuRef::part_of(&self.deltas, index * Layout::new::<i64>().size()) };
        Counter { total, deltas, batch: self.batch }
    }
}

impl<const N: usize> fmt::Debug for PerCpuCounters<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries((0..N).map(|index| self.get(index).read())).finish()
    }
}
