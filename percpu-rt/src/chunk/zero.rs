//! Zeroing what was used before.

#[cfg(all(target_arch = "x86_64", platform = "hosted", not(miri)))]
mod avx2;
mod long;
#[cfg(all(target_arch = "x86_64", target_feature = "sse2", not(miri)))]
mod sse2;

/// Bytes that a CPU fetches at once.
pub(crate) const LINE: usize = 64;

/// Makes `bytes` bytes of each of `count` copies zero, and writes only where they are not, or within a line's length of it: a line that is
/// only read stays shared between CPUs, and a page that nothing was written to is not backed by it.
///
/// The size says once for all copies how they are looked at; and since the looks of a copy overlap where the size is odd,
/// nothing else depends on it, or on where they begin. So the CPU does not guess, and looks at all of them at once.
///
/// # Safety
///
/// Of each copy the bytes are readable, writable, nobody else's, and its begin and `bytes` are multiples of 4.
#[inline]
pub(super) unsafe fn zero(count: usize, copy_at: impl Fn(usize) -> *mut u8, bytes: usize) {
    // SAFETY: the caller's bytes, and the looks are within them.
    unsafe {
        match bytes {
            0..4 => {}
            4..=8 => clear_each::<u32, 2>(count, copy_at, [0, bytes - 4]),
            9..=16 => clear_each::<u64, 2>(count, copy_at, [0, bytes - 8]),
            17..=32 => clear_each::<Pair, 2>(count, copy_at, [0, bytes - 16]),
            33..=LINE => clear_each::<Pair, 4>(count, copy_at, [0, 16, bytes - 32, bytes - 16]),
            _ => long::zero(count, copy_at, bytes),
        }
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
            _ => zero(1, |_| start, bytes),
        }
    }
}

/// Lines that are worth a call of another function.
#[cfg(all(target_arch = "x86_64", platform = "hosted", any(test, has_stock), not(miri)))]
const LINES_FOR_A_CALL: usize = 8;

/// # Safety
///
/// As [`zero`], of so many lines, and the first is aligned as such.
#[cfg(any(test, has_stock))]
#[inline]
unsafe fn zero_lines(start: *mut u8, lines: usize) {
    #[cfg(all(target_arch = "x86_64", platform = "hosted", not(miri)))]
    if lines >= LINES_FOR_A_CALL && avx2::is_there() {
        // SAFETY: the caller's lines, and they are there.
        return unsafe { avx2::zero_lines(start, lines) };
    }
    for line in 0..lines {
        // SAFETY: a line of the caller's.
        unsafe { long::clear_line::<Pair>(start.wrapping_byte_add(line * LINE)) };
    }
}

/// What is looked at, and written, at once.
trait Step: Copy {
    const ZERO: Self;

    fn is_zero(self) -> bool;

    fn or(self, other: Self) -> Self;
}

impl Step for u32 {
    const ZERO: Self = 0;

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        self | other
    }

    #[inline(always)]
    fn is_zero(self) -> bool {
        self == 0
    }
}

impl Step for u64 {
    const ZERO: Self = 0;

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        self | other
    }

    #[inline(always)]
    fn is_zero(self) -> bool {
        self == 0
    }
}

impl<const WORDS: usize> Step for [u64; WORDS] {
    const ZERO: Self = [0; WORDS];

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        core::array::from_fn(|word| self[word] | other[word])
    }

    #[inline(always)]
    fn is_zero(self) -> bool {
        self.iter().fold(0, |all, word| all | word) == 0
    }
}

/// # Safety
///
/// `at` is valid for reads and writes of a `T`, and aligned.
#[cfg(any(test, has_stock))]
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

/// Two words, the most that every x86-64 looks at with one instruction.
#[cfg(all(target_arch = "x86_64", target_feature = "sse2", not(miri)))]
type Pair = core::arch::x86_64::__m128i;
#[cfg(not(all(target_arch = "x86_64", target_feature = "sse2", not(miri))))]
type Pair = [u64; 2];

/// Makes what lies at some places of each copy zero where it is not; they may overlap, and all are looked at before anything depends
/// on one.
///
/// # Safety
///
/// They are valid for reads and writes.
#[inline(always)]
unsafe fn clear_each<T: Step, const PLACES: usize>(
    count: usize,
    copy_at: impl Fn(usize) -> *mut u8,
    places: [usize; PLACES],
) {
    for copy in (0..count).map(copy_at) {
        let at = places.map(|place| copy.wrapping_byte_add(place).cast::<T>());
        // SAFETY: the caller's.
        let values = at.map(|at| unsafe { at.read_unaligned() });
        if values.iter().fold(T::ZERO, |all, value| all.or(*value)).is_zero() {
            continue;
        }
        for (at, value) in at.into_iter().zip(values) {
            // What is no longer than a pair is one, whichever of its places is dirty.
            if PLACES * size_of::<T>() <= size_of::<Pair>() || !value.is_zero() {
                // SAFETY: as above.
                unsafe { at.write_unaligned(T::ZERO) };
            }
        }
    }
}

/// As [`clear`], and does not look at the rest where the first word says enough: a wide load of what was just stored by words
/// has to wait for the stores.
///
/// # Safety
///
/// So many words, an even number, are valid for reads and writes, and aligned to two.
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
    let pairs = at.cast::<Pair>();
    // SAFETY: two of the caller's words each.
    (0..WORDS / 2).fold(Pair::ZERO, |all, pair| all.or(unsafe { pairs.wrapping_add(pair).read() })).is_zero()
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
                let start = large.0[begin..].as_mut_ptr();
                // SAFETY: within the lines, from a multiple of 4 on.
                unsafe { zero(1, |_| start, LINES * LINE - begin) };
                assert_eq!(large.0, [0; LINES * LINE], "byte {dirty} from {begin} on");
            }
        }
    }

    #[test]
    fn every_copy_is_zeroed() {
        for count in 0..=9 {
            for bytes in (4..=600).step_by(4) {
                let mut copies = [[1_u32; 150]; 9];
                let base = copies.as_mut_ptr();
                // SAFETY: within each copy, by words.
                unsafe { zero(count, |index| base.wrapping_add(index).cast(), bytes) };
                for (index, copy) in copies.iter().enumerate() {
                    let from = if index < count { bytes / 4 } else { 0 };
                    let is_right = copy.iter().enumerate().all(|(at, word)| *word == u32::from(at >= from));
                    assert!(is_right, "{bytes} bytes, {index} of {count}");
                }
            }
        }
    }

    #[test]
    fn what_is_zero_is_not_written_to() {
        #[repr(align(64))]
        struct Constant([u8; 768]);
        static CONSTANT: Constant = Constant([0; 768]);
        for begin in (0..64).step_by(4) {
            for bytes in (0..=600).step_by(4) {
                // SAFETY: within the constant, which a write would fault on; there is none, and so nobody else minds.
                unsafe { zero(5, |_| CONSTANT.0[begin..].as_ptr().cast_mut(), bytes) };
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
                let start = lines.0[begin..].as_mut_ptr();
                // SAFETY: within the lines, at multiples of 4.
                unsafe { zero(1, |_| start, bytes) };
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
