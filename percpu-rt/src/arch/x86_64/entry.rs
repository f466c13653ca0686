//! The words that every sequence reads, and the start-up hook that fills them.
//!
//! ```text
//! .data    __percpu_rseq_offset   1 << 63: a poison, until set-up has finished
//! .bss     __percpu_unregistered_slots   the entries of the numbers -8 .. 0, which no registered thread has
//!          __per_cpu_offset       the offsets of CPUs 0 .. MAX_CPUS, then the orphan unit's
//! .data..percpu..first  this_cpu_off        in each unit: the offset of its CPU (in `__percpu` without the fragment)
//! .data.rel.ro  __percpu_init_bounds        first and end of the table of initializers
//! .percpu_layout        __percpu_layout_record: not patched yet
//! .init_array.00098     the hook
//! ```
//!
//! All of it is one assembly block, so that a link that takes one part takes all: an operation refers to the
//! words, and a staticlib's user would otherwise get the words without the hook.
//!
//! Until set-up the first store of a sequence goes to `fs:[poison + 8]`, which no canonical address reaches: an
//! access from an earlier constructor or signal handler ends in a fault and never in the template.

use core::arch::asm;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use super::super::{ORPHAN_SLOT, own_word};
use crate::abi::record;

/// Defines the words and the hook; `$set_up` is an `extern "C" fn()` that ends by calling [`arm`].
macro_rules! entry {
    ($set_up:path) => {
        core::arch::global_asm!(
            // Hidden: a shared object with per-CPU variables is a domain of its own.
            ".macro percpu_own name",
            ".globl \\name",
            ".hidden \\name",
            "\\name:",
            ".endm",
            ".macro percpu_word name, size",
            ".globl \\name",
            ".hidden \\name",
            ".type \\name, @object",
            ".size \\name, \\size",
            ".balign 8",
            "\\name:",
            ".endm",
            ".pushsection .data.__percpu_rseq_offset, \"aw\", @progbits",
            "percpu_word __percpu_rseq_offset, 8",
            concat!("percpu_own ", $crate::arch::own_word!("__percpu_rseq_offset")),
            ".quad 1 << 63",
            ".popsection",
            ".pushsection .bss.__per_cpu_offset, \"aw\", @nobits",
            ".balign 64",
            "percpu_word __percpu_unregistered_slots, 64",
            ".skip 64",
            "percpu_word __per_cpu_offset, {table_size}",
            concat!("percpu_own ", $crate::arch::own_word!("__per_cpu_offset")),
            ".skip {table_size}",
            ".popsection",
            concat!(".pushsection ", $crate::__section!(first), ", \"aw\", @progbits"),
            "percpu_word this_cpu_off, 8",
            ".quad 0",
            ".popsection",
            // 32 bytes of each thread's own: where libc keeps no `struct rseq`, this one says "not registered".
            ".pushsection .tdata.__percpu_unregistered, \"awT\", @progbits",
            ".balign 32",
            "__percpu_unregistered:",
            ".long 0, -1",
            ".quad 0, 0, 0",
            ".popsection",
            ".pushsection .text.__percpu_unregistered_offset, \"ax\", @progbits",
            ".globl __percpu_unregistered_offset",
            ".hidden __percpu_unregistered_offset",
            ".type __percpu_unregistered_offset, @function",
            "__percpu_unregistered_offset:",
            "mov rax, qword ptr [rip + __percpu_unregistered@GOTTPOFF]",
            "ret",
            ".size __percpu_unregistered_offset, . - __percpu_unregistered_offset",
            ".popsection",
            // The linker makes these two symbols around the section; a program without initializers has neither.
            // Hidden as all the rest: a shared object is never to see those of the program.
            ".weak __start_percpu_init",
            ".hidden __start_percpu_init",
            ".weak __stop_percpu_init",
            ".hidden __stop_percpu_init",
            ".pushsection .data.rel.ro.__percpu_init_bounds, \"aw\", @progbits",
            "percpu_word __percpu_init_bounds, 16",
            ".quad __start_percpu_init, __stop_percpu_init",
            ".popsection",
            // Zero behind its head: the post-link step fills it.
            concat!(".pushsection ", $crate::abi::record::record_section!(), ", \"a\", @progbits"),
            "percpu_word __percpu_layout_record, {record_size}",
            ".quad {record_magic}",
            ".long {record_version}, {record_capacity}",
            ".skip {record_size} - 16",
            ".popsection",
            // Before any constructor of ordinary priority, and before std's own (99).
            ".pushsection .init_array.00098, \"aw\", @init_array",
            ".balign 8",
            ".quad {set_up}",
            ".popsection",
            // Where the linker makes the template's bounds; the fragment hides its own.
            concat!(".ifc ", $crate::__section!(first), ", __percpu"),
            ".hidden __start___percpu",
            ".hidden __stop___percpu",
            ".endif",
            ".purgem percpu_own",
            ".purgem percpu_word",
            table_size = const 8 * ($crate::arch::ORPHAN_SLOT + 1),
            record_size = const $crate::abi::record::SIZE,
            record_magic = const u64::from_le_bytes($crate::abi::record::MAGIC),
            record_version = const $crate::abi::record::VERSION,
            record_capacity = const $crate::abi::record::CAPACITY,
            set_up = sym $set_up,
        );
    };
}
pub(crate) use entry;

unsafe extern "C" {
    #[link_name = own_word!("__per_cpu_offset")]
    static __per_cpu_offset: [AtomicPtr<u8>; ORPHAN_SLOT + 1];
    static __percpu_unregistered_slots: [AtomicPtr<u8>; 8];
    static __percpu_rseq_offset: AtomicUsize;
    static __percpu_init_bounds: [*const u8; 2];
    static __percpu_layout_record: [u8; record::SIZE];
    safe fn __percpu_unregistered_offset() -> isize;
}

/// The CPUs' offsets, by number; `ORPHAN_SLOT` is the orphan unit's. All null before set-up.
#[inline(always)]
pub(crate) fn offset_table() -> &'static [AtomicPtr<u8>; ORPHAN_SLOT + 1] {
    // SAFETY: `entry!` defines the symbol with this size and an alignment of 64, zeroed, in writable memory.
    unsafe { &__per_cpu_offset }
}

/// The first byte of the table of initializers and the byte behind it.
pub(crate) fn init_bounds() -> [*const u8; 2] {
    // SAFETY: `entry!` defines the symbol as two words, which the linker fills and nobody writes.
    unsafe { __percpu_init_bounds }
}

/// The layout record's bytes, as the post-link step left them.
pub(crate) fn layout_record() -> [u8; record::SIZE] {
    // SAFETY: `entry!` defines the symbol with this size, and nobody writes to it while the program runs. Volatile, since
    // the compiler must not conclude anything from what it was linked with.
    unsafe { (&raw const __percpu_layout_record).read_volatile() }
}

/// Ends set-up: from here on operations find their CPU.
///
/// `rseq_offset` is where libc keeps the threads' `struct rseq`, counted from the thread pointer; `None` where it
/// keeps none, and every thread works on the orphan unit.
pub(crate) fn arm(rseq_offset: Option<isize>) {
    // SAFETY: `entry!` defines the symbol with this size, zeroed, in writable memory.
    for entry in unsafe { &__percpu_unregistered_slots } {
        // Plus any address of user space it is negative; see `restartable!`.
        entry.store(core::ptr::without_provenance_mut(1 << 63), Ordering::Relaxed);
    }
    let offset = rseq_offset.unwrap_or_else(|| __percpu_unregistered_offset());
    // SAFETY: `entry!` defines the symbol as an aligned word in writable memory.
    let word = unsafe { &__percpu_rseq_offset };
    // Behind the stores to the table, also as other CPUs see it: x86-64 keeps stores in order.
    word.store(offset.cast_unsigned(), Ordering::Release);
}

/// The offset of the thread's `struct rseq` from its thread pointer, or the poison before set-up.
#[inline(always)]
pub(super) fn rseq_offset() -> usize {
    let offset;
    // SAFETY: reads a word of this image. `pure` and `nomem` let the compiler keep the value for as long as it likes. The word
    // changes once, from a poison with which every sequence faults to a value that stays: a kept value is one of
    // the two.
    unsafe {
        asm!(
            concat!("mov {offset}, qword ptr [rip + ", own_word!("__percpu_rseq_offset"), "]"),
            offset = out(reg) offset,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    offset
}

/// The address of the offset table; by assembly, since the compiler would go through the global offset table.
#[inline(always)]
pub(super) fn table_address() -> usize {
    let address;
    // SAFETY: computes an address; touches no memory.
    unsafe {
        asm!(
            concat!("lea {address}, [rip + ", own_word!("__per_cpu_offset"), "]"),
            address = out(reg) address,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    address
}
