//! `check`: the lints and the budget.

use std::ffi::OsString;

use clap::Args;

use super::target;
use crate::emit::{self, Format};
use crate::error::Error;
use crate::exit::Exit;
use crate::model::Code;
use crate::settings::Settings;
use crate::size;
use crate::stream::{self, Color};

const EXAMPLES: &str = "\
Lints:
  self-reference      a template points into the template, where no copy is    denied
  misplaced           templates lie where set-up does not copy them from       denied
  over-budget         more bytes than max-static or max-unit allow             denied
  no-symbols          without a symbol table variables cannot be listed        noted
  damaged-debug-info  the debug information cannot be read to its end          noted

Settings in [package.metadata.percpu], over those in [workspace.metadata.percpu]:
  max-static = \"64K\"  max-unit = 65536  deny = [\"no-symbols\"]  not-pointers = [\"app::SEEDS\"]
  nr-cpus = 64  cacheline = 128

Examples:
  cargo percpu-link check --release
  percpu-link check vmlinux --max-static 256K --deny no-symbols";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Opts {
    /// The most bytes that all variables of one CPU may take
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    max_static: Option<u64>,
    /// The most bytes of the smallest unit around them
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    max_unit: Option<u64>,
    /// A lint that is to fail although it does not by default; may be repeated
    #[arg(long, value_name = "LINT")]
    deny: Vec<Code>,
    /// A variable whose words look like pointers into the template and are numbers; may be repeated
    #[arg(long, value_name = "VARIABLE")]
    not_pointers: Vec<String>,
    /// The form of the findings
    #[arg(long, value_enum, value_name = "FORM", default_value_t)]
    format: Format,
    /// ELF images, or cargo's flags for a build whose images are checked
    #[arg(value_name = "FILE | CARGO FLAGS", allow_hyphen_values = true)]
    args: Vec<OsString>,
}

pub(super) fn run(opts: &Opts, behind: &[OsString], color: Color) -> Result<Exit, Error> {
    let adjust = |settings: &mut Settings| {
        settings.max_static = opts.max_static.or(settings.max_static);
        settings.max_unit = opts.max_unit.or(settings.max_unit);
        settings.deny.extend(&opts.deny);
        settings.not_pointers.extend_from_slice(&opts.not_pointers);
    };
    target::each(&opts.args, behind, color, adjust, |report, _| {
        stream::print(&emit::findings(report, opts.format), color)?;
        Ok(Exit::of(report))
    })
}
