//! The two streams: data on standard output, status and errors on standard error.

use std::io::{self, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use clap::ValueEnum;

use crate::error::Error;
use crate::model::Finding;

/// When output is coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR or CARGO_TERM_COLOR say otherwise.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// The word that cargo's `--color` takes.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Always => "always",
            Self::Never => "never",
        }
    }

    fn choice(self) -> ColorChoice {
        let variable = |name| std::env::var(name).unwrap_or_default();
        match self {
            Self::Always => ColorChoice::Always,
            Self::Never => ColorChoice::Never,
            Self::Auto if !variable("NO_COLOR").is_empty() => ColorChoice::Never,
            Self::Auto => match variable("CARGO_TERM_COLOR").as_str() {
                "always" => ColorChoice::Always,
                "never" => ColorChoice::Never,
                _ => ColorChoice::Auto,
            },
        }
    }
}

/// Writes `text` to standard output. A reader that has seen enough is no error.
pub(crate) fn print(text: &str, color: Color) -> Result<(), Error> {
    let mut out = AutoStream::new(io::stdout(), color.choice()).lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Write(error)),
        _ => Ok(()),
    }
}

/// Tells the user about an error.
pub(crate) fn print_error(error: &Error, color: Color) {
    let style = AnsiColor::Red.on_default().bold();
    print_message(&format!("{style}error{style:#}: {error}"), color);
}

/// Tells the user about a finding that stands in the way of going on.
pub(crate) fn print_finding(finding: &Finding, file: &str, color: Color) {
    print_message(&format!("{finding}\n  image: {file}"), color);
}

/// Tells the user what is going on, in the columns of cargo's own status lines.
pub(crate) fn print_status(word: &str, text: &str, color: Color) {
    let style = AnsiColor::Green.on_default().bold();
    print_message(&format!("{style}{word:>12}{style:#} {text}"), color);
}

/// The style of headings in the data.
pub(crate) const HEADING: Style = Style::new().bold();

/// Where not even standard error can be written to, there is nobody left to tell.
fn print_message(line: &str, color: Color) {
    let _ = writeln!(AutoStream::new(io::stderr(), color.choice()).lock(), "{line}");
}
