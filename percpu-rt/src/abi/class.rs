//! The classes of static variables: their sections, in the order in which they are linked.
//!
//! Linux keeps the same classes (`DEFINE_PER_CPU_PAGE_ALIGNED`, `_CACHE_HOT`, `_READ_MOSTLY`, `_SHARED_ALIGNED`,
//! include/linux/percpu-defs.h); `zeroed` is ours.
//!
//! This file is also compiled into the build script, which writes the linker fragment from it, so it uses
//! nothing but `core`.

/// The output section of the templates that have file bytes.
pub const DATA: &str = ".data..percpu";

/// The output section of the zero templates, directly behind [`DATA`].
pub const BSS: &str = ".bss..percpu";

/// The one section of all templates in programs that are linked without the fragment: most linkers do not read it, but
/// every linker makes `__start_` and `__stop_` symbols around a section whose name is an identifier.
///
/// Classes have no order there: each variable keeps its alignment, and zero templates have file bytes.
pub const FALLBACK: &str = "__percpu";

/// Bytes of a cache line: what `shared_aligned` keeps apart and what `hot` packs.
///
/// As Linux's `L1_CACHE_BYTES`, with 64 for every architecture that has no larger line in wide use.
pub const CACHE_LINE: u64 = 64;

/// The section of one class of variables; the crate's root exports it for the expansion of `#[per_cpu]`.
///
/// `__section!(hot HITS)` is `".data..percpu..hot.HITS"`. It is a macro since a section name has to be a literal
/// where it is used, and it stands here so that the literals have one home. The build script's finding decides for all
/// crates of a program: they expand this macro of this build.
#[cfg(not(link = "section"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __section {
    (first) => {
        ".data..percpu..first"
    };
    (plain $name:ident) => {
        ::core::concat!(".data..percpu.", ::core::stringify!($name))
    };
    (zeroed $name:ident) => {
        ::core::concat!(".bss..percpu.", ::core::stringify!($name))
    };
    ($class:ident $name:ident) => {
        ::core::concat!(".data..percpu..", ::core::stringify!($class), ".", ::core::stringify!($name))
    };
}

/// The section of every variable, where the linker does not read the fragment; see [`FALLBACK`].
#[cfg(link = "section")]
#[doc(hidden)]
#[macro_export]
macro_rules! __section {
    ($($class_and_name:ident)+) => {
        "__percpu"
    };
}

/// Has the code generator see that the value of a `zeroed` variable is zero: it refuses any other in a section without file
/// bytes. With the fragment that is the template's own.
#[cfg(not(link = "section"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __zeroed {
    ($name:ident, $type:ty) => {};
}

/// In one section the template has file bytes, so a twin stands in for it. Nothing refers to the twin, and no linker that collects
/// garbage keeps it.
#[cfg(link = "section")]
#[doc(hidden)]
#[macro_export]
macro_rules! __zeroed {
    ($name:ident, $type:ty) => {
        #[used]
        #[unsafe(link_section = ::core::concat!(".bss.percpu_zeroed.", ::core::stringify!($name)))]
        static __PERCPU_ZEROED: $crate::__private::Template<$type> = $crate::__private::Template::new(__PERCPU_VALUE);
    };
}

/// A class of static per-CPU variables: what they share with their neighbours in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Starts on a page of its own: descriptor tables, stacks.
    PageAligned,
    /// The runtime's own anchor, `this_cpu_off`.
    First,
    /// The few words that nearly every operation touches, packed together.
    Hot,
    /// Written at set-up and hardly ever later, so that remote readers keep the lines shared.
    ReadMostly,
    /// Everything else.
    Plain,
    /// Written by its own CPU and read by others: on a cache line of its own.
    SharedAligned,
    /// All zero, without bytes in the file.
    Zeroed,
}

impl Class {
    /// All classes in linked order.
    pub const ALL: [Self; 7] =
        [Self::PageAligned, Self::First, Self::Hot, Self::ReadMostly, Self::Plain, Self::SharedAligned, Self::Zeroed];

    /// The name that the attribute and the reports use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PageAligned => "page_aligned",
            Self::First => "first",
            Self::Hot => "hot",
            Self::ReadMostly => "read_mostly",
            Self::Plain => "plain",
            Self::SharedAligned => "shared_aligned",
            Self::Zeroed => "zeroed",
        }
    }

    /// Whether the class begins on a cache line of its own, so that it shares none with the class before it.
    #[must_use]
    pub const fn starts_line(self) -> bool {
        // `hot` follows `first` in its line: the CPU's own offset is as hot as anything.
        matches!(self, Self::First | Self::ReadMostly | Self::Plain)
    }

    /// The pattern of the input sections of this class, as linker scripts write it.
    #[must_use]
    pub const fn input_pattern(self) -> &'static str {
        match self {
            Self::PageAligned => ".data..percpu..page_aligned.*",
            Self::First => ".data..percpu..first",
            Self::Hot => ".data..percpu..hot.*",
            Self::ReadMostly => ".data..percpu..read_mostly.*",
            Self::Plain => ".data..percpu.[!.]*",
            Self::SharedAligned => ".data..percpu..shared_aligned.*",
            Self::Zeroed => ".bss..percpu.*",
        }
    }

    /// The symbol at the first byte of this class; the class reaches to the next one's symbol.
    #[must_use]
    pub const fn start_symbol(self) -> &'static str {
        match self {
            Self::PageAligned => "__per_cpu_page_aligned_start",
            Self::First => "__per_cpu_first_start",
            Self::Hot => "__per_cpu_hot_start",
            Self::ReadMostly => "__per_cpu_read_mostly_start",
            Self::Plain => "__per_cpu_plain_start",
            Self::SharedAligned => "__per_cpu_shared_aligned_start",
            Self::Zeroed => "__per_cpu_zeroed_start",
        }
    }
}
