//! What each CPU has in stock for variables with an owner: most of them are made and dropped without a lock.
//!
//! ```text
//!                    ◀─────────── slots, by a hash of the size ───────────▶
//!  unit of CPU 0  ┌─ ─┬───────────────────┬─ ─┬───────────────────┬─ ─ ─ ─ ─
//!                 │   │ 8 bytes, 12 of 32 │   │ 304 bytes, 3 of 6 │            a magazine is an object of the allocator's
//!  unit of CPU 1  ├─ ─┼───────────────────┼─ ─┼───────────────────┼─ ─ ─ ─ ─   own, made when a size is allocated again
//!                 │   │ 8 bytes, 20 of 32 │   │ nobody's          │            of which one was freed; all zero, it is empty
//! ```
//!
//! # Rules
//!
//! - A place goes in and out by one step on this CPU's magazine ([`arch::magazine`](crate::arch::magazine)), which handlers, other
//!   threads and a fork find done or not begun. So a place in a magazine is nobody else's, and one in hand is its thread's alone.
//! - Nothing is held meanwhile: whoever finds no place, or no room, takes some in hand and goes to the allocator.
//! - A place in stock begins at a multiple of the largest power of two, up to two lines, that divides its size: all types of
//!   the size can have it. What asks for more is not kept in stock.
//! - Frees tell the size, so only owners come here; [`free_percpu`](crate::free_percpu) does not know it.
//! - What counts, and what finds no room, has every CPU's stock put back before, one thread at a time.
//!
//! | file | is |
//! |---|---|
//! | `magazines` | which sizes have magazines, and what goes in and out |
//! | `alloc`, `free` | of variables |
//! | `emptied` | all stocks put back |

mod alloc;
mod emptied;
mod free;
mod magazines;

pub(crate) use alloc::{alloc, alloc_at_once, alloc_top};
pub(crate) use emptied::{in_child, put_back};
pub(crate) use free::{free, free_top};
