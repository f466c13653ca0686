//! The other CPUs, one after the other: INIT, SIPI, and wait until it is there.

use core::alloc::Layout;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};

use percpu_rt::kernel::{install, poison, set_online};
use percpu_rt::{CpuId, online_cpus};

use crate::acpi::Numa;
use crate::boot::TRAMPOLINE;
use crate::console::println;
use crate::machine::at;
use crate::{apic, exit, guards, memory, modules, objects, operations, percpu, torture, traps};

/// The stack of the CPU that is being started, and its number.
pub static STACK: AtomicUsize = AtomicUsize::new(0);
static NUMBER: AtomicUsize = AtomicUsize::new(0);

/// Steps that it has to find in its unit.
static STEPS: AtomicU64 = AtomicU64::new(0);

/// CPUs that run.
static RUNNING: AtomicUsize = AtomicUsize::new(0);

const STACK_SIZE: usize = 32 << 10;

unsafe extern "C" {
    static trampoline_start: u8;
    static trampoline_end: u8;
}

/// The CPU that uses a variable before it has installed its unit, to see what comes of it; usually none.
static EARLY: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Makes this CPU the one with this number: descriptors, its unit, its APIC.
fn join(number: usize) {
    traps::load();
    if number == EARLY.load(SeqCst) {
        operations::STEPS.inc();
        exit::fail(format_args!("CPU {number} has changed a variable before it had one"));
    }
    let Some(cpu) = CpuId::new(number) else { exit::fail(format_args!("CPU {number} is not possible")) };
    // SAFETY: in ring 0; `gs` is nobody else's, each CPU has a number of its own, and NMIs use words alone.
    unsafe { install(cpu) };
    percpu::check_copies(STEPS.load(SeqCst));
    objects::check_early();
    modules::check_here();
    apic::enable();
    RUNNING.fetch_add(1, SeqCst);
}

/// Starts all CPUs; this is the first. The one with the number `early` is to be too early.
pub fn start_all(numa: &Numa, early: Option<u64>) {
    EARLY.store(early.map_or(usize::MAX, |early| early as usize), SeqCst);
    let boot = apic::id();
    let number_of = |apic: u8| numa.cpus().iter().position(|cpu| cpu.apic == apic);
    join(number_of(boot).unwrap_or(0));
    guards::check();
    objects::set_up();
    let modules = modules::load();
    // SAFETY: the trampoline's bytes, to a page that nobody uses.
    unsafe {
        let start = &raw const trampoline_start;
        let bytes = (&raw const trampoline_end).addr() - start.addr();
        core::ptr::copy_nonoverlapping(start, at::<u8>(TRAMPOLINE as u64), bytes);
    }
    for (number, _) in numa.cpus().iter().enumerate().filter(|(_, cpu)| cpu.apic != boot) {
        start(numa, number, 0);
    }
    println!("{} CPUs, {} online", numa.cpus().len(), online_cpus().count());
    modules::unload(modules);
}

/// Starts a CPU, which has to find so many steps in its unit.
fn start(numa: &Numa, number: usize, steps: u64) {
    let cpu = numa.cpus()[number];
    let layout = Layout::from_size_align(STACK_SIZE, 16).expect("a stack");
    let Some(stack) = memory::alloc(cpu.node, layout) else { exit::fail(format_args!("no stack")) };
    STEPS.store(steps, SeqCst);
    STACK.store(stack.addr().get() + STACK_SIZE, SeqCst);
    NUMBER.store(number, SeqCst);
    let before = RUNNING.load(SeqCst);
    apic::send_init(cpu.apic);
    // Twice, as Intel has it (SDM vol. 3, "MP initialization"): one that runs already takes no notice.
    for _ in 0..2 {
        apic::send_start(cpu.apic, (TRAMPOLINE >> 12) as u8);
    }
    while RUNNING.load(SeqCst) == before {
        core::hint::spin_loop();
    }
}

/// Stops a CPU that sleeps.
pub fn stop(numa: &Numa, cpu: CpuId) {
    set_online(cpu, false);
    RUNNING.fetch_sub(1, SeqCst);
    apic::send_init(numa.cpus()[cpu.index()].apic);
}

/// Starts a CPU again, which has to find so many steps in its unit.
pub fn start_again(numa: &Numa, cpu: CpuId, steps: u64) {
    start(numa, cpu.index(), steps);
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
