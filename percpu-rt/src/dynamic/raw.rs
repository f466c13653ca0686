//! The raw interface: untyped objects.

use core::alloc::Layout;

use super::area::Stamp;
use super::global::{Global, global};
use super::pointer::PerCpuPtr;
#[cfg(has_stock)]
use super::stock;
use crate::chunk::{AllocError, AllocFlags, FreeError, PerCpuStats};

/// Allocates an object of `layout` in every unit, zero on every possible CPU.
///
/// ```
/// use core::alloc::Layout;
/// use percpu_rt::{AllocFlags, alloc_percpu, free_percpu, possible_cpus};
///
/// let raw = alloc_percpu(Layout::new::<[u64; 4]>(), AllocFlags::NONE)?;
/// for cpu in possible_cpus() {
///     // SAFETY: allocated for four `u64`, zero in every unit, and known to this thread alone.
///     assert_eq!(unsafe { raw.cast::<[u64; 4]>().per_cpu_ptr(cpu).read() }, [0; 4]);
/// }
/// // SAFETY: allocated above, and not used any more.
/// unsafe { free_percpu(raw) };
/// # Ok::<(), percpu_rt::AllocError>(())
/// ```
///
/// Alignments go up to the page, sizes up to what is free of a unit.
///
/// Context: threads; with [`AllocFlags::ATOMIC`] signal handlers too. That never sleeps and makes no system call, but to wake who
/// sleeps until it is done, and takes what is populated, [`reserve_atomic`] before all. While another thread is in the middle of a
/// search it spins, for some hundred nanoseconds, and for some milliseconds at the most: where that one has no CPU, or is itself an
/// atomic allocation that is refused after a look at much that has changed. Then, and where a handler has interrupted its own thread in a
/// search or another thread forks, it has what this CPU keeps in stock of dropped boxes of the size, or fails with
/// [`AllocError::Busy`].
///
/// Costs a search that grows with the logarithm of the unit. Only what was used before is zeroed. What is refused, or placed only at
/// the last resort, looks besides at the holes that have grown since the last refusal, in parts between which the lock is let go, but by an
/// atomic one: the first refusal in a unit of 4096 chunks takes some milliseconds. Linux: `__alloc_percpu_gfp` (mm/percpu.c).
///
/// # Errors
///
/// As [`AllocError`] says; nothing has changed then. Size 0, an alignment beyond the page, a unit without room, a kernel without
/// memory, and a call before set-up, `init = ..` included, each have their own.
#[doc(alias = "__alloc_percpu")]
#[doc(alias = "__alloc_percpu_gfp")]
#[doc(alias = "__alloc_reserved_percpu")]
#[doc(alias = "alloc_percpu_gfp")]
#[inline]
#[track_caller]
pub fn alloc_percpu(layout: Layout, flags: AllocFlags) -> Result<PerCpuPtr<u8>, AllocError> {
    let global = global()?;
    if !flags.contains(AllocFlags::ATOMIC) {
        global.free_postponed();
    }
    alloc_with_stock(global, layout.size(), layout.align(), flags)
        .map(|(offset, stamp)| PerCpuPtr::from_offset(offset, stamp))
}

/// From what there is, and before it is refused from what CPUs have in stock.
#[inline]
#[cfg_attr(feature = "checked", track_caller)]
pub(super) fn alloc_with_stock(
    global: &Global,
    size: usize,
    align: usize,
    flags: AllocFlags,
) -> Result<(usize, Stamp), AllocError> {
    let result = global.alloc(size, align, flags);
    #[cfg(has_stock)]
    let result = match result {
        Err(AllocError::Busy) if flags.contains(AllocFlags::ATOMIC) && size > 0 => {
            let layout = Layout::from_size_align(size, align).map_err(|_| AllocError::Busy)?;
            let object = stock::alloc_at_once(layout).ok_or(AllocError::Busy)?;
            Ok((object.offset(), object.stamp()))
        }
        Err(AllocError::Exhausted { .. } | AllocError::NoMemory { .. }) if stock::put_back() => {
            global.alloc(size, align, flags)
        }
        result => result,
    };
    result
}

/// Allocates as many objects of `layout` as `out` has places, or none: every place is `None` then.
///
/// ```
/// use core::alloc::Layout;
/// use percpu_rt::{AllocFlags, alloc_percpu_batch, free_percpu};
///
/// let mut counters = [None; 100];
/// alloc_percpu_batch(Layout::new::<u64>(), AllocFlags::NONE, &mut counters)?;
/// for counter in counters.into_iter().flatten() {
///     // SAFETY: allocated above, and not used.
///     unsafe { free_percpu(counter) };
/// }
/// # Ok::<(), percpu_rt::AllocError>(())
/// ```
///
/// Context and cost: of each object, as [`alloc_percpu`].
///
/// # Errors
///
/// As [`alloc_percpu`], but that the counts of [`stats`] know of the objects that were allocated and freed again.
#[doc(alias = "percpu_counter_init_many")]
#[track_caller]
pub fn alloc_percpu_batch(
    layout: Layout,
    flags: AllocFlags,
    out: &mut [Option<PerCpuPtr<u8>>],
) -> Result<(), AllocError> {
    out.fill(None);
    for place in 0..out.len() {
        match alloc_percpu(layout, flags) {
            Ok(object) => out[place] = Some(object),
            Err(error) => {
                for object in out[..place].iter_mut().filter_map(Option::take) {
                    // SAFETY: allocated above, and given to nobody.
                    unsafe { free_percpu(object) };
                }
                return Err(error);
            }
        }
    }
    Ok(())
}

/// Sees to it that allocations with [`AllocFlags::ATOMIC`] of `bytes` in all find a place, which nobody else gets.
///
/// ```
/// use core::alloc::Layout;
/// use percpu_rt::{AllocFlags, alloc_percpu, reserve_atomic};
///
/// // Before the burst, where there is time ..
/// reserve_atomic(2 << 20)?;
/// // .. and in it, in a signal handler or between two packets.
/// let sample = Layout::new::<[u64; 8]>();
/// let burst: Vec<_> = (0..30_000).map(|_| alloc_percpu(sample, AllocFlags::ATOMIC)).collect::<Result<_, _>>()?;
/// # assert_eq!(burst.len(), 30_000);
/// # Ok::<(), percpu_rt::AllocError>(())
/// ```
///
/// Of an object of up to a page the next power of two counts, or the alignment if that is more; of a larger one its pages. It is for one
/// burst: what others allocate beside it may have the rest of a page that it has begun. A further call brings the reserve up to
/// `bytes` again. From the start, a process has a mebibyte that atomic allocations find, for as long as nobody has it. With the
/// feature `checked` objects are larger, and so less of them are sure to be had.
///
/// Context: threads. Costs an allocation of so many bytes, and pages for records of a fifteenth of it. What is reserved stays
/// populated, though no page of it is resident before it is used.
///
/// # Errors
///
/// As [`alloc_percpu`] of so many bytes; what was reserved before stays so.
#[doc(alias = "GFP_ATOMIC")]
pub fn reserve_atomic(bytes: usize) -> Result<(), AllocError> {
    let global = global()?;
    let result = global.reserve_atomic(bytes);
    #[cfg(has_stock)]
    let result = match result {
        Err(AllocError::Exhausted { .. } | AllocError::NoMemory { .. }) if stock::put_back() => {
            global.reserve_atomic(bytes)
        }
        result => result,
    };
    result
}

/// Frees an object.
///
/// Pages that become empty are given back to the system but for a few. Its context is any: where a signal handler has interrupted this
/// thread in the allocator, or another thread forks, the object is freed by a later call. Costs a search for the object's end, and now
/// and then two system calls a unit. Linux: `free_percpu`.
///
/// # Panics
///
/// With the pointer, where nothing is allocated there (freed twice), where it is inside an allocation, and where it is no per-CPU
/// pointer of the allocator's. Nothing has changed then. Of what is freed later, only the pointer is looked at: one that is no
/// granule's, or of none of the allocator's units, is refused, and so is one that was freed so just before.
///
/// # Safety
///
/// The object came from this module's functions, and nobody uses any copy of it any more. An earlier free of it is found out only until its
/// place is given to a new object, which would be freed instead. With the feature `checked` it is found out then, too.
#[inline]
#[track_caller]
pub unsafe fn free_percpu(ptr: PerCpuPtr<u8>) {
    // SAFETY: the caller's promise.
    if let Err(error) = unsafe { try_free_percpu(ptr) } {
        refused(ptr, error);
    }
}

#[cold]
#[track_caller]
fn refused(ptr: PerCpuPtr<u8>, error: FreeError) -> ! {
    panic!("free_percpu of {ptr:?}: {error}")
}

/// Frees an object, or says why that cannot be.
///
/// # Errors
///
/// Where [`free_percpu`] panics. Nothing has changed then.
///
/// # Safety
///
/// As [`free_percpu`].
#[inline]
#[track_caller]
pub unsafe fn try_free_percpu(ptr: PerCpuPtr<u8>) -> Result<(), FreeError> {
    let offset = ptr.offset();
    match global() {
        Ok(global) => match global.free(offset, ptr.stamp()) {
            // SAFETY: not freed, and the caller's promise.
            Err(FreeError::Busy { .. }) => unsafe { global.postpone(ptr) },
            result => result.inspect(|()| global.free_postponed()),
        },
        Err(_) => Err(FreeError::Foreign { offset }),
    }
}

/// What the allocator of this process has done, and has; zero before set-up.
///
/// What CPUs keep in stock of dropped [`PerCpuBox`](crate::PerCpuBox)es is put back before, so that it does not count as live; where
/// the kernel has no means for that (see [`LockOnError`](crate::LockOnError)), it counts.
///
/// The counts of the reserved area are in it from its first use on; what is a maximum is then the sum of both areas' own.
///
/// Context: threads. Linux: `/sys/kernel/debug/percpu_stats`.
#[must_use]
pub fn stats() -> PerCpuStats {
    #[cfg(has_stock)]
    stock::put_back();
    global().map_or_else(
        |_| PerCpuStats::default(),
        |global| {
            global.free_postponed();
            global.stats()
        },
    )
}
