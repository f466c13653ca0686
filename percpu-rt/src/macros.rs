//! The runtime's half of the expansion of `#[per_cpu]`.
//!
//! The attribute checks what was written and hands it on to these macros; they are compiled here once, where the
//! sections and types that they name are defined. Names inside are `__PERCPU_*`, since the user's type and
//! initializer are put beside them.

/// A static per-CPU variable: a handle, a place of the same name, and the template inside the place.
///
/// The place shares the variable's name, in the namespace of types: it travels along wherever the variable is
/// imported, and error messages show it.
#[doc(hidden)]
#[macro_export]
macro_rules! __define {
    (
        class: $class:ident,
        init: [$($init:expr)?],
        $(#[$attribute:meta])*
        $visibility:vis static $name:ident: $type:ty = $value:expr;
    ) => {
        $crate::__handle! { $(#[$attribute])* $visibility static $name: $type; }

        // SAFETY: the template is linked once, between the bounds that set-up copies into every unit.
        unsafe impl $crate::__private::Place for $name {
            $crate::__place! { $class, [$($init)?], $name, $type, $value }
        }
    };
}

/// What a static's place is: its template's address.
#[cfg(not(backend = "x86_64_kernel"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __place {
    ($class:ident, $init:tt, $name:ident, $type:ty, $value:expr) => {
        #[inline(always)]
        fn address(&self) -> *mut ::core::primitive::u8 {
            // Through a constant: its bytes may then be copied, and the compiler refuses by itself what may not
            // stand in several places at once.
            const __PERCPU_VALUE: $type = $value;
            // In a block of its own, which the user's expressions cannot see into.
            {
                $crate::__template! { $class, $name, $type }
                $crate::__init! { $init, $type }
                (&raw const __PERCPU_TEMPLATE) as *mut ::core::primitive::u8
            }
        }
    };
}

/// In a kernel, that and the instructions that name it.
#[cfg(backend = "x86_64_kernel")]
#[doc(hidden)]
#[macro_export]
macro_rules! __place {
    ($class:ident, $init:tt, $name:ident, $type:ty, $value:expr) => {
        #[inline(always)]
        fn address(&self) -> *mut ::core::primitive::u8 {
            // SAFETY: asks for an address alone.
            let address = unsafe { self.access::<{ $crate::__private::shape::ADDRESS }, 0>(0, 0) };
            ::core::ptr::with_exposed_provenance_mut(address as ::core::primitive::usize)
        }

        #[inline(always)]
        unsafe fn access<const __PERCPU_SHAPE: ::core::primitive::u8, const __PERCPU_SIZE: ::core::primitive::usize>(
            &self,
            __percpu_a: ::core::primitive::u128,
            __percpu_b: ::core::primitive::u128,
        ) -> ::core::primitive::u128 {
            // As above.
            const __PERCPU_VALUE: $type = $value;
            {
                $crate::__template! { $class, $name, $type }
                $crate::__init! { $init, $type }
                if const { __PERCPU_SHAPE == $crate::__private::shape::ADDRESS } {
                    return (&raw const __PERCPU_TEMPLATE).expose_provenance() as ::core::primitive::u128;
                }
                // SAFETY: the caller's; the template's address with the prefix of the segment is this CPU's copy.
                unsafe {
                    $crate::__gs_access!(
                        __PERCPU_SHAPE, __PERCPU_SIZE, __percpu_a, __percpu_b,
                        "rip + {place}", place = sym __PERCPU_TEMPLATE
                    )
                }
            }
        }
    };
}

/// The entry of a variable's initializer in the table, if it has one.
#[doc(hidden)]
#[macro_export]
macro_rules! __init {
    ([], $type:ty) => {};
    ([$init:expr], $type:ty) => {
        // Coerced outside of any unsafe block, so that a wrong signature is the user's line.
        const __PERCPU_INIT: $crate::__private::Init<$type> = $init;
        #[used]
        #[unsafe(link_section = "percpu_init")]
        static __PERCPU_INIT_ENTRY: $crate::__private::InitEntry =
            // SAFETY: the template of this variable, of this type.
            unsafe { $crate::__private::InitEntry::new((&raw const __PERCPU_TEMPLATE) as _, __PERCPU_INIT) };
    };
}

/// The handle of an item that the attribute refused: as good as any to the type checker, so that the refusal stays
/// the only message.
#[doc(hidden)]
#[macro_export]
macro_rules! __refused {
    ($(#[$attribute:meta])* $visibility:vis static $name:ident: $type:ty;) => {
        $crate::__handle! { $(#[$attribute])* $visibility static $name: $type; }

        // SAFETY: never linked, as the refusal has stopped the build.
        unsafe impl $crate::__private::Place for $name {
            fn address(&self) -> *mut ::core::primitive::u8 {
                ::core::unreachable!()
            }
        }
    };
}

/// What a variable becomes where no backend can operate on it.
#[doc(hidden)]
#[macro_export]
macro_rules! __no_backend {
    ($($variable:tt)*) => {
        ::core::compile_error!(
            "percpu-rt has no operations for this build: they need a 64-bit Linux as the target and the feature `hosted`, or \
             x86-64 and the feature `kernel`"
        );
    };
}

/// The handle and the type of its place.
#[doc(hidden)]
#[macro_export]
macro_rules! __handle {
    ($(#[$attribute:meta])* $visibility:vis static $name:ident: $type:ty;) => {
        $(#[$attribute])*
        $visibility static $name: $crate::__private::PerCpu<$name, $type, $crate::__kind!($type)> =
            // SAFETY: the place below is this variable's alone, of this type and its kind.
            unsafe { $crate::__private::PerCpu::from_place($name {}) };

        #[doc(hidden)]
        #[allow(non_camel_case_types, reason = "named as the variable")]
        $visibility struct $name {}
    };
}

/// The kind of a type.
#[doc(hidden)]
#[macro_export]
macro_rules! __kind {
    ($type:ty) => {
        <$crate::__private::Answer<
            {
                // Anonymous, so it shadows nothing.
                use $crate::__private::OtherwiseObject as _;
                <$crate::__private::Probe<$type>>::__PERCPU_KIND
            },
        > as $crate::__private::Select>::Kind
    };
}

/// The template in its section, aligned as its class demands.
#[doc(hidden)]
#[macro_export]
macro_rules! __template {
    (page_aligned, $name:ident, $type:ty) => {
        $crate::__template! { page_aligned, $name, $type, Page }
    };
    (shared_aligned, $name:ident, $type:ty) => {
        $crate::__template! { shared_aligned, $name, $type, Line }
    };
    (zeroed, $name:ident, $type:ty) => {
        $crate::__template! { zeroed, $name, $type, Unaligned }
        $crate::__zeroed! { $name, $type }
        const _: () = {
            // Anonymous, so it shadows nothing.
            use $crate::__private::OtherwiseUnknown as _;
            ::core::assert!(
                // SAFETY: the bytes are known only of types that the function is for.
                !<$crate::__private::Bytes<$type>>::__PERCPU_ARE_KNOWN
                    || unsafe { $crate::__private::is_zero::<$type>(__PERCPU_VALUE) },
                "a `zeroed` variable starts as zero bytes and this value has others; remove `zeroed`"
            );
        };
    };
    ($class:ident, $name:ident, $type:ty) => {
        $crate::__template! { $class, $name, $type, Unaligned }
    };
    ($class:ident, $name:ident, $type:ty, $align:ident) => {
        #[unsafe(link_section = $crate::__section!($class $name))]
        static __PERCPU_TEMPLATE: $crate::__private::Template<$type, $crate::__private::$align> =
            $crate::__private::Template::new(__PERCPU_VALUE);
    };
}
