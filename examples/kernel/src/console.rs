//! The serial line.

use core::arch::asm;
use core::fmt::{self, Write};
use core::sync::atomic::{AtomicBool, Ordering};

const PORT: u16 = 0x3f8;

/// One line at a time.
static TAKEN: AtomicBool = AtomicBool::new(false);

struct Serial;

impl Write for Serial {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            // SAFETY: a serial port's data register; QEMU's is always ready.
            unsafe { asm!("out dx, al", in("dx") PORT, in("al") byte, options(nomem, nostack, preserves_flags)) };
        }
        Ok(())
    }
}

/// Prints.
pub fn print(text: fmt::Arguments<'_>) {
    while TAKEN.swap(true, Ordering::Acquire) {
        core::hint::spin_loop();
    }
    let _ = Serial.write_fmt(text);
    TAKEN.store(false, Ordering::Release);
}

/// Prints a line.
macro_rules! println {
    ($($text:tt)*) => { $crate::console::print(format_args!("{}\n", format_args!($($text)*))) };
}
pub(crate) use println;
