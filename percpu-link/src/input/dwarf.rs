//! The variables of a template in debug information.

use std::collections::HashMap;

use object::ReadRef;

use super::elf::{Flaw, Image};
use super::entry::{Entry, Facts};
use super::units::{Unit, Units};
use super::variables::Placed;

/// What is known about all variables.
#[derive(Debug, Default)]
pub(super) struct Debug {
    by_address: HashMap<u64, Facts>,
    /// Why the rest of the debug information could not be read.
    pub(super) damage: Option<gimli::Error>,
}

impl Debug {
    /// Looks for the variables of `placed`, which are sorted by address, in the debug information of `image`.
    pub(super) fn read<'d, R: ReadRef<'d>>(image: &Image<'d, R>, placed: &[Placed<'_, 'd>]) -> Result<Self, Flaw> {
        let mut debug = Self::default();
        if placed.is_empty() {
            return Ok(debug);
        }
        let mut units = Units::load(image)?;
        let listed = units.list();
        debug.damage = debug.scan(&units, placed).and(listed).err();
        Ok(debug)
    }

    /// What is known about the variable at `address`.
    pub(super) fn facts(&self, address: u64) -> Facts {
        self.by_address.get(&address).cloned().unwrap_or_default()
    }

    fn scan<'d>(&mut self, units: &Units<'d>, placed: &[Placed<'_, 'd>]) -> gimli::Result<()> {
        for unit in units.iter() {
            self.scan_unit(units, &unit?, placed)?;
        }
        Ok(())
    }

    fn scan_unit<'d>(&mut self, units: &Units<'d>, unit: &Unit<'d>, placed: &[Placed<'_, 'd>]) -> gimli::Result<()> {
        let mut entries = unit.entries_raw(None)?;
        while !entries.is_empty() {
            let Some(abbreviation) = entries.read_abbreviation()? else { continue };
            if abbreviation.tag() != gimli::DW_TAG_variable {
                entries.skip_attributes(abbreviation.attributes())?;
                continue;
            }
            let entry = Entry::read(&mut entries, abbreviation.attributes())?;
            let Some(address) = entry.address(units, unit) else { continue };
            let first = placed.partition_point(|placed| placed.symbol.address < address);
            let mut here = placed[first..].iter().take_while(|placed| placed.symbol.address == address).peekable();
            if here.peek().is_none() || self.by_address.contains_key(&address) {
                continue;
            }
            let facts = entry.facts(units, unit);
            // The linker leaves address zero to variables that it has discarded.
            if address != 0 || here.any(|placed| is_called(placed.symbol.name, &facts)) {
                self.by_address.insert(address, facts);
            }
        }
        Ok(())
    }
}

/// Whether `symbol` is that of the variable; a static of a C function has a number behind it.
fn is_called(symbol: &[u8], facts: &Facts) -> bool {
    let rest = facts.symbol.as_ref().and_then(|own| symbol.strip_prefix(own.as_bytes()));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"."))
}
