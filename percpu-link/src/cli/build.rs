//! `build`, `run`, `test` and `bench`: what cargo does, with every image checked and patched before it runs.

use std::ffi::OsString;

use clap::Args;

use super::cargo::{self, Built, is_option};
use super::cpus;
use super::workspace::Workspace;
use crate::emit;
use crate::error::Error;
use crate::exit::Exit;
use crate::file;
use crate::model::Report;
use crate::settings::Settings;
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
    if verb == Verb::Build && !program_args.is_empty() {
        return Err(Error::Usage("`build` runs no program; leave out `--` and what follows".into()));
    }
    // Documentation tests are built while they run: there are no images to look at before.
    if !opts.cargo.iter().any(|arg| arg == "--doc") {
        let built = cargo::images(verb.building(&opts.cargo), &opts.cargo, color)?;
        let exit = finish(&built, &opts.cargo, color)?;
        if exit != Exit::Good {
            return Ok(exit);
        }
    }
    if verb == Verb::Build {
        return Ok(Exit::Good);
    }
    // Nothing is left to build, so cargo only runs: with its own environment, runner and order of things.
    cargo::pass(verb.word(), &opts.cargo, program_args, color).map(Exit::Passed)
}

/// Checks and patches what cargo has built; the first failure decides the status.
fn finish(built: &[Built], args: &[OsString], color: Color) -> Result<Exit, Error> {
    let mut exit = Exit::Good;
    if built.is_empty() {
        return Ok(exit);
    }
    let workspace = Workspace::of_build(args)?;
    let is_quiet = args.iter().any(|arg| arg == "-q" || is_option(arg, "--quiet"));
    for image in built {
        let settings = workspace.settings(&image.package)?;
        let report = match file::check(&image.path, &settings) {
            Ok(report) => report,
            // An image without per-CPU variables, or for a system without ELF, is none of our business.
            Err(Error::NoSection { .. } | Error::NotElf { .. }) => continue,
            Err(error) => return Err(error),
        };
        for failure in report.failures() {
            stream::print_finding(failure, &report.file, color);
        }
        let own = Exit::of(&report);
        exit = exit.or(own);
        // What fails is not worth a layout.
        let patched = if own == Exit::Good { patch(image, &settings)? } else { String::new() };
        if !is_quiet {
            stream::print_status("per-CPU", &format!("{}{patched}", summary(image, &report)), color);
        }
    }
    Ok(exit)
}

/// Writes the record of an image that has one; what there is to say about it.
fn patch(image: &Built, settings: &Settings) -> Result<String, Error> {
    let cpus = match settings.nr_cpus.map_or_else(cpus::of_this_machine, Ok) {
        Ok(cpus) => cpus,
        // The step is worth having, and required by nothing.
        Err(_) => return Ok(", not patched: set `nr-cpus`, since this machine does not tell how many it has".into()),
    };
    match file::patch(&image.path, cpus) {
        Ok(patch) => Ok(format!(", laid out for {} in units of {}", emit::count(patch.cpus, "cpu"), patch.unit_size)),
        Err(Error::NoRecord { .. }) => Ok(String::new()),
        Err(error) if settings.nr_cpus.is_none() && file::is_too_large(&error) => {
            Ok(format!(", not patched: no record has room for {cpus} cpus"))
        }
        Err(error) => Err(error),
    }
}

fn summary(image: &Built, report: &Report) -> String {
    let variables = emit::count(report.variables.len(), "variable");
    format!("{}: {variables}, static size {}, smallest unit {}", image.name, report.static_size, report.unit_size)
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
