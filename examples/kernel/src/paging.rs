//! Address space of the kernel's, backed page by page.

use core::alloc::Layout;
use core::arch::asm;
use core::ptr::NonNull;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicBool, AtomicUsize};

use crate::machine::at;
use crate::memory;

/// Where it begins: the second half of the upper half.
const START: usize = 0xffff_c000_0000_0000;

const PAGE: usize = 4096;

/// Whether a CPU changes tables.
static TAKEN: AtomicBool = AtomicBool::new(false);

static NEXT: AtomicUsize = AtomicUsize::new(START);

/// Address space that nobody else has.
pub fn reserve(bytes: usize, align: usize) -> Option<NonNull<u8>> {
    let start = |next: usize| next.next_multiple_of(align);
    let next = NEXT.fetch_update(Relaxed, Relaxed, |next| Some(start(next) + bytes)).ok()?;
    NonNull::new(core::ptr::with_exposed_provenance_mut(start(next)))
}

/// Backs the page at `address` by memory of `node`, zero.
pub fn back(node: u32, address: usize) -> bool {
    while TAKEN.swap(true, Acquire) {
        core::hint::spin_loop();
    }
    // SAFETY: the lock is held, the address is in a part of the address space that is this file's, and entries only come to be.
    let backed = unsafe { entry(address, true).is_some_and(|entry| fill(entry, node)) };
    TAKEN.store(false, Release);
    backed
}

/// Makes a last entry. A page that was backed once stays so: taking it back would mean to tell all CPUs to forget it.
///
/// # Safety
///
/// An entry of a table that nobody changes meanwhile.
unsafe fn fill(entry: *mut u64, node: u32) -> bool {
    // SAFETY: the caller's.
    unsafe {
        if entry.read_volatile() & 1 == 0 {
            let page = Layout::from_size_align(PAGE, PAGE).expect("a page");
            let Some(frame) = memory::alloc(node, page) else { return false };
            entry.write_volatile(frame.addr().get() as u64 | 3);
        }
    }
    true
}

/// The physical address behind `address`.
pub fn physical(address: usize) -> u64 {
    match address {
        // The lowest 4 GiB are where they are, and the highest 2 are the lowest 2 once more.
        0..0x1_0000_0000 => address as u64,
        0xffff_ffff_8000_0000.. => address as u64 - 0xffff_ffff_8000_0000,
        // SAFETY: reads tables.
        _ => unsafe {
            entry(address, false).map_or(0, |entry| (entry.read_volatile() & !0xfff) + (address % PAGE) as u64)
        },
    }
}

/// The entry of the last level for `address`; tables on the way are made where they are lacking, if that is asked for.
///
/// # Safety
///
/// Nobody changes tables meanwhile.
unsafe fn entry(address: usize, make: bool) -> Option<*mut u64> {
    let mut table: u64;
    // SAFETY: reads a register.
    unsafe { asm!("mov {}, cr3", out(reg) table, options(nomem, nostack, preserves_flags)) };
    for shift in [39, 30, 21] {
        let entry = at::<u64>((table & !0xfff) + (address >> shift & 511) as u64 * 8);
        // SAFETY: an entry of a table.
        unsafe {
            if entry.read_volatile() & 1 == 0 {
                let page = Layout::from_size_align(PAGE, PAGE).expect("a page");
                let next = memory::alloc(0, page).filter(|_| make)?;
                entry.write_volatile(next.addr().get() as u64 | 3);
            }
            table = entry.read_volatile();
        }
    }
    Some(at::<u64>((table & !0xfff) + (address >> 12 & 511) as u64 * 8))
}
