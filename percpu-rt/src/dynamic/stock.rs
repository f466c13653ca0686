//! What each CPU has in stock for variables with an owner: most of them are made and dropped without the allocator's lock.
//!
//! ```text
//!  unit of CPU 0  ┌─ ─┬────────────────────────────┬─ ─
//!                 │   │ LocalLock │ Cache of places │          one object of the allocator's own, made at the first free
//!  unit of CPU 1  ├─ ─┼────────────────────────────┼─ ─
//! ```
//!
//! # Rules
//!
//! - A CPU's stock is behind a [`LocalLock`] that is only ever tried: whoever finds it taken, a signal handler or another thread
//!   of the CPU, asks the allocator itself.
//! - Whoever has the stock may take the allocator's lock, and never the other way round.
//! - Frees tell the size, so only owners come here; [`free_percpu`](super::free_percpu) does not know it.
//! - What counts, and what finds no room, has every CPU's stock put back before.
//! - A forked child gives up the stock that another thread of its parent had in hand.

use core::alloc::Layout;
use core::sync::atomic::AtomicUsize;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::area::Stamp;
use super::global::{Global, global};
use super::pointer::PerCpuPtr;
use super::raw::alloc_percpu;
use crate::arch::Place;
use crate::chunk::{AllocError, AllocFlags, Cache, FreeError};
use crate::cpu::possible_cpus;
use crate::lock::LocalLock;
use crate::platform::{self, Chunks, Mutex};
use crate::var::handle::PerCpu;
use crate::var::kind::IsLock;

type Stock = Cache<'static, Chunks, &'static Mutex>;
type Handle = PerCpu<At, LocalLock<Stock>, IsLock>;

/// Where the stock is: its per-CPU pointer's address, or one of these.
static WHERE: AtomicUsize = AtomicUsize::new(NOWHERE);
const NOWHERE: usize = 0;
const IN_THE_MAKING: usize = 1;

/// The place of the stock.
struct At(PerCpuPtr<u8>);

// SAFETY: the address does not change, and the stock is never freed.
unsafe impl Place for At {
    #[inline(always)]
    fn address(&self) -> *mut u8 {
        self.0.as_ptr()
    }
}

#[inline]
fn handle() -> Option<Handle> {
    match WHERE.load(Acquire) {
        NOWHERE | IN_THE_MAKING => None,
        address => PerCpuPtr::new(core::ptr::without_provenance_mut(address)).map(|pointer| {
            // SAFETY: `make` has written every copy before it has told the address, and the stock lives for good.
            unsafe { PerCpu::from_place(At(pointer)) }
        }),
    }
}

/// Allocates as [`alloc_percpu`], from the stock where it has a place.
///
/// # Errors
///
/// As there.
#[inline]
pub(crate) fn alloc(layout: Layout, flags: AllocFlags) -> Result<PerCpuPtr<u8>, AllocError> {
    let global = global()?;
    let (size, align) = (layout.size(), layout.align());
    if let Some(handle) = handle()
        && let Some(mut stock) = handle.try_lock()
    {
        let found = match stock.alloc_from_stock(size, align) {
            Some(offset) => Some(offset),
            None if global.is_busy_here() => return Err(AllocError::Busy),
            None => stock.alloc(size, align, flags).ok(),
        };
        if let Some(offset) = found {
            return Ok(PerCpuPtr::from_offset(offset, Stamp::UNKNOWN));
        }
    }
    alloc_percpu(layout, flags)
}

/// Frees what [`alloc`] has returned for `layout`, into the stock where it has room.
///
/// # Errors
///
/// As [`try_free_percpu`](super::try_free_percpu).
///
/// # Safety
///
/// As [`free_percpu`](super::free_percpu), and the object was allocated with this layout.
#[inline]
pub(crate) unsafe fn free(pointer: PerCpuPtr<u8>, layout: Layout) -> Result<(), FreeError> {
    let offset = pointer.offset();
    let Ok(global) = global() else { return Err(FreeError::Foreign { offset }) };
    if let Some(handle) = handle()
        && let Some(mut stock) = handle.try_lock()
    {
        // SAFETY: allocated with this size, and freed once (the caller).
        if unsafe { stock.free_into_stock(offset, layout.size()) } {
            return Ok(());
        }
        if global.is_busy_here() {
            return Err(FreeError::Busy { offset });
        }
        // SAFETY: as above.
        let result = unsafe { stock.free(offset, layout.size()) };
        drop(stock);
        global.balance();
        return result;
    }
    free_slowly(global, pointer)
}

/// To the allocator itself; and makes the stock if there is none.
#[cold]
fn free_slowly(global: &'static Global, pointer: PerCpuPtr<u8>) -> Result<(), FreeError> {
    global.free(pointer.offset(), pointer.stamp())?;
    // A kernel's lock has interrupts off, which is no time to ask for pages: it has no stock.
    if cfg!(platform = "hosted")
        && WHERE.load(Relaxed) == NOWHERE
        && !global.is_busy_here()
        && WHERE.compare_exchange(NOWHERE, IN_THE_MAKING, Relaxed, Relaxed).is_ok()
    {
        WHERE.store(make(global).unwrap_or(NOWHERE), Release);
    }
    Ok(())
}

/// Makes the stock; its address, if there is room for it.
fn make(global: &'static Global) -> Option<usize> {
    let allocator = global.allocator();
    let layout = Layout::new::<LocalLock<Stock>>();
    let offset = allocator.alloc_uncounted(layout.size(), layout.align())?;
    let pointer = PerCpuPtr::from_offset(offset, Stamp::UNKNOWN).cast::<LocalLock<Stock>>();
    // All but the orphan, whose threads are few.
    let stocks = possible_cpus().count().saturating_sub(1).max(1);
    for cpu in possible_cpus() {
        // SAFETY: just allocated with this layout, and nobody else's.
        unsafe { pointer.per_cpu_ptr(cpu).write(LocalLock::new(Cache::one_of(stocks, allocator))) };
    }
    Some(pointer.address())
}

/// Puts the stock of every CPU back, as far as it can be had; false where there is none.
///
/// Context: threads.
#[cold]
pub(super) fn put_back() -> bool {
    let Some(handle) = handle() else { return false };
    for cpu in possible_cpus() {
        // Where the kernel has no means to take another CPU's, that stays.
        if let Ok(mut stock) = handle.lock_on(cpu) {
            // What is wrong with a place has been its user's mistake, and there is nobody to tell.
            let _ = stock.drain();
        }
    }
    true
}

/// Has a forked child give up what a thread had in hand that is not there.
#[cfg(platform = "hosted")]
pub(super) fn after_fork() {
    let Some(handle) = handle() else { return };
    for cpu in possible_cpus() {
        if handle.is_left_behind(cpu)
            && let Ok(global) = global()
        {
            let stocks = possible_cpus().count().saturating_sub(1).max(1);
            let fresh = LocalLock::new(Cache::one_of(stocks, global.allocator()));
            // SAFETY: nobody has this copy: its holder does not exist, and this is the child's only thread. What it held is
            // given up: it may have been in the middle of a change.
            unsafe { handle.per_cpu_ptr(cpu).write(fresh) };
        }
    }
}

impl Global {
    /// Gives pages back that are not needed, unless this has interrupted whoever keeps the records' pages.
    fn balance(&self) {
        if !platform::records_are_busy_here() {
            self.allocator().balance();
        }
    }
}
