//! Which CPU the thread runs on, and which thread it is.

use core::arch::asm;

use super::super::{MAX_CPUS, ORPHAN_SLOT};
use super::entry::rseq_offset;

/// The table index of the running thread's unit, true at a moment inside the call; the orphan's for a thread
/// without a registration.
///
/// Two loads and a compare. Faults before set-up.
#[inline(always)]
pub(crate) fn current_cpu() -> usize {
    let cpu: u32;
    // SAFETY: after set-up `fs:[rseq_offset]` is the thread's `struct rseq` or the stand-in with a negative
    // number; before it the address is not canonical and the load faults. Not `pure`: the number changes.
    unsafe {
        asm!(
            "mov {cpu:e}, dword ptr fs:[{rseq} + 4]",
            cpu = out(reg) cpu,
            rseq = in(reg) rseq_offset(),
            options(nostack, readonly, preserves_flags)
        );
    }
    // A negative number becomes a large one.
    let cpu = cpu as usize;
    if cpu < MAX_CPUS { cpu } else { ORPHAN_SLOT }
}

/// A number that no other live thread of the process has: its thread pointer.
#[inline(always)]
pub(crate) fn thread_pointer() -> usize {
    let pointer;
    // SAFETY: the first word at the thread pointer is the pointer itself, by the psABI.
    unsafe {
        asm!("mov {pointer}, qword ptr fs:[0]", pointer = out(reg) pointer, options(pure, nomem, nostack, preserves_flags));
    }
    pointer
}
