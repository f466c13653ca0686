//! What debug information says about the variables: type, alignment, file and line.

use std::collections::HashMap;

use gimli::{AttributeValue, EndianSlice, EntriesRaw, Operation, RunTimeEndian, SectionId, UnitHeader};
use object::{Endian, ReadRef};

use super::elf::{Flaw, Image};
use super::types::Types;
use super::variables::Placed;

pub(super) type Slice<'d> = EndianSlice<'d, RunTimeEndian>;
pub(super) type Dwarf<'d> = gimli::Dwarf<Slice<'d>>;
pub(super) type Unit<'d> = gimli::Unit<Slice<'d>>;
pub(super) type Value<'d> = AttributeValue<Slice<'d>>;

/// The longest text that is taken from debug information: nobody reads more of a type or of a path.
pub(super) const LONGEST: usize = 4096;

/// What is known about the variable at an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) type_name: Option<String>,
    pub(super) align: Option<u64>,
    pub(super) file: Option<String>,
    pub(super) line: Option<u64>,
}

/// What is known about all variables.
#[derive(Debug, Default)]
pub(super) struct Debug {
    by_address: HashMap<u64, Facts>,
    /// Why the rest of the debug information could not be read.
    pub(super) damage: Option<gimli::Error>,
}

impl Debug {
    /// What is known about the variable at `address`.
    pub(super) fn facts(&self, address: u64) -> Facts {
        self.by_address.get(&address).cloned().unwrap_or_default()
    }

    /// Looks for the variables of `placed`, which are sorted by address, in the debug information of `image`.
    pub(super) fn read<'d, R: ReadRef<'d>>(image: &Image<'d, R>, placed: &[Placed<'_, 'd>]) -> Result<Self, Flaw> {
        let mut debug = Self::default();
        if placed.is_empty() {
            return Ok(debug);
        }
        let endian = if image.endian.is_big_endian() { RunTimeEndian::Big } else { RunTimeEndian::Little };
        let dwarf = Dwarf::load(|id| {
            let bytes = if is_needed(id) { image.bytes_of(id.name())? } else { &[] };
            Ok::<_, Flaw>(EndianSlice::new(bytes, endian))
        })?;
        debug.damage = debug.scan(&dwarf, placed).err();
        Ok(debug)
    }

    fn scan<'d>(&mut self, dwarf: &Dwarf<'d>, placed: &[Placed<'_, 'd>]) -> gimli::Result<()> {
        let mut headers = Vec::new();
        let mut units = dwarf.units();
        while let Some(header) = units.next()? {
            headers.push(header);
        }
        for header in &headers {
            self.scan_unit(dwarf, &headers, *header, placed)?;
        }
        Ok(())
    }

    fn scan_unit<'d>(
        &mut self,
        dwarf: &Dwarf<'d>,
        headers: &[UnitHeader<Slice<'d>>],
        header: UnitHeader<Slice<'d>>,
        placed: &[Placed<'_, 'd>],
    ) -> gimli::Result<()> {
        let unit = dwarf.unit(header)?;
        let types = Types { dwarf, headers };
        let mut entries = unit.entries_raw(None)?;
        while !entries.is_empty() {
            let Some(abbreviation) = entries.read_abbreviation()? else { continue };
            if abbreviation.tag() != gimli::DW_TAG_variable {
                entries.skip_attributes(abbreviation.attributes())?;
                continue;
            }
            let entry = Entry::read(&mut entries, abbreviation.attributes())?;
            let Some(address) = entry.address(dwarf, &unit) else { continue };
            let first = placed.partition_point(|placed| placed.symbol.address < address);
            let here = placed[first..].iter().take_while(|placed| placed.symbol.address == address);
            let names = here.map(|placed| placed.symbol.name).collect::<Vec<_>>();
            if names.is_empty() || self.by_address.contains_key(&address) {
                continue;
            }
            let entry = entry.with_declaration(&unit)?;
            // The linker leaves address zero to variables that it has discarded.
            if address != 0 || entry.is_called(dwarf, &unit, &names) {
                self.by_address.insert(address, entry.facts(&types, &unit));
            }
        }
        Ok(())
    }
}

/// The sections that lead from a variable to its type and its line.
fn is_needed(id: SectionId) -> bool {
    matches!(
        id,
        SectionId::DebugInfo
            | SectionId::DebugAbbrev
            | SectionId::DebugAddr
            | SectionId::DebugStr
            | SectionId::DebugStrOffsets
            | SectionId::DebugLine
            | SectionId::DebugLineStr
    )
}

/// The attributes of a variable that matter here.
#[derive(Default)]
struct Entry<'d> {
    name: Option<Value<'d>>,
    linkage_name: Option<Value<'d>>,
    location: Option<Value<'d>>,
    declaration: Option<Value<'d>>,
    type_of: Option<Value<'d>>,
    align: Option<u64>,
    file: Option<Value<'d>>,
    line: Option<u64>,
}

impl<'d> Entry<'d> {
    fn read(
        entries: &mut EntriesRaw<'_, Slice<'d>>,
        attributes: &[gimli::AttributeSpecification],
    ) -> gimli::Result<Self> {
        let mut entry = Self::default();
        for specification in attributes {
            let attribute = entries.read_attribute(*specification)?;
            let value = attribute.value();
            match attribute.name() {
                gimli::DW_AT_name => entry.name = Some(value),
                gimli::DW_AT_linkage_name => entry.linkage_name = Some(value),
                gimli::DW_AT_location => entry.location = Some(value),
                gimli::DW_AT_specification => entry.declaration = Some(value),
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
    fn address(&self, dwarf: &Dwarf<'d>, unit: &Unit<'d>) -> Option<u64> {
        let Some(AttributeValue::Exprloc(expression)) = self.location else { return None };
        let mut operations = expression.operations(unit.encoding());
        let address = match operations.next().ok()?? {
            Operation::Address { address } => address,
            Operation::AddressIndex { index } => dwarf.address(unit, index).ok()?,
            _ => return None,
        };
        // An operation behind the address makes it that of something else: a thread's variable, a value.
        operations.next().is_ok_and(|next| next.is_none()).then_some(address)
    }

    /// Adds what a definition leaves to the declaration that it completes.
    fn with_declaration(self, unit: &Unit<'d>) -> gimli::Result<Self> {
        let Some(AttributeValue::UnitRef(offset)) = self.declaration else { return Ok(self) };
        let mut entries = unit.entries_raw(Some(offset))?;
        let Some(abbreviation) = entries.read_abbreviation()? else { return Ok(self) };
        let declared = Self::read(&mut entries, abbreviation.attributes())?;
        Ok(Self {
            name: self.name.or(declared.name),
            linkage_name: self.linkage_name.or(declared.linkage_name),
            type_of: self.type_of.or(declared.type_of),
            align: self.align.or(declared.align),
            file: self.file.or(declared.file),
            line: self.line.or(declared.line),
            ..self
        })
    }

    /// Whether one of the symbols `names` is this variable's; a static of a C function has a number behind it.
    fn is_called(&self, dwarf: &Dwarf<'d>, unit: &Unit<'d>, names: &[&[u8]]) -> bool {
        let Some(value) = self.linkage_name.or(self.name) else { return false };
        let Ok(own) = dwarf.attr_string(unit, value) else { return false };
        let is_own = |rest: &[u8]| rest.is_empty() || rest.starts_with(b".");
        names.iter().any(|name| name.strip_prefix(own.slice()).is_some_and(is_own))
    }

    fn facts(self, types: &Types<'_, 'd>, unit: &Unit<'d>) -> Facts {
        Facts {
            type_name: self.type_of.and_then(|value| types.of_variable(unit, value)),
            align: self.align.filter(|align| align.is_power_of_two()),
            file: self.file.and_then(|value| source_file(types.dwarf, unit, value)),
            line: self.line,
        }
    }
}

/// The path of the file with the number `value`, from the directory in which the compiler ran.
fn source_file<'d>(dwarf: &Dwarf<'d>, unit: &Unit<'d>, value: Value<'d>) -> Option<String> {
    let AttributeValue::FileIndex(index) = value else { return None };
    let header = unit.line_program.as_ref()?.header();
    let file = header.file(index)?;
    let text = |value| dwarf.attr_string(unit, value).ok().map(|text| text.to_string_lossy().into_owned());
    let mut path = text(file.path_name())?;
    let directory = file.directory(header).and_then(text);
    let compilation = unit.comp_dir.map(|directory| directory.to_string_lossy().into_owned());
    for parent in [directory, compilation].into_iter().flatten() {
        if !path.starts_with('/') {
            path = format!("{}/{path}", parent.trim_end_matches('/'));
        }
    }
    (path.len() <= LONGEST).then_some(path)
}
