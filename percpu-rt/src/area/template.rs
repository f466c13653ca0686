//! The linked template: the initial value of every static per-CPU variable.

unsafe extern "C" {
    // `abi::symbol::START` and `END`, from the linker fragment, or what the linker makes in their place: used by address
    // alone.
    #[cfg_attr(link = "section", link_name = "__start___percpu")]
    static __per_cpu_start: u8;
    #[cfg_attr(link = "section", link_name = "__stop___percpu")]
    static __per_cpu_end: u8;
}

/// The first byte of the template.
pub(crate) fn start() -> *const u8 {
    &raw const __per_cpu_start
}

/// Bytes of the template, the padding between variables and the zero templates included.
pub(crate) fn size() -> usize {
    (&raw const __per_cpu_end).addr() - start().addr()
}
