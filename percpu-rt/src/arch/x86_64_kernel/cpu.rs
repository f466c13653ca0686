//! Which CPU this is.

use core::arch::asm;

/// The table index of this CPU's unit. One load; a fault before the CPU has its base.
#[inline(always)]
pub(crate) fn current_cpu() -> usize {
    let cpu: u32;
    // SAFETY: reads this CPU's copy of a word that set-up has written. Not `pure`: the thread may be moved.
    unsafe {
        asm!(
            "mov {cpu:e}, dword ptr gs:[rip + __percpu_cpu_number]",
            cpu = out(reg) cpu,
            options(nostack, readonly, preserves_flags)
        );
    }
    cpu as usize
}

/// Who holds a lock with interrupts off: this CPU. Never 0.
#[inline(always)]
pub(crate) fn thread_pointer() -> usize {
    current_cpu() + 1
}
