//! From facts to output: text for people, JSON for programs.

mod json;
mod text;

pub(crate) use self::text::count;
use crate::model::{FirstChunk, Report};

/// The form of the data on standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs: one object an image, with a version.
    Json,
}

/// A report in the form `format`.
pub(crate) fn report(report: &Report, format: Format) -> String {
    match format {
        Format::Text => text::report(report),
        Format::Json => json::object(report),
    }
}

/// A first chunk in the form `format`.
pub(crate) fn first_chunk(chunk: &FirstChunk, format: Format) -> String {
    match format {
        Format::Text => text::first_chunk(chunk),
        Format::Json => json::object(chunk),
    }
}
