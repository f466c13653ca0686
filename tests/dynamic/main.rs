//! Dynamic objects of this process: what they hold, where they are, and what becomes of them.
//!
//! - `values`: zero on every CPU, apart from each other, where the offsets say.
//! - `modules`: images in every unit, in the reserved area and beyond.
//! - `errors`: each with its values, and nothing changed.
//! - `checked`: with the feature of that name, mistakes and who made them.
//! - `early`: what is to be had at once and without a system call.
//! - `limits`: a full unit, memory that is not granted, pages given back, locked memory.
//! - `room`: what others have is free all the same: pages on their way, places in stock.
//! - `storm`: threads that allocate and free, with every byte checked.
//! - `fork`, `signals`: whom a child and a handler may wait for.
//!
//! What looks at the counts of the whole process runs in one of its own.

mod checked;
mod early;
mod errors;
mod fork;
mod limits;
mod modules;
mod object;
mod room;
mod signals;
mod storm;
mod values;

use percpu_tests::alone::{alone, alone_with};
