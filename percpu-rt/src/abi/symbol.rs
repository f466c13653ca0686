//! The symbols of an image with per-CPU variables, and who defines each.
//!
//! This file is also compiled into the build script, so it uses nothing but `core`.

/// First byte of the template; defined by the linker fragment.
pub const START: &str = "__per_cpu_start";

/// [`START`] as the runtime asks for it; defined by the linker fragment. A link without the fragment fails, and every linker
/// says so by this name.
pub const FRAGMENT: &str = "percpu_x_is_not_linked__add_it_or_build_with_PERCPU_LINK_section";

/// The byte behind the template; defined by the linker fragment.
pub const END: &str = "__per_cpu_end";

/// [`START`] where all templates are in [`FALLBACK`](super::class::FALLBACK); defined by the linker.
pub const FALLBACK_START: &str = "__start___percpu";

/// [`END`] where all templates are in [`FALLBACK`](super::class::FALLBACK); defined by the linker.
pub const FALLBACK_END: &str = "__stop___percpu";

/// The table of the CPUs' offsets, indexed by CPU number; defined by the runtime.
pub const OFFSET_TABLE: &str = "__per_cpu_offset";

/// The per-CPU variable that holds its own CPU's offset; defined by the runtime.
pub const THIS_CPU_OFF: &str = "this_cpu_off";

/// Where a thread's `struct rseq` lies, counted from its thread pointer; defined by the runtime in hosted images
/// on architectures with restartable sequences. A poison before set-up.
pub const RSEQ_OFFSET: &str = "__percpu_rseq_offset";

/// The path segments that stand between a variable's own path and the end of its template's demangled symbol:
/// the template of `app::HITS` is `<app::HITS as percpu_rt::arch::place::Place>::address::__PERCPU_TEMPLATE`.
pub const TEMPLATE_SUFFIX: &str = ">::address::__PERCPU_TEMPLATE";

/// The type that wraps a variable's own type in debug information: `Template<u64>`.
pub const TEMPLATE_TYPE: &str = "Template";
