//! Relocations of words of the template to addresses of the template: the loader's and those that the linker kept.

use object::elf::{FileHeader32, FileHeader64, RelocationType};
use object::read::elf::{FileHeader, Rel, Rela, SectionHeader, SectionTable, Sym, SymbolTable};
use object::{Endianness, ReadRef, SectionIndex};

use super::super::elf::{Binding, Flaw, Image};
use super::super::machine;
use super::super::template::Template;
use super::Pointer;
use super::words::Words;

/// What the relocations of an image say of its template.
#[derive(Debug, Default)]
pub(super) struct Relocations {
    pub(super) pointers: Vec<Pointer>,
    /// Whether the linker has kept those that it has resolved itself.
    pub(super) are_kept: bool,
}

pub(super) fn read<'d, R: ReadRef<'d>>(
    image: &Image<'d, R>,
    template: &Template,
    words: &Words<'d>,
) -> Result<Relocations, Flaw> {
    if image.width == 8 {
        Reader::<FileHeader64<Endianness>, R>::open(image, template, words)?.read()
    } else {
        Reader::<FileHeader32<Endianness>, R>::open(image, template, words)?.read()
    }
}

struct Reader<'a, 'd, Elf: FileHeader<Endian = Endianness>, R: ReadRef<'d>> {
    image: &'a Image<'d, R>,
    template: &'a Template,
    words: &'a Words<'d>,
    sections: SectionTable<'d, Elf, R>,
    is_mips64el: bool,
    types: &'static [RelocationType],
    /// The symbol tables that were needed so far.
    symbols: Vec<(SectionIndex, SymbolTable<'d, Elf, R>)>,
    found: Relocations,
}

/// An entry of any of the forms.
struct Entry {
    place: u64,
    kind: RelocationType,
    symbol: u32,
    /// Else it stands in the word itself.
    addend: Option<u64>,
}

impl<'a, 'd, Elf: FileHeader<Endian = Endianness>, R: ReadRef<'d>> Reader<'a, 'd, Elf, R> {
    fn open(image: &'a Image<'d, R>, template: &'a Template, words: &'a Words<'d>) -> Result<Self, Flaw> {
        let header = Elf::parse(image.data)?;
        Ok(Self {
            image,
            template,
            words,
            sections: header.sections(image.endian, image.data)?,
            is_mips64el: header.is_mips64el(image.endian),
            types: machine::address_relocations(image.machine),
            symbols: Vec::new(),
            found: Relocations::default(),
        })
    }

    fn read(mut self) -> Result<Relocations, Flaw> {
        let (endian, data, is_mips64el) = (self.image.endian, self.image.data, self.is_mips64el);
        for section in self.sections.iter().collect::<Vec<_>>() {
            let about = section.info_link(endian).0;
            // A template of plain numbers has none of its own; those of other sections show that the linker has kept all.
            let is_kept = !self.is_loaded(section)
                && self.sections.section(SectionIndex(about)).is_ok_and(|about| self.is_loaded(about));
            if let Some((entries, link)) = section.rela(endian, data)? {
                self.found.are_kept |= is_kept;
                for entry in entries {
                    let (symbol, kind) = (entry.r_sym(endian, is_mips64el), entry.r_type(endian, is_mips64el));
                    let addend: i64 = entry.r_addend(endian).into();
                    let place = entry.r_offset(endian).into();
                    self.visit(&Entry { place, kind, symbol, addend: Some(addend.cast_unsigned()) }, link, about)?;
                }
            } else if let Some((entries, link)) = section.rel(endian, data)? {
                self.found.are_kept |= is_kept;
                for entry in entries {
                    let (symbol, kind) = (entry.r_sym(endian), entry.r_type(endian));
                    self.visit(
                        &Entry { place: entry.r_offset(endian).into(), kind, symbol, addend: None },
                        link,
                        about,
                    )?;
                }
            } else if let Some(places) = section.relr(endian, data)? {
                for place in places {
                    let place = place.into();
                    self.found.pointers.extend(self.words.at(place).and_then(|target| self.pointer(place, target)));
                }
            }
        }
        Ok(self.found)
    }

    fn is_loaded(&self, section: &Elf::SectionHeader) -> bool {
        section.sh_flags(self.image.endian).contains(object::elf::SHF_ALLOC)
    }

    /// Looks at an entry of a section about section `about`, with symbols in section `link`.
    fn visit(&mut self, entry: &Entry, link: SectionIndex, about: usize) -> Result<(), Flaw> {
        // Before linking, places count from the start of the section that they are in.
        let is_elsewhere = self.image.binding == Binding::None && self.template.data() != Some(about);
        if is_elsewhere || self.template.offset_within(entry.place).is_none() || !self.types.contains(&entry.kind) {
            return Ok(());
        }
        let Some(addend) = entry.addend.or_else(|| self.words.at(entry.place)) else { return Ok(()) };
        let base = if entry.symbol == 0 { Some(0) } else { self.template_symbol(entry.symbol, link)? };
        let pointer = base.and_then(|base| self.pointer(entry.place, base.wrapping_add(addend)));
        self.found.pointers.extend(pointer);
        Ok(())
    }

    /// The address of a symbol, if the symbol is of the template.
    fn template_symbol(&mut self, symbol: u32, link: SectionIndex) -> Result<Option<u64>, Flaw> {
        let (endian, data) = (self.image.endian, self.image.data);
        let known = self.symbols.iter().position(|(index, _)| *index == link);
        let known = match known {
            Some(known) => known,
            None => {
                self.symbols.push((link, self.sections.symbol_table_by_index(endian, data, link)?));
                self.symbols.len() - 1
            }
        };
        let table = &self.symbols[known].1;
        let index = object::SymbolIndex(symbol as usize);
        let symbol = table.symbol(index)?;
        let section = table.symbol_section(endian, symbol, index)?;
        let is_inside = section.is_some_and(|section| self.template.holds(section.0));
        Ok(is_inside.then(|| symbol.st_value(endian).into()))
    }

    fn pointer(&self, place: u64, target: u64) -> Option<Pointer> {
        // Addresses of 32 bits wrap around at 32 bits.
        let target = if self.image.width == 4 { target & u64::from(u32::MAX) } else { target };
        let (offset, target) = (self.template.offset_within(place)?, self.template.offset_within(target)?);
        Some(Pointer { offset, target, is_certain: true })
    }
}
