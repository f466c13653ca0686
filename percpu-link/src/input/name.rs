//! From a symbol to the name that its variable has in the source.

use std::fmt::{self, Write};

use percpu_rt::abi::symbol;

/// A variable's name, and the crate in front of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) path: String,
    pub(super) crate_name: Option<String>,
}

/// The name of the variable behind symbol `raw`.
///
/// A variable of ours is a template nested in the implementation of a trait for the variable's own type, and what
/// the user wrote is the path of that type. Other Rust statics have their path, and C's their symbol.
pub(super) fn of_symbol(raw: &str) -> Name {
    let Some(demangled) = demangle(raw) else {
        return Name { path: raw.into(), crate_name: None };
    };
    let path = match strip_template(&demangled).and_then(self_type) {
        Some(variable) => without_anonymous(variable),
        None => demangled,
    };
    Name { crate_name: first_segment(&path), path }
}

/// The name of the variable whose template `raw` is; none for all other symbols.
pub(super) fn of_template(raw: &str) -> Option<String> {
    // Most symbols of an image are none, and demangling takes its time.
    let own = symbol::TEMPLATE_SUFFIX.rsplit("::").next()?;
    let demangled = demangle(raw.contains(own).then_some(raw)?)?;
    strip_template(&demangled).and_then(self_type).map(without_anonymous)
}

/// The demangled form without hashes; none for what no Rust compiler has mangled.
fn demangle(raw: &str) -> Option<String> {
    let demangled = rustc_demangle::try_demangle(raw).ok()?;
    // Back references let a short symbol stand for an endless name.
    let mut name = Bounded { text: String::new(), left: raw.len().saturating_mul(16) };
    write!(name, "{demangled:#}").ok()?;
    // Where a symbol only looks mangled, the demangler says so in the middle of the name.
    Some(name.text).filter(|text| !text.contains("{invalid syntax}"))
}

/// The type of `<TYPE as TRAIT`, or of `MODULE::<impl TRAIT for TYPE`.
fn self_type(implementation: &str) -> Option<&str> {
    if let Some(inner) = implementation.strip_prefix('<') {
        return split_outside(inner, " as ").map(|(ty, _)| ty);
    }
    let (_, inner) = implementation.split_once("<impl ")?;
    split_outside(inner, " for ").map(|(_, ty)| ty)
}

/// Splits at the first `separator` that no bracket encloses.
pub(super) fn split_outside<'a>(text: &'a str, separator: &str) -> Option<(&'a str, &'a str)> {
    let mut depth = 0_usize;
    for (at, letter) in text.char_indices() {
        match letter {
            '<' | '(' | '[' | '{' => depth += 1,
            '>' | ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0
            && let Some(rest) = text[at..].strip_prefix(separator)
        {
            return Some((&text[..at], rest));
        }
    }
    None
}

/// The path without the `_` of an anonymous constant around the definition.
fn without_anonymous(path: &str) -> String {
    path.split("::").filter(|segment| *segment != "_").collect::<Vec<_>>().join("::")
}

/// The crate: where the path starts, whatever stands before it.
fn first_segment(path: &str) -> Option<String> {
    let path = path.trim_start_matches(|letter: char| !letter.is_alphanumeric() && letter != '_');
    let end = path.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(path.len());
    (end > 0).then(|| path[..end].into())
}

/// Text that takes no more than it has room for.
struct Bounded {
    text: String,
    left: usize,
}

impl Write for Bounded {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.left = self.left.checked_sub(part.len()).ok_or(fmt::Error)?;
        self.text.push_str(part);
        Ok(())
    }
}

/// What stands in front of a template's end, in programs or in kernels.
fn strip_template(demangled: &str) -> Option<&str> {
    [symbol::TEMPLATE_SUFFIX, symbol::KERNEL_TEMPLATE_SUFFIX].iter().find_map(|suffix| demangled.strip_suffix(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(raw: &str, path: &str, crate_name: Option<&str>) {
        let expected = Name { path: path.into(), crate_name: crate_name.map(Into::into) };
        assert_eq!(of_symbol(raw), expected, "{raw}");
    }

    /// A legacy symbol of these path segments, already escaped.
    fn legacy(segments: &[&str]) -> String {
        let path: String = segments.iter().map(|segment| format!("{}{segment}", segment.len())).collect();
        format!("_ZN{path}17h0123456789abcdefE")
    }

    fn template() -> &'static str {
        symbol::TEMPLATE_SUFFIX.rsplit("::").next().unwrap()
    }

    #[test]
    fn names_of_templates_are_those_of_their_variables() {
        let place = "$LT$app..HITS$u20$as$u20$percpu_rt..var..place..Place$GT$";
        check(&legacy(&[&format!("_{place}"), "address", template()]), "app::HITS", Some("app"));
        let place = "$LT$app..main..f..L$u20$as$u20$percpu_rt..var..place..Place$GT$";
        check(&legacy(&[&format!("_{place}"), "address", template()]), "app::main::f::L", Some("app"));
        let place = "$LT$impl$u20$percpu_rt..var..place..Place$u20$for$u20$app.._..HITS$GT$";
        check(&legacy(&["app", "_", place, "address", template()]), "app::HITS", Some("app"));
        let place = "$LT$app..Of$LT$$u5b$u8$u3b$$u20$4$u5d$$GT$$u20$as$u20$rt..Place$GT$";
        let raw = legacy(&[&format!("_{place}"), "address", template()]);
        check(&raw, "app::Of<[u8; 4]>", Some("app"));
        assert_eq!(of_template(&raw).as_deref(), Some("app::Of<[u8; 4]>"));
        assert_eq!(of_template(template()), None);
        assert_eq!(of_template(&legacy(&["app", template()])), None);
    }

    #[test]
    fn the_newer_mangling_gives_the_same_names() {
        let (name, length) = (template(), template().len());
        // An identifier that starts with an underscore is kept apart from its length by another one.
        let inner = format!("NtB6_5place5Place7address{length}_{name}");
        let raw = format!("_RNvNvXNvCscAEuU5ehQ2G_3app1__NtB6_4HITSNt{inner}");
        check(&raw, "app::HITS", Some("app"));
        let raw = format!("_RNvNvXNvNvCscAEuU5ehQ2G_3app5local1__NtB6_1LNt{}", inner.replace("B6_", "B8_"));
        check(&raw, "app::local::L", Some("app"));
    }

    #[test]
    fn other_statics_keep_their_paths() {
        check(&legacy(&["app", "stats", "HITS"]), "app::stats::HITS", Some("app"));
        let place = "_$LT$app..Foo$u20$as$u20$bar..Baz$GT$";
        check(&legacy(&[place, "f", "X"]), "<app::Foo as bar::Baz>::f::X", Some("app"));
        check("_RNvCs1234_7mycrate3foo", "mycrate::foo", Some("mycrate"));
    }

    #[test]
    fn names_of_c_pass_through() {
        for raw in ["hits", "runqueues", "counter.1", "_ZNodd", "_R", "_RNvC3app", "", "naïve"] {
            check(raw, raw, None);
        }
    }

    #[test]
    fn a_symbol_that_expands_without_end_stays_raw() {
        // Each tuple holds the one before it twice.
        let mut raw = String::from("_RIC3app");
        raw.push_str("TuuE");
        for _ in 0..20 {
            raw.push_str("TB7_B7_E");
        }
        raw.push('E');
        let name = of_symbol(&raw);
        assert!(name.path.len() <= raw.len() * 16, "{} bytes", name.path.len());
    }
}
