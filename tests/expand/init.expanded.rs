use percpu_rt::{CpuId, per_cpu};


static SEED:
    ::percpu_rt::__private::PerCpu<SEED, u64,
    <::percpu_rt::__private::Answer<{
        use ::percpu_rt::__private::OtherwiseObject as _;
        <::percpu_rt::__private::Probe<u64>>::__PERCPU_KIND
    }> as ::percpu_rt::__private::Select>::Kind> =
    unsafe { ::percpu_rt::__private::PerCpu::from_place(SEED {}) };
#[doc(hidden)]
#[allow(non_camel_case_types, reason = "named as the variable")]
struct SEED {}
unsafe impl ::percpu_rt::__private::Place for SEED {
    #[inline(always)]
    fn address(&self) -> *mut ::core::primitive::u8 {
        const __PERCPU_VALUE: u64 = 1;
        {
            #[unsafe(link_section = ".data..percpu.SEED")]
            static __PERCPU_TEMPLATE:
                ::percpu_rt::__private::Template<u64,
                ::percpu_rt::__private::Unaligned> =
                ::percpu_rt::__private::Template::new(__PERCPU_VALUE);
            const __PERCPU_INIT: ::percpu_rt::__private::Init<u64> = seed;
            #[used]
            #[unsafe(link_section = "percpu_init")]
            static __PERCPU_INIT_ENTRY: ::percpu_rt::__private::InitEntry =
                unsafe {
                    ::percpu_rt::__private::InitEntry::new((&raw const __PERCPU_TEMPLATE)
                            as _, __PERCPU_INIT)
                };
            (&raw const __PERCPU_TEMPLATE) as *mut ::core::primitive::u8
        }
    }
}
/// This CPU's copy, which nothing else can reach yet.
unsafe fn seed(cpu: CpuId, seed: *mut u64) {
    unsafe { *seed += cpu.index() as u64 };
}
