use percpu_rt::per_cpu;


#[deprecated]
#[allow(dead_code)]
static OLD:
    ::percpu_rt::__private::PerCpu<OLD, bool,
    <::percpu_rt::__private::Answer<{
        use ::percpu_rt::__private::OtherwiseObject as _;
        <::percpu_rt::__private::Probe<bool>>::__PERCPU_KIND
    }> as ::percpu_rt::__private::Select>::Kind> =
    unsafe { ::percpu_rt::__private::PerCpu::from_place(OLD {}) };
#[doc(hidden)]
#[allow(non_camel_case_types, reason = "named as the variable")]
struct OLD {}
unsafe impl ::percpu_rt::__private::Place for OLD {
    #[inline(always)]
    fn address(&self) -> *mut ::core::primitive::u8 {
        const __PERCPU_VALUE: bool = false;
        {
            #[unsafe(link_section = ".data..percpu.OLD")]
            static __PERCPU_TEMPLATE:
                ::percpu_rt::__private::Template<bool,
                ::percpu_rt::__private::Unaligned> =
                ::percpu_rt::__private::Template::new(__PERCPU_VALUE);
            (&raw const __PERCPU_TEMPLATE) as *mut ::core::primitive::u8
        }
    }
}
