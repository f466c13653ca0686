//! The item under the attribute, as it is written.

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Ident, LitStr, Result, Token, Type, Visibility};

use crate::attrs::Attr;

/// What the attribute stands on.
pub(crate) enum Item {
    /// Has a name, a type and perhaps a value: becomes a variable, or is refused under its name.
    Variable(Box<Decl>),
    /// Has no type, which rustc has told already when it read the item.
    Untyped,
    /// Cannot be made into a variable.
    Other(Other),
}

/// A `static`, or a `const` that should have been one.
pub(crate) struct Decl {
    pub(crate) attrs: Vec<Attr>,
    pub(crate) vis: Visibility,
    /// `safe` or `unsafe`, which only the statics of `extern` blocks have.
    pub(crate) safety: Option<Ident>,
    pub(crate) storage: Storage,
    pub(crate) name: Ident,
    pub(crate) ty: Type,
    /// The initializer; tokens, so that what is wrong with it is told by rustc, in the user's own lines.
    pub(crate) value: Option<TokenStream>,
    pub(crate) semi: Token![;],
}

/// The keyword of a [`Decl`].
pub(crate) enum Storage {
    /// `static`
    Static,
    /// `static mut`
    StaticMut(Token![mut]),
    /// `const`
    Const(Token![const]),
}

/// An item of another kind.
pub(crate) struct Other {
    pub(crate) attrs: Vec<Attr>,
    /// The word that tells its kind: `fn`, `extern`, `struct`.
    pub(crate) keyword: Ident,
}

impl Parse for Item {
    fn parse(input: ParseStream) -> Result<Self> {
        let attrs = Attr::parse_outer(input)?;
        let vis = input.parse()?;
        let safety = if input.peek2(Token![static]) { Some(input.call(Ident::parse_any)?) } else { None };
        let is_const = input.peek(Token![const]) && input.peek2(Ident) && input.peek3(Token![:]);
        if !is_const && !input.peek(Token![static]) {
            return Ok(Self::Other(Other { attrs, keyword: parse_keyword(input)? }));
        }
        let storage = input.parse()?;
        let name = input.parse()?;
        if input.parse::<Option<Token![:]>>()?.is_none() {
            input.parse::<TokenStream>()?;
            return Ok(Self::Untyped);
        }
        Ok(Self::Variable(Box::new(Decl {
            attrs,
            vis,
            safety,
            storage,
            name,
            ty: input.parse()?,
            value: parse_value(input)?,
            semi: input.parse()?,
        })))
    }
}

impl Parse for Storage {
    fn parse(input: ParseStream) -> Result<Self> {
        if input.peek(Token![const]) {
            return input.parse().map(Self::Const);
        }
        input.parse::<Token![static]>()?;
        Ok(input.parse::<Option<Token![mut]>>()?.map_or(Self::Static, Self::StaticMut))
    }
}

/// Reads `= EXPR`, where there is one, up to the semicolon.
fn parse_value(input: ParseStream) -> Result<Option<TokenStream>> {
    if input.parse::<Option<Token![=]>>()?.is_none() {
        return Ok(None);
    }
    let mut value = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![;]) {
        value.extend([input.parse::<TokenTree>()?]);
    }
    Ok(Some(value))
}

/// Finds the word that tells what an item is, and takes the rest of the item.
fn parse_keyword(input: ParseStream) -> Result<Ident> {
    // In front of another word these only qualify it; at the end they are the kind: `const _`, `extern "C" {`.
    const QUALIFIERS: [&str; 5] = ["async", "const", "extern", "safe", "unsafe"];

    let mut word = input.call(Ident::parse_any)?;
    while QUALIFIERS.iter().any(|qualifier| word == qualifier) {
        input.parse::<Option<LitStr>>()?;
        if !input.peek(Ident::peek_any) || input.peek(Token![_]) {
            break;
        }
        word = input.call(Ident::parse_any)?;
    }
    input.parse::<TokenStream>()?;
    Ok(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::{ToTokens, quote};

    fn keyword(tokens: TokenStream) -> String {
        match syn::parse2(tokens).unwrap() {
            Item::Variable(_) => "variable".to_owned(),
            Item::Untyped => "untyped".to_owned(),
            Item::Other(other) => other.keyword.to_string(),
        }
    }

    fn variable(tokens: TokenStream) -> Decl {
        let Item::Variable(decl) = syn::parse2(tokens).unwrap() else { panic!("not a variable") };
        *decl
    }

    #[test]
    fn the_type_ends_where_the_value_begins() {
        let decl = variable(quote!(
            pub(crate) static r#type: &dyn Iterator<Item = [u8; { 1 }]> = &f::<{ 2 }>();
        ));
        assert_eq!(decl.name, "r#type");
        assert_eq!(decl.ty.to_token_stream().to_string(), quote!(&dyn Iterator<Item = [u8; { 1 }]>).to_string());
        assert_eq!(decl.value.unwrap().to_string(), quote!(&f::<{ 2 }>()).to_string());
    }

    #[test]
    fn a_value_is_not_parsed() {
        assert_eq!(variable(quote!(static N: u8 = 1 +;)).value.unwrap().to_string(), "1 +");
        assert_eq!(variable(quote!(static N: u8 =;)).value.unwrap().to_string(), "");
        assert!(
            variable(quote!(
                static N: u8;
            ))
            .value
            .is_none()
        );
    }

    #[test]
    fn what_has_a_name_and_a_type_is_a_variable() {
        assert!(matches!(
            variable(quote!(
                static N: u8 = 1;
            ))
            .storage,
            Storage::Static
        ));
        assert!(matches!(
            variable(quote!(
                static mut N: u8 = 1;
            ))
            .storage,
            Storage::StaticMut(_)
        ));
        assert!(matches!(
            variable(quote!(
                const N: u8 = 1;
            ))
            .storage,
            Storage::Const(_)
        ));
        assert_eq!(
            variable(quote!(
                pub safe static N: u8;
            ))
            .safety
            .unwrap(),
            "safe"
        );
        assert_eq!(
            variable(quote!(
                unsafe static N: u8;
            ))
            .safety
            .unwrap(),
            "unsafe"
        );
    }

    #[test]
    fn a_missing_type_is_told_apart() {
        assert_eq!(keyword(quote!(static N = 5;)), "untyped");
        assert_eq!(keyword(quote!(static mut N;)), "untyped");
    }

    #[test]
    fn every_other_item_has_its_keyword() {
        assert_eq!(
            keyword(quote!(
                const _: () = ();
            )),
            "const"
        );
        assert_eq!(
            keyword(quote!(
                pub const unsafe extern "C" fn f() {}
            )),
            "fn"
        );
        assert_eq!(
            keyword(quote!(
                async fn f() {}
            )),
            "fn"
        );
        assert_eq!(
            keyword(quote!(
                unsafe extern "C" {
                    static N: u8;
                }
            )),
            "extern"
        );
        assert_eq!(
            keyword(quote!(
                extern "C" {}
            )),
            "extern"
        );
        assert_eq!(
            keyword(quote!(
                extern crate std;
            )),
            "crate"
        );
        assert_eq!(
            keyword(quote!(
                unsafe impl Send for S {}
            )),
            "impl"
        );
        assert_eq!(
            keyword(quote!(
                pub struct S;
            )),
            "struct"
        );
        assert_eq!(keyword(quote!(thread_local! {})), "thread_local");
    }
}
