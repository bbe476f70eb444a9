//! What keeps objects.

use std::fmt;
use std::io;

use crate::name::ObjectName;

/// What a put of an object that must not be there has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is stored.
    Stored,
    /// There is one of that name already, which is as it was, and durable.
    Exists,
}

/// One object of a listing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// Its name, which need not be one that this version knows.
    pub name: String,
    /// Its bytes.
    pub length: u64,
}

/// Why a store did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no such object.
    #[error("{name} is not in {place}")]
    Missing {
        /// The object.
        name: String,
        /// The store.
        place: String,
    },
    /// The object has fewer bytes than were asked for.
    #[error("{name} in {place} has {length} bytes: it is cut short")]
    Short {
        /// The object.
        name: String,
        /// The store.
        place: String,
        /// Its bytes.
        length: u64,
    },
    /// It can't be read, or not be written.
    #[error("can't {during} {name} in {place}: {why}")]
    Failed {
        /// What was tried, as a verb.
        during: &'static str,
        /// The object.
        name: String,
        /// The store.
        place: String,
        /// The kind of failure.
        kind: io::ErrorKind,
        /// The reason.
        why: String,
    },
}

/// Keeps objects under names. Calls block until it is done.
///
/// - An object is there whole, with the bytes that it was given, or not at all; also after a crash at any time.
/// - What was stored is durable when the call returns. After an error nobody knows whether it is there.
/// - Any number of processes may use one store at the same time. Of several that put one name if absent, one stores.
/// - An object is found by its name as soon as it is stored. A listing may be late.
pub trait Store: Send + Sync + fmt::Debug {
    /// Where it is, as users wrote it.
    fn place(&self) -> String;

    /// Stores an object unless there is one of that name.
    fn put_if_absent(&self, name: &ObjectName, content: &[u8]) -> Result<Put, StoreError>;

    /// Stores an object in the place of what has the name, if anything.
    fn put(&self, name: &ObjectName, content: &[u8]) -> Result<(), StoreError>;

    /// All bytes of an object.
    fn get(&self, name: &ObjectName) -> Result<Vec<u8>, StoreError>;

    /// So many bytes of an object, from an offset on. Fewer are [`StoreError::Short`].
    fn get_range(
        &self,
        name: &ObjectName,
        offset: u64,
        length: usize,
    ) -> Result<Vec<u8>, StoreError>;

    /// All objects whose names begin with this prefix and a slash, or all where it is empty; by name.
    fn list(&self, prefix: &str) -> Result<Vec<Listed>, StoreError>;

    /// Removes an object. One that is not there is gone already.
    fn delete(&self, name: &ObjectName) -> Result<(), StoreError>;
}
