//! The words of the template, in the width and order of the image.

use object::{Endian, Endianness, ReadRef};

use super::super::elf::{Flaw, Image};
use super::super::template::Template;

/// The part of the template that has file bytes.
#[derive(Debug)]
pub(super) struct Words<'d> {
    address: u64,
    bytes: &'d [u8],
    width: usize,
    endian: Endianness,
}

impl<'d> Words<'d> {
    pub(super) fn of<R: ReadRef<'d>>(image: &Image<'d, R>, template: &Template) -> Result<Self, Flaw> {
        let section = template.data().map(|index| &image.sections[index]);
        Ok(Self {
            address: section.map_or(0, |section| section.address),
            bytes: section.map_or(Ok(&[][..]), |section| image.bytes(section))?,
            width: image.width,
            endian: image.endian,
        })
    }

    /// The word at `address`.
    pub(super) fn at(&self, address: u64) -> Option<u64> {
        let offset = usize::try_from(address.checked_sub(self.address)?).ok()?;
        self.value(self.bytes.get(offset..offset.checked_add(self.width)?)?)
    }

    /// The addresses and values of all aligned words.
    pub(super) fn aligned(&self) -> impl Iterator<Item = (u64, u64)> {
        let skipped = self.address.wrapping_neg() as usize & (self.width - 1);
        let bytes = self.bytes.get(skipped..).unwrap_or_default();
        let first = self.address.wrapping_add(skipped as u64);
        let words = bytes.chunks_exact(self.width).filter_map(|bytes| self.value(bytes));
        words.enumerate().map(move |(index, value)| (first.wrapping_add((index * self.width) as u64), value))
    }

    fn value(&self, bytes: &[u8]) -> Option<u64> {
        if self.width == 8 {
            Some(self.endian.read_u64(bytes.try_into().ok()?))
        } else {
            Some(self.endian.read_u32(bytes.try_into().ok()?).into())
        }
    }
}
