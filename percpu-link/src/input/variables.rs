//! The variables of a template: from symbols, classes and debug information.

use object::ReadRef;
use percpu_rt::abi::class::Class;
use percpu_rt::abi::layout::DEFAULT_PAGE_SIZE;

use super::class::Classes;
use super::dwarf::Debug;
use super::elf::{Flaw, Image, Kind, Symbol};
use super::name;
use super::template::Template;
use crate::model::Variable;

/// The symbols that stand between the variables.
const BOUNDARY: &[u8] = b"__per_cpu_";

/// A symbol of the template, and its distance from the first byte.
pub(super) struct Placed<'i, 'd> {
    pub(super) symbol: &'i Symbol<'d>,
    pub(super) offset: u64,
}

/// The symbols of the template's variables, by offset and name, each once.
pub(super) fn placed<'i, 'd, R: ReadRef<'d>>(
    image: &'i Image<'d, R>,
    template: &Template,
) -> Result<Vec<Placed<'i, 'd>>, Flaw> {
    let place = |symbol: &'i Symbol<'d>| {
        let is_inside = symbol.section.is_some_and(|section| template.holds(section));
        let offset = template.offset_of(symbol.address)?;
        (is_inside && is_variable(symbol)).then_some(Placed { symbol, offset })
    };
    let mut placed: Vec<_> = image.symbols.iter().filter_map(place).collect();
    placed.sort_by_key(|placed| (placed.offset, placed.symbol.name));
    placed.dedup_by_key(|placed| (placed.offset, placed.symbol.name));
    // Names can share bytes of the string table, but linkers do not make all of them share one long tail.
    let names = placed.iter().map(|placed| placed.symbol.name.len() as u64).fold(0, u64::saturating_add);
    if names > image.len()? {
        return Err(Flaw::malformed("the names of its symbols are longer than the file"));
    }
    Ok(placed)
}

/// Describes the variables behind `placed`.
pub(super) fn describe<'d, R>(
    image: &Image<'d, R>,
    template: &Template,
    placed: &[Placed<'_, 'd>],
    debug: &Debug,
) -> Vec<Variable> {
    let classes = Classes::of(image);
    let mut variables = Vec::with_capacity(placed.len());
    for Placed { symbol, offset } in placed {
        let facts = debug.facts(symbol.address);
        let name = name::of_symbol(&String::from_utf8_lossy(symbol.name));
        let is_zeroed = symbol.section.is_some_and(|section| template.is_zeroed(section));
        variables.push(Variable {
            name: name.path,
            offset: *offset,
            size: symbol.size,
            align: facts.align.unwrap_or_else(|| likely_align(*offset, symbol.size)),
            class: if is_zeroed { Class::Zeroed } else { classes.at(symbol.address) },
            type_name: facts.type_name,
            crate_name: name.crate_name,
            file: facts.file,
            line: facts.line,
        });
    }
    variables
}

fn is_variable(symbol: &Symbol<'_>) -> bool {
    let is_data = match symbol.kind {
        Kind::Object => true,
        // Labels without a size are the linker script's, or mark code and data for disassemblers.
        Kind::Label => symbol.size > 0,
        Kind::Other => false,
    };
    is_data && !symbol.name.is_empty() && !symbol.name.starts_with(BOUNDARY)
}

/// The largest alignment that `offset` has, as far as a variable of `size` bytes is likely to ask for it.
fn likely_align(offset: u64, size: u64) -> u64 {
    let of_offset = if offset == 0 { u64::MAX } else { 1 << offset.trailing_zeros() };
    let of_size = size.checked_next_power_of_two().unwrap_or(u64::MAX);
    of_offset.min(of_size).min(DEFAULT_PAGE_SIZE)
}

#[cfg(test)]
mod tests {
    use super::likely_align;

    #[test]
    fn alignment_is_guessed_from_place_and_size() {
        for (offset, size, align) in [
            (0, 8, 8),
            (0, 0, 1),
            (0, 12, 16),
            (4, 8, 4),
            (64, 8, 8),
            (64, 200, 64),
            (0, 1 << 20, 4096),
            (0, u64::MAX, 4096),
            (1 << 63, u64::MAX, 4096),
            (3, 64, 1),
        ] {
            assert_eq!(likely_align(offset, size), align, "{size} bytes at {offset}");
        }
    }
}
