//! A variable's entry in debug information: where it is, what it is called, what is known about it.

use gimli::{AttributeSpecification, AttributeValue, EntriesRaw, Operation, UnitOffset};

use super::types;
use super::units::{Slice, Unit, Units, Value};

/// How many entries a definition is followed through: from a unit to the one before link-time optimization, and
/// from there to the declaration. Damaged information can be a circle.
const DEEPEST: usize = 4;

/// What is known about a variable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// What the symbol is called, as the compiler sees it.
    pub(super) symbol: Option<String>,
    pub(super) type_name: Option<String>,
    pub(super) align: Option<u64>,
    pub(super) file: Option<String>,
    pub(super) line: Option<u64>,
}

/// The attributes of an entry that matter here.
#[derive(Default)]
pub(super) struct Entry<'d> {
    name: Option<Value<'d>>,
    linkage_name: Option<Value<'d>>,
    location: Option<Value<'d>>,
    /// The entry that this one completes.
    completes: Option<Value<'d>>,
    type_of: Option<Value<'d>>,
    align: Option<u64>,
    file: Option<Value<'d>>,
    line: Option<u64>,
}

impl<'d> Entry<'d> {
    /// Reads the entry that `entries` has come to.
    pub(super) fn read(
        entries: &mut EntriesRaw<'_, Slice<'d>>,
        attributes: &[AttributeSpecification],
    ) -> gimli::Result<Self> {
        let mut entry = Self::default();
        for specification in attributes {
            let attribute = entries.read_attribute(*specification)?;
            let value = attribute.value();
            match attribute.name() {
                gimli::DW_AT_name => entry.name = Some(value),
                gimli::DW_AT_linkage_name => entry.linkage_name = Some(value),
                gimli::DW_AT_location => entry.location = Some(value),
                gimli::DW_AT_specification | gimli::DW_AT_abstract_origin => entry.completes = Some(value),
                gimli::DW_AT_type => entry.type_of = Some(value),
                gimli::DW_AT_alignment => entry.align = attribute.udata_value(),
                gimli::DW_AT_decl_file => entry.file = Some(value),
                gimli::DW_AT_decl_line => entry.line = attribute.udata_value(),
                _ => {}
            }
        }
        Ok(entry)
    }

    /// The address, if it is a constant one.
    pub(super) fn address(&self, units: &Units<'d>, unit: &Unit<'d>) -> Option<u64> {
        let Some(AttributeValue::Exprloc(expression)) = self.location else { return None };
        let mut operations = expression.operations(unit.encoding());
        let address = match operations.next().ok()?? {
            Operation::Address { address } => address,
            Operation::AddressIndex { index } => units.dwarf.address(unit, index).ok()?,
            _ => return None,
        };
        // An operation behind the address makes it that of something else: a thread's variable, a value.
        operations.next().is_ok_and(|next| next.is_none()).then_some(address)
    }

    /// What is known about the variable, from this entry and from those that it completes.
    pub(super) fn facts(self, units: &Units<'d>, unit: &Unit<'d>) -> Facts {
        self.facts_to(units, unit, DEEPEST)
    }

    fn facts_to(self, units: &Units<'d>, unit: &Unit<'d>, depth: usize) -> Facts {
        let declared = match (self.completes, depth.checked_sub(1)) {
            (Some(reference), Some(depth)) => units.at(unit, reference, |unit, offset| {
                Self::at(unit, offset).ok().map(|entry| entry.facts_to(units, unit, depth))
            }),
            _ => None,
        };
        let declared = declared.unwrap_or_default();
        let symbol = self.linkage_name.or(self.name).and_then(|value| units.text(unit, value));
        Facts {
            symbol: symbol.or(declared.symbol),
            type_name: self.type_of.and_then(|value| types::of_variable(units, unit, value)).or(declared.type_name),
            align: self.align.filter(|align| align.is_power_of_two()).or(declared.align),
            file: self.file.and_then(|value| source_file(units, unit, value)).or(declared.file),
            line: self.line.or(declared.line),
        }
    }

    fn at(unit: &Unit<'d>, offset: UnitOffset) -> gimli::Result<Self> {
        let mut entries = unit.entries_raw(Some(offset))?;
        match entries.read_abbreviation()? {
            Some(abbreviation) => Self::read(&mut entries, abbreviation.attributes()),
            None => Ok(Self::default()),
        }
    }
}

/// The path of the file with the number `value`, from the directory in which the compiler ran.
fn source_file<'d>(units: &Units<'d>, unit: &Unit<'d>, value: Value<'d>) -> Option<String> {
    let AttributeValue::FileIndex(index) = value else { return None };
    let header = unit.line_program.as_ref()?.header();
    let file = header.file(index)?;
    let mut path = units.text(unit, file.path_name())?;
    let directory = file.directory(header).and_then(|value| units.text(unit, value));
    let compilation = unit.comp_dir.map(|directory| directory.to_string_lossy().into_owned());
    for parent in [directory, compilation].into_iter().flatten() {
        if !path.starts_with('/') {
            path = format!("{}/{path}", parent.trim_end_matches('/'));
        }
    }
    Some(path)
}
