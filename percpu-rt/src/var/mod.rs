//! What users hold: the handle of a per-CPU variable, and what may be done through it.
//!
//! A variable is a **word** or an **object**, decided by its type. A word is changed by whole operations and never
//! yields a reference: a `&u64` beside `inc()` would be undefined behaviour out of safe code. An object yields
//! shared references and is never replaced as a whole.
//!
//! | kind | this CPU's copy | a given CPU's copy |
//! |---|---|---|
//! | word | `read write xchg cmpxchg`; integers and `bool` also `and or xor`; integers also `add sub inc dec add_return fetch_add` | `read_on`, `iter`, `sum` (integers), `unsafe write_on` |
//! | word `u128`, on x86-64 | `read cmpxchg` | |
//! | object, `T: Sync` | `with`, `get_cpu_var` | `on`, `iter` |
//! | any | `this_cpu_ptr` | `per_cpu_ptr` |
//!
//! - [`handle`]: the handle, and raw pointers to copies.
//! - [`template`]: how a static's initial value is linked; [`zeroed`]: whether it is zero.
//! - [`kind`]: how a type's kind is found; [`word`]: which types are words.
//! - [`local`], [`remote`]: operations on words; `wide`: on those of 16 bytes.
//! - [`object`], [`guard`]: references to objects; `bound`: what they and locks ask of a type.
//! - `signpost`: what rustc says where a variable is used as one of another kind.

pub(crate) mod bound;
pub(crate) mod guard;
pub(crate) mod handle;
pub(crate) mod kind;
pub(crate) mod local;
pub(crate) mod object;
pub(crate) mod remote;
mod signpost;
pub(crate) mod template;
#[cfg(any(backend = "x86_64", backend = "x86_64_kernel"))]
pub(crate) mod wide;
pub(crate) mod word;
pub(crate) mod zeroed;
