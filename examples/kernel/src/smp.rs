//! The other CPUs, one after the other: INIT, SIPI, and wait until it is there.

use core::alloc::Layout;
use core::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use percpu_rt::kernel::{install, poison};
use percpu_rt::{CpuId, online_cpus};

use crate::acpi::Numa;
use crate::boot::TRAMPOLINE;
use crate::console::println;
use crate::machine::at;
use crate::{apic, exit, guards, memory, objects, percpu, torture, traps};

/// The stack of the CPU that is being started, and its number.
pub static STACK: AtomicUsize = AtomicUsize::new(0);
static NUMBER: AtomicUsize = AtomicUsize::new(0);

/// CPUs that run.
static RUNNING: AtomicUsize = AtomicUsize::new(0);

const STACK_SIZE: usize = 32 << 10;

unsafe extern "C" {
    static trampoline_start: u8;
    static trampoline_end: u8;
}

/// Makes this CPU the one with this number: descriptors, its unit, its APIC.
fn join(number: usize) {
    traps::load();
    let Some(cpu) = CpuId::new(number) else { exit::fail(format_args!("CPU {number} is not possible")) };
    // SAFETY: in ring 0; `gs` is nobody else's, each CPU has a number of its own, and NMIs use words alone.
    unsafe { install(cpu) };
    percpu::check_copies();
    objects::check_early();
    apic::enable();
    RUNNING.fetch_add(1, SeqCst);
}

/// Starts all CPUs; this is the first.
pub fn start_all(numa: &Numa) {
    let boot = apic::id();
    let number_of = |apic: u8| numa.cpus().iter().position(|cpu| cpu.apic == apic);
    join(number_of(boot).unwrap_or(0));
    guards::check();
    objects::set_up();
    // SAFETY: the trampoline's bytes, to a page that nobody uses.
    unsafe {
        let start = &raw const trampoline_start;
        let bytes = (&raw const trampoline_end).addr() - start.addr();
        core::ptr::copy_nonoverlapping(start, at::<u8>(TRAMPOLINE as u64), bytes);
    }
    for (number, cpu) in numa.cpus().iter().enumerate().filter(|(_, cpu)| cpu.apic != boot) {
        let layout = Layout::from_size_align(STACK_SIZE, 16).expect("a stack");
        let Some(stack) = memory::alloc(cpu.node, layout) else { exit::fail(format_args!("no stack")) };
        STACK.store(stack.addr().get() + STACK_SIZE, SeqCst);
        NUMBER.store(number, SeqCst);
        let before = RUNNING.load(SeqCst);
        apic::send_init(cpu.apic);
        apic::send_start(cpu.apic, (TRAMPOLINE >> 12) as u8);
        while RUNNING.load(SeqCst) == before {
            core::hint::spin_loop();
        }
    }
    println!("{} CPUs, {} online", numa.cpus().len(), online_cpus().count());
}

/// The first function of the other CPUs.
pub extern "C" fn other() -> ! {
    // SAFETY: this CPU's base, before anything that could use it.
    unsafe { poison() };
    join(NUMBER.load(SeqCst));
    torture::take_part()
}

/// CPUs that run.
pub fn running() -> usize {
    RUNNING.load(SeqCst)
}
