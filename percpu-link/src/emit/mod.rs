//! From facts to output: text for people, JSON for programs.

mod json;
mod text;

use percpu_rt::abi::class::CACHE_LINE;

pub(crate) use self::text::count;
use crate::model::{FirstChunk, Patch, Report};
use crate::settings::Settings;

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
pub(crate) fn report(report: &Report, settings: &Settings, format: Format) -> String {
    match format {
        Format::Text => text::report(report, settings.cacheline.unwrap_or(CACHE_LINE)),
        Format::Json => json::object(report),
    }
}

/// The findings of a report in the form `format`; the object is that of [`report`].
pub(crate) fn findings(report: &Report, format: Format) -> String {
    match format {
        Format::Text => text::checked(report),
        Format::Json => json::object(report),
    }
}

/// What was written into an image, in the form `format`.
pub(crate) fn patch(patch: &Patch, format: Format) -> String {
    match format {
        Format::Text => text::patch(patch),
        Format::Json => json::object(patch),
    }
}

/// A first chunk in the form `format`.
pub(crate) fn first_chunk(chunk: &FirstChunk, format: Format) -> String {
    match format {
        Format::Text => text::first_chunk(chunk),
        Format::Json => json::object(chunk),
    }
}
