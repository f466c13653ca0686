//! What is told of a trace.

use std::io::{self, Write};

use percpu_tests::clock;
use percpu_tests::units::Pages;
use serde::Serialize;

use crate::account::{self, Account};
use crate::timing::{self, Times};
use crate::trace::{Event, Trace};
use crate::units;

/// All that is told.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    trace: String,
    cpus: usize,
    events: usize,
    allocs: usize,
    frees: usize,
    failures: u64,
    lock_ns: f64,
    alloc_ns: Times,
    free_ns: Times,
    peak_live_bytes: usize,
    peak_populated_bytes: usize,
    overhead: f64,
    after_peak_overhead: f64,
    populates: u64,
    depopulates: u64,
    metadata_peak_bytes: usize,
    chunks_peak: u64,
}

impl Report {
    /// Replays a trace on `cpus` CPUs.
    pub(crate) fn of(trace: &Trace, cpus: usize, passes: usize) -> Self {
        let units = units(cpus, Pages::Zeroed);
        let Account {
            failures,
            peak_live_bytes,
            peak_populated_bytes,
            overhead,
            after_peak_overhead,
            populates,
            depopulates,
            metadata_peak_bytes,
            chunks_peak,
        } = account::of(trace, &units);
        units.prefault(units.reached());
        let lock_ns = clock::lock_ns();
        let [alloc_ns, free_ns] = timing::of(trace, &units, passes);
        let allocs = trace.events.iter().filter(|event| matches!(event, Event::Alloc { .. })).count();
        Self {
            trace: trace.name.clone(),
            cpus,
            events: trace.events.len(),
            allocs,
            frees: trace.events.len() - allocs,
            failures,
            lock_ns,
            alloc_ns,
            free_ns,
            peak_live_bytes,
            peak_populated_bytes,
            overhead,
            after_peak_overhead,
            populates,
            depopulates,
            metadata_peak_bytes,
            chunks_peak,
        }
    }
}

pub(crate) fn write_json(out: &mut impl Write, reports: &[Report]) -> io::Result<()> {
    writeln!(out, "{}", serde_json::to_string_pretty(reports).expect("numbers and names"))
}

pub(crate) fn write_text(out: &mut impl Write, reports: &[Report]) -> io::Result<()> {
    for report in reports {
        let Report { lock_ns, alloc_ns, free_ns, .. } = report;
        writeln!(
            out,
            "{}: {} events, {} failures, {} CPUs",
            report.trace, report.events, report.failures, report.cpus
        )?;
        for (name, times) in [("alloc", alloc_ns), ("free", free_ns)] {
            writeln!(
                out,
                "  {name:<9} avg {:.1} ns = {:.1} × lock ({lock_ns:.1} ns), p50 {:.0}, p99 {:.0}, max {:.0} ns",
                times.avg,
                times.avg / lock_ns,
                times.p50,
                times.p99,
                times.max
            )?;
        }
        writeln!(
            out,
            "  bytes     peak live {}, peak populated {}, overhead {:.3}, after the peak {:.3}",
            report.peak_live_bytes, report.peak_populated_bytes, report.overhead, report.after_peak_overhead
        )?;
        let bar = (32 << 10) + report.peak_populated_bytes * 8 / 100;
        writeln!(
            out,
            "  pages     {} populates ({:.2} per 1,000 events), {} depopulates; metadata {} (32 KiB + 8 % are {bar}), {} chunks",
            report.populates,
            report.populates as f64 * 1000.0 / report.events.max(1) as f64,
            report.depopulates,
            report.metadata_peak_bytes,
            report.chunks_peak
        )?;
    }
    Ok(())
}
