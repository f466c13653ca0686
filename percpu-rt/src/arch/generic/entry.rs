//! The words that the operations read, and the start-up hook that fills them.
//!
//! The table is data of an assembly block, since Rust cannot hide it from other shared objects.

use core::sync::atomic::{AtomicPtr, Ordering};

use super::super::{ORPHAN_SLOT, own_word};
use crate::abi::record::{self, ByteOrder};

/// Defines the words and the hook; `$set_up` is an `extern "C" fn()` that ends by calling [`arm`].
macro_rules! entry {
    ($set_up:path) => {
        #[used]
        #[cfg_attr(not(miri), unsafe(link_section = ".init_array.00098"))]
        static SET_UP: extern "C" fn() = $set_up;

        #[unsafe(no_mangle)]
        #[unsafe(link_section = $crate::__section!(first))]
        #[allow(non_upper_case_globals, reason = "the name by which assembly and debuggers know it")]
        static this_cpu_off: core::sync::atomic::AtomicUsize = core::sync::atomic::AtomicUsize::new(0);
    };
}
pub(crate) use entry;

/// What the table holds before set-up: plus any address of user space it is one that no process can map, so that an access faults
/// and never finds the template. Bit 55 is set: it is the one that says "the kernel's" where aarch64 ignores the top byte.
const POISON: usize = 0xff80 << 48;

// No instruction is in it, so it is the same for all architectures.
#[cfg(not(miri))]
core::arch::global_asm!(
    ".pushsection .data.__per_cpu_offset, \"aw\", %progbits",
    ".balign 64",
    ".globl __per_cpu_offset",
    ".hidden __per_cpu_offset",
    ".type __per_cpu_offset, %object",
    ".size __per_cpu_offset, {size}",
    "__per_cpu_offset:",
    concat!(".globl ", own_word!("__per_cpu_offset")),
    concat!(".hidden ", own_word!("__per_cpu_offset")),
    concat!(own_word!("__per_cpu_offset"), ":"),
    ".rept {entries}",
    ".quad {poison}",
    ".endr",
    // What stands beside the hook, so that a link that takes the table takes the hook too: they may be in different members of
    // a static library.
    ".quad this_cpu_off",
    ".popsection",
    // Where the linker makes the template's bounds; the fragment hides its own.
    concat!(".ifc ", crate::__section!(first), ", __percpu"),
    ".hidden __start___percpu",
    ".hidden __stop___percpu",
    ".endif",
    size = const 8 * (ORPHAN_SLOT + 1),
    entries = const ORPHAN_SLOT + 1,
    poison = const POISON,
);

#[cfg(not(miri))]
unsafe extern "C" {
    #[link_name = own_word!("__per_cpu_offset")]
    safe static OFFSET_TABLE: [AtomicPtr<u8>; ORPHAN_SLOT + 1];
}

#[cfg(miri)]
static OFFSET_TABLE: [AtomicPtr<u8>; ORPHAN_SLOT + 1] =
    [const { AtomicPtr::new(core::ptr::without_provenance_mut(POISON)) }; ORPHAN_SLOT + 1];

/// The CPUs' offsets, by number; `ORPHAN_SLOT` is the orphan unit's. All poison before set-up.
#[inline(always)]
pub(crate) fn offset_table() -> &'static [AtomicPtr<u8>; ORPHAN_SLOT + 1] {
    &OFFSET_TABLE
}

/// Whether set-up has filled the table.
#[inline]
pub(super) fn is_set_up() -> bool {
    OFFSET_TABLE[ORPHAN_SLOT].load(Ordering::Relaxed).addr() != POISON
}

/// The first byte of the table of initializers and the byte behind it.
pub(crate) fn init_bounds() -> [*const u8; 2] {
    /// Without a single entry the linker would make no such section, and no symbols around it.
    #[used]
    #[unsafe(link_section = "percpu_init")]
    static NO_ENTRY: [usize; 0] = [];

    unsafe extern "C" {
        // Made by the linker around the section of that name, used by address alone.
        static __start_percpu_init: u8;
        static __stop_percpu_init: u8;
    }
    [&raw const __start_percpu_init, &raw const __stop_percpu_init]
}

/// The layout record's bytes, as the post-link step left them.
pub(crate) fn layout_record() -> [u8; record::SIZE] {
    #[unsafe(link_section = record::record_section!())]
    static RECORD: [u8; record::SIZE] = record::unpatched(ByteOrder::NATIVE);

    // SAFETY: a static of ours. Volatile, since the compiler must not conclude anything from its initial value.
    unsafe { (&raw const RECORD).read_volatile() }
}

/// Ends set-up. Nothing is left to do: the filled table is what the operations read.
pub(crate) fn arm(_rseq_offset: Option<isize>) {}
