//! The linked template: the initial value of every static per-CPU variable.
//!
//! Its bounds come from the linker fragment, or from what the linker makes in their place. A linker that has none names
//! what it misses or where, so one of the two is the remedy.

unsafe extern "C" {
    // Used by address alone. The first is `abi::symbol::FRAGMENT`, at the address of `START`; then `END`.
    #[cfg_attr(link = "section", link_name = "__start___percpu")]
    #[cfg_attr(
        not(any(link = "section", link = "kernel")),
        link_name = "percpu_x_is_not_linked__add_it_or_build_with_PERCPU_LINK_section"
    )]
    #[cfg_attr(
        link = "kernel",
        link_name = "percpu_ld_is_not_included__write_INCLUDE_percpu_ld_into_SECTIONS_of_the_linker_script"
    )]
    static START: u8;
    #[cfg_attr(link = "section", link_name = "__stop___percpu")]
    #[cfg_attr(not(link = "section"), link_name = "__per_cpu_end")]
    static END: u8;
}

/// The template's first byte and the byte behind it.
#[cfg(not(link = "section"))]
fn bounds() -> [*const u8; 2] {
    [&raw const START, &raw const END]
}

/// The same, by way of a static: its name and its section's are what linkers print beside the bounds that they miss.
#[cfg(link = "section")]
fn bounds() -> [*const u8; 2] {
    #[repr(transparent)]
    struct Bounds([*const u8; 2]);

    // SAFETY: two addresses that nobody writes.
    unsafe impl Sync for Bounds {}

    #[allow(non_upper_case_globals, reason = "a sentence")]
    #[unsafe(link_section = ".data.rel.ro.percpu_templates_are_lost__let_linker_scripts_leave_section___percpu_alone")]
    static percpu_templates_are_lost__let_linker_scripts_leave_section___percpu_alone: Bounds =
        Bounds([&raw const START, &raw const END]);

    let bounds = &raw const percpu_templates_are_lost__let_linker_scripts_leave_section___percpu_alone;
    // SAFETY: a static of ours, which nobody writes. Volatile, since the compiler would name the symbols here instead.
    unsafe { bounds.read_volatile() }.0
}

/// The first byte of the template.
pub(crate) fn start() -> *const u8 {
    bounds()[0]
}

/// Bytes of the template, the padding between variables and the zero templates included.
pub(crate) fn size() -> usize {
    let [start, end] = bounds();
    end.addr() - start.addr()
}
