//! Zeroing what was used before.

/// Makes `bytes` bytes at `start` zero, and writes only where they are not: a line that is only read stays shared
/// between CPUs, and a page that nothing was written to is not backed by it.
///
/// # Safety
///
/// The bytes are readable, writable, nobody else's, and `start` and `bytes` multiples of 4.
#[inline]
pub(super) unsafe fn zero(start: *mut u8, bytes: usize) {
    let words = start.cast::<u32>();
    let mut at = 0;
    let count = bytes / 4;
    // Up to a line's end, then line by line.
    const LINE: usize = 64 / 4;
    while at < count {
        let to_line = LINE - (start.addr() / 4 + at) % LINE;
        let end = count.min(at + to_line);
        let mut any = 0;
        for index in at..end {
            // SAFETY: within the caller's bytes, aligned to 4.
            any |= unsafe { words.add(index).read() };
        }
        if any != 0 {
            // SAFETY: as above.
            unsafe { words.add(at).write_bytes(0, end - at) };
        }
        at = end;
    }
}
