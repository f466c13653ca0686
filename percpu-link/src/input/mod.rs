//! From a file to a report: read the image, find the template, name and describe its variables.
//!
//! Nothing in the file is trusted. Every size, count and offset is checked against the file's length before
//! anything is read or reserved, and arithmetic on addresses saturates or is checked.

mod budget;
mod class;
mod dwarf;
mod elf;
mod entry;
mod name;
mod template;
mod types;
mod units;
mod variables;

use std::fs::File;
use std::path::Path;

use object::ReadCache;
use percpu_rt::abi::layout::{DEFAULT_DYN_SIZE, DEFAULT_PAGE_SIZE, DEFAULT_RESERVED_SIZE, Request};
use percpu_rt::abi::symbol;

use self::budget::Budget;
use self::dwarf::Debug;
use self::elf::{Flaw, Image};
use self::template::Template;
use crate::error::Error;
use crate::model::{self, Finding, Mode, Report, Severity, VERSION};

/// Reports on the image at `path`.
///
/// # Errors
///
/// The file cannot be read, is no ELF image or a damaged one, or has no per-CPU section.
pub fn report(path: &Path) -> Result<Report, Error> {
    let read_error = |source| Error::Read { path: path.into(), source };
    // A pipe or a device is refused before it is opened: opening some waits for ever.
    if !path.metadata().map_err(read_error)?.is_file() {
        return Err(Error::NotAFile { path: path.into() });
    }
    let cache = ReadCache::new(File::open(path).map_err(read_error)?);
    describe(&cache, path.display().to_string()).map_err(|flaw| match flaw {
        Flaw::NotElf => Error::NotElf { path: path.into() },
        Flaw::Malformed(what) => Error::Malformed { path: path.into(), what },
        Flaw::NoSection => Error::NoSection { path: path.into() },
    })
}

/// Reports on the image in `data`, whoever holds it.
fn describe<'d, R: object::ReadRef<'d>>(data: R, file: String) -> Result<Report, Flaw> {
    let budget = Budget::of(data);
    let image = Image::parse(&budget)?;
    let template = Template::find(&image)?;
    let sizes = Request {
        static_size: template.size,
        reserved_size: DEFAULT_RESERVED_SIZE,
        dyn_size: DEFAULT_DYN_SIZE,
        atom_size: DEFAULT_PAGE_SIZE,
        page_size: DEFAULT_PAGE_SIZE,
    }
    .sizes()
    .map_err(Flaw::malformed)?;
    let placed = variables::placed(&image, &template)?;
    let debug = Debug::read(&image, &placed)?;
    let mut findings = Vec::new();
    if image.symbols.is_empty() {
        findings.push(no_symbols());
    }
    findings.extend(debug.damage.map(damaged_debug_info));
    let variables = variables::describe(&image, &template, &placed, &debug);
    Ok(Report {
        version: VERSION,
        file,
        machine: image.machine.clone(),
        mode: mode(&image),
        section: template.section.clone(),
        static_size: template.size,
        max_align: template.align,
        unit_size: sizes.min_unit_size,
        reserved_size: sizes.reserved_size,
        dyn_size: sizes.dyn_size,
        holes: model::holes(&variables, template.size),
        variables,
        findings,
    })
}

/// A process is loaded by an interpreter or has thread-local storage; a static one without either still has the
/// runtime's own symbol.
fn mode<R>(image: &Image<'_, R>) -> Mode {
    let rseq = || image.symbols.iter().any(|symbol| symbol.name == symbol::RSEQ_OFFSET.as_bytes());
    if image.is_process || rseq() { Mode::Hosted } else { Mode::Kernel }
}

fn no_symbols() -> Finding {
    Finding {
        code: "no-symbols",
        severity: Severity::Note,
        variable: None,
        message: "the image has no symbol table, so its variables cannot be listed".into(),
        help: "report on the image before `strip`".into(),
    }
}

fn damaged_debug_info(damage: gimli::Error) -> Finding {
    Finding {
        code: "damaged-debug-info",
        severity: Severity::Note,
        variable: None,
        message: format!("the debug information cannot be read to its end ({damage})"),
        help: "link the image again to see all types and lines".into(),
    }
}

#[cfg(test)]
mod tests;
