//! Where an image's template is: its sections, its first byte and its size.

use percpu_rt::abi::{class, symbol};

use super::elf::{Flaw, Image, Section};
use crate::model;

/// What ArceOS and kernels like it call their section.
const FOREIGN: &str = ".percpu";

/// The largest page in use, which is what linkers keep segments apart by.
const LARGEST_PAGE: u64 = 64 << 10;

/// The template of an image.
#[derive(Debug)]
pub(super) struct Template {
    /// The address of its first byte.
    pub(super) start: u64,
    /// Its bytes.
    pub(super) size: u64,
    /// The largest alignment of its sections.
    pub(super) align: u64,
    /// The index of the section with file bytes, if it has one.
    data: Option<usize>,
    /// The index of the section without, if it has one.
    bss: Option<usize>,
    /// The first of the two, as reports name it.
    pub(super) section: model::Section,
}

impl Template {
    pub(super) fn find<R>(image: &Image<'_, R>) -> Result<Self, Flaw> {
        // A file may hold several sections of one name; a linker that discards its input leaves empty ones.
        let named = |name: &str| {
            let is_match = |section: &Section<'_>| section.name == name.as_bytes() && section.size > 0;
            image.sections.iter().position(is_match)
        };
        let bss = named(class::BSS);
        let data = named(class::DATA);
        let others = || named(class::FALLBACK).or_else(|| named(FOREIGN));
        let data = data.or_else(|| if bss.is_none() { others() } else { None });
        let bss = match (data, bss) {
            (Some(data), Some(bss)) => Some(bss).filter(|_| follows(&image.sections[data], &image.sections[bss])),
            (_, bss) => bss,
        };
        let (Some(first), Some(last)) = (data.or(bss), bss.or(data)) else {
            return Err(Flaw::NoSection);
        };
        let (first, last) = (&image.sections[first], &image.sections[last]);
        let align = first.align.max(last.align).max(1);
        let (start, end) = boundaries(image, first.address, last.end(), align);
        Ok(Self {
            start,
            size: end - start,
            align,
            data,
            bss,
            section: model::Section {
                name: String::from_utf8_lossy(first.name).into_owned(),
                address: first.address,
                size: first.size,
                align: first.align,
            },
        })
    }

    /// The template of an image whose variables were linked to somewhere else.
    pub(super) fn missing() -> Self {
        let section = model::Section { name: class::DATA.into(), address: 0, size: 0, align: 1 };
        Self { start: 0, size: 0, align: 1, data: None, bss: None, section }
    }

    /// The index of the section with file bytes, if it has one.
    pub(super) fn data(&self) -> Option<usize> {
        self.data
    }

    /// Whether symbols of section `index` are in the template. By index, since the addresses of a template that
    /// is linked to address zero are those of other symbols, too.
    pub(super) fn holds(&self, index: usize) -> bool {
        [self.data, self.bss].contains(&Some(index))
    }

    /// Whether section `index` is the part without file bytes.
    pub(super) fn is_zeroed(&self, index: usize) -> bool {
        self.bss == Some(index)
    }

    /// The distance of `address` from the template's first byte, if there is a byte of the template.
    pub(super) fn offset_within(&self, address: u64) -> Option<u64> {
        self.offset_of(address).filter(|offset| *offset < self.size)
    }

    /// The same, or if it is the address behind the last byte.
    pub(super) fn offset_of(&self, address: u64) -> Option<u64> {
        address.checked_sub(self.start).filter(|offset| *offset <= self.size)
    }
}

/// Whether `bss` continues `data`: no further behind it than alignment or a segment's end can put it.
fn follows(data: &Section<'_>, bss: &Section<'_>) -> bool {
    bss.address.checked_sub(data.end()).is_some_and(|gap| gap < bss.align.max(LARGEST_PAGE))
}

/// The ends that the boundary symbols state, if there are both.
pub(super) fn stated_ends<R>(image: &Image<'_, R>) -> Option<(u64, u64)> {
    let address = |name: &str| {
        let symbol = image.symbols.iter().find(|symbol| symbol.name == name.as_bytes());
        symbol.map(|symbol| symbol.address)
    };
    let by_fragment = address(symbol::START).zip(address(symbol::END));
    by_fragment.or_else(|| address(symbol::FALLBACK_START).zip(address(symbol::FALLBACK_END)))
}

/// The template's ends: those that the boundary symbols state, if they are there and enclose the sections with
/// no more around them than alignment explains.
fn boundaries<R>(image: &Image<'_, R>, start: u64, end: u64, align: u64) -> (u64, u64) {
    let is_consistent = |&(from, to): &(u64, u64)| {
        let around = start.checked_sub(from).zip(to.checked_sub(end));
        around.is_some_and(|(before, behind)| before < align && behind < align.max(LARGEST_PAGE))
    };
    stated_ends(image).filter(is_consistent).unwrap_or((start, end))
}
