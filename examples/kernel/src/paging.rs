//! Address space of the kernel's, backed page by page.

use core::arch::asm;
use core::ptr::NonNull;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicBool, AtomicUsize};

use crate::apic::FORGET_VECTOR;
use crate::machine::at;
use crate::memory::PAGE;
use crate::{apic, memory, smp};

/// Where it begins: the second half of the upper half.
const START: usize = 0xffff_c000_0000_0000;

/// Whether a CPU changes tables.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Whether a CPU has the others forget a page, and how many have not yet.
static FORGETTING: AtomicBool = AtomicBool::new(false);
static LEFT: AtomicUsize = AtomicUsize::new(0);

static NEXT: AtomicUsize = AtomicUsize::new(START);

/// Address space that nobody else has.
pub fn reserve(bytes: usize, align: usize) -> Option<NonNull<u8>> {
    let start = |next: usize| next.next_multiple_of(align);
    let next = NEXT.fetch_update(Relaxed, Relaxed, |next| Some(start(next) + bytes)).ok()?;
    NonNull::new(core::ptr::with_exposed_provenance_mut(start(next)))
}

/// Backs the page at `address` by memory of `node`, zero.
pub fn back(node: u32, address: usize) -> bool {
    let Some(frame) = memory::alloc(node, PAGE) else { return false };
    // SAFETY: the address is in a part of the address space that is this file's, the entry one that nobody else changes meanwhile.
    locked(&TAKEN, || unsafe {
        entry(address, true).map(|entry| entry.write_volatile(frame.addr().get() as u64 | 3)).is_some()
    })
}

/// Takes the page at `address` back, which was backed by memory of `node`. To be called with interrupts on: whoever is here waits for
/// all other CPUs, and one of them may be here too.
pub fn unback(node: u32, address: usize) {
    // SAFETY: likewise.
    let frame = locked(&TAKEN, || unsafe {
        entry(address, false).map(|entry| {
            let frame = entry.read_volatile() & !0xfff;
            entry.write_volatile(0);
            frame
        })
    });
    forget_on_all_cpus();
    if let Some(frame) = frame.and_then(|frame| NonNull::new(at(frame))) {
        memory::free_page(node, frame);
    }
}

/// Has all CPUs look at the tables again, and returns when they have. What was sent to a CPU before has arrived there by then.
pub fn forget_on_all_cpus() {
    locked(&FORGETTING, || {
        LEFT.store(smp::running() - 1, Release);
        apic::send_to_others(FORGET_VECTOR);
        forget();
        while LEFT.load(Acquire) > 0 {
            core::hint::spin_loop();
        }
    });
}

/// In the interrupt that [`forget_on_all_cpus`] sends.
pub fn on_forget() {
    forget();
    LEFT.fetch_sub(1, Release);
}

/// Has this CPU look at the tables again.
fn forget() {
    // SAFETY: the same tables once more.
    unsafe { asm!("mov {0}, cr3", "mov cr3, {0}", out(reg) _, options(nostack, preserves_flags)) };
}

fn locked<R>(lock: &AtomicBool, f: impl FnOnce() -> R) -> R {
    while lock.swap(true, Acquire) {
        core::hint::spin_loop();
    }
    let result = f();
    lock.store(false, Release);
    result
}

/// The physical address behind `address`.
pub fn physical(address: usize) -> u64 {
    match address {
        // The lowest 4 GiB are where they are, and the highest 2 are the lowest 2 once more.
        0..0x1_0000_0000 => address as u64,
        0xffff_ffff_8000_0000.. => address as u64 - 0xffff_ffff_8000_0000,
        // SAFETY: reads tables.
        _ => unsafe {
            entry(address, false).map_or(0, |entry| (entry.read_volatile() & !0xfff) + (address % PAGE.size()) as u64)
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
                let next = if make { memory::alloc(0, PAGE)? } else { return None };
                entry.write_volatile(next.addr().get() as u64 | 3);
            }
            table = entry.read_volatile();
        }
    }
    Some(at::<u64>((table & !0xfff) + (address >> 12 & 511) as u64 * 8))
}
