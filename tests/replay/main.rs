//! Replays recorded allocations on an allocator of its own, as one thread on the first of some CPUs.

mod account;
mod report;
mod timing;
mod trace;
mod verify;

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
    /// Traces
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let cpus = usize::from(options.cpus);
    let mut reports = Vec::new();
    for file in &options.files {
        let trace = match trace::read(file) {
            Ok(trace) => trace,
            Err(error) => {
                eprintln!("percpu-replay: {}: {error}", file.display());
                return ExitCode::FAILURE;
            }
        };
        if options.verify {
            verify::verify(&trace, cpus);
            eprintln!("{}: every object verified on {cpus} CPUs", trace.name);
        }
        reports.push(report::Report::of(&trace, cpus, usize::from(options.passes)));
    }
    match options.format {
        Format::Text => report::print_text(&reports),
        Format::Json => report::print_json(&reports),
    }
    ExitCode::SUCCESS
}
