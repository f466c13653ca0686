use std::sync::atomic::AtomicU64;

use percpu_rt::per_cpu;

static BYTES:
    ::percpu_rt::__private::PerCpu<BYTES, [AtomicU64; 2],
    <::percpu_rt::__private::Answer<{
        use ::percpu_rt::__private::OtherwiseObject as _;
        <::percpu_rt::__private::Probe<[AtomicU64; 2]>>::__PERCPU_KIND
    }> as ::percpu_rt::__private::Select>::Kind> =
    unsafe { ::percpu_rt::__private::PerCpu::from_place(BYTES {}) };
#[doc(hidden)]
#[allow(non_camel_case_types, reason = "named as the variable")]
struct BYTES {}
unsafe impl ::percpu_rt::__private::Place for BYTES {
    #[inline(always)]
    fn address(&self) -> *mut ::core::primitive::u8 {
        const __PERCPU_VALUE: [AtomicU64; 2] =
            [const { AtomicU64::new(0) }; 2];
        {
            #[unsafe(link_section = ".data..percpu..shared_aligned.BYTES")]
            static __PERCPU_TEMPLATE:
                ::percpu_rt::__private::Template<[AtomicU64; 2],
                ::percpu_rt::__private::Line> =
                ::percpu_rt::__private::Template::new(__PERCPU_VALUE);
            (&raw const __PERCPU_TEMPLATE) as *mut ::core::primitive::u8
        }
    }
}
