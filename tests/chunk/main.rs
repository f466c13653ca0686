//! Does the allocator hand out what is free, all of it, and nothing else?
//!
//! - `random`: any operations, against the naive model.
//! - `exact`: the places that an index may not know of.
//! - `refused`: what is asked for wrongly, or cannot be had; and nothing has changed then.
//! - `grown`: chunks, one after the other, and what is left of them.
//! - `meanwhile`, `waiting`: other threads, while pages are on their way (`stopping`); and who waits for them.
//! - `atomic`: what is reserved for those who must not wait.
//! - `records`: pages for what the allocator notes: asked for in time, and given back.
//! - `touched`: which memory is written to, and which is not even read.
//! - `survivors`: what stays populated for the few objects that stay.
//! - `checked`: mistakes of those who use what was allocated, each found, and no others.
//! - `valgrind`: this room again, with a thousandth of the load.

mod atomic;
mod cached;
mod checked;
mod exact;
mod grown;
mod meanwhile;
mod random;
mod records;
mod refused;
mod stopping;
mod survivors;
mod touched;
mod valgrind;
mod waiting;
