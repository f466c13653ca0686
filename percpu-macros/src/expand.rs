//! From the attribute to what replaces its item: one call into the runtime, where all logic is.
//!
//! The runtime's `__private::define!` is compiled once, knows the target, and may use `unsafe` in a crate that forbids
//! it. So nothing but the user's own tokens and the path of that macro is emitted.

use proc_macro2::TokenStream;
use quote::quote;

use crate::args::Args;
use crate::attrs::Attr;
use crate::decl::{Decl, Item};
use crate::{check, fallback};

/// The expansion of `#[per_cpu(ARGS)] ITEM`.
pub(crate) fn per_cpu(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Vec::new();
    let args = Args::parse(args, &mut errors);
    match syn::parse2(item.clone()) {
        Ok(Item::Variable(mut decl)) => {
            check::variable(&mut decl, &mut errors);
            if errors.is_empty() { define(&args, &decl) } else { fallback::variable(&args, &decl, errors) }
        }
        Ok(Item::Untyped) => fallback::unchanged(item, &[], errors),
        Ok(Item::Other(other)) => {
            errors.push(check::other(&other));
            fallback::unchanged(item, &other.attrs, errors)
        }
        Err(error) => {
            errors.push(error);
            fallback::unchanged(item, &[], errors)
        }
    }
}

/// The template and the handle of a variable without mistakes.
fn define(args: &Args, decl: &Decl) -> TokenStream {
    let Decl { attrs, vis, name, ty, value, .. } = decl;
    let (conditions, attrs) = Attr::split(attrs);
    let runtime = args.runtime();
    let class = args.class();
    let init = &args.init;
    quote! {
        #(#conditions)*
        #runtime::__private::define! {
            class: #class,
            init: [#init],
            #(#attrs)*
            #vis static #name: #ty = #value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_expands(args: TokenStream, item: TokenStream, expansion: TokenStream) {
        assert_eq!(per_cpu(args, item).to_string(), expansion.to_string());
    }

    #[test]
    fn a_variable_is_one_call_into_the_runtime() {
        assert_expands(
            quote!(),
            quote! {
                #[doc = " Forks."]
                #[deprecated]
                pub static FORKS: &str = concat!("a", "b");
            },
            quote! {
                ::percpu_rt::__private::define! {
                    class: plain,
                    init: [],
                    #[doc = " Forks."]
                    #[deprecated]
                    pub static FORKS: &str = concat!("a", "b");
                }
            },
        );
    }

    #[test]
    fn arguments_reach_the_runtime() {
        assert_expands(
            quote!(init = seed::<8>, hot, crate = crate::rt),
            quote!(
                static N: u8 = 0;
            ),
            quote! {
                crate::rt::__private::define! {
                    class: hot,
                    init: [seed::<8>],
                    static N: u8 = 0;
                }
            },
        );
    }

    #[test]
    fn conditions_stand_in_front() {
        assert_expands(
            quote!(),
            quote!(
                #[doc(hidden)]
                #[cfg_attr(a, cfg(b), deprecated)]
                #[cfg(c)]
                static N: u8 = 0;
            ),
            quote! {
                #[cfg_attr(a, cfg(b))]
                #[cfg(c)]
                ::percpu_rt::__private::define! {
                    class: plain,
                    init: [],
                    #[doc(hidden)]
                    #[cfg_attr(a, deprecated)]
                    static N: u8 = 0;
                }
            },
        );
    }

    #[test]
    fn a_refused_variable_keeps_its_name_and_type() {
        assert_expands(
            quote!(hot, hot),
            quote!(
                #[cfg(a)]
                #[used]
                #[deprecated]
                pub static mut N: u8 = 0;
            ),
            quote! {
                #[cfg(a)]
                ::core::compile_error! {
                    "`hot` is given twice; write it once"
                }
                #[cfg(a)]
                ::core::compile_error! {
                    "the variable is kept as long as its handle is used; remove `used`"
                }
                #[cfg(a)]
                ::core::compile_error! {
                    "`static mut` is not needed: a per-CPU variable is changed through its handle; write `static`"
                }
                #[cfg(a)]
                ::percpu_rt::__private::refused! {
                    #[deprecated]
                    pub static N: u8;
                }
            },
        );
    }

    #[test]
    fn another_item_stays_beside_its_error() {
        assert_expands(
            quote!(hot),
            quote!(
                #[cfg(a)]
                #[inline]
                pub fn f() {}
            ),
            quote! {
                #[cfg(a)]
                ::core::compile_error! {
                    "`#[per_cpu]` belongs on a `static`, not on a `fn`; write `static NAME: TYPE = VALUE;`"
                }
                #[cfg(a)] #[inline] pub fn f() {}
            },
        );
    }
}
