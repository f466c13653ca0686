//! `report`: the variables of named files, or of what cargo builds.

use std::ffi::OsString;

use clap::Args;

use super::target;
use crate::emit::{self, Format};
use crate::error::Error;
use crate::exit::Exit;
use crate::stream::{self, Color};

const EXAMPLES: &str = "\
Examples:
  cargo percpu-link report                   what `cargo build` builds
  cargo percpu-link report --release -p app  with cargo's flags
  percpu-link report vmlinux --format json   a file; one JSON object for each";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Opts {
    /// The form of the report
    #[arg(long, value_enum, value_name = "FORM", default_value_t)]
    format: Format,
    /// ELF images, or cargo's flags for a build whose images are reported on
    #[arg(value_name = "FILE | CARGO FLAGS", allow_hyphen_values = true)]
    args: Vec<OsString>,
}

/// Findings are shown and fail nothing: that is what `check` is for.
pub(super) fn run(opts: &Opts, behind: &[OsString], color: Color) -> Result<Exit, Error> {
    let as_set = |_: &mut _| {};
    target::each(&opts.args, behind, color, as_set, |report, settings| {
        stream::print(&emit::report(report, settings, opts.format), color)?;
        Ok(Exit::Good)
    })
}
