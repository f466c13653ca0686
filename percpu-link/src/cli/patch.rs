//! `patch`: the layout record of named files.

use std::ffi::OsString;
use std::path::Path;

use clap::Args;

use super::workspace::Workspace;
use super::{cpus, tell};
use crate::emit::{self, Format};
use crate::error::Error;
use crate::exit::Exit;
use crate::file;
use crate::stream::{self, Color};

const EXAMPLES: &str = "\
Without --cpus the layout is for as many CPUs as `nr-cpus` in the manifest says, where cargo calls this tool, else for the
possible CPUs of this machine. The runtime uses it where it fits, and needs none. Of a kernel it states the units that its
linker script reserves, and fails where they are too few or too small.

Examples:
  cargo percpu-link patch target/release/app
  percpu-link patch app plugin.so --cpus 64
  percpu-link patch kernel --cpus 256";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Opts {
    /// The CPUs to lay out units for
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    cpus: Option<u64>,
    /// The form of the answer
    #[arg(long, value_enum, value_name = "FORM", default_value_t)]
    format: Format,
    /// Linked programs and shared objects; they are written to in place
    #[arg(value_name = "FILE")]
    files: Vec<OsString>,
}

/// Patches each file, whatever is wrong with the others; the first failure decides the status.
pub(super) fn run(opts: &Opts, behind: &[OsString], color: Color) -> Result<Exit, Error> {
    if opts.files.is_empty() && behind.is_empty() {
        return Err(Error::Usage("nothing to patch; name the images that the linker wrote".into()));
    }
    let stated = match opts.cpus {
        Some(cpus) => Some(cpus),
        None => match Workspace::around()? {
            Some(workspace) => workspace.root_settings()?.nr_cpus,
            None => None,
        },
    };
    let cpus = stated.map_or_else(cpus::of_this_machine, Ok)?;
    let mut exit = Exit::Good;
    for path in opts.files.iter().chain(behind) {
        exit = exit.or(match file::patch(Path::new(path), cpus) {
            Ok(patch) => {
                stream::print(&emit::patch(&patch, opts.format), color)?;
                Exit::Good
            }
            Err(error) => tell(&error, color),
        });
    }
    Ok(exit)
}
