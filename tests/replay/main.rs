//! Replays recorded allocations on an allocator of its own, as one thread on the first of some CPUs.

mod account;
mod report;
mod timing;
mod trace;
mod verify;

use std::io::{self, ErrorKind, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use percpu_rt::chunk::{AllocFlags, Allocator, SpinLock};
use percpu_tests::units::{Pages, Units};

/// Bytes of a unit: more than any trace needs.
const UNIT_SIZE: usize = 1 << 30;

/// How much of it the allocator has from the start, and how many times as much each time it is used up: as in a process, where the
/// records are not deeper than what is used asks for.
const FIRST_END: usize = 4 << 20;
const FACTOR: usize = 32;

const PAGE_SIZE: usize = 4096;

/// Units of `cpus` CPUs.
fn units(cpus: usize, pages: Pages) -> Units {
    Units::new(cpus, UNIT_SIZE, PAGE_SIZE, pages).in_steps(FIRST_END, FACTOR)
}

/// A fresh allocator of the units.
///
/// # Safety
///
/// They have no other now.
unsafe fn fresh(units: &Units) -> Allocator<&Units, SpinLock> {
    units.restart();
    let allocator = Allocator::new(units, SpinLock::new(), PAGE_SIZE);
    // SAFETY: the units have these offsets, and the caller no other allocator of them.
    unsafe { allocator.add_range(0..FIRST_END) }.expect("metadata");
    allocator
}

/// An event's flags.
fn flags(atomic: bool) -> AllocFlags {
    if atomic { AllocFlags::ATOMIC } else { AllocFlags::NONE }
}

/// What is printed.
#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Replay recorded per-CPU allocations and tell what they cost in time and memory
///
/// A trace has one event a line, `a <id> <size> <align> <atomic 0|1>` or `f <id>`, plain or compressed by gzip. Times
/// are in nanoseconds; compare them with lock_ns, an uncontended `lock xadd` in the same run. Bytes are one CPU's, but for
/// the metadata.
#[derive(Parser)]
#[command(name = "percpu-replay")]
struct Options {
    /// Number of CPUs, each with a unit that is zeroed
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=4096))]
    cpus: u16,
    /// Text for people or JSON for programs
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Check each object (no overlap, aligned, zero on every CPU, contents kept) before anything is measured
    #[arg(long)]
    verify: bool,
    /// Passes; of each operation, and of all together, the shortest time counts
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u8).range(5..))]
    passes: u8,
    /// Traces; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let error = match run(&Options::parse()) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(error) => error,
    };
    // Nobody is left to tell where this cannot be written either.
    let _ = writeln!(io::stderr(), "percpu-replay: {error}");
    ExitCode::FAILURE
}

/// Reads all traces, then verifies all, then replays: what is wrong with one is told before time is spent on another.
fn run(options: &Options) -> Result<(), String> {
    let cpus = usize::from(options.cpus);
    let read = |file: &PathBuf| trace::read(file).map_err(|error| format!("{}: {error}", file.display()));
    let traces = options.files.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    if options.verify {
        for (trace, file) in traces.iter().zip(&options.files) {
            verify::verify(trace, cpus).map_err(|violation| format!("{}: {violation}", file.display()))?;
            let _ = writeln!(io::stderr(), "{}: every object verified on {cpus} CPUs", trace.name);
        }
    }
    let of = |trace| report::Report::of(trace, cpus, usize::from(options.passes));
    let reports: Vec<_> = traces.iter().map(of).collect();
    let mut out = io::stdout().lock();
    let written = match options.format {
        Format::Text => report::write_text(&mut out, &reports),
        Format::Json => report::write_json(&mut out, &reports),
    };
    match written.and_then(|()| out.flush()) {
        // A reader that has seen enough, as `head`, is no error.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(format!("the output: {error}")),
        _ => Ok(()),
    }
}
