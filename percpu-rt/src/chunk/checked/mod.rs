//! A checked allocator: mistakes of those who use an object are found, and named by the line that allocated it.
//!
//! ```text
//!               offset                           the next object
//!                 ▼                                ▼
//!  every unit   ┌──────────────────┬─────────────┬─ ─
//!               │ object           │ redzone     │        a pattern up to the end of the place
//!               └──────────────────┴─────────────┴─ ─
//!  record       { offset, size, number, allocated at, freed at }      apart, in metadata pages
//!                                       ▲
//!  ticket       { offset, tag }         └ the tag names the record and the number
//! ```
//!
//! | mistake | is found | as |
//! |---|---|---|
//! | a second free | by it | [`CheckError::DoubleFree`] |
//! | a free of what was freed, when another object has the place | by it | [`CheckError::StaleFree`] |
//! | a free of a pointer into an object, or past it | by it | [`CheckError::Interior`], [`CheckError::Astray`] |
//! | a free of what is not the allocator's | by it | [`CheckError::Foreign`] |
//! | a write past the end | by the free, or when [`check_all`](Checked::check_all) looks | [`CheckError::Overrun`] |
//! | a leak | when [`leaks`](Checked::leaks) looks | [`Object`] |
//!
//! What is freed is filled with [`POISON`] until another object gets the place, so that a use after the free shows.
//!
//! Records are not in the units: no write of a user reaches them, and a wrong free is found out without a look at memory that
//! may be anybody's. A record is used again as late as can be, so a second free mostly learns where the first was.
//!
//! | file | is |
//! |---|---|
//! | `allocator` | [`Checked`] |
//! | `diagnosis` | what is wrong with a free that no live object has the ticket of |
//! | `redzone` | the bytes behind an object: how many, and what is in them |
//! | `record`, `table` | an object's record, and all of them |
//! | `ticket`, `object`, `error` | [`Ticket`], [`Tag`], [`Object`], [`CheckError`] |

mod allocator;
mod diagnosis;
mod error;
mod object;
mod record;
mod redzone;
mod table;
#[cfg(test)]
mod tests;
mod ticket;

pub use allocator::Checked;
pub use error::CheckError;
pub use object::{Object, Past, Site};
pub use redzone::POISON;
pub use ticket::{Tag, Ticket};
