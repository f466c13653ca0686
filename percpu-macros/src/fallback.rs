//! What stands in for a refused item, so that its uses still resolve and one mistake gives one message.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Error;

use crate::args::Args;
use crate::attrs::Attr;
use crate::decl::Decl;

/// The errors of a variable, and a handle of its name and type that has no template.
pub(crate) fn variable(args: &Args, decl: &Decl, errors: Vec<Error>) -> TokenStream {
    let Decl { attrs, vis, name, ty, .. } = decl;
    let (conditions, attrs) = Attr::split(attrs);
    let errors = report(&conditions, errors);
    let runtime = args.runtime();
    quote! {
        #errors
        #(#conditions)*
        #runtime::__private::refused! {
            #(#attrs)*
            #vis static #name: #ty;
        }
    }
}

/// The errors of an item that is left as it is.
pub(crate) fn unchanged(item: TokenStream, attrs: &[Attr], errors: Vec<Error>) -> TokenStream {
    let (conditions, _) = Attr::split(attrs);
    let errors = report(&conditions, errors);
    quote!(#errors #item)
}

/// One `compile_error!` a mistake; an item that its `cfg` removes has none.
fn report(conditions: &[&Attr], errors: Vec<Error>) -> TokenStream {
    errors
        .into_iter()
        .map(|error| {
            let error = error.into_compile_error();
            quote!(#(#conditions)* #error)
        })
        .collect()
}
