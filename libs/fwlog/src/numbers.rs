//! The numbers that identify things in the log. Each is a type of its own, so that none can be
//! taken for another.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

/// Declares one number: its type, `new`, `get`, and the text form (plain decimal).
macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($inner);

        impl $name {
            /// The number with this value.
            pub const fn new(value: $inner) -> Self {
                Self(value)
            }

            /// The plain value.
            pub const fn get(self) -> $inner {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIntError;

            fn from_str(text: &str) -> Result<Self, ParseIntError> {
                text.parse().map(Self)
            }
        }
    };
}

number! {
    /// An unbroken history of an environment. The first one is 1.
    Generation(u32)
}
number! {
    /// The number of a segment file within its generation. The first one is 1.
    Sequence(u32)
}
number! {
    /// The number of a committed transaction: one series per environment, without gaps, from 1.
    CommitNumber(u64)
}
number! {
    /// The number of a database within its environment. It is never given a second time.
    DatabaseId(u32)
}
number! {
    /// The number of a page in a database file, counted from 1.
    PageNumber(u32)
}
number! {
    /// Ties the parts of a transaction that is too large for one block to its commit.
    TransactionId(u64)
}

impl Generation {
    /// The generation that an environment begins with.
    pub const FIRST: Self = Self(1);

    /// The generation after this one. Stays at the largest number, which nothing ever reaches.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl Sequence {
    /// The first segment of a generation.
    pub const FIRST: Self = Self(1);

    /// The sequence number after this one. Stays at the largest number, which nothing ever reaches.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl CommitNumber {
    /// No commit: what an environment stands at before its first transaction.
    pub const ZERO: Self = Self(0);

    /// The commit after this one. Stays at the largest number, so that a number read from a
    /// damaged file can be compared without care.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}
