//! What is wrong with a free that no live object has the ticket of.

use super::error::CheckError;
use super::object::{Object, Past, Site};
use super::table::Table;
use super::ticket::Ticket;

/// What the records tell of a ticket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Diagnosis {
    /// The live object that it is for.
    own: Option<Object>,
    /// The freed object that it was for.
    past: Option<Past>,
    /// The live object that has the offset.
    present: Option<Object>,
}

impl Diagnosis {
    /// Looks at every record.
    pub(super) fn new(table: &Table, ticket: &Ticket) -> Self {
        let Ticket { offset, tag } = *ticket;
        let present = table.iter().filter_map(|record| record.live()).find(|object| object.place().contains(&offset));
        let (own, past) = match tag {
            Some(tag) => {
                let record = table.get(tag.record()).filter(|record| record.is_of(tag.number()));
                (record.and_then(|record| record.live()), record.and_then(|record| record.past()))
            }
            None => {
                let freed = table.iter().filter_map(|record| record.past());
                let here = freed.filter(|past| past.object.offset == offset);
                (None, here.max_by_key(|past| past.object.number))
            }
        };
        Self { own: own.copied(), past, present: present.copied() }
    }

    /// The mistake; `is_foreign` says that the offset is in no range.
    pub(super) fn error(&self, ticket: &Ticket, is_foreign: bool, freed_at: Site) -> CheckError {
        let offset = ticket.offset;
        match *self {
            Self { own: Some(object), .. } if object.place().contains(&offset) => {
                CheckError::Interior { offset, object, freed_at }
            }
            _ if is_foreign => CheckError::Foreign { offset, freed_at },
            Self { own: Some(object), .. } => CheckError::Astray { offset, object, freed_at },
            Self { present: Some(object), .. } if ticket.tag.is_none() => {
                CheckError::Interior { offset, object, freed_at }
            }
            Self { present: Some(present), past, .. } => CheckError::StaleFree { offset, past, present, freed_at },
            Self { past, .. } => CheckError::DoubleFree { offset, past, freed_at },
        }
    }
}
