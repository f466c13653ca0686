//! The kind of a type: word, lock or object, found by traits and never by how the type is spelled.
//!
//! `Probe<T>::__PERCPU_KIND` is an inherent constant for every word and lock, and inherent constants shadow those of
//! traits; for other types the path falls back on [`OtherwiseObject`]. [`Select`] turns the answer into a type, which
//! the handle carries, so that a method of another kind cannot be called on it.

use core::fmt;
use core::marker::PhantomData;

use super::word::Word;
use crate::lock::LocalLock;

/// The variable is changed by whole operations and yields no reference.
#[derive(Debug, Clone, Copy)]
pub struct IsWord;

/// The variable yields shared references and is never replaced.
#[derive(Debug, Clone, Copy)]
pub struct IsObject;

/// The variable is a [`LocalLock`] and yields exclusive references, one at a time.
#[derive(Debug, Clone, Copy)]
pub struct IsLock;

/// The variable is a dynamic one, or borrowed as one: what its type can do decides, since no macro has seen the type.
///
/// Words have operations, locks lock, and all else is borrowed as an object, to whose handle this one dereferences. A word refuses
/// that by a panic that folds away with the type.
#[derive(Debug, Clone, Copy)]
pub struct IsDynamic;

/// What `__kind!` asks.
pub struct Probe<T: ?Sized>(PhantomData<T>);

impl<T: ?Sized> fmt::Debug for Probe<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Probe")
    }
}

/// The answers of `__kind!`.
const OBJECT: u8 = 0;
const WORD: u8 = 1;
const LOCK: u8 = 2;

impl<T: Word> Probe<T> {
    /// A word.
    pub const __PERCPU_KIND: u8 = WORD;
}

impl<T> Probe<LocalLock<T>> {
    /// A lock.
    pub const __PERCPU_KIND: u8 = LOCK;
}

/// The answer for all other types.
pub trait OtherwiseObject {
    /// An object.
    const __PERCPU_KIND: u8 = OBJECT;
}

impl<T: ?Sized> OtherwiseObject for Probe<T> {}

/// An answer as a type.
#[derive(Debug)]
pub struct Answer<const KIND: u8>;

/// From an answer to the kind.
pub trait Select {
    /// [`IsWord`], [`IsLock`] or [`IsObject`].
    type Kind;
}

impl Select for Answer<WORD> {
    type Kind = IsWord;
}

impl Select for Answer<LOCK> {
    type Kind = IsLock;
}

impl Select for Answer<OBJECT> {
    type Kind = IsObject;
}
