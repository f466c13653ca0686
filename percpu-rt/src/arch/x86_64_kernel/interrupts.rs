//! This CPU's interrupts: off, for as long as somebody wants them off.

use core::arch::asm;

use super::entry::interrupt_state;

/// `RFLAGS.IF`.
const IF: u64 = 1 << 9;

/// Turns interrupts off once more; in ring 0, where a base was installed.
#[inline]
pub(crate) fn enter() {
    let flags: u64;
    // SAFETY: in ring 0, where alone a base is installed. The stack's words are the block's own; memory is left to be clobbered, so
    // that no access moves across.
    unsafe { asm!("pushfq", "pop {}", "cli", out(reg) flags, options(preserves_flags)) };
    // Only this CPU is here, and what comes in all the same leaves the words as it has found them.
    let state = interrupt_state();
    // SAFETY: this CPU's own words (see above).
    unsafe {
        if (*state).depth == 0 {
            (*state).were_on = flags & IF != 0;
        }
        (*state).depth += 1;
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
    // SAFETY: as in `enter`; interrupts are off.
    let turn_on = unsafe {
        (*state).depth -= 1;
        (*state).depth == 0 && (*state).were_on
    };
    if turn_on {
        // SAFETY: they were on before the first.
        unsafe { asm!("sti", options(nostack, preserves_flags)) };
    }
}
