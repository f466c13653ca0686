//! Zeroing what was used before.

/// Bytes that a CPU fetches at once.
const LINE: usize = 64;

/// Makes `bytes` bytes at `start` zero, and writes only where they are not: a line that is only read stays shared
/// between CPUs, and a page that nothing was written to is not backed by it.
///
/// # Safety
///
/// The bytes are readable, writable, nobody else's, and `start` and `bytes` multiples of 4.
#[inline]
pub(super) unsafe fn zero(start: *mut u8, bytes: usize) {
    let mut at = start;
    let mut left = bytes;
    // Steps of 4 to a multiple of 8, of 8 to a line, of lines, and back down.
    if left >= 4 && !at.addr().is_multiple_of(8) {
        // SAFETY: four of the caller's bytes.
        unsafe { clear::<u32>(at) };
        (at, left) = (at.wrapping_byte_add(4), left - 4);
    }
    while left >= 8 && (left < LINE || !at.addr().is_multiple_of(LINE)) {
        // SAFETY: eight of the caller's bytes, aligned by the step above.
        unsafe { clear::<u64>(at) };
        (at, left) = (at.wrapping_byte_add(8), left - 8);
    }
    while left >= LINE {
        // SAFETY: a line of the caller's bytes.
        unsafe { clear::<[u64; LINE / 8]>(at) };
        (at, left) = (at.wrapping_byte_add(LINE), left - LINE);
    }
    while left >= 8 {
        // SAFETY: as in the second step.
        unsafe { clear::<u64>(at) };
        (at, left) = (at.wrapping_byte_add(8), left - 8);
    }
    if left >= 4 {
        // SAFETY: as in the first step.
        unsafe { clear::<u32>(at) };
    }
}

/// What is looked at, and written, at once.
trait Step: Copy {
    const ZERO: Self;

    fn is_zero(self) -> bool;
}

impl Step for u32 {
    const ZERO: Self = 0;

    #[inline(always)]
    fn is_zero(self) -> bool {
        self == 0
    }
}

impl Step for u64 {
    const ZERO: Self = 0;

    #[inline(always)]
    fn is_zero(self) -> bool {
        self == 0
    }
}

impl Step for [u64; LINE / 8] {
    const ZERO: Self = [0; LINE / 8];

    #[inline(always)]
    fn is_zero(self) -> bool {
        self.iter().fold(0, |all, word| all | word) == 0
    }
}

/// # Safety
///
/// `at` is valid for reads and writes of a `T`, and aligned.
#[inline(always)]
unsafe fn clear<T: Step>(at: *mut u8) {
    let at = at.cast::<T>();
    // SAFETY: the caller's.
    unsafe {
        if !at.read().is_zero() {
            at.write(T::ZERO);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_at_every_place_is_zeroed_and_nothing_else() {
        #[repr(align(64))]
        struct Lines([u8; 256]);
        for begin in (0..64).step_by(4) {
            for bytes in (0..=160).step_by(4) {
                let mut lines = Lines([1; 256]);
                // SAFETY: within the lines, at multiples of 4.
                unsafe { zero(lines.0.as_mut_ptr().add(begin), bytes) };
                let expected = |index: usize| u8::from(!(begin..begin + bytes).contains(&index));
                assert!(lines.0.iter().enumerate().all(|(index, byte)| *byte == expected(index)), "{begin} {bytes}");
            }
        }
    }
}
