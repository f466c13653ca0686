//! Pointers in the template that lead into the template.
//!
//! Bitwise copies of such a pointer all lead to the template, and none to the copy that it stands in. What is known of
//! them depends on how the image was linked:
//!
//! | kind of image | a pointer is |
//! |---|---|
//! | position-independent | a relocation of the loader, in `.rela.dyn` or packed in `.relr.dyn` |
//! | fixed, linked with `--emit-relocs` | one of the linker's relocations |
//! | fixed | a number like any other: a word whose value lies in the template may be one |

mod relocations;
mod scan;
mod words;

use object::ReadRef;

use self::words::Words;
use super::elf::{Binding, Flaw, Image};
use super::template::Template;

/// A word of the template that holds an address of the template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pointer {
    /// Where the word stands, counted from the template's first byte.
    pub(crate) offset: u64,
    /// Where it points to, counted likewise.
    pub(crate) target: u64,
    /// Whether the word is an address for certain, and not a number that looks like one.
    pub(crate) is_certain: bool,
}

/// All such words, in the order of their offsets, each once.
pub(super) fn find<'d, R: ReadRef<'d>>(image: &Image<'d, R>, template: &Template) -> Result<Vec<Pointer>, Flaw> {
    let words = Words::of(image, template)?;
    let relocations = relocations::read(image, template, &words)?;
    let mut pointers = relocations.pointers;
    // A template at address zero has the addresses of small numbers.
    if image.binding == Binding::Fixed && !relocations.are_kept && template.start != 0 {
        pointers.extend(scan::read(template, &words));
    }
    pointers.sort_by_key(|pointer| (pointer.offset, !pointer.is_certain));
    pointers.dedup_by_key(|pointer| pointer.offset);
    Ok(pointers)
}
