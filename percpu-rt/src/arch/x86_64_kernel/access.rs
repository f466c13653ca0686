//! One instruction on this CPU's copy: the only assembly that touches one.
//!
//! `sym` takes a static's name and nothing that a function was given, so the expansion of `#[per_cpu]` has this macro put into a
//! function of each variable's place. One block serves all widths and some operations: the assembler keeps the line that
//! the constants choose, and the compiler keeps the block. Forty blocks for each of a thousand variables took 5.7 s to compile.

/// What an access does; the operations in one line share a block.
pub mod shape {
    /// Yields the per-CPU pointer.
    pub const ADDRESS: u8 = 0;
    /// Yields the value.
    pub const READ: u8 = 1;
    /// Adds one.
    pub const INC: u8 = 2;
    /// Takes one away.
    pub const DEC: u8 = 3;
    /// With one value, and no result: the first of them.
    pub const ADD: u8 = 4;
    /// Keeps the value's bits.
    pub const AND: u8 = 5;
    /// Sets the value's bits.
    pub const OR: u8 = 6;
    /// Flips the value's bits.
    pub const XOR: u8 = 7;
    /// Stores the value: the last of them.
    pub const WRITE: u8 = 8;
    /// Adds a value; yields the one before.
    pub const XADD: u8 = 9;
    /// Stores a value; yields the one before.
    pub const XCHG: u8 = 10;
    /// With the value expected, and the new one; yields the one found.
    pub const CMPXCHG: u8 = 11;
}

/// The line of one operation in every width: its number, what stands before the memory operand, the address, and what stands
/// behind it for 1, 2, 4 and 8 bytes.
#[doc(hidden)]
#[macro_export]
macro_rules! __gs_line {
    ($shape:literal, $before:literal, $address:literal, $byte:literal, $word:literal, $dword:literal, $qword:literal) => {
        $crate::__gs_line!($shape, $before, $before, $before, $address, $byte, $word, $dword, $qword)
    };
    ($shape:literal, $narrow:literal, $half:literal, $full:literal, $address:literal, $byte:literal, $word:literal, $dword:literal, $qword:literal) => {
        ::core::concat!(
            ".if {shape} == ",
            $shape,
            " && {size} == 1\n",
            $narrow,
            "byte ptr gs:[",
            $address,
            "]",
            $byte,
            "\n.endif\n",
            ".if {shape} == ",
            $shape,
            " && {size} == 2\n",
            $narrow,
            "word ptr gs:[",
            $address,
            "]",
            $word,
            "\n.endif\n",
            ".if {shape} == ",
            $shape,
            " && {size} == 4\n",
            $half,
            "dword ptr gs:[",
            $address,
            "]",
            $dword,
            "\n.endif\n",
            ".if {shape} == ",
            $shape,
            " && {size} == 8\n",
            $full,
            "qword ptr gs:[",
            $address,
            "]",
            $qword,
            "\n.endif",
        )
    };
}

/// The access `SHAPE` of `SIZE` bytes at an address, which the operand behind it supplies; `a` and `b` are its values.
///
/// A value travels in the low part of a register; what is above it is not told.
#[doc(hidden)]
#[macro_export]
macro_rules! __gs_access {
    ($shape:ident, $size:ident, $a:expr, $b:expr, $address:literal, $($place:tt)+) => {{
        use $crate::__private::shape;
        let (a, b): (::core::primitive::u128, ::core::primitive::u128) = ($a, $b);
        let mut value = a as ::core::primitive::u64;
        // By constants, so that no other block is compiled.
        if const { $shape == shape::READ } {
            ::core::arch::asm!(
                $crate::__gs_line!("1", "movzx {value:e}, ", "mov {value:e}, ", "mov {value:r}, ", $address, "", "", "", ""),
                value = lateout(reg) value,
                shape = const $shape,
                size = const $size,
                $($place)+,
                options(nostack, preserves_flags, readonly)
            );
        } else if const { $shape == shape::INC || $shape == shape::DEC } {
            ::core::arch::asm!(
                $crate::__gs_line!("2", "inc ", $address, "", "", "", ""),
                $crate::__gs_line!("3", "dec ", $address, "", "", "", ""),
                shape = const $shape,
                size = const $size,
                $($place)+,
                options(nostack)
            );
        } else if const { $shape >= shape::ADD && $shape <= shape::WRITE } {
            ::core::arch::asm!(
                $crate::__gs_line!("4", "add ", $address, ", {value:l}", ", {value:x}", ", {value:e}", ", {value:r}"),
                $crate::__gs_line!("5", "and ", $address, ", {value:l}", ", {value:x}", ", {value:e}", ", {value:r}"),
                $crate::__gs_line!("6", "or ", $address, ", {value:l}", ", {value:x}", ", {value:e}", ", {value:r}"),
                $crate::__gs_line!("7", "xor ", $address, ", {value:l}", ", {value:x}", ", {value:e}", ", {value:r}"),
                $crate::__gs_line!("8", "mov ", $address, ", {value:l}", ", {value:x}", ", {value:e}", ", {value:r}"),
                value = in(reg) value,
                shape = const $shape,
                size = const $size,
                $($place)+,
                options(nostack)
            );
        } else if const { $shape == shape::XADD || $shape == shape::XCHG } {
            ::core::arch::asm!(
                $crate::__gs_line!("9", "xadd ", $address, ", {value:l}", ", {value:x}", ", {value:e}", ", {value:r}"),
                $crate::__gs_line!("10", "xchg ", $address, ", {value:l}", ", {value:x}", ", {value:e}", ", {value:r}"),
                value = inout(reg) value,
                shape = const $shape,
                size = const $size,
                $($place)+,
                options(nostack)
            );
        } else if const { $shape == shape::CMPXCHG && $size <= 8 } {
            ::core::arch::asm!(
                $crate::__gs_line!("11", "cmpxchg ", $address, ", {new:l}", ", {new:x}", ", {new:e}", ", {new:r}"),
                new = in(reg) b as ::core::primitive::u64,
                shape = const $shape,
                size = const $size,
                $($place)+,
                inout("rax") value,
                options(nostack)
            );
        } else {
            let high: ::core::primitive::u64;
            // `rbx` may not be named as an operand: it is exchanged with the one that belongs there, and back.
            ::core::arch::asm!(
                "xchg rbx, {new}",
                ::core::concat!("cmpxchg16b xmmword ptr gs:[", $address, "]"),
                "xchg rbx, {new}",
                new = in(reg) b as ::core::primitive::u64,
                $($place)+,
                in("rcx") (b >> 64) as ::core::primitive::u64,
                inout("rax") value,
                inout("rdx") (a >> 64) as ::core::primitive::u64 => high,
                options(nostack)
            );
            return (high as ::core::primitive::u128) << 64 | value as ::core::primitive::u128;
        }
        value as ::core::primitive::u128
    }};
}
