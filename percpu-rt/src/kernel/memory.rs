//! Where units come from.

use core::alloc::Layout;
use core::ptr::NonNull;

/// Memory by node, mapped already: for units that lie in it as a whole (Linux's `embed`).
///
/// # Safety
///
/// What [`alloc`](Self::alloc) returns is as large and as aligned as its layout says, readable, writable, and the caller's alone until it
/// is given back, if ever.
pub unsafe trait NodeMemory {
    /// Memory on `node`, or where the kernel takes its place; `None` where there is none.
    fn alloc(&self, node: u32, layout: Layout) -> Option<NonNull<u8>>;

    /// Takes `bytes` bytes back that nobody uses: all of an allocation, or the end of a unit of it, by whole pages. They may as
    /// well be lost.
    fn free(&self, node: u32, start: NonNull<u8>, bytes: usize) {
        let _ = (node, start, bytes);
    }
}

/// Address space, and pages to back it one by one (Linux's `page`).
///
/// # Safety
///
/// - A range that [`reserve`](Self::reserve) returns is nobody else's.
/// - A page of it that is [backed](Self::back) is readable and writable on every CPU and in every address space in which a variable may
///   be used, from the moment the call returns until it is [taken back](Self::unback).
/// - Memory of a page that was taken back serves something else only when every CPU has forgotten the page (a TLB shootdown).
pub unsafe trait PageMemory {
    /// Address space of `bytes` bytes, aligned to `align`, with no page in it; `None` where there is none.
    fn reserve(&self, bytes: usize, align: usize) -> Option<NonNull<u8>>;

    /// Backs the page at `page` by memory of `node`; false where there is none.
    #[must_use]
    fn back(&self, node: u32, page: NonNull<u8>) -> bool;

    /// Takes the page at `page` back, which was backed for `node`. It may as well be lost.
    ///
    /// Context: that of [`balance`](super::balance), and of an allocation without [`ATOMIC`](crate::AllocFlags::ATOMIC) that finds no memory:
    /// threads with interrupts on, so that it may wait for other CPUs.
    fn unback(&self, node: u32, page: NonNull<u8>) {
        let _ = (node, page);
    }

    /// Takes address space back, of which no page is backed. It may as well be lost.
    fn release(&self, start: NonNull<u8>, bytes: usize) {
        let _ = (start, bytes);
    }
}
