//! `report`: the variables of named files, or of what cargo builds.

use std::ffi::OsString;
use std::path::Path;

use clap::Args;

use super::{cargo, tell};
use crate::emit::{self, Format};
use crate::error::Error;
use crate::exit::Exit;
use crate::input;
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

/// `behind` are files, too, whatever their names start with.
pub(super) fn run(opts: &Opts, behind: &[OsString], color: Color) -> Result<Exit, Error> {
    let is_flag = |arg: &OsString| arg.as_encoded_bytes().starts_with(b"-");
    let is_build = opts.args.first().map_or(behind.is_empty(), is_flag);
    if is_build && !behind.is_empty() {
        let what = "cargo's flags and files exclude each other; give one or the other";
        return Err(Error::Usage(what.into()));
    }
    if is_build {
        of_build(&opts.args, opts.format, color)
    } else {
        of_files(opts.args.iter().chain(behind), opts.format, color)
    }
}

/// Reports on each file, whatever is wrong with the others; the first failure decides the status.
fn of_files<'a>(files: impl Iterator<Item = &'a OsString>, format: Format, color: Color) -> Result<Exit, Error> {
    let mut exit = Exit::Good;
    for file in files {
        match input::report(Path::new(file)) {
            Ok(report) => stream::print(&emit::report(&report, format), color)?,
            Err(error) => {
                let own = tell(&error, color);
                exit = if exit == Exit::Good { own } else { exit };
            }
        }
    }
    Ok(exit)
}

fn of_build(args: &[OsString], format: Format, color: Color) -> Result<Exit, Error> {
    let mut is_found = false;
    for image in cargo::images(&["build"], args, color)? {
        match input::report(&image.path) {
            Ok(report) => stream::print(&emit::report(&report, format), color)?,
            Err(Error::NoSection { .. } | Error::NotElf { .. }) => continue,
            Err(error) => return Err(error),
        }
        is_found = true;
    }
    if is_found { Ok(Exit::Good) } else { Err(Error::NoImage) }
}
