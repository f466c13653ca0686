//! The word operations, for each width.
//!
//! `x86_64/mod.rs` has the table of instructions. A narrow value travels in the low part of a full register,
//! which spares the partial-register dependency of an 8-bit destination.

use super::super::{LocalInteger, LocalWord, Place};
use super::sequence::restartable;

/// Implements the traits for one width.
///
/// `$wide` is the type that goes through registers, `$size` the operand size, `$load` how a value is loaded into
/// all of a register, `$full` and `$part` the modifiers that name a register as a whole (for `$load` and
/// arithmetic) and in the operand's width, `$rax` and `$rax_part` these two names of the accumulator.
macro_rules! width {
    (word $word:ty, via $wide:ty, $size:literal, $load:literal, $full:literal, $part:literal, $rax:literal, $rax_part:literal) => {
        // SAFETY: each sequence below reads and writes `$word`-sized operands at the copy alone, takes its CPU's number
        // inside the sequence, and its last instruction is its only write to memory; the orphan's form is one
        // atomic instruction.
        unsafe impl LocalWord for $word {
            #[inline(always)]
            unsafe fn read(place: &impl Place) -> Self {
                let value: $wide;
                // SAFETY: the caller's variable, by `LocalWord::read`'s contract.
                unsafe {
                    restartable!(
                        place.address(),
                        commit: [concat!($load, " {value:", $full, "}, ", $size, " ptr [{copy}]")],
                        orphan: [concat!($load, " {value:", $full, "}, ", $size, " ptr [{copy}]")],
                        value = out(reg) value,
                    );
                }
                value as Self
            }

            #[inline(always)]
            unsafe fn write(place: &impl Place, value: Self) {
                // SAFETY: the caller's variable, by `LocalWord::read`'s contract.
                unsafe {
                    restartable!(
                        place.address(),
                        commit: [concat!("mov ", $size, " ptr [{copy}], {value:", $part, "}")],
                        orphan: [concat!("mov ", $size, " ptr [{copy}], {value:", $part, "}")],
                        value = in(reg) value as $wide,
                    );
                }
            }

            #[inline(always)]
            unsafe fn xchg(place: &impl Place, value: Self) -> Self {
                let found: $wide;
                // SAFETY: the caller's variable, by `LocalWord::read`'s contract.
                unsafe {
                    restartable!(
                        place.address(),
                        commit: [
                            concat!($load, " {found:", $full, "}, ", $size, " ptr [{copy}]"),
                            concat!("mov ", $size, " ptr [{copy}], {value:", $part, "}"),
                        ],
                        orphan: [
                            concat!("mov {found:", $full, "}, {value:", $full, "}"),
                            concat!("xchg ", $size, " ptr [{copy}], {found:", $part, "}"),
                        ],
                        value = in(reg) value as $wide,
                        found = out(reg) found,
                    );
                }
                found as Self
            }

            #[inline(always)]
            unsafe fn cmpxchg(place: &impl Place, old: Self, new: Self) -> Self {
                let found: $wide;
                // SAFETY: the caller's variable, by `LocalWord::read`'s contract.
                unsafe {
                    restartable!(
                        place.address(),
                        commit: [
                            concat!($load, " ", $rax, ", ", $size, " ptr [{copy}]"),
                            concat!("cmp ", $rax_part, ", {old:", $part, "}"),
                            "jne 4f",
                            concat!("mov ", $size, " ptr [{copy}], {new:", $part, "}"),
                        ],
                        orphan: [
                            concat!("mov ", $rax, ", {old:", $full, "}"),
                            concat!("lock cmpxchg ", $size, " ptr [{copy}], {new:", $part, "}"),
                        ],
                        old = in(reg) old as $wide,
                        new = in(reg) new as $wide,
                        // The register that `cmpxchg` compares with and reports in.
                        out("rax") found,
                    );
                }
                found as Self
            }
        }
    };
    (integer $word:ty, via $wide:ty, $size:literal, $load:literal, $full:literal, $part:literal, $rax:literal, $rax_part:literal) => {
        width!(word $word, via $wide, $size, $load, $full, $part, $rax, $rax_part);

        // SAFETY: as for `LocalWord` above.
        unsafe impl LocalInteger for $word {
            width!(unary inc add $size);
            width!(unary dec sub $size);
            width!(binary add $wide, $size, $part);
            width!(binary and $wide, $size, $part);
            width!(binary or $wide, $size, $part);
            width!(binary xor $wide, $size, $part);

            #[inline(always)]
            unsafe fn add_return(place: &impl Place, value: Self) -> Self {
                let sum: $wide;
                // SAFETY: the caller's variable, by `LocalWord::read`'s contract.
                unsafe {
                    restartable!(
                        place.address(),
                        commit: [
                            concat!($load, " {sum:", $full, "}, ", $size, " ptr [{copy}]"),
                            concat!("add {sum:", $full, "}, {value:", $full, "}"),
                            concat!("mov ", $size, " ptr [{copy}], {sum:", $part, "}"),
                        ],
                        orphan: [
                            concat!("mov {sum:", $full, "}, {value:", $full, "}"),
                            concat!("lock xadd ", $size, " ptr [{copy}], {sum:", $part, "}"),
                            concat!("add {sum:", $full, "}, {value:", $full, "}"),
                        ],
                        value = in(reg) value as $wide,
                        sum = out(reg) sum,
                    );
                }
                sum as Self
            }

            #[inline(always)]
            unsafe fn fetch_add(place: &impl Place, value: Self) -> Self {
                let found: $wide;
                // SAFETY: the caller's variable, by `LocalWord::read`'s contract.
                unsafe {
                    restartable!(
                        place.address(),
                        commit: [
                            concat!($load, " {found:", $full, "}, ", $size, " ptr [{copy}]"),
                            // The offset's register is needed for the store, so the sum gets one of its own.
                            "lea {sum:r}, [{found:r} + {value:r}]",
                            concat!("mov ", $size, " ptr [{copy}], {sum:", $part, "}"),
                        ],
                        orphan: [
                            concat!("mov {found:", $full, "}, {value:", $full, "}"),
                            concat!("lock xadd ", $size, " ptr [{copy}], {found:", $part, "}"),
                        ],
                        value = in(reg) value as $wide,
                        found = out(reg) found,
                        sum = out(reg) _,
                    );
                }
                found as Self
            }
        }
    };
    // `inc` with a memory operand is one micro-operation more than `add` with 1 on Intel's cores: 0.93 against
    // 1.45 ns where one counter is hit again and again.
    (unary $op:ident $by_one:ident $size:literal) => {
        #[inline(always)]
        unsafe fn $op(place: &impl Place) {
            // SAFETY: the caller's variable, by `LocalWord::read`'s contract.
            unsafe {
                restartable!(
                    place.address(),
                    commit: [concat!(stringify!($by_one), " ", $size, " ptr [{copy}], 1")],
                    orphan: [concat!("lock ", stringify!($op), " ", $size, " ptr [{copy}]")],
                );
            }
        }
    };
    (binary $op:ident $wide:ty, $size:literal, $part:literal) => {
        #[inline(always)]
        unsafe fn $op(place: &impl Place, value: Self) {
            // SAFETY: the caller's variable, by `LocalWord::read`'s contract.
            unsafe {
                restartable!(
                    place.address(),
                    commit: [concat!(stringify!($op), " ", $size, " ptr [{copy}], {value:", $part, "}")],
                    orphan: [concat!("lock ", stringify!($op), " ", $size, " ptr [{copy}], {value:", $part, "}")],
                    value = in(reg) value as $wide,
                );
            }
        }
    };
}

width!(integer u8, via u32, "byte", "movzx", "e", "l", "eax", "al");
width!(integer u16, via u32, "word", "movzx", "e", "x", "eax", "ax");
width!(integer u32, via u32, "dword", "mov", "e", "e", "eax", "eax");
width!(integer u64, via u64, "qword", "mov", "r", "r", "rax", "rax");
// Pointers stay pointers on their way through the registers, so that what they may reach stays known.
width!(word *mut (), via *mut (), "qword", "mov", "r", "r", "rax", "rax");
