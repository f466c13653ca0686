//! How the initial value of a static variable is linked.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;

/// The template of a variable of type `T`, aligned to `A` at the least and filled up to a multiple of it.
///
/// Only its address is ever used, by set-up as the source of the copies and by operations as a per-CPU pointer;
/// no safe code can name it.
#[repr(C)]
pub struct Template<T, A = Unaligned> {
    align: PhantomAlign<A>,
    value: UnsafeCell<MaybeUninit<T>>,
}

/// Takes no space, and makes what holds it as aligned as `A`.
type PhantomAlign<A> = [A; 0];

// SAFETY: nothing reads or writes the value through a reference: set-up copies its bytes, once, before any thread
// can hold a handle.
unsafe impl<T, A> Sync for Template<T, A> {}

impl<T, A> core::fmt::Debug for Template<T, A> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Template").finish_non_exhaustive()
    }
}

impl<T, A> Template<T, A> {
    /// A template with this value.
    #[must_use]
    pub const fn new(value: T) -> Self {
        Self { align: [], value: UnsafeCell::new(MaybeUninit::new(value)) }
    }
}

/// No alignment beyond the type's own.
#[derive(Debug)]
pub struct Unaligned;

/// A cache line, [`abi::class::CACHE_LINE`](crate::abi::class::CACHE_LINE).
#[derive(Debug)]
#[repr(align(64))]
pub struct Line;

/// A page: the largest base page of the architectures that have several.
#[derive(Debug)]
#[cfg_attr(not(any(target_arch = "aarch64", target_arch = "powerpc64")), repr(align(4096)))]
#[cfg_attr(any(target_arch = "aarch64", target_arch = "powerpc64"), repr(align(65536)))]
pub struct Page;

const _: () = assert!(align_of::<Line>() as u64 == crate::abi::class::CACHE_LINE);
