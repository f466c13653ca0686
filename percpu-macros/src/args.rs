//! The grammar of the attribute's arguments.

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Error, Expr, ExprPath, Ident, Result, Token, parse_quote, token};

/// The classes as the attribute spells them. What each means to the linker is known to the runtime alone.
const CLASSES: [&str; 5] = ["page_aligned", "shared_aligned", "read_mostly", "hot", "zeroed"];

/// What stands in the parentheses of `#[per_cpu(..)]`.
#[derive(Default)]
pub(crate) struct Args {
    /// The class, where one is named.
    class: Option<Ident>,
    /// The function that set-up runs on each copy.
    pub(crate) init: Option<ExprPath>,
    /// The path of percpu-rt, where it is not the usual one.
    runtime: Option<ExprPath>,
    /// The name of every argument so far.
    seen: Vec<Ident>,
}

impl Args {
    /// Reads the arguments. A mistake costs its own argument only: the others still count.
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Vec<Error>) -> Self {
        let mut args = Self::default();
        let list = |input: ParseStream| {
            while !input.is_empty() {
                if let Err(error) = args.parse_argument(input) {
                    errors.push(error);
                    skip_to_comma(input)?;
                }
                input.parse::<Option<Token![,]>>()?;
            }
            Ok(())
        };
        if let Err(error) = list.parse2(tokens) {
            errors.push(error);
        }
        args
    }

    /// The class in the runtime's words.
    pub(crate) fn class(&self) -> Ident {
        self.class.clone().unwrap_or_else(|| parse_quote!(plain))
    }

    /// The path under which the expansion finds the runtime.
    pub(crate) fn runtime(&self) -> ExprPath {
        self.runtime.clone().unwrap_or_else(|| parse_quote!(::percpu_rt))
    }

    /// Reads one argument up to the comma behind it.
    fn parse_argument(&mut self, input: ParseStream) -> Result<()> {
        let name = input
            .call(Ident::parse_any)
            .map_err(|error| Error::new(error.span(), format!("expected {}", expected())))?;
        if self.seen.contains(&name) {
            return Err(Error::new(name.span(), format!("`{name}` is given twice; write it once")));
        }
        self.seen.push(name.clone());

        if name == "init" {
            self.init = Some(parse_path(input, &name, "a function")?);
        } else if name == "crate" {
            self.runtime = Some(parse_path(input, &name, "percpu-rt")?);
        } else if CLASSES.iter().any(|class| name == class) {
            self.set_class(&name)?;
            if input.peek(Token![=]) || input.peek(token::Paren) {
                return Err(input.error(format!("`{name}` takes no value; write `{name}` alone")));
            }
        } else {
            let message = format!("unknown argument `{name}`; expected {}", expected());
            return Err(Error::new(name.span(), message));
        }

        if input.is_empty() || input.peek(Token![,]) {
            Ok(())
        } else {
            Err(input.error("expected `,` between two arguments"))
        }
    }

    fn set_class(&mut self, name: &Ident) -> Result<()> {
        if let Some(first) = &self.class {
            let message = format!("a variable has one class, and this one is `{first}`; remove `{name}` or `{first}`");
            return Err(Error::new(name.span(), message));
        }
        self.class = Some(name.clone());
        Ok(())
    }
}

/// Reads `= PATH` behind an argument's name.
fn parse_path(input: ParseStream, name: &Ident, of: &str) -> Result<ExprPath> {
    let refusal = |span| {
        let message = format!("`{name}` takes the path of {of}; write `{name} = PATH`");
        Error::new(span, message)
    };
    if input.parse::<Option<Token![=]>>()?.is_none() || input.is_empty() || input.peek(Token![,]) {
        return Err(refusal(name.span()));
    }
    let span = input.span();
    // Any expression is read, so that the commas inside a closure or a call are not taken for the attribute's own.
    let mut value = input.parse()?;
    // What a `macro_rules!` passes on as `$path` stands in a group without delimiters.
    while let Expr::Group(group) = value {
        value = *group.expr;
    }
    match value {
        Expr::Path(path) => Ok(path),
        _ => Err(refusal(span)),
    }
}

/// Every argument there is, for messages.
fn expected() -> String {
    format!("`{}`, `init = PATH` or `crate = PATH`", CLASSES.join("`, `"))
}

fn skip_to_comma(input: ParseStream) -> Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::{ToTokens, quote};

    fn parse(tokens: TokenStream) -> (Args, Vec<String>) {
        let mut errors = Vec::new();
        let args = Args::parse(tokens, &mut errors);
        (args, errors.iter().map(Error::to_string).collect())
    }

    fn refusals(tokens: TokenStream) -> Vec<String> {
        parse(tokens).1
    }

    #[test]
    fn nothing_is_a_plain_variable_of_the_usual_runtime() {
        let (args, errors) = parse(quote!());
        assert!(errors.is_empty() && args.class() == "plain" && args.init.is_none());
        assert_eq!(args.runtime().to_token_stream().to_string(), quote!(::percpu_rt).to_string());
    }

    #[test]
    fn arguments_come_in_any_order_with_a_comma_at_the_end() {
        let (args, errors) = parse(quote!(crate = crate::rt, hot, init = <T as Seed>::seed::<8>,));
        assert_eq!(errors, [""; 0]);
        assert_eq!(args.class(), "hot");
        assert_eq!(args.runtime().to_token_stream().to_string(), quote!(crate::rt).to_string());
        assert_eq!(args.init.to_token_stream().to_string(), quote!(<T as Seed>::seed::<8>).to_string());
    }

    #[test]
    fn every_class_is_accepted() {
        for class in CLASSES {
            let (args, errors) = parse(class.parse().unwrap());
            assert!(errors.is_empty() && args.class() == class);
        }
    }

    #[test]
    fn a_mistake_leaves_the_other_arguments_alone() {
        let (args, errors) = parse(quote!(cold, crate = rt, init = 5, hot(1), read_mostly));
        assert_eq!(args.runtime().to_token_stream().to_string(), "rt");
        assert_eq!(
            errors,
            [
                "unknown argument `cold`; expected `page_aligned`, `shared_aligned`, `read_mostly`, `hot`, `zeroed`, \
                 `init = PATH` or `crate = PATH`",
                "`init` takes the path of a function; write `init = PATH`",
                "`hot` takes no value; write `hot` alone",
                "a variable has one class, and this one is `hot`; remove `read_mostly` or `hot`",
            ]
        );
    }

    #[test]
    fn a_repetition_is_one_mistake() {
        assert_eq!(refusals(quote!(hot, hot)), ["`hot` is given twice; write it once"]);
        assert_eq!(refusals(quote!(init = a, init = b)), ["`init` is given twice; write it once"]);
    }

    #[test]
    fn a_missing_value_is_named() {
        let missing = "`init` takes the path of a function; write `init = PATH`";
        assert_eq!(refusals(quote!(init)), [missing]);
        assert_eq!(refusals(quote!(init =, hot)), [missing]);
        assert_eq!(refusals(quote!(crate())), ["`crate` takes the path of percpu-rt; write `crate = PATH`"]);
    }

    #[test]
    fn a_missing_comma_is_named() {
        assert_eq!(refusals(quote!(hot zeroed)), ["expected `,` between two arguments"]);
    }

    #[test]
    fn another_value_is_one_mistake() {
        let refusal = "`init` takes the path of a function; write `init = PATH`";
        assert_eq!(refusals(quote!(init = |_, _| ())), [refusal]);
        assert_eq!(refusals(quote!(init = seed(1, 2))), [refusal]);
    }
}
