//! The units of an image's debug information, and the references within and between them.

use gimli::{AttributeValue, EndianSlice, RunTimeEndian, SectionId, UnitHeader, UnitOffset};
use object::{Endian, ReadRef};

use super::elf::{Flaw, Image};

pub(super) type Slice<'d> = EndianSlice<'d, RunTimeEndian>;
pub(super) type Unit<'d> = gimli::Unit<Slice<'d>>;
pub(super) type Value<'d> = AttributeValue<Slice<'d>>;
type Dwarf<'d> = gimli::Dwarf<Slice<'d>>;

/// The longest text that is taken from debug information: nobody reads more of a type or of a path, and a damaged
/// file can name one text many times.
pub(super) const LONGEST: usize = 4096;

/// All units, in the order of their offsets.
pub(super) struct Units<'d> {
    pub(super) dwarf: Dwarf<'d>,
    headers: Vec<UnitHeader<Slice<'d>>>,
}

impl<'d> Units<'d> {
    /// Reads the sections that lead from a variable to its type and its line.
    pub(super) fn load<R: ReadRef<'d>>(image: &Image<'d, R>) -> Result<Self, Flaw> {
        let endian = if image.endian.is_big_endian() { RunTimeEndian::Big } else { RunTimeEndian::Little };
        let dwarf = Dwarf::load(|id| {
            let bytes = if is_needed(id) { image.bytes_of(id.name())? } else { &[] };
            Ok::<_, Flaw>(EndianSlice::new(bytes, endian))
        })?;
        Ok(Self { dwarf, headers: Vec::new() })
    }

    /// Lists the units, as far as their headers can be read.
    pub(super) fn list(&mut self) -> gimli::Result<()> {
        let mut units = self.dwarf.units();
        while let Some(header) = units.next()? {
            self.headers.push(header);
        }
        Ok(())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = gimli::Result<Unit<'d>>> {
        self.headers.iter().map(|header| self.dwarf.unit(*header))
    }

    /// What `read` makes of the entry that `reference`, an attribute of `unit`, refers to. After link-time
    /// optimization that entry is often in another unit.
    pub(super) fn at<T>(
        &self,
        unit: &Unit<'d>,
        reference: Value<'d>,
        read: impl FnOnce(&Unit<'d>, UnitOffset) -> Option<T>,
    ) -> Option<T> {
        match reference {
            AttributeValue::UnitRef(offset) => read(unit, offset),
            AttributeValue::DebugInfoRef(offset) => {
                let behind = self.headers.partition_point(|header| header.debug_info_offset() <= Some(offset));
                let header = self.headers.get(behind.checked_sub(1)?)?;
                read(&self.dwarf.unit(*header).ok()?, offset.to_unit_offset(header)?)
            }
            _ => None,
        }
    }

    /// The string that `value`, an attribute of `unit`, stands for.
    pub(super) fn text(&self, unit: &Unit<'d>, value: Value<'d>) -> Option<String> {
        let text = self.dwarf.attr_string(unit, value).ok()?;
        (text.len() <= LONGEST).then(|| text.to_string_lossy().into_owned())
    }
}

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
