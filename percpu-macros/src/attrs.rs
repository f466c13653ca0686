//! The attributes above an item, each by itself: a `cfg_attr` is taken apart into one for each attribute it carries.
//!
//! Some have to stand in front of the expansion (`cfg`), some travel into it (documentation, lints) and some are
//! refused. A `cfg_attr` may carry all three kinds, so they are told apart one by one.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Ident, Meta, Result, Token};

/// One attribute together with the predicates of the `cfg_attr`s around it.
pub(crate) struct Attr {
    /// Outermost first.
    predicates: Vec<TokenStream>,
    /// The attribute without any `cfg_attr`.
    inner: Attribute,
}

impl Attr {
    /// Reads the attributes in front of an item.
    pub(crate) fn parse_outer(input: ParseStream) -> Result<Vec<Self>> {
        let mut attrs = Vec::new();
        for attribute in input.call(Attribute::parse_outer)? {
            take_apart(attribute, &mut Vec::new(), &mut attrs);
        }
        Ok(attrs)
    }

    /// The attributes that decide whether their item exists, and the others.
    pub(crate) fn split(attrs: &[Self]) -> (Vec<&Self>, Vec<&Self>) {
        attrs.iter().partition(|attr| attr.inner.path().is_ident("cfg"))
    }

    /// The last segment of the attribute's path; for `#[unsafe(NAME ..)]` that of what is in the parentheses.
    pub(crate) fn name(&self) -> Option<Ident> {
        let path = match &self.inner.meta {
            Meta::List(list) if list.path.is_ident("unsafe") => list.parse_args::<Meta>().ok()?.path().clone(),
            meta => meta.path().clone(),
        };
        path.segments.last().map(|segment| segment.ident.clone())
    }
}

impl ToTokens for Attr {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let meta = self.inner.meta.to_token_stream();
        let meta = self.predicates.iter().rev().fold(meta, |meta, predicate| quote!(cfg_attr(#predicate, #meta)));
        self.inner.pound_token.to_tokens(tokens);
        self.inner.bracket_token.surround(tokens, |tokens| tokens.extend(meta));
    }
}

/// Splits `attribute`, which stands under `predicates`, into its parts.
fn take_apart(attribute: Attribute, predicates: &mut Vec<TokenStream>, attrs: &mut Vec<Attr>) {
    let parsed = match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg_attr") => list.parse_args::<CfgAttr>().ok(),
        _ => None,
    };
    // A malformed `cfg_attr` stays as it is: rustc has the better message.
    let Some(CfgAttr { predicate, metas }) = parsed else {
        attrs.push(Attr { predicates: predicates.clone(), inner: attribute });
        return;
    };
    predicates.push(predicate);
    for meta in metas {
        take_apart(Attribute { meta, ..attribute.clone() }, predicates, attrs);
    }
    predicates.pop();
}

/// The inside of `cfg_attr(..)`.
struct CfgAttr {
    /// Tokens, since its grammar is rustc's (`true` is a predicate, but not a path).
    predicate: TokenStream,
    metas: Punctuated<Meta, Token![,]>,
}

impl Parse for CfgAttr {
    fn parse(input: ParseStream) -> Result<Self> {
        let mut predicate = TokenStream::new();
        while !input.peek(Token![,]) {
            predicate.extend([input.parse::<TokenTree>()?]);
        }
        input.parse::<Token![,]>()?;
        Ok(Self { predicate, metas: Punctuated::parse_terminated(input)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse::Parser;

    fn parse(tokens: TokenStream) -> Vec<Attr> {
        Attr::parse_outer.parse2(tokens).unwrap()
    }

    fn text(attrs: &[Attr]) -> Vec<String> {
        attrs.iter().map(|attr| attr.to_token_stream().to_string()).collect()
    }

    #[test]
    fn a_plain_attribute_is_unchanged() {
        let attrs = parse(quote!(#[doc = "text"] #[allow(dead_code)]));
        assert_eq!(text(&attrs), [quote!(#[doc = "text"]).to_string(), quote!(#[allow(dead_code)]).to_string()]);
    }

    #[test]
    fn cfg_attr_is_taken_apart() {
        let attrs = parse(quote!(#[cfg_attr(any(true, unix), cfg(a), cfg_attr(b, deprecated, doc = "c"),)]));
        assert_eq!(
            text(&attrs),
            [
                quote!(#[cfg_attr(any(true, unix), cfg(a))]).to_string(),
                quote!(#[cfg_attr(any(true, unix), cfg_attr(b, deprecated))]).to_string(),
                quote!(#[cfg_attr(any(true, unix), cfg_attr(b, doc = "c"))]).to_string(),
            ]
        );
        let (conditions, rest) = Attr::split(&attrs);
        assert_eq!((conditions.len(), rest.len()), (1, 2));
    }

    #[test]
    fn a_malformed_cfg_attr_stays() {
        let attrs = parse(quote!(#[cfg_attr(unix)]));
        assert_eq!(text(&attrs), [quote!(#[cfg_attr(unix)]).to_string()]);
    }

    #[test]
    fn the_name_is_found_inside_unsafe() {
        let attrs = parse(quote!(#[cfg_attr(unix, unsafe(link_section = ".x"))] #[unsafe(no_mangle)] #[a::b(c)]));
        let names = attrs.iter().map(|attr| attr.name().unwrap().to_string()).collect::<Vec<_>>();
        assert_eq!(names, ["link_section", "no_mangle", "b"]);
    }
}
