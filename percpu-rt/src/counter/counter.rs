//! The steps on a counter.

use core::cmp::Ordering;
use core::sync::atomic::Ordering::{Acquire, Relaxed};
use core::sync::atomic::{AtomicI64, fence};

use crate::boxed::PerCpuRef;
use crate::cpu::nr_cpu_ids;

/// The least default batch, as Linux has it (`percpu_counter_batch`, lib/percpu_counter.c).
const LEAST_BATCH: usize = 32;

/// The batch where none is given: 32, or twice the number of CPUs if that is more. Linux: `percpu_counter_batch`.
pub(super) fn default_batch() -> i64 {
    LEAST_BATCH.max(2 * nr_cpu_ids()) as i64
}

/// A borrowed counter. [`PerCpuCounter`](super::PerCpuCounter) tells of its methods.
#[derive(Clone, Debug)]
pub struct Counter<'a> {
    pub(super) total: &'a AtomicI64,
    pub(super) deltas: PerCpuRef<'a, i64>,
    pub(super) batch: i64,
}

impl Counter<'_> {
    /// Adds `amount`, wrapping.
    ///
    /// Context: any, signal handlers included. Costs two restartable sequences, and an atomic addition once a batch. Linux:
    /// `percpu_counter_add`.
    #[doc(alias = "percpu_counter_add")]
    #[inline]
    pub fn add(&self, amount: i64) {
        self.add_batch(amount, self.batch);
    }

    /// Adds `amount`, for this time with another batch: larger ones are cheaper, and [`read`](Self::read) less exact.
    ///
    /// Context and cost: as [`add`](Self::add). Linux: `percpu_counter_add_batch`; with `i64::MAX` `percpu_counter_add_local`.
    #[doc(alias = "percpu_counter_add_batch")]
    #[doc(alias = "percpu_counter_add_local")]
    #[inline]
    pub fn add_batch(&self, amount: i64, batch: i64) {
        let mut found = self.deltas.read();
        loop {
            let sum = match found.checked_add(amount) {
                Some(sum) if sum.unsigned_abs() < batch.unsigned_abs() => sum,
                _ => return self.add_to_total(found, amount),
            };
            match self.deltas.cmpxchg(found, sum) {
                Ok(_) => return,
                Err(other) => found = other,
            }
        }
    }

    /// Adds one. Linux: `percpu_counter_inc`.
    #[doc(alias = "percpu_counter_inc")]
    #[inline]
    pub fn inc(&self) {
        self.add(1);
    }

    /// Subtracts one. Linux: `percpu_counter_dec`.
    #[doc(alias = "percpu_counter_dec")]
    #[inline]
    pub fn dec(&self) {
        self.add(-1);
    }

    /// Subtracts `amount`, wrapping. Linux: `percpu_counter_sub`.
    #[doc(alias = "percpu_counter_sub")]
    #[inline]
    pub fn sub(&self, amount: i64) {
        self.add(amount.wrapping_neg());
    }

    /// The value, roughly: it errs by less than [`error_bound`](Self::error_bound), if nobody has added with a batch of their own.
    /// Each thread that is bringing its CPU's delta to the total at this moment may add a batch more, and one that is being refused by
    /// [`add_limited`](Self::add_limited) its amount.
    ///
    /// Context: any. Costs one load. Linux: `percpu_counter_read`.
    #[doc(alias = "percpu_counter_read")]
    #[inline]
    #[must_use]
    pub fn read(&self) -> i64 {
        self.total.load(Relaxed)
    }

    /// As [`read`](Self::read), and 0 where that is negative. Linux: `percpu_counter_read_positive`.
    #[doc(alias = "percpu_counter_read_positive")]
    #[inline]
    #[must_use]
    pub fn read_positive(&self) -> i64 {
        self.read().max(0)
    }

    /// What [`read`](Self::read) errs by less than: a batch for each possible CPU.
    #[inline]
    #[must_use]
    pub fn error_bound(&self) -> i64 {
        self.batch.saturating_mul(nr_cpu_ids() as i64)
    }

    /// The value; exact once nobody adds any more. What is added meanwhile may be missing, and what is on its way to the total
    /// may be in it twice.
    ///
    /// Context: any. Costs a load for each possible CPU. Linux: `percpu_counter_sum`.
    #[doc(alias = "percpu_counter_sum")]
    #[must_use]
    pub fn sum(&self) -> i64 {
        let deltas = self.deltas.sum();
        // Deltas first: what has been taken from one since is in the total by then.
        fence(Acquire);
        self.total.load(Relaxed).wrapping_add(deltas)
    }

    /// As [`sum`](Self::sum), and 0 where that is negative. Linux: `percpu_counter_sum_positive`.
    #[doc(alias = "percpu_counter_sum_positive")]
    #[must_use]
    pub fn sum_positive(&self) -> i64 {
        self.sum().max(0)
    }

    /// Compares the value with `other`: by [`read`](Self::read) where that decides, else by [`sum`](Self::sum).
    ///
    /// Context: any. Costs a load, or one for each possible CPU. Linux: `percpu_counter_compare`.
    #[doc(alias = "percpu_counter_compare")]
    #[must_use]
    pub fn compare(&self, other: i64) -> Ordering {
        let rough = self.read();
        if rough.saturating_sub(other).unsigned_abs() > self.error_bound().unsigned_abs() {
            rough.cmp(&other)
        } else {
            self.sum().cmp(&other)
        }
    }

    /// Adds `amount` unless the value would go beyond `limit`: above it by adding, below it by subtracting. Tells whether it has.
    ///
    /// Additions with a limit never go beyond it together; where they race for what is left, each may be refused. They see
    /// plain additions as [`sum`](Self::sum) does: what a thread is bringing to the total meanwhile, they may see twice.
    ///
    /// Context: any. Costs an atomic addition, and a load for each possible CPU within [`error_bound`](Self::error_bound) of the
    /// limit. Linux: `percpu_counter_limited_add`, which is cheaper far from the limit and may go beyond it.
    #[doc(alias = "percpu_counter_limited_add")]
    #[must_use]
    pub fn add_limited(&self, amount: i64, limit: i64) -> bool {
        // Into the total, where all of them see each other, and taken back if that was too much.
        let added = self.total.fetch_update(Relaxed, Relaxed, |total| total.checked_add(amount));
        // Beyond every number is beyond the limit.
        let Ok(before) = added else { return false };
        let total = before + amount;
        let (bound, is_beyond): (i64, fn(i64, i64) -> bool) = if amount >= 0 {
            (self.error_bound(), |value, limit| value > limit)
        } else {
            (-self.error_bound(), |value, limit| value < limit)
        };
        let fits = !is_beyond(total.saturating_add(bound), limit) || !is_beyond(self.sum(), limit);
        if !fits {
            self.total.fetch_sub(amount, Relaxed);
        }
        fits
    }

    /// Brings this CPU's delta and `amount` to the total.
    #[cold]
    fn add_to_total(&self, delta: i64, amount: i64) {
        self.total.fetch_add(delta.wrapping_add(amount), Relaxed);
        // Behind it, so that nobody finds the delta gone and the total without it.
        fence(core::sync::atomic::Ordering::Release);
        if self.deltas.cmpxchg(delta, 0).is_err() {
            // It has changed, or is another CPU's: it stays where it is.
            self.total.fetch_sub(delta, Relaxed);
        }
    }
}
