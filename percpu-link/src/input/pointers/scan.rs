//! Words that look like addresses of the template.

use super::super::template::Template;
use super::Pointer;
use super::words::Words;

/// All aligned words whose value lies in the template.
pub(super) fn read(template: &Template, words: &Words<'_>) -> impl Iterator<Item = Pointer> {
    words.aligned().filter_map(|(address, value)| {
        let (offset, target) = (template.offset_within(address)?, template.offset_within(value)?);
        Some(Pointer { offset, target, is_certain: false })
    })
}
