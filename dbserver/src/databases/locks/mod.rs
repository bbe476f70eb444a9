//! Locks on tables, rows and keys of unique indexes, from a statement to the end of its transaction.
//!
//! SQLite has one writer, and the write permit orders commits. These locks order what happens before: who changes a
//! row first has it, and others that want it wait, or are told, at their statement. A lock is a number in memory;
//! two things that share one by accident wait for each other once too often, and that is all.
//!
//! Who waits stands in a line for each thing. Whether a wait would close a circle is looked up before it begins
//! (40P01): no timeout, no victim that was chosen later.
//!
//! The commit that last changed a thing is kept with it while there are transactions whose snapshot is older: such a
//! one gets the lock, and hears that its snapshot does not have the newest state ([`Granted::changed`]).

mod mode;
mod owner;
mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use mode::{Mode, RowMode, TableMode};
pub use owner::{Owner, Wait};
pub use state::Blocked;

use crate::databases::locks::state::State;

/// What can be locked: a number made of its name and contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Thing {
    object: u64,
    part: u64,
}

impl Thing {
    /// A table, by its name.
    pub fn table(name: &str) -> Self {
        Self {
            object: hash(b"table", name.as_bytes()),
            part: 0,
        }
    }

    /// A row of a table.
    pub fn row(table: Self, rowid: i64) -> Self {
        Self {
            object: table.object ^ 1,
            part: rowid.cast_unsigned(),
        }
    }

    /// A number that clients lock by agreement, of one of two kinds.
    pub fn advisory(kind: u8, key: i64) -> Self {
        Self {
            object: hash(b"advisory", &[kind]),
            part: key.cast_unsigned(),
        }
    }

    /// The kind and the number, where clients lock it by agreement.
    pub fn advisory_key(self) -> Option<(u8, i64)> {
        let kind = (0..=1).find(|kind| Self::advisory(*kind, 0).object == self.object)?;
        Some((kind, self.part.cast_signed()))
    }

    /// Whether it is a row of that table.
    pub fn is_row_of(self, table: Self) -> bool {
        self.object == table.object ^ 1
    }

    /// A key of a unique index.
    pub fn key(index: &str, values: &[u8]) -> Self {
        Self {
            object: hash(b"index", index.as_bytes()),
            part: hash(b"value", values),
        }
    }
}

fn hash(kind: &[u8], bytes: &[u8]) -> u64 {
    use std::hash::{DefaultHasher, Hasher as _};
    let mut hasher = DefaultHasher::new();
    hasher.write(kind);
    hasher.write(bytes);
    hasher.finish()
}

/// A lock was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Granted {
    /// Something was committed to the thing after the owner's snapshot.
    pub changed: bool,
    /// Rows were added to the table by somebody who has told of none of them ([`Owner::adds_to`]), after the owner's
    /// snapshot.
    pub grown: bool,
}

/// A lock that a transaction has, or waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Its session.
    pub pid: i32,
    /// What is locked.
    pub thing: Thing,
    /// How.
    pub mode: Mode,
    /// It has it.
    pub granted: bool,
}

/// The locks of one database.
#[derive(Debug, Default)]
pub struct Locks(Mutex<State>);

impl Locks {
    /// A transaction that may lock; `pid` is its session's, for messages.
    pub fn owner(self: &Arc<Self>, pid: i32) -> Owner {
        Owner::new(Arc::clone(self), self.state().enter(pid))
    }

    /// The sessions that the session of `pid` waits for.
    pub fn blockers_of(&self, pid: i32) -> Vec<i32> {
        self.state().blockers_of(pid)
    }

    /// The lock that the session of `pid` waits for.
    pub fn awaited_by(&self, pid: i32) -> Option<Mode> {
        self.state().awaited_by(pid)
    }

    /// All that are held, and those that are waited for.
    pub fn list(&self) -> Vec<Held> {
        self.state().list()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Changed in single steps, so that it is whole even after a panic elsewhere.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
