//! Text: aligned columns, offsets in hexadecimal and sizes in decimal, as Linux prints them.

use std::fmt::{self, Write};

use crate::model::{FirstChunk, Patch, Report, Variable};
use crate::stream::HEADING;

/// Writing into a `String` cannot fail.
macro_rules! line {
    ($text:expr, $($format:tt)*) => {
        writeln!($text, $($format)*).expect("a string takes all text")
    };
}

/// The variables and holes of an image in the order of their offsets, below a summary.
pub(super) fn report(report: &Report, cache_line: u64) -> String {
    let mut text = String::new();
    let section = &report.section;
    line!(text, "{HEADING}{}{HEADING:#}: {}, {}", report.file, report.machine, report.mode.name());
    line!(
        text,
        "  section {} at {:#x}, {} bytes, aligned to {}",
        section.name,
        section.address,
        section.size,
        section.align
    );
    line!(
        text,
        "  smallest unit {} bytes: static {}, reserved {}, dynamic {}",
        report.unit_size,
        report.static_size,
        report.reserved_size,
        report.dyn_size
    );
    if !report.variables.is_empty() {
        line!(text, "");
        table(&mut text, report, cache_line);
    }
    for finding in &report.findings {
        line!(text, "");
        line!(text, "{finding}");
    }
    text
}

/// The findings below a line that counts them.
pub(super) fn checked(report: &Report) -> String {
    let mut text = String::new();
    let (variables, findings) = (count(report.variables.len(), "variable"), count(report.findings.len(), "finding"));
    line!(text, "{HEADING}{}{HEADING:#}: {variables}, {findings}", report.file);
    for finding in &report.findings {
        line!(text, "{finding}");
    }
    text
}

/// One line.
pub(super) fn patch(patch: &Patch) -> String {
    let Patch { file, cpus, unit_size, static_size, .. } = patch;
    let (cpus, units) = (count(*cpus, "cpu"), count(patch.unit_offsets.len(), "unit"));
    let note = if patch.changed { "" } else { ", unchanged" };
    format!("{HEADING}{file}{HEADING:#}: {cpus}, {units} of {unit_size} bytes, static size {static_size}{note}\n")
}

fn table(text: &mut String, report: &Report, cache_line: u64) {
    let heading =
        format!("{:>10} {:>8} {:>6} {:>10}  {:<14}  {}", "offset", "size", "align", "cache line", "class", "variable");
    line!(text, "{HEADING}{heading}{HEADING:#}");
    let mut holes = report.holes.iter().peekable();
    for variable in &report.variables {
        while let Some(hole) = holes.next_if(|hole| hole.offset < variable.offset) {
            row(text, [hole.offset, hole.size, cache_line], "", "(hole)", "");
        }
        let align = variable.align.to_string();
        let place = [variable.offset, variable.size, cache_line];
        row(text, place, &align, variable.class.name(), &description(variable));
    }
    for hole in holes {
        row(text, [hole.offset, hole.size, cache_line], "", "(hole)", "");
    }
    let lost: u64 = report.holes.iter().map(|hole| hole.size).sum();
    let (variables, holes) = (count(report.variables.len(), "variable"), count(report.holes.len(), "hole"));
    line!(text, "{variables}, {lost} bytes in {holes}");
}

fn row(text: &mut String, [offset, size, cache_line]: [u64; 3], align: &str, class: &str, what: &str) {
    let cache_line = offset / cache_line;
    let row = format!("{offset:>#10x} {size:>8} {align:>6} {cache_line:>10}  {class:<14}  {what}");
    line!(text, "{}", row.trim_end());
}

/// `1 hole`, `2 holes`.
pub(crate) fn count<N: fmt::Display + PartialEq<N> + From<u8>>(number: N, word: &str) -> String {
    if number == N::from(1) { format!("1 {word}") } else { format!("{number} {word}s") }
}

/// `app::HITS: u64 (src/main.rs:7)`, as far as it is known.
fn description(variable: &Variable) -> String {
    let mut text = variable.name.clone();
    if let Some(type_name) = &variable.type_name {
        text.push_str(": ");
        text.push_str(type_name);
    }
    match (&variable.file, variable.line) {
        (Some(file), Some(line)) => text.push_str(&format!(" ({file}:{line})")),
        (Some(file), None) => text.push_str(&format!(" ({file})")),
        _ => {}
    }
    text
}

/// A first chunk in the lines that Linux logs at boot, below a summary.
pub(super) fn first_chunk(chunk: &FirstChunk) -> String {
    let mut text = String::new();
    let cpus = chunk.unit_offsets.len();
    let total = chunk.nr_units * chunk.unit_size;
    line!(
        text,
        "{} in {}: {} units of {} bytes, {} in an allocation of {} bytes, {total} bytes in all",
        count(cpus, "cpu"),
        count(chunk.nr_groups, "group"),
        chunk.nr_units,
        chunk.unit_size,
        chunk.upa,
        chunk.alloc_size
    );
    line!(
        text,
        "pcpu-alloc: s{} r{} d{} u{} alloc={}*{}",
        chunk.static_size,
        chunk.reserved_size,
        chunk.dyn_size,
        chunk.unit_size,
        chunk.alloc_size / chunk.atom_size,
        chunk.atom_size
    );
    // A line an allocation, numbers as wide as the largest, holes as dashes.
    let cpu_width = cpus.saturating_sub(1).to_string().len();
    let group_width = chunk.nr_groups.saturating_sub(1).to_string().len();
    for (number, group) in chunk.groups.iter().enumerate() {
        let upa = usize::try_from(chunk.upa).unwrap_or(usize::MAX);
        for allocation in group.cpus.chunks(upa) {
            write!(text, "pcpu-alloc: [{number:0group_width$}]").expect("a string takes all text");
            for cpu in allocation {
                write!(text, " {cpu:0cpu_width$}").expect("a string takes all text");
            }
            for _ in allocation.len()..upa {
                write!(text, " {}", "-".repeat(cpu_width)).expect("a string takes all text");
            }
            text.push('\n');
        }
    }
    text
}
