//! The command line: what can be asked for, and how an answer becomes an exit status.

mod args;
mod build;
mod cargo;
mod check;
mod cpus;
mod layout;
mod message_format;
mod patch;
mod report;
mod target;
mod workspace;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::error::Error;
use crate::exit::{self, Exit};
use crate::stream::{self, Color};

const EXAMPLES: &str = "\
Examples:
  cargo percpu-link run -p nr-processes      build, check, patch, run
  cargo percpu-link report --release         the variables of what cargo builds
  cargo percpu-link check                    the lints, and the budget in the manifest
  percpu-link report vmlinux --format json   the variables of any ELF image
  percpu-link layout --static 192512 --cpus 8";

/// What becomes of per-CPU variables when a program is linked.
#[derive(Debug, Parser)]
#[command(name = "percpu-link", version, after_help = format!("{EXAMPLES}\n\n{}", exit::TABLE))]
struct Cli {
    /// When to colour the output
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t)]
    color: Color,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run `cargo build`, then check and patch the images with per-CPU variables
    #[command(override_usage = "percpu-link build [CARGO FLAGS]...")]
    Build(build::Opts),
    /// Build, check and patch the images with per-CPU variables, then `cargo run`
    #[command(override_usage = "percpu-link run [CARGO FLAGS]... [-- ARGS...]")]
    Run(build::Opts),
    /// Build the tests, check and patch the images with per-CPU variables, then `cargo test`
    #[command(override_usage = "percpu-link test [CARGO FLAGS]... [-- ARGS...]")]
    Test(build::Opts),
    /// Build the benchmarks, check and patch the images with per-CPU variables, then `cargo bench`
    #[command(override_usage = "percpu-link bench [CARGO FLAGS]... [-- ARGS...]")]
    Bench(build::Opts),
    /// List the per-CPU variables of images: offset, size, alignment, class, type, place
    #[command(override_usage = "percpu-link report [--format FORM] [FILE... | CARGO FLAGS...]")]
    Report(report::Opts),
    /// Look for what is wrong with the per-CPU variables of images, and what is over budget
    #[command(
        override_usage = "percpu-link check [--max-static SIZE] [--max-unit SIZE] [--deny LINT]... [--not-pointers VARIABLE]... [--format FORM] [FILE... | CARGO FLAGS...]"
    )]
    Check(check::Opts),
    /// Write into linked programs how their units are to be laid out
    Patch(patch::Opts),
    /// Compute a first chunk as Linux does: unit size, groups, offsets
    Layout(layout::Opts),
}

/// Runs the tool with the arguments `args`, of which the first is the program's own name.
#[must_use]
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let (own, behind) = args::split(args);
    let cli = match Cli::try_parse_from(own) {
        Ok(cli) => cli,
        Err(message) => {
            let exit = if message.use_stderr() { Exit::Failure } else { Exit::Good };
            // A reader of `--help` that has seen enough is no error.
            let _ = message.print();
            return exit.into();
        }
    };
    let color = cli.color;
    let result = match cli.command {
        Command::Build(opts) => build::run(build::Verb::Build, &opts, &behind, color),
        Command::Run(opts) => build::run(build::Verb::Run, &opts, &behind, color),
        Command::Test(opts) => build::run(build::Verb::Test, &opts, &behind, color),
        Command::Bench(opts) => build::run(build::Verb::Bench, &opts, &behind, color),
        Command::Report(opts) => report::run(&opts, &behind, color),
        Command::Check(opts) => check::run(&opts, &behind, color),
        Command::Patch(opts) => patch::run(&opts, &behind, color),
        Command::Layout(opts) => layout::run(&opts, &behind, color),
    };
    result.unwrap_or_else(|error| tell(&error, color)).into()
}

/// Tells the user what went wrong; the status that belongs to it.
fn tell(error: &Error, color: Color) -> Exit {
    if !error.is_told() {
        stream::print_error(error, color);
    }
    error.exit()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
