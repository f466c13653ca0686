//! The base of `gs`: the offset of the CPU, or a poison before there is one.

use core::arch::asm;

/// `CR4.LA57`: addresses of 57 bits, and not 48.
const CR4_LA57: u64 = 1 << 12;

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
    // SAFETY: in ring 0 (the caller).
    if unsafe { cr4() } & CR4_FSGSBASE != 0 {
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

/// # Safety
///
/// In ring 0.
unsafe fn cr4() -> u64 {
    let cr4: u64;
    // SAFETY: in ring 0 (the caller).
    unsafe { asm!("mov {}, cr4", out(reg) cr4, options(nomem, nostack, preserves_flags)) };
    cr4
}

/// Bits of an address that count: the others are as the highest of these, or it is not canonical.
///
/// # Safety
///
/// In ring 0, but for tests.
pub(crate) unsafe fn address_bits() -> u32 {
    // SAFETY: in ring 0 (the caller).
    if cfg!(not(test)) && unsafe { cr4() } & CR4_LA57 != 0 { 57 } else { 48 }
}

/// Whether `address` is canonical.
pub(crate) fn is_canonical(address: u64, bits: u32) -> bool {
    let unused = u64::BITS - bits;
    (address << unused).cast_signed() >> unused == address.cast_signed()
}

/// A canonical address which the addition of `template` makes non-canonical.
pub(crate) fn poison(template: u64, bits: u32) -> u64 {
    // A low address is carried past the end of the lower half, a high one falls below the begin of the upper.
    let half = 1 << (bits - 1);
    if template >> 63 == 0 { half - 4096 } else { half.wrapping_neg() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_poison_can_be_a_base_and_its_sums_cannot_be_addresses() {
        for bits in [48, 57] {
            for template in [0x20_0000, 0x7fff_f000, 0xffff_ffff_8020_0000] {
                let poison = poison(template, bits);
                assert!(is_canonical(template, bits) && is_canonical(poison, bits));
                for within in [0, 4095, 1 << 20] {
                    assert!(!is_canonical(poison.wrapping_add(template + within), bits), "{template:#x}, {bits} bits");
                }
            }
        }
    }
}
