//! The kind of a type: word or object, found by traits and never by how the type is spelled.
//!
//! `Probe<T>::__PERCPU_IS_WORD` is an inherent constant for every word, and inherent constants shadow those of
//! traits; for other types the path falls back on [`OtherwiseObject`]. [`Select`] turns the answer into a type, which
//! the handle carries, so that a method of the other kind does not exist for it.

use core::fmt;
use core::marker::PhantomData;

use super::word::Word;

/// The variable is changed by whole operations and yields no reference.
#[derive(Debug, Clone, Copy)]
pub struct IsWord;

/// The variable yields shared references and is never replaced.
#[derive(Debug, Clone, Copy)]
pub struct IsObject;

/// What `__kind!` asks.
pub struct Probe<T: ?Sized>(PhantomData<T>);

impl<T: ?Sized> fmt::Debug for Probe<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Probe")
    }
}

impl<T: Word> Probe<T> {
    /// A word.
    pub const __PERCPU_IS_WORD: bool = true;
}

/// The answer for types that are no words.
pub trait OtherwiseObject {
    /// No word.
    const __PERCPU_IS_WORD: bool = false;
}

impl<T: ?Sized> OtherwiseObject for Probe<T> {}

/// An answer as a type.
#[derive(Debug)]
pub struct Answer<const IS_WORD: bool>;

/// From an answer to the kind.
pub trait Select {
    /// [`IsWord`] or [`IsObject`].
    type Kind;
}

impl Select for Answer<true> {
    type Kind = IsWord;
}

impl Select for Answer<false> {
    type Kind = IsObject;
}
