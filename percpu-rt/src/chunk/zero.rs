//! Zeroing what was used before.

#[cfg(all(target_arch = "x86_64", platform = "hosted", not(miri)))]
mod avx2;
#[cfg(all(target_arch = "x86_64", target_feature = "sse2", any(test, has_stock), not(miri)))]
mod sse2;

/// Bytes that a CPU fetches at once.
pub(crate) const LINE: usize = 64;

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
    let lines = left / LINE;
    // SAFETY: as many lines of the caller's bytes.
    unsafe { zero_lines(at, lines) };
    (at, left) = (at.wrapping_byte_add(lines * LINE), left % LINE);
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

/// As [`zero`], for what begins at a multiple of the largest power of two, up to a line, that divides its size: with a size
/// that the compiler knows, nothing but the looks is left.
///
/// # Safety
///
/// As there, and it begins so.
#[cfg(any(test, has_stock))]
#[inline(always)]
pub(crate) unsafe fn zero_aligned(start: *mut u8, bytes: usize) {
    debug_assert!(start.addr().is_multiple_of(LINE.min(1 << bytes.trailing_zeros())));
    // SAFETY: the caller's bytes, by words or lines that are aligned as the caller says.
    unsafe {
        match bytes {
            4 => clear::<u32>(start),
            16 => clear_from_first::<2>(start),
            32 => clear_from_first::<4>(start),
            LINE => clear_from_first::<{ LINE / 8 }>(start),
            8 | 24 | 40 | 48 | 56 => (0..bytes / 8).for_each(|word| clear::<u64>(start.wrapping_byte_add(8 * word))),
            _ if bytes.is_multiple_of(LINE) => zero_lines(start, bytes / LINE),
            _ => zero(start, bytes),
        }
    }
}

/// Lines that are worth a call of another function.
#[cfg(all(target_arch = "x86_64", platform = "hosted", not(miri)))]
const LINES_FOR_A_CALL: usize = 8;

/// # Safety
///
/// As [`zero`], of so many lines, and the first is aligned as such.
#[inline]
unsafe fn zero_lines(start: *mut u8, lines: usize) {
    #[cfg(all(target_arch = "x86_64", platform = "hosted", not(miri)))]
    if lines >= LINES_FOR_A_CALL && avx2::is_there() {
        // SAFETY: the caller's lines, and they are there.
        return unsafe { avx2::zero_lines(start, lines) };
    }
    for line in 0..lines {
        // SAFETY: a line of the caller's.
        unsafe { clear::<[u64; LINE / 8]>(start.wrapping_byte_add(line * LINE)) };
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

impl<const WORDS: usize> Step for [u64; WORDS] {
    const ZERO: Self = [0; WORDS];

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

/// As [`clear`], and does not look at the rest where the first word says enough: a wide load of what was just stored by words
/// has to wait for the stores.
///
/// # Safety
///
/// As there.
#[cfg(any(test, has_stock))]
#[inline(always)]
unsafe fn clear_from_first<const WORDS: usize>(at: *mut u8) {
    // SAFETY: the caller's. Volatile, or it would be made a part of the wide load.
    unsafe {
        if at.cast::<u64>().read_volatile() != 0 || !are_zero::<WORDS>(at) {
            at.cast::<[u64; WORDS]>().write([0; WORDS]);
        }
    }
}

/// Whether so many words, an even number, are zero.
///
/// # Safety
///
/// They are valid for reads, and aligned to two words.
#[cfg(any(test, has_stock))]
#[inline(always)]
unsafe fn are_zero<const WORDS: usize>(at: *mut u8) -> bool {
    // SAFETY: the caller's.
    #[cfg(all(target_arch = "x86_64", target_feature = "sse2", not(miri)))]
    return unsafe { sse2::are_zero::<WORDS>(at) };
    // SAFETY: as above.
    #[cfg(not(all(target_arch = "x86_64", target_feature = "sse2", not(miri))))]
    return unsafe { at.cast::<[u64; WORDS]>().read() }.is_zero();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_byte_anywhere_is_found() {
        #[repr(align(64))]
        struct Line([u8; 2 * LINE]);
        for bytes in (4..=2 * LINE).step_by(4) {
            for dirty in 0..bytes {
                let mut line = Line([0; 2 * LINE]);
                line.0[dirty] = 1;
                // SAFETY: within the lines, whose first is aligned as such.
                unsafe { zero_aligned(line.0.as_mut_ptr(), bytes) };
                assert_eq!(line.0, [0; 2 * LINE], "byte {dirty} of {bytes}");
            }
        }
    }

    #[test]
    fn one_byte_anywhere_in_a_large_one_is_found() {
        const LINES: usize = 10;
        #[repr(align(64))]
        struct Large([u8; LINES * LINE]);
        for begin in [0, 4, 60] {
            let mut large = Large([0; LINES * LINE]);
            for dirty in begin..LINES * LINE {
                large.0[dirty] = 1;
                // SAFETY: within the lines, from a multiple of 4 on.
                unsafe { zero(large.0[begin..].as_mut_ptr(), LINES * LINE - begin) };
                assert_eq!(large.0, [0; LINES * LINE], "byte {dirty} from {begin} on");
            }
        }
    }

    #[test]
    fn every_size_at_every_place_is_zeroed_and_nothing_else() {
        #[repr(align(64))]
        struct Lines([u8; 768]);
        impl Lines {
            fn are_zero_at(&self, range: core::ops::Range<usize>) -> bool {
                self.0.iter().enumerate().all(|(index, byte)| *byte == u8::from(!range.contains(&index)))
            }
        }
        for begin in (0..64).step_by(4) {
            for bytes in (0..=600).step_by(4) {
                let mut lines = Lines([1; 768]);
                // SAFETY: within the lines, at multiples of 4.
                unsafe { zero(lines.0.as_mut_ptr().add(begin), bytes) };
                assert!(lines.are_zero_at(begin..begin + bytes), "{begin} {bytes}");
                if bytes > 0 && begin.is_multiple_of(LINE.min(1 << bytes.trailing_zeros())) {
                    lines = Lines([1; 768]);
                    // SAFETY: as above, and aligned.
                    unsafe { zero_aligned(lines.0.as_mut_ptr().add(begin), bytes) };
                    assert!(lines.are_zero_at(begin..begin + bytes), "{begin} {bytes}, aligned");
                }
            }
        }
    }
}
