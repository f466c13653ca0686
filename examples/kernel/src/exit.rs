//! The end of the machine.

use core::arch::asm;
use core::fmt;

use crate::console::println;

/// The port of QEMU's `isa-debug-exit`: it ends with twice the value, plus one.
const PORT: u16 = 0xf4;

/// Ends the machine with status 33.
pub fn succeed() -> ! {
    end(0x10)
}

/// Says what is wrong, and ends the machine with status 35.
pub fn fail(why: fmt::Arguments<'_>) -> ! {
    println!("FAILED: {why}");
    end(0x11)
}

fn end(status: u32) -> ! {
    loop {
        // SAFETY: the device ends the machine; without it, the CPU sleeps.
        unsafe { asm!("out dx, eax", "cli", "hlt", in("dx") PORT, in("eax") status, options(nomem, nostack)) };
    }
}
