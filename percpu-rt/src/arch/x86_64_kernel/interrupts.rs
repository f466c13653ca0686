//! This CPU's interrupts: off, for as long as somebody wants them off.

use core::arch::asm;
use core::sync::atomic::Ordering::{Relaxed, SeqCst};
use core::sync::atomic::compiler_fence;

use super::entry::interrupt_state;

/// `RFLAGS.IF`.
const IF: u64 = 1 << 9;

/// Turns interrupts off once more; in ring 0, where a base was installed.
///
/// An NMI may come between any two steps and do the same in full. It finds a depth of 0 or more and leaves that as it was, but
/// at depth 0 it writes `were_on`: so that is written once the depth is 1, and read while it still is.
#[inline]
pub(crate) fn enter() {
    let flags: u64;
    // SAFETY: in ring 0, where alone a base is installed. The stack's words are the block's own; memory is left to be clobbered, so
    // that no access moves across.
    unsafe { asm!("pushfq", "pop {}", "cli", out(reg) flags, options(preserves_flags)) };
    let state = interrupt_state();
    let depth = state.depth.load(Relaxed);
    state.depth.store(depth + 1, Relaxed);
    compiler_fence(SeqCst);
    if depth == 0 {
        state.were_on.store(flags & IF != 0, Relaxed);
    }
}

/// Takes one [`enter`] back; interrupts are as they were before the first, with the last.
///
/// # Safety
///
/// It is the caller's, and was on this CPU.
#[inline]
pub(crate) unsafe fn leave() {
    let state = interrupt_state();
    let depth = state.depth.load(Relaxed);
    debug_assert!(depth > 0, "a guard of another CPU's");
    let turn_on = depth == 1 && state.were_on.load(Relaxed);
    compiler_fence(SeqCst);
    state.depth.store(depth - 1, Relaxed);
    if turn_on {
        // SAFETY: they were on before the first.
        unsafe { asm!("sti", options(nostack, preserves_flags)) };
    }
}
