use percpu_rt as rt;

static HITS:
    ::percpu_rt::__private::PerCpu<HITS, u64,
    <::percpu_rt::__private::Answer<{
        use ::percpu_rt::__private::OtherwiseObject as _;
        <::percpu_rt::__private::Probe<u64>>::__PERCPU_KIND
    }> as ::percpu_rt::__private::Select>::Kind> =
    unsafe { ::percpu_rt::__private::PerCpu::from_place(HITS {}) };
#[doc(hidden)]
#[allow(non_camel_case_types, reason = "named as the variable")]
struct HITS {}
unsafe impl ::percpu_rt::__private::Place for HITS {
    #[inline(always)]
    fn address(&self) -> *mut ::core::primitive::u8 {
        const __PERCPU_VALUE: u64 = 0;
        {
            #[unsafe(link_section = ".data..percpu.HITS")]
            static __PERCPU_TEMPLATE:
                ::percpu_rt::__private::Template<u64,
                ::percpu_rt::__private::Unaligned> =
                ::percpu_rt::__private::Template::new(__PERCPU_VALUE);
            (&raw const __PERCPU_TEMPLATE) as *mut ::core::primitive::u8
        }
    }
}
