//! Privileges, by the letters and words that PostgreSQL has for them.

use std::fmt;

/// A set of privileges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Privileges(u16);

/// Each privilege with its word and its letter, in the order in which an access-control list shows them.
const ALL: [(Privileges, &str, char); 11] = [
    (Privileges::INSERT, "INSERT", 'a'),
    (Privileges::SELECT, "SELECT", 'r'),
    (Privileges::UPDATE, "UPDATE", 'w'),
    (Privileges::DELETE, "DELETE", 'd'),
    (Privileges::TRUNCATE, "TRUNCATE", 'D'),
    (Privileges::REFERENCES, "REFERENCES", 'x'),
    (Privileges::TRIGGER, "TRIGGER", 't'),
    (Privileges::USAGE, "USAGE", 'U'),
    (Privileges::CREATE, "CREATE", 'C'),
    (Privileges::TEMPORARY, "TEMPORARY", 'T'),
    (Privileges::CONNECT, "CONNECT", 'c'),
];

impl Privileges {
    /// None.
    pub const NONE: Self = Self(0);
    /// INSERT
    pub const INSERT: Self = Self(1);
    /// SELECT
    pub const SELECT: Self = Self(1 << 1);
    /// UPDATE
    pub const UPDATE: Self = Self(1 << 2);
    /// DELETE
    pub const DELETE: Self = Self(1 << 3);
    /// TRUNCATE
    pub const TRUNCATE: Self = Self(1 << 4);
    /// REFERENCES
    pub const REFERENCES: Self = Self(1 << 5);
    /// TRIGGER
    pub const TRIGGER: Self = Self(1 << 6);
    /// USAGE
    pub const USAGE: Self = Self(1 << 7);
    /// CREATE
    pub const CREATE: Self = Self(1 << 8);
    /// TEMPORARY
    pub const TEMPORARY: Self = Self(1 << 9);
    /// CONNECT
    pub const CONNECT: Self = Self(1 << 10);

    /// The privilege of that name, in any case.
    pub fn named(word: &str) -> Option<Self> {
        if word.eq_ignore_ascii_case("TEMP") {
            return Some(Self::TEMPORARY);
        }
        let found = ALL
            .iter()
            .find(|(_, name, _)| name.eq_ignore_ascii_case(word));
        found.map(|(privilege, ..)| *privilege)
    }

    /// Those of either.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those that are not of the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Those of both.
    #[must_use]
    pub const fn common(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether all of the other are among them.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether some of the other are among them.
    pub const fn has_some(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many there are.
    pub const fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// Each by itself, in the order of their letters.
    pub fn each(self) -> impl Iterator<Item = Self> {
        let all = ALL.iter().map(|(privilege, ..)| *privilege);
        all.filter(move |privilege| self.has(*privilege))
    }

    /// Their names, in that order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let own = ALL
            .iter()
            .filter(move |(privilege, ..)| self.has(*privilege));
        own.map(|(_, name, _)| *name)
    }

    /// The letters, each with a star where it may be granted on.
    pub(crate) fn write(self, options: Self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (privilege, _, letter) in &ALL {
            if self.has(*privilege) {
                write!(f, "{letter}")?;
            }
            if options.has(*privilege) {
                f.write_str("*")?;
            }
        }
        Ok(())
    }

    /// What the letters say: privileges, and those that may be granted on.
    pub(crate) fn read(letters: &str) -> Option<(Self, Self)> {
        let (mut granted, mut options, mut last) = (Self::NONE, Self::NONE, Self::NONE);
        for letter in letters.chars() {
            if letter == '*' {
                if last.is_empty() {
                    return None;
                }
                options = options.and(last);
                last = Self::NONE;
            } else {
                last = ALL.iter().find(|(.., known)| *known == letter)?.0;
                granted = granted.and(last);
            }
        }
        Some((granted, options))
    }
}

/// What privileges are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A table or a view.
    Table,
    /// A sequence.
    Sequence,
    /// An enum or a domain.
    Type,
    /// A schema.
    Schema,
    /// A database.
    Database,
}

impl Kind {
    /// All privileges on one.
    ///
    /// A privilege of tables or sequences on a database is that privilege on all that it has.
    pub const fn all(self) -> Privileges {
        const TABLE: Privileges = Privileges::INSERT
            .and(Privileges::SELECT)
            .and(Privileges::UPDATE)
            .and(Privileges::DELETE)
            .and(Privileges::TRUNCATE)
            .and(Privileges::REFERENCES)
            .and(Privileges::TRIGGER);
        match self {
            Self::Table => TABLE,
            Self::Sequence => Privileges::SELECT
                .and(Privileges::UPDATE)
                .and(Privileges::USAGE),
            Self::Type => Privileges::USAGE,
            Self::Schema => Privileges::USAGE.and(Privileges::CREATE),
            Self::Database => TABLE
                .and(Privileges::USAGE)
                .and(Privileges::CREATE)
                .and(Privileges::TEMPORARY)
                .and(Privileges::CONNECT),
        }
    }

    /// As messages call one.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Sequence => "sequence",
            Self::Type => "type",
            Self::Schema => "schema",
            Self::Database => "database",
        }
    }
}
