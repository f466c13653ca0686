//! Every refusal of an item, each at the token at fault. All mistakes are collected, so one build shows them all.
//!
//! What rustc says better is left to rustc: types, constants, attributes that do not belong on a static.

use syn::Error;

use crate::attrs::Attr;
use crate::decl::{Decl, Other, Storage};

/// Collects what is wrong with a variable, and takes the attributes that it cannot keep.
pub(crate) fn variable(decl: &mut Decl, errors: &mut Vec<Error>) {
    decl.attrs.retain(|attr| match refuse_attr(attr) {
        Some(error) => {
            errors.push(error);
            false
        }
        None => true,
    });
    if let Some(safety) = &decl.safety {
        let message = format!("`{safety}` is for the statics of `extern` blocks; write `static`");
        errors.push(Error::new(safety.span(), message));
    }
    match &decl.storage {
        Storage::Static => {}
        Storage::StaticMut(token) => errors.push(Error::new(
            token.span,
            "`static mut` is not needed: a per-CPU variable is changed through its handle; write `static`",
        )),
        Storage::Const(token) => errors
            .push(Error::new(token.span, "a `const` has no memory that each CPU could have a copy of; write `static`")),
    }
    if decl.value.is_none() {
        errors.push(Error::new(
            decl.semi.span,
            "a per-CPU variable starts on each CPU as a copy of its initializer; write `= VALUE` before the `;`",
        ));
    }
}

/// The one mistake that an item of another kind is.
pub(crate) fn other(other: &Other) -> Error {
    let keyword = &other.keyword;
    let message = if keyword == "extern" {
        "the statics of an `extern` block have their memory elsewhere; \
         write `static NAME: TYPE = VALUE;` outside of the block"
            .to_owned()
    } else {
        format!("`#[per_cpu]` belongs on a `static`, not on a `{keyword}`; write `static NAME: TYPE = VALUE;`")
    };
    Error::new(keyword.span(), message)
}

/// Why a variable cannot have this attribute, if so.
fn refuse_attr(attr: &Attr) -> Option<Error> {
    let name = attr.name()?;
    let why = match name.to_string().as_str() {
        "link_section" => "the section is chosen by the class, as in `#[per_cpu(read_mostly)]`",
        "no_mangle" | "export_name" => "the symbol is that of the template, which no other code may name",
        "used" => "the variable is kept as long as its handle is used",
        "thread_local" => "a variable is either one for each CPU or one for each thread",
        "per_cpu" => "the variable is per-CPU already",
        _ => return None,
    };
    Some(Error::new(name.span(), format!("{why}; remove `{name}`")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decl::Item;
    use proc_macro2::TokenStream;
    use quote::quote;

    fn refusals(tokens: TokenStream) -> Vec<String> {
        let mut errors = Vec::new();
        match syn::parse2(tokens).unwrap() {
            Item::Variable(mut decl) => variable(&mut decl, &mut errors),
            Item::Other(item) => errors.push(other(&item)),
            Item::Untyped => {}
        }
        errors.iter().map(Error::to_string).collect()
    }

    #[test]
    fn a_plain_static_is_accepted() {
        let item = quote! {
            /// Text.
            #[cfg(unix)]
            #[cfg_attr(unix, deprecated, allow(dead_code))]
            #[expect(non_upper_case_globals)]
            pub(super) static n: &str = "";
        };
        assert_eq!(refusals(item), [""; 0]);
    }

    #[test]
    fn every_mistake_of_an_item_is_reported() {
        let errors = refusals(quote!(
            #[used]
            #[cfg_attr(unix, unsafe(no_mangle), deprecated)]
            static mut N: u8;
        ));
        assert_eq!(
            errors,
            [
                "the variable is kept as long as its handle is used; remove `used`",
                "the symbol is that of the template, which no other code may name; remove `no_mangle`",
                "`static mut` is not needed: a per-CPU variable is changed through its handle; write `static`",
                "a per-CPU variable starts on each CPU as a copy of its initializer; write `= VALUE` before the `;`",
            ]
        );
    }

    #[test]
    fn a_refused_attribute_is_taken_and_its_neighbours_stay() {
        let item = syn::parse2(quote!(
            #[cfg_attr(unix, link_section = ".x", deprecated)]
            static N: u8 = 0;
        ));
        let Item::Variable(mut decl) = item.unwrap() else { panic!("not a variable") };
        let mut errors = Vec::new();
        variable(&mut decl, &mut errors);
        assert_eq!((errors.len(), decl.attrs.len()), (1, 1));
        assert_eq!(decl.attrs[0].name().unwrap(), "deprecated");
    }

    #[test]
    fn other_items_are_one_mistake() {
        assert_eq!(
            refusals(quote!(
                #[no_mangle]
                fn f() {}
            )),
            ["`#[per_cpu]` belongs on a `static`, not on a `fn`; write `static NAME: TYPE = VALUE;`"]
        );
        assert_eq!(
            refusals(quote!(
                unsafe extern "C" {
                    static N: u8;
                }
            )),
            ["the statics of an `extern` block have their memory elsewhere; write `static NAME: TYPE = VALUE;` \
              outside of the block"]
        );
    }
}
