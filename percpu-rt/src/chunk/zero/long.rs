//! What is longer than a line.
//!
//! Most copies were not written to. So all lines of some copies are looked at before anything depends on one, and only a copy that is
//! dirty is gone through line by line: a branch for each line of each would be guessed wrongly too often.

#[cfg(all(target_arch = "x86_64", platform = "hosted", not(miri)))]
use super::avx2;
use super::{LINE, Pair, Step};

/// Copies that are looked at together.
const TOGETHER: usize = 4;

/// Bytes from which on they are not: pages that nobody has written to are one page to the memory, and to go through it at four
/// addresses in turn makes AMD's first-level cache, which finds a line by its address as programs know it, lose it each time.
const APART: usize = 4096;

/// As [`zero`](super::zero), of at least a line.
///
/// # Safety
///
/// As there.
#[inline(never)]
pub(super) unsafe fn zero(count: usize, copy_at: impl Fn(usize) -> *mut u8, bytes: usize) {
    #[cfg(all(target_arch = "x86_64", platform = "hosted", not(miri)))]
    if avx2::is_there() {
        // SAFETY: the caller's bytes, and it is there.
        return unsafe { avx2::zero(count, copy_at, bytes) };
    }
    // SAFETY: the caller's bytes.
    unsafe { zero_by::<Pair>(count, copy_at, bytes) }
}

/// As [`zero`], by steps of a `T`, of which a line is made.
///
/// # Safety
///
/// As there.
#[inline(always)]
pub(super) unsafe fn zero_by<T: Step>(count: usize, copy_at: impl Fn(usize) -> *mut u8, bytes: usize) {
    let mut done = 0;
    while bytes < APART && count - done >= TOGETHER {
        let copies = [copy_at(done), copy_at(done + 1), copy_at(done + 2), copy_at(done + 3)];
        // SAFETY: the caller's bytes.
        unsafe { zero_together::<T, TOGETHER>(copies, bytes) };
        done += TOGETHER;
    }
    for index in done..count {
        // SAFETY: as above.
        unsafe { zero_together::<T, 1>([copy_at(index)], bytes) };
    }
}

/// # Safety
///
/// As [`zero_by`], of these copies.
#[inline(always)]
unsafe fn zero_together<T: Step, const COPIES: usize>(copies: [*mut u8; COPIES], bytes: usize) {
    let mut seen = [T::ZERO; COPIES];
    // What ends with the copy overlaps with what is before.
    let last = bytes - LINE;
    let mut at = 0;
    while at < last {
        // SAFETY: a line's worth of the caller's bytes.
        unsafe { look(&copies, at, &mut seen) };
        at += LINE;
    }
    // SAFETY: as above.
    unsafe { look(&copies, last, &mut seen) };
    for (copy, seen) in copies.iter().zip(&seen) {
        if !seen.is_zero() {
            // SAFETY: the caller's bytes.
            unsafe { clear_lines::<T>(*copy, bytes) };
        }
    }
}

/// Adds to what was `seen` of each copy what is in the line's worth of bytes at `at`. No closure, which the compiler may make a function of
/// its own, without the registers of the one around it.
///
/// # Safety
///
/// They are valid for reads.
#[inline(always)]
unsafe fn look<T: Step, const COPIES: usize>(copies: &[*mut u8; COPIES], at: usize, seen: &mut [T; COPIES]) {
    for (copy, seen) in copies.iter().zip(seen) {
        // SAFETY: the caller's.
        *seen = seen.or(unsafe { any::<T>(copy.wrapping_byte_add(at)) });
    }
}

/// What is in a line's worth of bytes, all in one.
///
/// # Safety
///
/// They are valid for reads.
#[inline(always)]
unsafe fn any<T: Step>(at: *mut u8) -> T {
    let mut all = T::ZERO;
    for step in 0..LINE / size_of::<T>() {
        // SAFETY: the caller's.
        all = all.or(unsafe { at.cast::<T>().wrapping_add(step).read_unaligned() });
    }
    all
}

/// Makes a line zero if it is not.
///
/// # Safety
///
/// It is valid for reads and writes.
#[inline(always)]
pub(super) unsafe fn clear_line<T: Step>(line: *mut u8) {
    // SAFETY: the caller's.
    unsafe {
        if !any::<T>(line).is_zero() {
            for step in 0..LINE / size_of::<T>() {
                line.cast::<T>().wrapping_add(step).write_unaligned(T::ZERO);
            }
        }
    }
}

/// Pairs in a line's worth.
const PAIRS: usize = LINE / size_of::<Pair>();

/// Makes the lines of a copy zero that are not.
///
/// # Safety
///
/// As [`zero_by`], of this copy.
#[inline(always)]
unsafe fn clear_lines<T: Step>(start: *mut u8, bytes: usize) {
    // Whole lines by themselves, since most objects of this size fill many; of what is left at either end a line's worth that overlaps,
    // by pairs. Those are read before anything is written: a load of what was just stored in other pieces has to wait for it.
    let end = start.wrapping_byte_add(bytes);
    let at = |pair: usize| match pair {
        ..PAIRS => start.cast::<Pair>().wrapping_add(pair),
        _ => end.cast::<Pair>().wrapping_sub(pair - PAIRS + 1),
    };
    let mut ends = [Pair::ZERO; 2 * PAIRS];
    for (pair, value) in ends.iter_mut().enumerate() {
        // SAFETY: the caller's bytes, which are as many as a line has.
        *value = unsafe { at(pair).read_unaligned() };
    }
    let mut line = start.map_addr(|addr| addr.next_multiple_of(LINE));
    let behind = end.map_addr(|addr| addr / LINE * LINE);
    while line < behind {
        // SAFETY: a whole line of the caller's.
        unsafe { clear_line::<T>(line) };
        line = line.wrapping_byte_add(LINE);
    }
    for (pair, value) in ends.iter().enumerate() {
        if !value.is_zero() {
            // SAFETY: as above.
            unsafe { at(pair).write_unaligned(Pair::ZERO) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Zeroes by steps of a `T`.
    fn zero_words<T: Step>(words: &mut [u32]) {
        let start = words.as_mut_ptr();
        // SAFETY: the words, as one copy.
        unsafe { zero_by::<T>(1, |_| start.cast(), size_of_val(words)) };
    }

    #[test]
    fn one_byte_anywhere_is_found_by_steps_of_any_width() {
        for zero_words in [zero_words::<u64>, zero_words::<[u64; 2]>, zero_words::<Pair>] {
            for (begin, words) in [(0, 16), (1, 17), (3, 40), (15, 75)] {
                for dirty in begin..begin + words {
                    let mut all = [0_u32; 96];
                    all[dirty] = 1 << (dirty % 4 * 8);
                    zero_words(&mut all[begin..begin + words]);
                    assert_eq!(all, [0; 96], "word {dirty} of {words} from {begin} on");
                }
                let mut all = [1_u32; 96];
                zero_words(&mut all[begin..begin + words]);
                let expected = |at: usize| u32::from(!(begin..begin + words).contains(&at));
                assert!(all.iter().enumerate().all(|(at, word)| *word == expected(at)), "{words} from {begin} on");
            }
        }
    }
}
