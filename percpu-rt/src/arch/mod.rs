//! One operation at a time on this CPU's copy of a variable: the backends, and what each must supply.
//!
//! | backend | this CPU's copy is found by | an operation is |
//! |---|---|---|
//! | `x86_64` | `cpu_id` of the thread's `struct rseq`, read inside the sequence | one restartable sequence with one commit instruction, no `lock` |
//! | `x86_64_kernel` | the base of `gs`, in kernels | one instruction |
//! | `generic` | the operating system's CPU number, a hint | one atomic operation, exact wherever it lands |
//!
//! A backend is a folder with these files:
//!
//! - `entry.rs`: a macro `entry!(set_up)` that defines the words an operation reads ([`symbol::OFFSET_TABLE`],
//!   the poison) and the [layout record] together with the start-up hook that calls `set_up`, and the functions that
//!   reach those words;
//! - `cpu.rs`: `current_cpu() -> usize`, the number under which the running thread's unit stands in the table, and
//!   `thread_pointer() -> usize`, which no other live thread has;
//! - `copy.rs`: `copy`, by which set-up fills the units;
//! - `lock.rs`: the step of a lock that is taken on its own CPU, `acquire`, what follows when it is `freed`, and whether the step is
//!   `FAST_PATH_IS_PLAIN`;
//! - `magazine.rs`, in processes: the steps by which this CPU's stock changes, `pop`, `push`, `adopt`, and of the
//!   first two the part that is worth inlining, `pop_top` and `push_top`; and whether `STEPS_ARE_SEQUENCES`;
//! - `word.rs`: the implementations of [`LocalWord`] and [`LocalInteger`];
//! - `wide.rs`, where the architecture has the means: the one of `LocalWide`.
//!
//! Nothing in here knows of guards, handles or `CpuId`s: a CPU is its number, a variable its per-CPU pointer.
//!
//! [`symbol::OFFSET_TABLE`]: crate::abi::symbol::OFFSET_TABLE
//! [layout record]: crate::abi::record

mod contract;
mod locate;
mod lock_words;
#[cfg(has_stock)]
pub(crate) mod magazine;
#[cfg(all(test, loom))]
mod models;
mod place;
// The build script chooses, by target and by `--cfg percpu_backend="generic"`.
#[cfg(backend = "generic")]
mod generic;
#[cfg(backend = "x86_64")]
mod x86_64;
#[cfg(backend = "x86_64_kernel")]
mod x86_64_kernel;

#[cfg(any(backend = "x86_64", backend = "x86_64_kernel"))]
pub(crate) use contract::LocalWide;
pub(crate) use contract::{LocalInteger, LocalWord};
#[cfg(backend = "generic")]
use generic as imp;
#[cfg(platform = "kernel")]
pub use imp::access::shape;
#[cfg(platform = "kernel")]
pub(crate) use imp::base;
pub(crate) use imp::copy::copy;
pub(crate) use imp::cpu::{current_cpu, thread_pointer};
#[cfg(platform = "kernel")]
pub(crate) use imp::entry::{Linked, cpu_number, linked};
#[cfg(platform = "hosted")]
pub(crate) use imp::entry::{arm, entry};
pub(crate) use imp::entry::{init_bounds, layout_record, offset_table};
#[cfg(platform = "kernel")]
pub(crate) use imp::interrupts;
#[cfg(all(test, loom))]
pub(crate) use imp::lock::acquire_copy;
pub(crate) use imp::lock::{FAST_PATH_IS_PLAIN, acquire, freed};
#[cfg(has_stock)]
pub(crate) use imp::magazine::{STEPS_ARE_SEQUENCES, adopt, pop, pop_top, push, push_top};
pub(crate) use locate::locate;
pub(crate) use lock_words::LockWords;
pub use place::Place;
#[cfg(backend = "x86_64")]
use x86_64 as imp;
#[cfg(backend = "x86_64_kernel")]
use x86_64_kernel as imp;

/// The name under which inlined operations know a word of the runtime. It is hidden, as another image's variables belong to
/// another domain; a link that asks for it all the same fails, and what the linker then prints is the remedy.
#[cfg(platform = "hosted")]
macro_rules! own_word {
    ($name:literal) => {
        concat!($name, "_of_this_image__a_dylib_cannot_lend_per_cpu_variables__make_it_an_rlib_or_a_cdylib")
    };
}
#[cfg(platform = "hosted")]
pub(crate) use own_word;

/// CPU numbers that the offset table has room for: Linux's largest `NR_CPUS`. On a machine with larger numbers all
/// threads are served as those without restartable sequences.
pub(crate) const MAX_CPUS: usize = 8192;

/// The entry of the offset table that threads without a CPU number of their own use: the orphan unit's.
pub(crate) const ORPHAN_SLOT: usize = MAX_CPUS;
