//! What guards keep: a thread on its CPU, interrupts off; and what a CPU leaves behind.

use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use percpu_rt::kernel::{InterruptGuard, Preemption, PreemptionGuard, set_preemption};
use percpu_rt::{online_cpus, per_cpu, possible_cpus, this_cpu};

use crate::acpi::Numa;
use crate::{exit, operations, smp};

/// How often this CPU's thread is not to be preempted: all that a kernel without a scheduler has to do for it.
#[per_cpu(hot)]
static DISABLED: u64 = 0;

/// An object, for its guard.
#[per_cpu]
static OBJECT: AtomicU64 = AtomicU64::new(0);

static PREEMPTION: Preemption = Preemption { disable: || DISABLED.inc(), enable: || DISABLED.dec() };

fn expect(what: &str, holds: bool) {
    if !holds {
        exit::fail(format_args!("{what}"));
    }
}

fn interrupts_are_on() -> bool {
    let flags: u64;
    // SAFETY: the stack's words are the block's own.
    unsafe { asm!("pushfq", "pop {}", out(reg) flags, options(preserves_flags)) };
    flags & 1 << 9 != 0
}

/// On the boot CPU, before the others run.
pub fn check() {
    // SAFETY: the functions count on their own CPU, and there is nobody to preempt.
    unsafe { set_preemption(&PREEMPTION) };
    let outer = PreemptionGuard::new();
    let object = OBJECT.get_cpu_var();
    expect("two guards against preemption", DISABLED.read() == 2 && object.cpu() == this_cpu());
    drop(outer);
    object.fetch_add(1, Relaxed);
    expect("the object's guard outlives the other", DISABLED.read() == 1);
    drop(object);
    expect("no guard", DISABLED.read() == 0 && OBJECT.on(this_cpu()).load(Relaxed) == 1);

    for on_before in [false, true] {
        if on_before {
            // SAFETY: descriptors are loaded, and no timer runs yet.
            unsafe { asm!("sti", options(nomem, nostack)) };
        }
        let [first, second] = [InterruptGuard::new(), InterruptGuard::new()];
        expect("interrupts are off", !interrupts_are_on());
        // In the order in which they came.
        drop(first);
        expect("interrupts stay off", !interrupts_are_on());
        drop(second);
        expect("interrupts are as they were", interrupts_are_on() == on_before);
    }
    // SAFETY: they may be off at any time.
    unsafe { asm!("cli", options(nomem, nostack)) };
}

/// Between two steps of a thread whose interrupts are on, with NMIs that do the same at any time.
pub fn check_between() {
    drop(InterruptGuard::new());
    expect("interrupts are on behind a guard", interrupts_are_on());
}

/// In an NMI.
pub fn on_nmi() {
    drop(InterruptGuard::new());
    expect("interrupts are off in an NMI", !interrupts_are_on());
}

/// When all have stopped: a CPU that goes offline keeps what it has, and its part of every sum, and finds it when it comes back.
pub fn check_offline(numa: &Numa) {
    let Some(last) = possible_cpus().next_back().filter(|last| *last != this_cpu()) else { return };
    let (sum, own, online) = (operations::STEPS.sum(), operations::STEPS.read_on(last), online_cpus().count());
    smp::stop(numa, last);
    expect("one CPU less is online", online_cpus().count() == online - 1 && online_cpus().all(|cpu| cpu != last));
    expect("its copies stay", operations::STEPS.read_on(last) == own && operations::STEPS.sum() == sum);
    smp::start_again(numa, last, own);
    expect("all are online again", online_cpus().count() == online);
}
