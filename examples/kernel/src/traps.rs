//! Descriptors of each CPU, and what interrupts it.
//!
//! Every vector has a stack of its own: code for a hosted target may use the 128 bytes below its stack pointer, and a handler
//! on the same stack would overwrite them.

use core::alloc::Layout;
use core::arch::{asm, naked_asm};
use core::cell::UnsafeCell;

use crate::apic::{FORGET_VECTOR, SPURIOUS_VECTOR, TIMER_VECTOR};
use crate::{apic, exit, memory, paging, torture};

const STACK_SIZE: usize = 16 << 10;

/// Which of a CPU's stacks: of interrupts, of NMIs, of what should not be.
const INTERRUPT_STACK: u8 = 1;
const NMI_STACK: u8 = 2;
const EXCEPTION_STACK: u8 = 3;

#[repr(C, packed(4))]
struct TaskState {
    reserved: u32,
    privileged: [u64; 3],
    reserved_too: u64,
    stacks: [u64; 7],
    rest: [u32; 4],
}

#[repr(C, align(16))]
struct Tables {
    gdt: [u64; 5],
    task: TaskState,
}

#[repr(C, packed)]
struct Pointer {
    limit: u16,
    base: u64,
}

#[repr(C, align(16))]
struct Gates(UnsafeCell<[[u64; 2]; 256]>);

// SAFETY: written by the boot CPU before any other runs.
unsafe impl Sync for Gates {}

static GATES: Gates = Gates(UnsafeCell::new([[0; 2]; 256]));

/// Loads this CPU's descriptors, and makes `wrgsbase` usable where the CPU has it.
pub fn load() {
    let zeroed = |bytes: usize, align: usize| {
        let layout = Layout::from_size_align(bytes, align).expect("small");
        memory::alloc(0, layout).unwrap_or_else(|| exit::fail(format_args!("no memory for descriptors")))
    };
    let tables = zeroed(size_of::<Tables>(), align_of::<Tables>()).cast::<Tables>();
    // SAFETY: memory of this CPU's own, zero, which is a value of the tables; then this CPU's registers, with tables that stay.
    unsafe {
        let tables = &mut *tables.as_ptr();
        let mut stacks = [0; 7];
        for stack in [INTERRUPT_STACK, NMI_STACK, EXCEPTION_STACK] {
            stacks[usize::from(stack) - 1] = (zeroed(STACK_SIZE, 16).addr().get() + STACK_SIZE) as u64;
        }
        tables.task.stacks = stacks;
        let task = (&raw const tables.task).addr() as u64;
        let limit = size_of::<TaskState>() as u64 - 1;
        let low = limit | (task & 0xff_ffff) << 16 | 0x89 << 40 | (task >> 24 & 0xff) << 56;
        tables.gdt = [0, 0x00af_9b00_0000_ffff, 0x00cf_9300_0000_ffff, low, task >> 32];
        let gdt = Pointer { limit: size_of_val(&tables.gdt) as u16 - 1, base: tables.gdt.as_ptr().addr() as u64 };
        asm!("lgdt [{}]", in(reg) &raw const gdt, options(readonly, nostack, preserves_flags));
        asm!("ltr {:x}", in(reg) 24_u16, options(nostack, preserves_flags));
        fill_gates();
        let idt = Pointer { limit: 4095, base: GATES.0.get().addr() as u64 };
        asm!("lidt [{}]", in(reg) &raw const idt, options(readonly, nostack, preserves_flags));
        if core::arch::x86_64::__cpuid_count(7, 0).ebx & 1 != 0 {
            asm!("mov {0}, cr4", "or {0}, 1 << 16", "mov cr4, {0}", out(reg) _, options(nostack));
        }
    }
}

/// # Safety
///
/// Every CPU writes the same, the boot CPU first.
unsafe fn fill_gates() {
    let gate = |handler: u64, stack: u8| {
        let low = handler & 0xffff | 8 << 16 | u64::from(stack) << 32 | 0x8e << 40 | (handler >> 16 & 0xffff) << 48;
        [low, handler >> 32]
    };
    let address = |handler: extern "C" fn()| handler as *const () as u64;
    // SAFETY: as the caller has it.
    let gates = unsafe { &mut *GATES.0.get() };
    gates.fill(gate(address(unexpected), EXCEPTION_STACK));
    gates[2] = gate(address(nmi), NMI_STACK);
    gates[usize::from(TIMER_VECTOR)] = gate(address(timer), INTERRUPT_STACK);
    gates[usize::from(FORGET_VECTOR)] = gate(address(forget), INTERRUPT_STACK);
    gates[usize::from(SPURIOUS_VECTOR)] = gate(address(spurious), INTERRUPT_STACK);
}

/// A handler that saves what a function may change, SSE's registers too, and calls one.
macro_rules! handler {
    ($name:ident calls $function:path) => {
        #[unsafe(naked)]
        extern "C" fn $name() {
            naked_asm!(
                "push rax", "push rcx", "push rdx", "push rsi", "push rdi", "push r8", "push r9", "push r10", "push r11",
                // The frame is five words, so this is aligned.
                "sub rsp, 512",
                "fxsave64 [rsp]",
                "cld",
                "lea rdi, [rsp + 512 + 72]",
                "call {}",
                "fxrstor64 [rsp]",
                "add rsp, 512",
                "pop r11", "pop r10", "pop r9", "pop r8", "pop rdi", "pop rsi", "pop rdx", "pop rcx", "pop rax",
                "iretq",
                sym $function
            )
        }
    };
}
handler!(timer calls on_timer);
handler!(forget calls on_forget);
handler!(nmi calls on_nmi);
handler!(spurious calls on_spurious);

/// Nothing comes back from here, so nothing is saved. Some exceptions push a word more, and the stack may be odd.
#[unsafe(naked)]
extern "C" fn unexpected() {
    naked_asm!("cld", "mov rdi, rsp", "and rsp, -16", "call {}", "ud2", sym on_unexpected)
}

extern "C" fn on_timer(_: *const u64) {
    torture::on_timer();
    apic::end_of_interrupt();
}

extern "C" fn on_forget(_: *const u64) {
    paging::on_forget();
    apic::end_of_interrupt();
}

extern "C" fn on_nmi(_: *const u64) {
    torture::on_nmi();
}

extern "C" fn on_spurious(_: *const u64) {}

extern "C" fn on_unexpected(frame: *const u64) {
    let address: u64;
    // SAFETY: reads a register, and the frame that the CPU has written; with an error code, it begins one word earlier.
    let words = unsafe {
        asm!("mov {}, cr2", out(reg) address, options(nomem, nostack, preserves_flags));
        core::slice::from_raw_parts(frame, 2)
    };
    exit::fail(format_args!("an exception: frame {:#x} {:#x}, cr2 {address:#x}", words[0], words[1]));
}
