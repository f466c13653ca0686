//! The local APIC of each CPU: its number, its timer, interrupts to others (Intel SDM vol. 3, chapter 11).

use core::arch::asm;

use crate::machine::at;

const BASE: u64 = 0xfee0_0000;
const ID: u64 = 0x20;
const END_OF_INTERRUPT: u64 = 0xb0;
const SPURIOUS: u64 = 0xf0;
const COMMAND: u64 = 0x300;
const COMMAND_TARGET: u64 = 0x310;
const TIMER: u64 = 0x320;
const TIMER_START: u64 = 0x380;
const TIMER_DIVIDE: u64 = 0x3e0;

/// The vectors of the timer, of [`paging`](crate::paging), and of interrupts that are none.
pub const TIMER_VECTOR: u8 = 32;
pub const FORGET_VECTOR: u8 = 33;
pub const SPURIOUS_VECTOR: u8 = 255;

fn write(register: u64, value: u32) {
    // SAFETY: a register of this CPU's APIC.
    unsafe { at::<u32>(BASE + register).write_volatile(value) };
}

fn read(register: u64) -> u32 {
    // SAFETY: likewise.
    unsafe { at::<u32>(BASE + register).read_volatile() }
}

/// The number of this CPU's APIC.
pub fn id() -> u8 {
    (read(ID) >> 24) as u8
}

/// Turns this CPU's APIC on.
pub fn enable() {
    write(SPURIOUS, 0x100 | u32::from(SPURIOUS_VECTOR));
}

/// Has the timer interrupt this CPU every `ticks` of the bus.
pub fn start_timer(ticks: u32) {
    write(TIMER_DIVIDE, 0b1011);
    write(TIMER, 1 << 17 | u32::from(TIMER_VECTOR));
    write(TIMER_START, ticks);
}

pub fn stop_timer() {
    write(TIMER, 1 << 16);
    write(TIMER_START, 0);
}

pub fn end_of_interrupt() {
    write(END_OF_INTERRUPT, 0);
}

fn command(target: u8, command: u32) {
    write(COMMAND_TARGET, u32::from(target) << 24);
    write(COMMAND, command);
    while read(COMMAND) & 1 << 12 != 0 {
        core::hint::spin_loop();
    }
}

/// Resets a CPU.
pub fn send_init(target: u8) {
    command(target, 0x4500);
}

/// Starts a CPU at a page below 1 MiB.
pub fn send_start(target: u8, page: u8) {
    command(target, 0x4600 | u32::from(page));
}

/// Sends an NMI to all other CPUs.
pub fn send_nmis() {
    command(0, 0xc4400);
}

/// Interrupts all other CPUs.
pub fn send_to_others(vector: u8) {
    command(0, 0xc4000 | u32::from(vector));
}

/// Turns off the interrupt controllers of the first PC: firmware leaves a timer running there.
pub fn mask_legacy() {
    for port in [0x21_u16, 0xa1] {
        // SAFETY: the mask of each.
        unsafe { asm!("out dx, al", in("dx") port, in("al") 0xff_u8, options(nomem, nostack, preserves_flags)) };
    }
}
