//! The words that set-up fills, and where they are.
//!
//! ```text
//! .bss     __per_cpu_offset          the offsets of CPUs 0 .. MAX_CPUS
//! .data..percpu..first
//!          this_cpu_off              in each unit: the offset of its CPU
//!          __percpu_cpu_number       in each unit: the number of its CPU
//!          __percpu_interrupts       in each unit: its guards
//! .data.rel.ro  __percpu_init_bounds first and end of the table of initializers
//! .data.rel.ro  __percpu_linked      what the linker script says of the template and of static units
//! .percpu_layout  __percpu_layout_record: not patched yet
//! ```

use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32};

use super::super::{MAX_CPUS, locate};
use super::cpu::current_cpu;
use crate::abi::record;

core::arch::global_asm!(
    ".macro percpu_word name, size",
    ".globl \\name",
    ".hidden \\name",
    ".type \\name, @object",
    ".size \\name, \\size",
    ".balign 8",
    "\\name:",
    ".endm",
    ".pushsection .bss.__per_cpu_offset, \"aw\", @nobits",
    ".balign 64",
    "percpu_word __per_cpu_offset, {table_size}",
    ".skip {table_size}",
    ".popsection",
    concat!(".pushsection ", crate::__section!(first), ", \"aw\", @progbits"),
    "percpu_word this_cpu_off, 8",
    ".quad 0",
    "percpu_word __percpu_cpu_number, 4",
    ".long 0",
    "percpu_word __percpu_interrupts, 8",
    ".quad 0",
    ".popsection",
    ".weak __start_percpu_init",
    ".hidden __start_percpu_init",
    ".weak __stop_percpu_init",
    ".hidden __stop_percpu_init",
    ".pushsection .data.rel.ro.__percpu_init_bounds, \"aw\", @progbits",
    "percpu_word __percpu_init_bounds, 16",
    ".quad __start_percpu_init, __stop_percpu_init",
    ".popsection",
    // Numbers and addresses of the linker script's: in words, since they may be anywhere, and null where it has none.
    ".weak __percpu_units_start, __percpu_units_end, __percpu_unit_size",
    ".pushsection .data.rel.ro.__percpu_linked, \"aw\", @progbits",
    "percpu_word __percpu_linked, 32",
    ".quad __per_cpu_align, __percpu_units_start, __percpu_units_end, __percpu_unit_size",
    ".popsection",
    concat!(".pushsection ", crate::abi::record::record_section!(), ", \"a\", @progbits"),
    "percpu_word __percpu_layout_record, {record_size}",
    ".quad {record_magic}",
    ".long {record_version}, {record_capacity}",
    ".skip {record_size} - 16",
    ".popsection",
    ".purgem percpu_word",
    table_size = const 8 * MAX_CPUS,
    record_size = const record::SIZE,
    record_magic = const u64::from_le_bytes(record::MAGIC),
    record_version = const record::VERSION,
    record_capacity = const record::CAPACITY,
);

unsafe extern "C" {
    safe static __per_cpu_offset: [AtomicPtr<u8>; MAX_CPUS];
    static __percpu_init_bounds: [*const u8; 2];
    static __percpu_layout_record: [u8; record::SIZE];
    static __percpu_cpu_number: u32;
    static __percpu_linked: Linked;
    static __percpu_interrupts: InterruptState;
}

/// The CPUs' offsets, by number. All null before set-up.
#[inline(always)]
pub(crate) fn offset_table() -> &'static [AtomicPtr<u8>; MAX_CPUS] {
    &__per_cpu_offset
}

/// The per-CPU pointer of the CPU's own number.
pub(crate) fn cpu_number() -> *mut u32 {
    (&raw const __percpu_cpu_number).cast_mut()
}

/// What the linker script says.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Linked {
    /// The alignment of the template.
    pub(crate) align: usize,
    /// The units that it reserves for a static first chunk, and the byte behind them; null where it reserves none.
    pub(crate) units: [*mut u8; 2],
    /// Bytes of each.
    pub(crate) unit_size: usize,
}

/// What the linker script says.
pub(crate) fn linked() -> Linked {
    // SAFETY: defined above as four words, which the linker fills and nobody writes. Volatile, since the compiler must not
    // take them for zero.
    unsafe { (&raw const __percpu_linked).read_volatile() }
}

/// What this CPU's guards know of its interrupts.
#[repr(C)]
pub(crate) struct InterruptState {
    /// Guards that live.
    pub(crate) depth: AtomicU32,
    /// Whether interrupts were on before the first of them.
    pub(crate) were_on: AtomicBool,
}

/// This CPU's.
#[inline]
pub(crate) fn interrupt_state() -> &'static InterruptState {
    let place = (&raw const __percpu_interrupts).cast_mut().cast();
    // SAFETY: this CPU's copy of two words of a template, zero at first, which are reached as atomics alone; units stay for good.
    unsafe { &*locate(place, current_cpu()).cast() }
}

/// The first byte of the table of initializers and the byte behind it.
pub(crate) fn init_bounds() -> [*const u8; 2] {
    // SAFETY: defined above as two words, which the linker fills and nobody writes.
    unsafe { __percpu_init_bounds }
}

/// The layout record's bytes, as the post-link step left them.
pub(crate) fn layout_record() -> [u8; record::SIZE] {
    // SAFETY: defined above with this size, and nobody writes to it while the kernel runs. Volatile, since the compiler must
    // not conclude anything from what it was linked with.
    unsafe { (&raw const __percpu_layout_record).read_volatile() }
}
