//! What a group needs of a consensus: one document, and one lease.

use std::fmt;

use fwlog::Generation;

use crate::document::{Group, SiteName};

/// Which of the documents: they are counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(u64);

impl Version {
    /// The one of this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The next one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// Why the register did not do it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegisterError {
    /// It can't be reached, or has no majority: it may have been done, or not.
    Unavailable(String),
    /// The document is another one by now, or the lease somebody else's.
    Refused,
}

impl fmt::Display for RegisterError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(why) => write!(out, "the register does not answer: {why}"),
            Self::Refused => out.write_str("the register refuses: the group has gone on"),
        }
    }
}

impl std::error::Error for RegisterError {}

/// What the sites agree about, and the right to act as master for a while. Small, rarely written.
///
/// All of it is linearizable, whoever asks.
pub trait Register {
    /// The document; as new as any that anybody has been told of.
    fn read(&self) -> Result<(Version, Group), RegisterError>;

    /// Puts another document in the place of the one of that version. Where its master begins, the lease is that one's from now
    /// on.
    fn swap(&self, seen: Version, next: &Group) -> Result<Version, RegisterError>;

    /// Gives the holder of the generation the lease for [`crate::Terms::kept`] more, counted from here; once it has run out,
    /// nothing renews it.
    fn renew(&self, holder: &SiteName, generation: Generation) -> Result<(), RegisterError>;

    /// Whether the lease of that document's master has run out. Where it says so, the lease is over for good.
    fn may_open(&self, seen: Version) -> Result<bool, RegisterError>;
}
