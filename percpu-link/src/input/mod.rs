//! From an image to facts: find the template, name and describe its variables, look for what is wrong with them.
//!
//! Nothing in the file is trusted. Every size, count and offset is checked against the file's length before
//! anything is read or reserved, and arithmetic on addresses saturates or is checked.

mod budget;
mod class;
mod dwarf;
mod elf;
mod entry;
mod machine;
mod name;
mod pointers;
mod record;
mod strays;
mod template;
mod types;
mod units;
mod variables;

use object::ReadRef;
use percpu_rt::abi::layout::{DEFAULT_DYN_SIZE, DEFAULT_PAGE_SIZE, DEFAULT_RESERVED_SIZE, Request, Sizes};
use percpu_rt::abi::{record::SECTION as RECORD_SECTION, symbol};

use self::budget::Budget;
use self::dwarf::Debug;
pub(crate) use self::elf::Flaw;
use self::elf::Image;
pub(crate) use self::pointers::Pointer;
pub(crate) use self::record::{Recorded, of_image as record};
pub(crate) use self::strays::Stray;
use self::template::Template;
use crate::model::{self, Code, Finding, Mode, Report, VERSION};

/// What an image is found to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// With the findings about the reading itself.
    pub(crate) report: Report,
    /// The template's pointers into the template.
    pub(crate) pointers: Vec<Pointer>,
    /// What of the template lies elsewhere.
    pub(crate) strays: Vec<Stray>,
}

/// Reads the image in `data`, whoever holds it, called `file`.
pub(crate) fn read<'d, R: ReadRef<'d>>(data: R, file: String) -> Result<Facts, Flaw> {
    let budget = Budget::of(data);
    let image = Image::parse(&budget)?;
    let template = match Template::find(&image) {
        // There may be variables all the same, just not where they belong.
        Err(Flaw::NoSection) if !strays::find(&image, &Template::missing()).is_empty() => Template::missing(),
        other => other?,
    };
    let sizes = sizes(template.size)?;
    let placed = variables::placed(&image, &template)?;
    let debug = Debug::read(&image, &placed)?;
    let mut findings = Vec::new();
    if image.symbols.is_empty() {
        findings.push(no_symbols());
    }
    findings.extend(debug.damage.map(damaged_debug_info));
    let variables = variables::describe(&image, &template, &placed, &debug);
    let report = Report {
        version: VERSION,
        file,
        machine: image.machine_name(),
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
    };
    Ok(Facts { report, pointers: pointers::find(&image, &template)?, strays: strays::find(&image, &template) })
}

/// The smallest unit around a template of `static_size` bytes, with the default areas.
fn sizes(static_size: u64) -> Result<Sizes, Flaw> {
    let request = Request {
        static_size,
        reserved_size: DEFAULT_RESERVED_SIZE,
        dyn_size: DEFAULT_DYN_SIZE,
        atom_size: DEFAULT_PAGE_SIZE,
        page_size: DEFAULT_PAGE_SIZE,
    };
    request.sizes().map_err(Flaw::malformed)
}

/// A process is loaded by an interpreter or has thread-local storage; a static one without either still has the
/// runtime's own symbol, or its record.
fn mode<'d, R: ReadRef<'d>>(image: &Image<'d, R>) -> Mode {
    let rseq = || image.symbols.iter().any(|symbol| symbol.name == symbol::RSEQ_OFFSET.as_bytes());
    let has_record = image.find(RECORD_SECTION).is_some() && !record::is_kernel(image);
    let is_hosted = image.is_process || has_record || rseq();
    if is_hosted { Mode::Hosted } else { Mode::Kernel }
}

fn no_symbols() -> Finding {
    let message = "the image has no symbol table, so its variables cannot be listed";
    Finding::new(Code::NoSymbols, None, message.into(), "report on the image before `strip`")
}

fn damaged_debug_info(damage: gimli::Error) -> Finding {
    let message = format!("the debug information cannot be read to its end ({damage})");
    Finding::new(Code::DamagedDebugInfo, None, message, "link the image again to see all types and lines")
}

#[cfg(test)]
mod tests;
