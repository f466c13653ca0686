//! Cargo's `--message-format`: what the user wants to see, and what this tool needs to see.

use std::ffi::OsString;

use super::cargo::is_option;

const OPTION: &str = "--message-format";

/// The form of cargo's messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum MessageFormat {
    /// Text for the user; JSON, which names the images, is for this tool alone.
    Text { is_short: bool },
    /// JSON for the user, too, in these variants.
    Json(Vec<OsString>),
}

impl MessageFormat {
    pub(super) fn is_json(&self) -> bool {
        matches!(self, Self::Json(_))
    }

    /// The flag with which cargo writes JSON on standard output, and text on standard error if the user wants that.
    pub(super) fn flag(&self) -> OsString {
        let variants = match self {
            Self::Text { is_short: false } => "json-render-diagnostics".into(),
            Self::Text { is_short: true } => "json-render-diagnostics,json-diagnostic-short".into(),
            Self::Json(variants) => variants.join(",".as_ref()),
        };
        let mut flag = OsString::from(OPTION);
        flag.push("=");
        flag.push(variants);
        flag
    }
}

/// The form that cargo's flags `args` ask for, and the other flags.
pub(super) fn message_format(args: &[OsString]) -> (MessageFormat, Vec<OsString>) {
    let (mut variants, mut others) = (Vec::new(), Vec::new());
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if arg == OPTION {
            variants.extend(args.next().cloned());
        } else if is_option(arg, OPTION) {
            variants.extend(arg.to_str().map(|text| OsString::from(&text[OPTION.len() + 1..])));
        } else {
            others.push(arg.clone());
        }
    }
    // Cargo tells what is wrong with a form that it does not know.
    let is_text = |text: &str| variants.iter().all(|variant| variant.eq_ignore_ascii_case(text));
    let format = match variants.as_slice() {
        [] => MessageFormat::Text { is_short: false },
        _ if is_text("human") => MessageFormat::Text { is_short: false },
        _ if is_text("short") => MessageFormat::Text { is_short: true },
        _ => MessageFormat::Json(variants),
    };
    (format, others)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_names_what_is_asked_for() {
        for (line, flag, is_json) in [
            ("-r", "json-render-diagnostics", false),
            ("-r --message-format human", "json-render-diagnostics", false),
            ("--message-format=short -r", "json-render-diagnostics,json-diagnostic-short", false),
            ("-r --message-format=json", "json", true),
            ("--message-format json-render-diagnostics -r", "json-render-diagnostics", true),
            ("--message-format=json --message-format json-diagnostic-short -r", "json,json-diagnostic-short", true),
            ("-r --message-format=json,json-diagnostic-short", "json,json-diagnostic-short", true),
            ("-r --message-format=bogus", "bogus", true),
        ] {
            let args: Vec<OsString> = line.split(' ').map(Into::into).collect();
            let (format, others) = message_format(&args);
            assert_eq!(format.flag(), format!("--message-format={flag}").as_str(), "{line}");
            assert_eq!(format.is_json(), is_json, "{line}");
            assert_eq!(others, ["-r"], "{line}");
        }
    }
}
