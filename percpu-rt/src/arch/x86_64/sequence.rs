//! The restartable sequence around an operation.

/// Runs one operation on this CPU's copy of the variable at `$place`.
///
/// `commit` is the operation as the kernel may restart it: it must not change an input before its last
/// instruction, and that last one is the only one that writes memory that means something by then. It may jump to `4f` to leave without
/// writing, or to a label operand, which lies outside. `orphan` is the same operation as all threads without a registration may run it at once. Both find
/// the copy at `[{copy}]`, and the operands that follow by their names. `copy: variable` keeps the copy's address.
macro_rules! restartable {
    ($place:expr, commit: [$($commit:expr),+ $(,)?], orphan: [$($orphan:expr),+ $(,)?],
     copy: $copy:tt, $($operands:tt)*) => {
        core::arch::asm!(
            // The descriptor: version, flags; start, length, where to go on abort. The section's name is the one
            // by which debuggers know where not to single-step.
            ".pushsection __rseq_cs, \"aw\", @progbits",
            ".balign 32",
            "7: .long 0, 0",
            ".quad 3f, 4f - 3f, 5f",
            ".popsection",
            "2: lea {copy}, [rip + 7b]",
            "mov qword ptr fs:[{rseq} + 8], {copy}",
            "3: movsxd {copy}, dword ptr fs:[{rseq} + 4]",
            "mov {copy}, qword ptr [{table} + {copy} * 8]",
            // A copy's address is positive. The entries at the negative numbers are the most negative number, and
            // the sum is then negative: no compare of its own is needed.
            "add {copy}, {place}",
            "jl 6f",
            $($commit,)+
            "4:",
            // Out of line, but in the function's own section, so that it lives and dies with the function.
            ".subsection 1",
            // `ud1 edi, [rip + SIGNATURE]`: what disassemblers show instead of nonsense.
            ".byte 0x0f, 0xb9, 0x3d",
            ".long 0x53053053",
            "5: jmp 2b",
            "6: mov {copy}, qword ptr [{table} + 8 * {orphan}]",
            "add {copy}, {place}",
            $($orphan,)+
            "jmp 4b",
            ".previous",
            copy = out(reg) $copy,
            rseq = in(reg) $crate::arch::x86_64::entry::rseq_offset(),
            table = in(reg) $crate::arch::x86_64::entry::table_address(),
            place = in(reg) $place,
            orphan = const $crate::arch::ORPHAN_SLOT,
            $($operands)*
            // Memory and flags are left to be clobbered: the commit writes both.
            options(nostack),
        )
    };
    ($place:expr, commit: $commit:tt, orphan: $orphan:tt, $($operands:tt)*) => {
        $crate::arch::x86_64::sequence::restartable!($place, commit: $commit, orphan: $orphan, copy: _, $($operands)*)
    };
}
pub(super) use restartable;
