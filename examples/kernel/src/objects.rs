//! Dynamic per-CPU objects: allocated on all CPUs at once, freed on others, and from interrupts.

use core::alloc::Layout;
use core::cell::Cell;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};

use percpu_rt::kernel::{balance, set_up_allocator};
use percpu_rt::{
    AllocError, AllocFlags, LocalLock, PerCpuBox, PerCpuCounter, PerCpuPtr, alloc_percpu, free_percpu, per_cpu,
    possible_cpus, reserve_atomic, stats, this_cpu,
};

use crate::acpi::MAX_CPUS;
use crate::console::println;
use crate::percpu::Frames;
use crate::{exit, memory};

/// Chunks behind the first.
const CHUNKS: usize = 64;

/// Objects that each CPU allocates.
static ROUNDS: AtomicUsize = AtomicUsize::new(0);

/// Has all CPUs together allocate `objects`.
pub fn prepare(objects: u64) {
    ROUNDS.store(objects as usize / possible_cpus().count(), SeqCst);
}

fn rounds() -> usize {
    ROUNDS.load(SeqCst)
}

/// An object of many pages.
const LARGE: Layout = Layout::new::<[u64; 4096]>();

/// Rounds of the first CPU after which pages go back to the provider.
const ROUNDS_A_BALANCE: usize = 16;

/// What the early object holds on each CPU.
const EARLY: u64 = 0x4541_524c_5900;

/// An object that was there before the other CPUs.
static EARLY_OBJECT: AtomicUsize = AtomicUsize::new(0);

/// What a CPU has for the one that takes it next: the object's address, and its words.
static SLOTS: [[AtomicUsize; 2]; MAX_CPUS] = [const { [AtomicUsize::new(0), AtomicUsize::new(0)] }; MAX_CPUS];

/// Allocations from interrupts, and those that found no place.
static SERVED: AtomicU64 = AtomicU64::new(0);
static REFUSED: AtomicU64 = AtomicU64::new(0);

/// Changed by threads and interrupts, in one way each that has interrupts off.
#[per_cpu]
static PLAIN: Cell<u64> = Cell::new(0);
#[per_cpu]
static LOCKED: LocalLock<u64> = LocalLock::new(0);

/// What each CPU has of the two.
static SUMS: [AtomicU64; 2] = [const { AtomicU64::new(0) }; 2];

/// Before the other CPUs run: the allocator, and an object that they are to find.
pub fn set_up() {
    // SAFETY: the boot CPU, once; pages as `Frames` promises them.
    if let Err(error) = unsafe { set_up_allocator(&Frames, CHUNKS) } {
        exit::fail(format_args!("the allocator: {error}"));
    }
    let object = alloc(Layout::new::<u64>(), AllocFlags::NONE);
    for cpu in possible_cpus() {
        // SAFETY: allocated above, and known here alone.
        unsafe { object.cast::<u64>().per_cpu_ptr(cpu).write(EARLY + cpu.index() as u64) };
    }
    EARLY_OBJECT.store(object.address(), SeqCst);
    if let Err(error) = reserve_atomic(16 << 10) {
        exit::fail(format_args!("a reserve: {error}"));
    }
}

fn alloc(layout: Layout, flags: AllocFlags) -> PerCpuPtr<u8> {
    alloc_percpu(layout, flags).unwrap_or_else(|error| exit::fail(format_args!("{layout:?}: {error}")))
}

/// The address of the early object, which is the first of the dynamic part.
pub fn early_address() -> usize {
    EARLY_OBJECT.load(SeqCst)
}

/// On a CPU that has just come: what was allocated before is there.
pub fn check_early() {
    let address = core::ptr::without_provenance_mut::<u64>(early_address());
    let Some(object) = PerCpuPtr::new(address) else { return };
    // SAFETY: allocated and written by the boot CPU before this one was started, and freed by nobody.
    let found = unsafe { object.this_cpu_ptr().read() };
    if found != EARLY + this_cpu().index() as u64 {
        exit::fail(format_args!("CPU {} finds {found:#x} in the early object", this_cpu()));
    }
}

/// In an interrupt: an object that is zero, used, and gone; where there are to be objects.
pub fn on_timer() {
    count();
    if rounds() == 0 {
        return;
    }
    let layout = Layout::new::<[u64; 8]>();
    match alloc_percpu(layout, AllocFlags::ATOMIC) {
        Ok(object) => {
            let words = object.cast::<[u64; 8]>().this_cpu_ptr();
            // SAFETY: allocated above, and known here alone.
            unsafe {
                if words.replace([u64::MAX; 8]) != [0; 8] {
                    exit::fail(format_args!("an atomic object is not zero"));
                }
                free_percpu(object);
            }
            SERVED.fetch_add(1, SeqCst);
        }
        Err(AllocError::AtomicExhausted { .. } | AllocError::Busy) => _ = REFUSED.fetch_add(1, SeqCst),
        Err(error) => exit::fail(format_args!("an atomic object: {error}")),
    }
}

fn count() {
    PLAIN.with_irq_off(|plain| plain.set(plain.get() + 1));
    LOCKED.with(|locked| *locked += 1);
}

/// On every CPU at once: each object is zero in every unit, keeps what it is filled with, and is freed by the next CPU.
pub fn work() {
    let own = this_cpu().index();
    let next = (own + 1) % possible_cpus().count();
    for round in 0..rounds() {
        let words = 1 + (round * 7 + own * 13) % 200;
        let layout = Layout::array::<u64>(words).unwrap_or(Layout::new::<u64>());
        let object = alloc(layout, AllocFlags::NONE).cast::<u64>();
        for cpu in possible_cpus() {
            for word in 0..words {
                // SAFETY: allocated above for as many words, and known here alone.
                unsafe {
                    let word = object.per_cpu_ptr(cpu).add(word);
                    if word.replace(object.address() as u64 ^ cpu.index() as u64) != 0 {
                        exit::fail(format_args!("object {object:?} is not zero on CPU {cpu}"));
                    }
                }
            }
        }
        // The words before the address: whoever takes the address finds them.
        let left = SLOTS[next][0].swap(0, SeqCst);
        take(left, SLOTS[next][1].load(SeqCst));
        SLOTS[next][1].store(words, SeqCst);
        SLOTS[next][0].store(object.address(), SeqCst);
        let words = SLOTS[own][1].load(SeqCst);
        take(SLOTS[own][0].swap(0, SeqCst), words);
        count();
        // As if one CPU were idle now and then, while the others go on.
        if own == 0 && round % ROUNDS_A_BALANCE == 0 {
            balance();
        }
    }
    let boxed = PerCpuBox::try_new(own as u64).unwrap_or_else(|error| exit::fail(format_args!("a box: {error}")));
    boxed.add(1);
    let counter = PerCpuCounter::try_new(0).unwrap_or_else(|error| exit::fail(format_args!("a counter: {error}")));
    (0..100).for_each(|_| counter.add(1));
    if (boxed.read(), counter.sum()) != (own as u64 + 1, 100) {
        exit::fail(format_args!("a box has {}, a counter {}", boxed.read(), counter.sum()));
    }
}

/// Checks and frees what another CPU has filled.
fn take(address: usize, words: usize) {
    let Some(object) = PerCpuPtr::new(core::ptr::without_provenance_mut::<u64>(address)) else { return };
    for cpu in possible_cpus() {
        // SAFETY: whoever has put it into the slot has given it away; its first word is there in any case.
        let word = unsafe { object.per_cpu_ptr(cpu).read() };
        if word != address as u64 ^ cpu.index() as u64 {
            exit::fail(format_args!("object {object:?} of {words} words has {word:#x} on CPU {cpu}"));
        }
    }
    // SAFETY: as above, and nobody knows it any more.
    unsafe { free_percpu(object.cast()) };
}

/// On each CPU, behind its last interrupt: what nobody else can reach.
pub fn hand_in() {
    SUMS[0].fetch_add(PLAIN.with_irq_off(Cell::get), SeqCst);
    SUMS[1].fetch_add(LOCKED.with(|locked| *locked), SeqCst);
}

/// When all CPUs have stopped.
pub fn verify(ticks: u64) {
    for slot in &SLOTS {
        take(slot[0].swap(0, SeqCst), slot[1].load(SeqCst));
    }
    let cpus = possible_cpus().count();
    let counts = ticks + (cpus * rounds()) as u64;
    let [plain, locked] = SUMS.each_ref().map(|sum| sum.load(SeqCst));
    if (plain, locked) != (counts, counts) {
        exit::fail(format_args!("{plain} with interrupts off, {locked} in a lock, should be {counts}"));
    }
    let before = stats();
    balance();
    let after = stats();
    println!(
        "objects: {} allocated, {} live, {} chunks at the most; {} bytes populated, {} when balanced",
        before.nr_alloc, before.nr_cur_alloc, before.nr_max_chunks, before.populated_bytes, after.populated_bytes
    );
    // SAFETY: allocated in this line, and known here alone.
    unsafe { free_percpu(alloc(LARGE, AllocFlags::NONE)) };
    let populated = stats().populated_bytes;
    balance();
    if stats().populated_bytes >= populated {
        exit::fail(format_args!("{populated} bytes populated, and no less when balanced"));
    }
    println!("pages: {} came back", memory::pages_that_came_back());
    println!("from interrupts: {} served, {} refused", SERVED.load(SeqCst), REFUSED.load(SeqCst));
    if before.nr_cur_alloc != 1 {
        exit::fail(format_args!("{} objects live, and not the early one alone", before.nr_cur_alloc));
    }
}
