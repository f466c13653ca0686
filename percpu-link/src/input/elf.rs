//! An ELF image of any class, byte order and machine, as sections and symbols without any of the three.

use object::elf::{self, FileHeader32, FileHeader64};
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader, Sym, SymbolTable};
use object::read::{FileKind, StringTable};
use object::{Endianness, ReadRef};

use super::machine;

/// Why an image cannot be reported on; the caller knows its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    NotElf,
    Malformed(String),
    NoSection,
    /// The units that a kernel's script reserves do not do.
    Units(String),
}

impl Flaw {
    pub(super) fn malformed(what: impl ToString) -> Self {
        Self::Malformed(what.to_string())
    }
}

impl From<object::read::Error> for Flaw {
    fn from(error: object::read::Error) -> Self {
        Self::malformed(error)
    }
}

/// An image.
#[derive(Debug)]
pub(super) struct Image<'d, R> {
    pub(super) data: R,
    pub(super) endian: Endianness,
    /// Bytes of an address.
    pub(super) width: usize,
    pub(super) machine: elf::Machine,
    pub(super) binding: Binding,
    /// It has a program interpreter or thread-local storage.
    pub(super) is_process: bool,
    pub(super) loads: Vec<Load>,
    /// Indexed as the symbols' `section` counts.
    pub(super) sections: Vec<Section<'d>>,
    pub(super) symbols: Vec<Symbol<'d>>,
}

/// What is known of the image's addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binding {
    /// Nothing: it has not been linked.
    None,
    /// All: it runs where it is linked to.
    Fixed,
    /// The distances between them: it is relocated when it is loaded.
    Movable,
}

/// A part of memory that the image is loaded into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Load {
    pub(super) address: u64,
    pub(super) size: u64,
    pub(super) align: u64,
}

/// A section.
#[derive(Debug)]
pub(super) struct Section<'d> {
    pub(super) name: &'d [u8],
    pub(super) address: u64,
    pub(super) size: u64,
    pub(super) align: u64,
    /// It takes memory when the image runs.
    pub(super) is_loaded: bool,
    /// Where its bytes are in the file, and how many; none if it has none, or if they are compressed.
    pub(super) range: Option<(u64, u64)>,
}

impl Section<'_> {
    /// The address behind it.
    pub(super) fn end(&self) -> u64 {
        self.address.saturating_add(self.size)
    }
}

/// A symbol with a name.
#[derive(Debug)]
pub(super) struct Symbol<'d> {
    pub(super) name: &'d [u8],
    pub(super) address: u64,
    pub(super) size: u64,
    pub(super) section: Option<usize>,
    pub(super) kind: Kind,
}

/// What a symbol stands for, as far as variables are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Object,
    /// A label: what assembly gives that does not say more.
    Label,
    Other,
}

impl<R> Image<'_, R> {
    /// The value of a symbol, as a linker script defines it.
    pub(super) fn value_of(&self, name: &str) -> Option<u64> {
        self.symbols.iter().find(|symbol| symbol.name == name.as_bytes()).map(|symbol| symbol.address)
    }
}

impl<'d, R: ReadRef<'d>> Image<'d, R> {
    pub(super) fn parse(data: R) -> Result<Self, Flaw> {
        match FileKind::parse(data) {
            Ok(FileKind::Elf32) => Self::load::<FileHeader32<Endianness>>(data),
            Ok(FileKind::Elf64) => Self::load::<FileHeader64<Endianness>>(data),
            // Too short to tell, or of a kind that this build of `object` does not know.
            Ok(_) | Err(_) => Err(Flaw::NotElf),
        }
    }

    /// The machine as Rust's `target_arch` names it.
    pub(super) fn machine_name(&self) -> String {
        machine::name(self.machine, self.width)
    }

    /// The length of the file.
    pub(super) fn len(&self) -> Result<u64, Flaw> {
        self.data.len().map_err(|()| Flaw::malformed("its length is unknown"))
    }

    /// The bytes of the first section called `name`; empty where it has none.
    pub(super) fn bytes_of(&self, name: &str) -> Result<&'d [u8], Flaw> {
        self.find(name).map_or(Ok(&[]), |section| self.bytes(section))
    }

    /// The first section called `name`.
    pub(super) fn find(&self, name: &str) -> Option<&Section<'d>> {
        self.sections.iter().find(|section| section.name == name.as_bytes())
    }

    /// The bytes of a section; empty if it has none in the file.
    pub(super) fn bytes(&self, section: &Section<'d>) -> Result<&'d [u8], Flaw> {
        match section.range {
            Some((offset, size)) => {
                self.data.read_bytes_at(offset, size).map_err(|()| Flaw::malformed("a section lies outside the file"))
            }
            None => Ok(&[]),
        }
    }

    fn load<Elf: FileHeader<Endian = Endianness>>(data: R) -> Result<Self, Flaw> {
        let header = Elf::parse(data)?;
        let endian = header.endian()?;
        let segments = header.program_headers(endian, data)?;
        let table = header.sections(endian, data)?;
        let names = match table.len() {
            0 => &[][..],
            _ => {
                let strings = table.section(header.section_strings_index(endian, data)?)?;
                strings.data(endian, data)?
            }
        };
        let sections = table.iter().map(|section| read_section(section, endian, names)).collect();
        let symbols = table.symbols(endian, data, elf::SHT_SYMTAB)?;
        let names = match symbols.string_section().0 {
            0 => &[][..],
            _ => table.section(symbols.string_section())?.data(endian, data)?,
        };
        Ok(Self {
            data,
            endian,
            width: if header.is_type_64() { 8 } else { 4 },
            machine: header.e_machine(endian),
            binding: match header.e_type(endian) {
                elf::ET_REL => Binding::None,
                elf::ET_EXEC => Binding::Fixed,
                _ => Binding::Movable,
            },
            is_process: segments.iter().any(|segment| matches!(segment.p_type(endian), elf::PT_INTERP | elf::PT_TLS)),
            loads: segments.iter().filter_map(|segment| read_load(segment, endian)).collect(),
            sections,
            symbols: read_symbols(&symbols, endian, names)?,
        })
    }
}

fn read_load<P: ProgramHeader<Endian = Endianness>>(segment: &P, endian: Endianness) -> Option<Load> {
    (segment.p_type(endian) == elf::PT_LOAD).then(|| Load {
        address: segment.p_vaddr(endian).into(),
        size: segment.p_memsz(endian).into(),
        align: segment.p_align(endian).into(),
    })
}

fn read_section<'d, S: SectionHeader<Endian = Endianness>>(
    section: &S,
    endian: Endianness,
    names: &'d [u8],
) -> Section<'d> {
    let is_compressed = section.sh_flags(endian).contains(elf::SHF_COMPRESSED);
    Section {
        // A name outside of the table belongs to a section that nobody looks for.
        name: string(names, section.sh_name(endian)).unwrap_or_default(),
        address: section.sh_addr(endian).into(),
        size: section.sh_size(endian).into(),
        align: section.sh_addralign(endian).into(),
        is_loaded: section.sh_flags(endian).contains(elf::SHF_ALLOC),
        range: section.file_range(endian).filter(|_| !is_compressed),
    }
}

fn read_symbols<'d, Elf: FileHeader<Endian = Endianness>, R: ReadRef<'d>>(
    table: &SymbolTable<'d, Elf, R>,
    endian: Endianness,
    names: &'d [u8],
) -> Result<Vec<Symbol<'d>>, Flaw> {
    let mut symbols = Vec::new();
    // The first symbol is the null one.
    for (index, symbol) in table.enumerate().skip(1) {
        let kind = match symbol.st_type() {
            elf::STT_OBJECT => Kind::Object,
            elf::STT_NOTYPE => Kind::Label,
            _ => Kind::Other,
        };
        symbols.push(Symbol {
            name: string(names, symbol.st_name(endian)).ok_or_else(|| Flaw::malformed("a symbol has no name"))?,
            address: symbol.st_value(endian).into(),
            size: symbol.st_size(endian).into(),
            section: table.symbol_section(endian, symbol, index)?.map(|section| section.0),
            kind,
        });
    }
    Ok(symbols)
}

/// The string at `offset`. Tables are read whole, since reading string by string is a system call for each.
fn string(table: &[u8], offset: u32) -> Option<&[u8]> {
    StringTable::new(table, 0, table.len() as u64).get(offset).ok()
}
