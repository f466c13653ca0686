//! A CPU's base, and which CPUs run.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::arch::{self, MAX_CPUS};
use crate::area::template;
use crate::cpu::{Bits, CpuId, per_cpu_offset};

/// One bit a CPU that runs.
static ONLINE: [AtomicU64; MAX_CPUS / 64] = [const { AtomicU64::new(0) }; MAX_CPUS / 64];

/// Makes every access to a per-CPU static on this CPU a general protection fault, until [`install`].
///
/// To be called first on each CPU: with the base that the CPU comes with, 0, an access would find the template. Dynamic objects in
/// further chunks lie elsewhere, and are not covered: see [`set_up_allocator`](super::set_up_allocator).
///
/// Context: any CPU, before [`install`]. Costs a write to a register.
///
/// # Safety
///
/// In ring 0, and `gs` is used by per-CPU variables alone.
pub unsafe fn poison() {
    // SAFETY: the caller's; the poison is canonical.
    unsafe { arch::base::set(arch::base::poison(template::start().addr() as u64, arch::base::address_bits())) };
}

/// Makes this CPU the one that uses the unit of `cpu`, and counts it as online.
///
/// Context: this CPU alone, behind [`setup_per_cpu_areas`](super::setup_per_cpu_areas). Costs a write to a register. Linux:
/// `cpu_init` (arch/x86/kernel/cpu/common.c).
///
/// # Safety
///
/// - In ring 0. `gs` is used by per-CPU variables alone: an entry from a place where it has another base sets this one before, by
///   `swapgs` say.
/// - No other CPU has this unit, at any time.
/// - What interrupts this CPU although its interrupts are off (NMIs, machine checks, debug exceptions) uses words and shared
///   references to `Sync` objects, and no [`with_irq_off`](crate::PerCpu::with_irq_off).
/// - Nobody but the guards of this crate turns interrupts on while one of them lives, and they are not interleaved with what else saves
///   and restores the flag: a closure in which another scheme has interrupts off ends with the guards that it began with.
/// - Nobody switches threads while an [`InterruptGuard`](super::InterruptGuard) lives, as in [`with_irq_off`](crate::PerCpu::with_irq_off) and
///   while a `LocalLock` is held.
pub unsafe fn install(cpu: CpuId) {
    // SAFETY: the caller's. Set-up has looked whether the offset is canonical.
    unsafe { arch::base::set(per_cpu_offset(cpu).cast_unsigned() as u64) };
    set_online(cpu, true);
}

/// Notes whether a CPU runs: [`online_cpus`](crate::online_cpus) yields those that do. Its unit stays as it is.
///
/// Context: any. Linux: `set_cpu_online`.
#[doc(alias = "set_cpu_online")]
pub fn set_online(cpu: CpuId, is_online: bool) {
    let (word, bit) = (&ONLINE[cpu.index() / 64], 1 << (cpu.index() % 64));
    if is_online {
        word.fetch_or(bit, Relaxed)
    } else {
        word.fetch_and(!bit, Relaxed)
    };
}

/// The CPUs that run.
pub(crate) fn online() -> Option<Bits> {
    let mut online = Bits::EMPTY;
    for cpu in (0..MAX_CPUS).filter(|cpu| ONLINE[cpu / 64].load(Relaxed) >> (cpu % 64) & 1 == 1) {
        online.insert(cpu, cpu);
    }
    Some(online)
}
