use percpu_rt::{LocalLock, per_cpu};

static NAMES:
    ::percpu_rt::__private::PerCpu<NAMES, LocalLock<Vec<String>>,
    <::percpu_rt::__private::Answer<{
        use ::percpu_rt::__private::OtherwiseObject as _;
        <::percpu_rt::__private::Probe<LocalLock<Vec<String>>>>::__PERCPU_KIND
    }> as ::percpu_rt::__private::Select>::Kind> =
    unsafe { ::percpu_rt::__private::PerCpu::from_place(NAMES {}) };
#[doc(hidden)]
#[allow(non_camel_case_types, reason = "named as the variable")]
struct NAMES {}
unsafe impl ::percpu_rt::__private::Place for NAMES {
    #[inline(always)]
    fn address(&self) -> *mut ::core::primitive::u8 {
        const __PERCPU_VALUE: LocalLock<Vec<String>> =
            LocalLock::new(Vec::new());
        {
            #[unsafe(link_section = ".data..percpu.NAMES")]
            static __PERCPU_TEMPLATE:
                ::percpu_rt::__private::Template<LocalLock<Vec<String>>,
                ::percpu_rt::__private::Unaligned> =
                ::percpu_rt::__private::Template::new(__PERCPU_VALUE);
            (&raw const __PERCPU_TEMPLATE) as *mut ::core::primitive::u8
        }
    }
}
