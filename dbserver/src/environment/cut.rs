//! The cut: every database of an environment at one commit, with what a start from there needs.
//!
//! ```text
//!            R: redo point                      C: the commit
//!  log ──────┼──────────────────────────────────┼──────────▶
//!      │◀───────────── log head ───────────────▶│
//!  data files as of R: list of databases        pages of all databases as of C
//! ```
//! Data files with the pages as of C, a control file with R and its list, and the log head are an environment
//! that starts: redo takes what lies between R and C, as after a crash. On a master R and C are mostly the
//! same place. Nothing else is needed, nobody is stopped, and writers wait for nothing but the order of commits.
//!
//! A cut is taken (`Environment::open_cut`), kept until it is closed or ends ([`Cuts`]), and read as often as somebody
//! wants ([`OpenCut`]).

use std::fmt;

use dbproto::Progress;
use fwlog::{DatabaseId, EnvironmentId};

use crate::databases::control::{DatabaseEntry, RedoPoint};

mod end;
mod log_head;
mod open;
mod registry;
mod take;
#[cfg(test)]
mod tests;

pub use end::{CutEnd, CutError};
pub use log_head::{LogHead, LogPiece};
pub use open::{CutUse, OpenCut};
pub use registry::{CutStatus, Cuts};

/// Tells one cut from all others that this server has had, also before a restart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CutId(u64);

impl CutId {
    /// The cut with this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The bare number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for CutId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a cut is of. It never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Its name for those who read it.
    pub id: CutId,
    /// Whose data it is.
    pub environment: EnvironmentId,
    /// Where redo starts, not behind the cut.
    pub redo: RedoPoint,
    /// The commit, and a block border of the log at or behind it, where redo ends.
    pub at: Progress,
    /// The databases as of the redo point, by number: those of before the commit that are not there come from
    /// the log.
    pub databases: Vec<CutDatabase>,
    /// The number that the next new database gets: none is ever used twice, here or in a copy.
    pub next_database: DatabaseId,
}

impl Cut {
    /// The database with this number.
    pub fn database(&self, id: DatabaseId) -> Option<&CutDatabase> {
        self.databases.iter().find(|it| it.entry.id == id)
    }
}

/// A database of a cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CutDatabase {
    /// Number, name and file, as of the redo point.
    pub entry: DatabaseEntry,
    /// How many pages it has at the commit. `None`: it was dropped before, and needs no file.
    pub pages: Option<u32>,
}
