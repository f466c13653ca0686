//! `build`, `run`, `test` and `bench`: what cargo does, and a line for each image with per-CPU variables.

use std::ffi::OsString;

use clap::Args;

use super::cargo::{self, Built, is_option};
use super::tell;
use crate::emit;
use crate::error::Error;
use crate::exit::Exit;
use crate::input;
use crate::model::Report;
use crate::stream::{self, Color};

const EXAMPLES: &str = "\
Examples:
  cargo percpu-link build --release
  cargo percpu-link run -p nr-processes
  cargo percpu-link test -p app -- --nocapture";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Opts {
    /// Cargo's own flags, such as `--release` or `-p PACKAGE`
    #[arg(value_name = "CARGO FLAGS", allow_hyphen_values = true)]
    cargo: Vec<OsString>,
}

/// What cargo is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Build,
    Run,
    Test,
    Bench,
}

impl Verb {
    fn word(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Run => "run",
            Self::Test => "test",
            Self::Bench => "bench",
        }
    }

    /// The words that make cargo build what this verb needs, and no more.
    fn building(self, args: &[OsString]) -> &'static [&'static str] {
        let is_stated = args.iter().any(|arg| arg == "--no-run");
        match self {
            Self::Build | Self::Run => &["build"],
            Self::Test if is_stated => &["test"],
            Self::Test => &["test", "--no-run"],
            Self::Bench if is_stated => &["bench"],
            Self::Bench => &["bench", "--no-run"],
        }
    }
}

pub(super) fn run(verb: Verb, opts: &Opts, program_args: &[OsString], color: Color) -> Result<Exit, Error> {
    // Documentation tests are built while they run: there are no images to name before.
    if !opts.cargo.iter().any(|arg| arg == "--doc") {
        let built = cargo::images(verb.building(&opts.cargo), &opts.cargo, color)?;
        let is_quiet = opts.cargo.iter().any(|arg| arg == "-q" || is_option(arg, "--quiet"));
        for image in &built {
            match input::report(&image.path) {
                Ok(report) if !is_quiet => stream::print_status("per-CPU", &summary(image, &report), color),
                // An image without per-CPU variables, or for a system without ELF, is none of our business.
                Ok(_) | Err(Error::NoSection { .. } | Error::NotElf { .. }) => {}
                Err(error) => return Ok(tell(&error, color)),
            }
        }
    }
    if verb == Verb::Build {
        if !program_args.is_empty() {
            return Err(Error::Usage("`build` runs no program; leave out `--` and what follows".into()));
        }
        return Ok(Exit::Good);
    }
    // Nothing is left to build, so cargo only runs: with its own environment, runner and order of things.
    cargo::pass(verb.word(), &opts.cargo, program_args, color).map(Exit::Passed)
}

fn summary(image: &Built, report: &Report) -> String {
    let variables = emit::count(report.variables.len(), "variable");
    format!("{}: {variables}, static size {}, unit size {}", image.name, report.static_size, report.unit_size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_run_is_said_once() {
        assert_eq!(Verb::Test.building(&[]), ["test", "--no-run"]);
        assert_eq!(Verb::Bench.building(&["--no-run".into()]), ["bench"]);
        assert_eq!(Verb::Run.building(&["--release".into()]), ["build"]);
    }
}
