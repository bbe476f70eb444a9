//! Object identifiers of PostgreSQL's built-in types.

use std::fmt;

/// The number by which the protocol names a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Oid(u32);

impl Oid {
    /// No type was said.
    pub const UNSPECIFIED: Self = Self(0);

    /// From the number on the wire; 0 means "not said".
    pub const fn new(value: u32) -> Self {
        Self(value)
    }

    /// The number on the wire.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
