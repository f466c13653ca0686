//! The record of one allocation.

use super::object::{Object, Past, Site};

/// What is known of an allocation, while it lives and until the record is used again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    /// `None` where it was never used, or is about to be.
    object: Option<Object>,
    freed_at: Option<Site>,
    /// The record that is used again after this one.
    pub(super) next: Option<u32>,
}

impl Record {
    pub(super) const UNUSED: Self = Self { object: None, freed_at: None, next: None };

    /// That of an object from now on.
    pub(super) fn begin(&mut self, object: Object) {
        *self = Self { object: Some(object), ..Self::UNUSED };
    }

    /// The object is freed.
    pub(super) fn end(&mut self, freed_at: Site) {
        self.freed_at = Some(freed_at);
    }

    /// The object, if it lives.
    pub(super) fn live(&self) -> Option<&Object> {
        if self.freed_at.is_none() { self.object.as_ref() } else { None }
    }

    /// The object, if it was freed.
    pub(super) fn past(&self) -> Option<Past> {
        Some(Past { object: self.object?, freed_at: self.freed_at? })
    }

    /// Whether it is, or was last, that of allocation `number`.
    pub(super) fn is_of(&self, number: u64) -> bool {
        self.object.is_some_and(|object| object.number == number)
    }
}
