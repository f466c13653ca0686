//! A variable that is borrowed, static or dynamic.

use core::fmt;
use core::marker::PhantomData;
use core::ops::Deref;

use super::object::Object;
use super::owner::PerCpuBox;
use crate::arch::Place;
use crate::dynamic::PerCpuPtr;
use crate::lock::LocalLock;
use crate::var::handle::PerCpu;
use crate::var::kind::{IsDynamic, IsLock, IsObject, IsWord};
use crate::var::word::Plain;

/// A borrowed per-CPU variable: what a function takes that works on static and dynamic ones alike.
///
/// It is [`Copy`], and has the methods of [`PerCpuBox`] at the same cost. Linux: `T __percpu *`.
///
/// ```
/// use percpu_rt::{PerCpuBox, PerCpuRef, per_cpu};
///
/// #[per_cpu]
/// static ALL: u64 = 0;
///
/// fn count(counter: PerCpuRef<'_, u64>) {
///     counter.inc();
/// }
///
/// let one = PerCpuBox::try_new(0)?;
/// count((&ALL).into());
/// count((&one).into());
/// assert_eq!((ALL.sum(), one.sum()), (1, 1));
/// # Ok::<(), percpu_rt::AllocError>(())
/// ```
pub struct PerCpuRef<'a, T: 'static> {
    // No handle: whoever borrows one could copy it, and keep it for longer than the variable lives.
    pointer: PerCpuPtr<u8>,
    // As a reference to the variable, which is neither shared nor sent but by the lines below. Invariant in `T`, as handles are.
    variable: PhantomData<(&'a (), *mut T)>,
}

// SAFETY: as a reference to a `PerCpuBox`.
unsafe impl<T: Send> Send for PerCpuRef<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for PerCpuRef<'_, T> {}

impl<T: 'static> PerCpuRef<'_, T> {
    /// # Safety
    ///
    /// The variable's copies are initialised and live for as long as the result, and `T` is no word that is a reference.
    #[inline(always)]
    unsafe fn new(pointer: PerCpuPtr<u8>) -> Self {
        Self { pointer, variable: PhantomData }
    }

    /// # Safety
    ///
    /// As [`new`](Self::new), of the variable with this handle.
    #[inline(always)]
    unsafe fn of<P: Place, K>(handle: &PerCpu<P, T, K>) -> Self {
        let pointer = PerCpuPtr::new(handle.place().cast()).expect("a variable has an address");
        // SAFETY: the caller's.
        unsafe { Self::new(pointer) }
    }
}

impl<'a, T: 'static> PerCpuRef<'a, T> {
    /// A part of a variable, `offset` bytes from its begin.
    ///
    /// # Safety
    ///
    /// A `T` is there in every copy, no word that is a reference, and whoever reaches it does so as a variable of type `T`.
    #[inline]
    pub(crate) unsafe fn part_of<U>(owner: &'a PerCpuBox<U>, offset: usize) -> Self {
        let address = owner.as_place().pointer().as_ptr().wrapping_byte_add(offset);
        let pointer = PerCpuPtr::new(address).expect("a part of a variable has an address");
        // SAFETY: the caller's, and the box, which is borrowed for `'a`, keeps the variable.
        unsafe { Self::new(pointer) }
    }
}

impl<'a, P: Place, T: Plain> From<&'a PerCpu<P, T, IsWord>> for PerCpuRef<'a, T> {
    #[inline(always)]
    fn from(handle: &'a PerCpu<P, T, IsWord>) -> Self {
        // SAFETY: the variable lives as long as its place, which is borrowed for `'a`; `Plain` are no references.
        unsafe { Self::of(handle) }
    }
}

impl<'a, P: Place, T: 'static> From<&'a PerCpu<P, T, IsObject>> for PerCpuRef<'a, T> {
    #[inline(always)]
    fn from(handle: &'a PerCpu<P, T, IsObject>) -> Self {
        // SAFETY: as above; an object is no word.
        unsafe { Self::of(handle) }
    }
}

impl<'a, P: Place, T: 'static> From<&'a PerCpu<P, LocalLock<T>, IsLock>> for PerCpuRef<'a, LocalLock<T>> {
    #[inline(always)]
    fn from(handle: &'a PerCpu<P, LocalLock<T>, IsLock>) -> Self {
        // SAFETY: as above; a lock is no word.
        unsafe { Self::of(handle) }
    }
}

impl<'a, T: 'static> From<&'a PerCpuBox<T>> for PerCpuRef<'a, T> {
    #[inline(always)]
    fn from(owner: &'a PerCpuBox<T>) -> Self {
        // SAFETY: the box, which is borrowed for `'a`, keeps the variable.
        unsafe { Self::new(owner.as_place().pointer()) }
    }
}

impl<T: 'static> Clone for PerCpuRef<'_, T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: 'static> Copy for PerCpuRef<'_, T> {}

impl<T: 'static> Deref for PerCpuRef<'_, T> {
    type Target = PerCpu<Object, T, IsDynamic>;

    #[inline(always)]
    fn deref(&self) -> &Self::Target {
        // SAFETY: an initialised variable of type `T` that lives for as long as `self` (`new`), and longer than what is borrowed
        // from it here; the kind of what is borrowed is `IsDynamic`.
        unsafe { PerCpu::from_place_ref(Object::from_ref(&self.pointer)) }
    }
}

impl<T: 'static> fmt::Debug for PerCpuRef<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PerCpuRef").field("type", &core::any::type_name::<T>()).finish_non_exhaustive()
    }
}
