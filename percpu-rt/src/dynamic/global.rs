//! The allocators of this process.

#[cfg(all(test, platform = "hosted", not(miri)))]
mod tests;

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicBool, Ordering};

use super::area::{Area, Stamp};
use super::areas::Areas;
use super::pointer::PerCpuPtr;
use super::postponed::Postponed;
#[cfg(has_stock)]
use crate::chunk::Allocator;
#[cfg(feature = "checked")]
use crate::chunk::checked::{CheckError, Object};
use crate::chunk::{AllocError, AllocFlags, FreeError, GRANULE, PerCpuStats, RawLock};
use crate::platform::{self, Chunks, Mutex};

type LockedArea = Area<Chunks, &'static Mutex>;

/// The lock of everything but the reserved area, and of that.
static LOCK: Mutex = Mutex::new();
static RESERVED_LOCK: Mutex = Mutex::new();

/// Taken around the first use of the reserved area, before any other.
static RESERVED_ONCE: Mutex = Mutex::new();

/// In the order in which they are taken.
#[cfg(platform = "hosted")]
const LOCKS: [&Mutex; 3] = [&RESERVED_ONCE, &RESERVED_LOCK, &LOCK];

static GLOBAL: Cell = Cell(UnsafeCell::new(MaybeUninit::uninit()));

struct Cell(UnsafeCell<MaybeUninit<Global>>);

// SAFETY: written by set-up before the platform says that there is an allocator, and only read behind that.
unsafe impl Sync for Cell {}

/// Both allocators.
pub(super) struct Global {
    main: LockedArea,
    /// Of modules. It has no offsets before its first use: most programs load none, and its records take pages.
    reserved: LockedArea,
    reserved_is_ready: AtomicBool,
    /// Of either area.
    postponed: Postponed,
    reserved_postponed: Postponed,
    areas: Areas,
    page_size: usize,
}

/// Gives the allocators their part of the units.
///
/// # Errors
///
/// [`AllocError::NoMemory`] where there are no pages for records.
///
/// # Safety
///
/// Not called any more once it has succeeded; until then the platform says that there is no allocator. The memory of the main area
/// and that of the reserved one are units as `areas` has them, of which the first chunk is open and, behind its static part, zero and
/// nobody else's.
pub(crate) unsafe fn set_up([main, reserved]: [Chunks; 2], page_size: usize, areas: Areas) -> Result<(), AllocError> {
    let global = Global {
        main: Area::new(main, &LOCK, page_size),
        reserved: Area::new(reserved, &RESERVED_LOCK, page_size),
        reserved_is_ready: AtomicBool::new(false),
        postponed: Postponed::new(),
        reserved_postponed: Postponed::new(),
        areas,
        page_size,
    };
    // SAFETY: nobody reads it before the platform says that there is an allocator.
    let global = unsafe { (*GLOBAL.0.get()).write(global) };
    // SAFETY: the caller's units, and these offsets are in no other range.
    let added = unsafe { global.main.add_populated(global.areas.early()) };
    // The pages that it was given go back: it may be tried again.
    // SAFETY: nobody has been told of it, and it is written anew before anybody is.
    added.inspect_err(|_| unsafe { core::ptr::drop_in_place(global) })
}

/// The allocators.
///
/// # Errors
///
/// [`AllocError::NotSetUp`] before set-up.
#[inline]
pub(super) fn global() -> Result<&'static Global, AllocError> {
    if !platform::has_allocator() {
        return Err(AllocError::NotSetUp);
    }
    // SAFETY: the platform says that there is one.
    Ok(unsafe { made() })
}

/// The allocators, for who knows that they are there.
///
/// # Safety
///
/// The platform has said so.
#[inline]
pub(super) unsafe fn made() -> &'static Global {
    // SAFETY: set-up has written it before the platform says so, and nobody writes it again.
    unsafe { (*GLOBAL.0.get()).assume_init_ref() }
}

impl Global {
    /// As [`Allocator::alloc`](crate::chunk::Allocator::alloc), from the area that `flags` ask for.
    #[inline]
    #[cfg_attr(feature = "checked", track_caller)]
    pub(super) fn alloc(&self, size: usize, align: usize, flags: AllocFlags) -> Result<(usize, Stamp), AllocError> {
        if flags.contains(AllocFlags::RESERVED)
            && let Some(reserved) = self.reserved(flags)?
        {
            match ask(reserved, &RESERVED_LOCK, size, align, flags) {
                // Full, or too small: anywhere then.
                Err(
                    AllocError::Exhausted { .. } | AllocError::AtomicExhausted { .. } | AllocError::TooLarge { .. },
                ) => {}
                answer => return answer,
            }
        }
        let max = self.areas.end - self.areas.early().start;
        if size > max {
            return Err(AllocError::TooLarge { size, max });
        }
        ask(&self.main, &LOCK, size, align, flags)
    }

    /// As [`Allocator::reserve_atomic`](crate::chunk::Allocator::reserve_atomic).
    pub(super) fn reserve_atomic(&self, bytes: usize) -> Result<(), AllocError> {
        if has_interrupted() {
            return Err(AllocError::Busy);
        }
        self.main.reserve_atomic(bytes)
    }

    /// As [`Allocator::free`](crate::chunk::Allocator::free), and gives pages back.
    #[inline]
    #[cfg_attr(feature = "checked", track_caller)]
    pub(super) fn free(&self, offset: usize, stamp: Stamp) -> Result<(), FreeError> {
        let is_reserved = self.areas.reserved.contains(&offset);
        let (area, lock) = if is_reserved { (&self.reserved, &RESERVED_LOCK) } else { (&self.main, &LOCK) };
        if has_interrupted() || !lock.enter() {
            return Err(FreeError::Busy { offset });
        }
        // Not in a closure, as in `ask`.
        let freed = area.free(offset, stamp);
        // SAFETY: entered above.
        unsafe { lock.leave() };
        if freed.is_ok() && !is_reserved {
            self.balance();
        }
        freed
    }

    /// Calls `f` where this thread has not interrupted whoever has the main area's lock, and no other one forks.
    #[cfg(has_stock)]
    pub(super) fn entered<R>(&self, f: impl FnOnce() -> R) -> Option<R> {
        entered(&LOCK, f)
    }

    /// Has the object freed later.
    ///
    /// # Errors
    ///
    /// What can be told without the lock, before anything is written: [`FreeError::Foreign`] for what no area has,
    /// [`FreeError::Interior`] for what begins nowhere, [`FreeError::NotAllocated`] for what was just freed so; and [`FreeError::Busy`] for what
    /// lies too far from the unit's begin.
    ///
    /// # Safety
    ///
    /// The object is alive, and its owner's last use is over.
    #[cold]
    pub(super) unsafe fn postpone(&self, object: PerCpuPtr<u8>) -> Result<(), FreeError> {
        let offset = object.offset();
        let is_reserved = self.areas.reserved.contains(&offset);
        if !is_reserved && !(self.areas.early().start..self.areas.end).contains(&offset) {
            return Err(FreeError::Foreign { offset });
        }
        if !offset.is_multiple_of(GRANULE) {
            return Err(FreeError::Interior { offset });
        }
        let list = if is_reserved { &self.reserved_postponed } else { &self.postponed };
        // SAFETY: the caller's promise.
        unsafe { list.add(object) }
    }

    /// Frees what was postponed, where that can be now.
    ///
    /// Context: whoever may free.
    #[inline]
    pub(super) fn free_postponed(&self) {
        if !self.postponed.is_empty() || !self.reserved_postponed.is_empty() {
            self.free_lists();
        }
    }

    #[cold]
    fn free_lists(&self) {
        entered(&RESERVED_LOCK, || {
            self.reserved_postponed.free_all(|offset| self.reserved.free(offset, Stamp::UNKNOWN));
        });
        entered(&LOCK, || self.postponed.free_all(|offset| self.main.free(offset, Stamp::UNKNOWN)));
        self.balance();
    }

    /// Gives pages of the main area back that are not needed, behind a free. A handler that has interrupted the records' pool leaves
    /// them to the next free, and so does whoever another thread's fork does not wait for; it waits for this one to end.
    #[inline]
    pub(super) fn balance(&self) {
        if platform::BALANCES_ON_FREE
            && !platform::records_are_busy_here()
            && entered(&LOCK, || self.main.begin_balance()) == Some(true)
        {
            self.main.balance();
            self.main.end_balance();
        }
    }

    /// Whether this has interrupted whoever has an area's lock.
    #[cfg(has_stock)]
    #[inline]
    pub(super) fn is_busy_here(&self) -> bool {
        has_interrupted()
    }

    /// The allocator of the main area.
    #[cfg(has_stock)]
    #[inline]
    pub(super) fn allocator(&self) -> &Allocator<Chunks, &'static Mutex> {
        self.main.allocator()
    }

    /// The counts of both areas together.
    pub(super) fn stats(&self) -> PerCpuStats {
        let mut stats = self.main.stats();
        if self.reserved_is_ready.load(Ordering::Acquire) {
            stats = stats.and(&self.reserved.stats());
            // The page in which one ends and the other begins is of both.
            if !self.areas.reserved.end.is_multiple_of(self.page_size) {
                stats.populated_bytes -= self.page_size;
            }
        }
        stats
    }

    #[cfg(feature = "checked")]
    pub(super) fn leaks(&self, mut each: impl FnMut(Object)) {
        self.reserved.leaks(&mut each);
        self.main.leaks(each);
    }

    #[cfg(feature = "checked")]
    pub(super) fn check_all(&self, mut each: impl FnMut(CheckError)) {
        self.reserved.check_all(&mut each);
        self.main.check_all(each);
    }

    /// The reserved area; `None` where it is not in use yet and this is no time for it.
    fn reserved(&self, flags: AllocFlags) -> Result<Option<&LockedArea>, AllocError> {
        if self.reserved_is_ready.load(Ordering::Acquire) {
            return Ok(Some(&self.reserved));
        }
        if flags.contains(AllocFlags::ATOMIC) || RESERVED_ONCE.is_held_here() {
            return Ok(None);
        }
        RESERVED_ONCE.lock();
        let added = if self.reserved_is_ready.load(Ordering::Relaxed) {
            Ok(())
        } else {
            // SAFETY: a part of the first chunk, as set-up's caller has it, and in no other range.
            unsafe { self.reserved.add_populated(self.areas.reserved.clone()) }
        };
        if added.is_ok() {
            self.reserved_is_ready.store(true, Ordering::Release);
        }
        // SAFETY: taken above.
        unsafe { RESERVED_ONCE.unlock() };
        added.map(|()| Some(&self.reserved))
    }
}

#[inline]
#[cfg_attr(feature = "checked", track_caller)]
fn ask(
    area: &LockedArea,
    lock: &Mutex,
    size: usize,
    align: usize,
    flags: AllocFlags,
) -> Result<(usize, Stamp), AllocError> {
    if flags.contains(AllocFlags::ATOMIC) {
        if has_interrupted() || !lock.enter_awake() {
            return Err(AllocError::Busy);
        }
        // Not in a closure, which would be the caller that the checked mode tells of.
        let placed = area.place_atomic(size, align);
        // SAFETY: entered above.
        unsafe { lock.leave() };
        return placed.map(|placed| area.finish(placed));
    }
    if has_interrupted() {
        return Err(AllocError::Busy);
    }
    area.alloc(size, align, flags)
}

/// Whether this is a handler that has interrupted its own thread in either area. It waits for neither lock: a handler on another thread
/// may have interrupted that one in the other area, and wait for this one.
#[inline]
fn has_interrupted() -> bool {
    LOCK.is_held_here() || RESERVED_LOCK.is_held_here()
}

/// Calls `f`, in which `lock` is this thread's; `None` where it cannot be waited for.
#[inline]
fn entered<R>(lock: &Mutex, f: impl FnOnce() -> R) -> Option<R> {
    (!has_interrupted() && lock.enter()).then(|| {
        let result = f();
        // SAFETY: entered by the condition.
        unsafe { lock.leave() };
        result
    })
}

/// Has an object freed later that could not be freed now; false where that cannot be.
///
/// # Safety
///
/// The object is alive, and its owner's last use is over.
#[cold]
pub(crate) unsafe fn postpone(object: PerCpuPtr<u8>) -> bool {
    // SAFETY: the caller's promise.
    global().is_ok_and(|global| unsafe { global.postpone(object) }.is_ok())
}

/// To be called before a fork, and [`after_fork`] behind it on both sides.
///
/// It waits for threads that are in the middle of system calls for pages: in the child nobody would finish them. A fork by a
/// handler that has interrupted one goes on after a while: the child comes back to that one, too.
#[cfg(platform = "hosted")]
pub(crate) fn before_fork() {
    for round in 1.. {
        for lock in LOCKS {
            lock.before_fork();
        }
        let is_moving = |global: &Global| {
            // SAFETY: the lock is taken, and this thread does not change the value meanwhile.
            LOCK.is_taken_for_fork() && unsafe { global.main.is_moving() }
        };
        if !global().is_ok_and(is_moving) || !platform::wait_for_another(round) {
            return;
        }
        after_fork();
    }
}

#[cfg(platform = "hosted")]
pub(crate) fn after_fork() {
    for lock in LOCKS.into_iter().rev() {
        lock.after_fork();
    }
}

/// To be called in a forked child, behind [`after_fork`].
#[cfg(platform = "hosted")]
pub(crate) fn in_child() {
    LOCKS.into_iter().for_each(Mutex::forget_other_forks);
    #[cfg(has_stock)]
    super::stock::in_child();
}

/// Gives pages back that are not needed.
#[cfg(platform = "kernel")]
pub(crate) fn balance() {
    if let Ok(global) = global() {
        global.main.balance();
    }
}
