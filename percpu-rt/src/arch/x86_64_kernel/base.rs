//! The base of `gs`: the offset of the CPU, or a poison before there is one.

use core::arch::asm;

/// `CR4.FSGSBASE`: `wrgsbase` may be used.
const CR4_FSGSBASE: u64 = 1 << 16;

/// The base of `gs` where the instruction may not be used (Intel SDM vol. 4, `IA32_GS_BASE`).
const MSR_GS_BASE: u32 = 0xc000_0101;

/// Writes the base. One that is not canonical is a general protection fault.
///
/// # Safety
///
/// In ring 0; `gs` is used by per-CPU variables alone.
pub(crate) unsafe fn set(base: u64) {
    let cr4: u64;
    // SAFETY: in ring 0 (the caller).
    unsafe { asm!("mov {}, cr4", out(reg) cr4, options(nomem, nostack, preserves_flags)) };
    if cr4 & CR4_FSGSBASE != 0 {
        // SAFETY: the CPU has the instruction, since the bit can be set.
        unsafe { asm!("wrgsbase {}", in(reg) base, options(nostack, preserves_flags)) };
    } else {
        // SAFETY: in ring 0, a register of every x86-64 CPU.
        unsafe {
            asm!(
                "wrmsr",
                in("ecx") MSR_GS_BASE,
                in("eax") base as u32,
                in("edx") (base >> 32) as u32,
                options(nostack, preserves_flags)
            );
        }
    }
}

/// A canonical address which the addition of `template` makes non-canonical.
pub(crate) fn poison(template: u64) -> u64 {
    // The sum's upper 17 bits are not alike: a low address is carried past the lower half, a high one falls below the upper.
    if template >> 63 == 0 { 0x7fff_ffff_f000 } else { 0xffff_8000_0000_0000 }
}
