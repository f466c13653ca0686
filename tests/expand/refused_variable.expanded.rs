use percpu_rt::per_cpu;

pub static HITS:
    ::percpu_rt::__private::PerCpu<HITS, u64,
    <::percpu_rt::__private::Answer<{
        use ::percpu_rt::__private::OtherwiseObject as _;
        <::percpu_rt::__private::Probe<u64>>::__PERCPU_KIND
    }> as ::percpu_rt::__private::Select>::Kind> =
    unsafe { ::percpu_rt::__private::PerCpu::from_place(HITS {}) };
#[doc(hidden)]
#[allow(non_camel_case_types, reason = "named as the variable")]
pub struct HITS {}
unsafe impl ::percpu_rt::__private::Place for HITS {
    fn address(&self) -> *mut ::core::primitive::u8 {
        ::core::panicking::panic("internal error: entered unreachable code")
    }
}
