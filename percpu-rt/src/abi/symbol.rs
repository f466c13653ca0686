//! The symbols of an image with per-CPU variables, and who defines each.
//!
//! This file is also compiled into the build script, so it uses nothing but `core`.

/// First byte of the template; defined by the linker fragment.
pub const START: &str = "__per_cpu_start";

/// [`START`] as the runtime asks for it; defined by the linker fragment. A link without the fragment fails, and every linker
/// says so by this name.
pub const FRAGMENT: &str = "percpu_x_is_not_linked__add_it_or_build_with_PERCPU_LINK_section";

/// [`START`] as a kernel's runtime asks for it; defined by the fragment of kernels. A link without it fails, and every linker
/// says so by this name.
pub const KERNEL_FRAGMENT: &str =
    "percpu_ld_is_not_included__write_INCLUDE_percpu_ld_into_SECTIONS_of_the_linker_script";

/// The alignment of the template, as a number; defined by the fragment of kernels.
pub const ALIGN: &str = "__per_cpu_align";

/// Number of units that a kernel's script reserves for a static first chunk; defined by the script.
pub const NR_UNITS: &str = "__percpu_nr_units";

/// Bytes of each, as a number; defined by the fragment of units.
pub const UNIT_SIZE: &str = "__percpu_unit_size";

/// The first byte of these units, and the one behind them; defined by the fragment of units.
pub const UNITS_START: &str = "__percpu_units_start";

/// See [`UNITS_START`].
pub const UNITS_END: &str = "__percpu_units_end";

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

/// The same in kernels, where the function is the one that has the instructions.
pub const KERNEL_TEMPLATE_SUFFIX: &str = ">::access::__PERCPU_TEMPLATE";

/// The type that wraps a variable's own type in debug information: `Template<u64>`.
pub const TEMPLATE_TYPE: &str = "Template";
