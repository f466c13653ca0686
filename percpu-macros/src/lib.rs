//! The `#[per_cpu]` attribute of [percpu-rt](https://docs.rs/percpu-rt), which re-exports it: depend on that crate.
//!
//! One job a file, in the order in which an item meets them: `args` reads the attribute's arguments, `decl` the item
//! and `attrs` what is written above it; `check` collects every mistake; `expand` hands a sound item to the runtime,
//! `fallback` declares the name of a refused one.
//!
//! This crate knows the syntax of a variable and nothing else: sections, symbols and instructions are the runtime's,
//! since a procedural macro runs on the host and does not know the target.

#![forbid(unsafe_code)]

mod args;
mod attrs;
mod check;
mod decl;
mod expand;
mod fallback;

use proc_macro::TokenStream;

/// Makes a `static` a per-CPU variable: each CPU has a copy of its own, and the name becomes the handle to them.
///
/// ```text
/// use percpu_rt::per_cpu;
///
/// /// Forks seen by each CPU.
/// #[per_cpu]
/// pub static PROCESS_COUNTS: u64 = 0;
///
/// PROCESS_COUNTS.inc();
/// let total: u64 = PROCESS_COUNTS.sum();
/// ```
///
/// The initializer is the template: set-up copies it bit by bit to every CPU, so it has to be a constant. What the
/// handle offers depends on the type: integers, `bool` and pointers are *words* and have operations
/// (`read write inc add_return cmpxchg ..`); every other type is an *object* and is borrowed
/// (`with get_cpu_var on`).
///
/// # Arguments
///
/// They come in any order, separated by commas.
///
/// | argument | meaning |
/// |---|---|
/// | `page_aligned` | the copy starts on a page of its own |
/// | `shared_aligned` | on a cache line of its own: written by its CPU, read by others |
/// | `read_mostly` | beside other variables that hardly ever change |
/// | `hot` | beside the few words that nearly every operation touches |
/// | `zeroed` | the initializer is all zero, any other is refused, and takes no bytes in the file |
/// | `init = PATH` | an `unsafe fn(CpuId, *mut T)` that set-up runs on each copy, for values that differ by CPU or point at themselves |
/// | `crate = PATH` | where percpu-rt is found, if not at `::percpu_rt` |
///
/// The first five are classes: a variable has at most one.
///
/// ```text
/// #[per_cpu(hot)]
/// static NESTING: u32 = 0;
///
/// #[per_cpu(shared_aligned, init = seed)]
/// static RNG: Rng = Rng::EMPTY;
///
/// /// `rng` is this CPU's copy, which nothing else can reach yet.
/// unsafe fn seed(cpu: CpuId, rng: *mut Rng) { .. }
/// ```
///
/// `init = PATH` has set-up call an unsafe function without an unsafe block. What that function may demand of its
/// caller, by taking these two arguments, is this and no more: the pointer is to `CpuId`'s copy, which holds the
/// initializer's value and which nothing else can reach until set-up is over. Set-up is over after the last of these
/// functions: a per-CPU operation inside of one faults, as any before set-up.
///
/// # Items
///
/// The item is a plain `static` with an initializer, in a module or in a function body, of any visibility. It may
/// carry documentation, `cfg`, `cfg_attr`, `deprecated` and lint attributes. A crate that forbids unsafe code can
/// declare per-CPU variables. The name is also taken among the types of its scope: a type of the same name cannot
/// stand beside it.
///
/// Refused is what would mean something else than it says: `static mut`, `const`, functions, `extern` blocks, a
/// missing initializer, and the attributes that choose a section, a symbol or a thread (`link_section`, `no_mangle`,
/// `export_name`, `used`, `thread_local`). Every mistake of an item is reported at once, and the name stays declared,
/// so that its uses add no messages of their own.
#[proc_macro_attribute]
pub fn per_cpu(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::per_cpu(args.into(), item.into()).into()
}
