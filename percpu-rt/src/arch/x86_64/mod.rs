//! x86-64: restartable sequences in Linux processes.
//!
//! The kernel restarts a thread that it preempts, migrates or interrupts by a signal inside a registered range of
//! instructions. So a plain read-modify-write is exact on the CPU whose number was read *inside* that range,
//! without a `lock` prefix and without a compare of CPU numbers afterwards:
//!
//! ```text
//! 2: lea    copy, [rip + descriptor]     the range: from 3, to 4, on abort go to 5
//!    mov    fs:[rseq + 8], copy          armed; nothing may stand between this store and 3
//! 3: movsxd copy, dword ptr fs:[rseq + 4]   the CPU's number, negative without a registration
//!    mov    copy, [table + copy * 8]     the CPU's offset
//!    add    copy, place
//!    jl     6                            negative: no registration
//!    add    qword ptr [copy], 1          the one commit instruction, the last of the range
//! 4:
//!        out of line:
//!    ud1    SIGNATURE                    the kernel checks these four bytes before it jumps to 5
//! 5: jmp    2b
//! 6: mov    copy, [table + ORPHAN_SLOT * 8]
//!    add    copy, place
//!    lock inc qword ptr [copy]           the orphan unit is shared by all such threads
//!    jmp    4b
//! ```
//!
//! With `rseq`, `table` and `place` in registers that is seven instructions, ten with nothing hoisted.
//!
//! - The table has entries at the negative numbers too, and they make the sum negative: this saves the compare of
//!   the number with the table's length. No CPU number reaches beyond the table, or set-up arms nothing.
//! - The address is summed up first, although `[copy + place]` would do: cores that forward a store to a load at
//!   no cost (Golden Cove) do so only without an index register. There the loop over one counter takes
//!   0.67 ns an increment and not 2.0.
//! - Looking whether the descriptor is still armed, to spare the store, was measured and rejected: 1.0 ns.
//!
//! | operation | in the sequence | on the orphan unit |
//! |---|---|---|
//! | `read` | `mov` | `mov` |
//! | `write` | `mov` | `mov` |
//! | `add inc dec and or xor` | the instruction with a memory operand | the same with `lock` |
//! | `add_return fetch_add` | `mov`, `add`, `mov` | `lock xadd` |
//! | `xchg` | `mov`, `mov` | `xchg` |
//! | `cmpxchg` | `mov`, `cmp`, `mov` | `lock cmpxchg` |
//! | `u128`: `read` | two `mov` | `lock cmpxchg16b` |
//! | `u128`: `cmpxchg` | two `mov`, two `cmp`, `movaps` | `lock cmpxchg16b` |
//!
//! `xadd` and `cmpxchg` inside the sequence were measured and rejected: they take 1.4 to 6 times as long as the
//! three plain instructions. A `lock`ed operation on the slot of `getcpu()` for threads without a registration
//! was rejected too: the plain sequence of a registered thread on that CPU would lose its update.
//!
//! Never written: `cpu_id_start` and `cpu_id`; newer kernels kill the process for it.
//!
//! Refs: Linux Documentation/userspace-api/rseq.rst and include/uapi/linux/rseq.h; glibc manual, "Restartable
//! Sequences"; Intel SDM vol. 2.

pub(super) mod copy;
pub(super) mod cpu;
pub(super) mod entry;
pub(super) mod lock;
#[cfg(has_stock)]
pub(super) mod magazine;
mod sequence;
mod wide;
mod word;
