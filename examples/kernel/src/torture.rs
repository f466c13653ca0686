//! Every CPU changes its copies by every operation, while its timer and NMIs do the same.

use core::arch::asm;
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};

use percpu_rt::kernel::balance;
use percpu_rt::{per_cpu, possible_cpus};

use crate::console::println;
use crate::machine::Machine;
use crate::{apic, exit, guards, objects, operations, paging, smp, wide};

/// Steps of each CPU.
static STEPS: AtomicU64 = AtomicU64::new(0);

/// Bus ticks between two interrupts of a CPU.
static PERIOD: AtomicU64 = AtomicU64::new(0);

static HAS_BEGUN: AtomicBool = AtomicBool::new(false);
static AWAKE: AtomicUsize = AtomicUsize::new(0);
static DONE: AtomicUsize = AtomicUsize::new(0);

/// Interrupts of each CPU.
#[per_cpu(hot)]
static TIMER_TICKS: u64 = 0;
#[per_cpu(hot)]
static NMIS: u64 = 0;

/// Who does a step: the thread of a CPU, its timer, its NMIs.
const THREAD: u32 = 0;
const TIMER: u32 = 1;
const NMI: u32 = 2;

/// Steps between two NMIs to all others.
const STEPS_AN_NMI: u64 = 500;

pub fn on_timer() {
    operations::step(TIMER, true, TIMER_TICKS.fetch_add(1));
    operations::torn_step();
    wide::step();
    objects::on_timer();
}

pub fn on_nmi() {
    operations::step(NMI, true, NMIS.fetch_add(1));
    operations::torn_step();
    wide::step();
    guards::on_nmi();
}

/// Runs on all CPUs; `steps` in the command line are those of all together, and so are `objects`.
pub fn run(machine: &Machine) {
    let steps = machine.number("steps").unwrap_or(400_000);
    let cpus = smp::running() as u64;
    STEPS.store(steps / cpus, SeqCst);
    PERIOD.store(machine.number("period").unwrap_or(200_000 * cpus.div_ceil(4)), SeqCst);
    objects::prepare(machine.number("objects").unwrap_or(8000));
    HAS_BEGUN.store(true, SeqCst);
    // Again and again: one that was about to sleep has not felt the first.
    while AWAKE.load(SeqCst) < cpus as usize - 1 {
        wake();
    }
    work(true);
    while DONE.load(SeqCst) < cpus as usize {
        balance();
    }
    // The last NMIs may be on their way still.
    paging::forget_on_all_cpus();
    verify(steps / cpus * cpus);
}

/// What the other CPUs do: sleep until it begins, work, and sleep again, with interrupts on.
pub fn take_part() -> ! {
    while !HAS_BEGUN.load(SeqCst) {
        sleep();
    }
    AWAKE.fetch_add(1, SeqCst);
    // One that comes back finds all done.
    if DONE.load(SeqCst) < smp::running() {
        work(false);
    }
    loop {
        // SAFETY: descriptors are loaded. Nothing is to come but what other CPUs ask.
        unsafe { asm!("sti", "hlt", options(nomem, nostack)) };
    }
}

/// An NMI ends the sleep.
fn sleep() {
    // SAFETY: interrupts are off, and stay so.
    unsafe { asm!("hlt", options(nomem, nostack)) };
}

fn wake() {
    apic::send_nmis();
}

fn work(sends: bool) {
    apic::start_timer(PERIOD.load(SeqCst) as u32);
    // SAFETY: this CPU's descriptors are loaded, and its unit is installed.
    unsafe { asm!("sti", options(nomem, nostack)) };
    objects::work();
    for number in 0..STEPS.load(SeqCst) {
        operations::step(THREAD, true, number);
        operations::torn_step();
        wide::step();
        guards::check_between();
        if sends && number % STEPS_AN_NMI == 0 {
            apic::send_nmis();
        }
    }
    // What is on its way comes before interrupts are off.
    apic::stop_timer();
    objects::hand_in();
    DONE.fetch_add(1, SeqCst);
}

fn verify(steps: u64) {
    let (ticks, nmis) = (TIMER_TICKS.sum(), NMIS.sum());
    for cpu in possible_cpus() {
        println!("cpu {cpu} count {}", operations::STEPS.read_on(cpu));
    }
    let total = operations::STEPS.sum();
    println!("total {total} true {}", steps + ticks + nmis);
    println!("{} kinds of operations, each once a step", operations::OPERATIONS.len());
    println!("{ticks} timer interrupts, {nmis} NMIs, control lost {}", operations::lost(total));
    if total != steps + ticks + nmis {
        exit::fail(format_args!("steps are lost"));
    }
    if let Err((name, is, should)) = operations::verify() {
        exit::fail(format_args!("{name}: {is}, should be {should}"));
    }
    wide::verify(total);
    objects::verify(ticks);
}
