//! The lists of what is to be registered with SQLite.

use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::LazyLock;

use pgtypes::{SqlValue, SqlValueRef, ValueError};

use crate::session::Session;

/// A function that depends on nothing but its arguments.
pub type Pure = fn(&[SqlValueRef<'_>]) -> Result<SqlValue, ValueError>;

/// A function that depends on the session, too.
pub type WithSession = fn(&dyn Session, &[SqlValueRef<'_>]) -> Result<SqlValue, ValueError>;

/// What computes a function.
#[derive(Clone, Copy, Debug)]
pub enum Body {
    /// From the arguments alone.
    Pure(Pure),
    /// From the arguments and the session.
    Session(WithSession),
}

/// A scalar function.
#[derive(Clone, Copy, Debug)]
pub struct Scalar {
    /// The name in SQL: `pg_int4pl`.
    pub name: &'static str,
    /// The number of arguments; -1 for any. A name may occur with several numbers.
    pub arguments: i32,
    /// Any NULL argument gives NULL without a call: the caller sees to it.
    pub strict: bool,
    /// Gives the same result for the same arguments; false as soon as the session matters.
    pub deterministic: bool,
    /// What computes it.
    pub body: Body,
}

impl Scalar {
    /// A strict function of its arguments alone.
    pub(crate) const fn pure(name: &'static str, arguments: i32, body: Pure) -> Self {
        Self {
            name,
            arguments,
            strict: true,
            deterministic: true,
            body: Body::Pure(body),
        }
    }

    /// A strict function that needs the session.
    pub(crate) const fn session(name: &'static str, arguments: i32, body: WithSession) -> Self {
        Self {
            name,
            arguments,
            strict: true,
            deterministic: false,
            body: Body::Session(body),
        }
    }

    /// The same function, called with NULLs, too.
    pub(crate) const fn loose(self) -> Self {
        Self {
            strict: false,
            ..self
        }
    }

    /// The same function, which may give another result each time.
    pub(crate) const fn volatile(self) -> Self {
        Self {
            deterministic: false,
            ..self
        }
    }
}

/// An aggregate at work on one group. SQLite's wrapper wants it to be safe to leave by a panic.
pub trait Aggregate: Send + UnwindSafe + RefUnwindSafe {
    /// Takes in a row.
    fn step(&mut self, arguments: &[SqlValueRef<'_>]) -> Result<(), ValueError>;

    /// Takes out the row that was taken in first, as the frame of a window moves on. Only called
    /// where [`AggregateSpec::inverse`] says so.
    fn inverse(&mut self, arguments: &[SqlValueRef<'_>]) -> Result<(), ValueError>;

    /// The result for the rows that are in.
    fn value(&self) -> Result<SqlValue, ValueError>;
}

/// An aggregate function.
#[derive(Clone, Copy, Debug)]
pub struct AggregateSpec {
    /// The name in SQL: `pg_sum_int4`.
    pub name: &'static str,
    /// The number of arguments; -1 for any.
    pub arguments: i32,
    /// Whether rows can be taken out. What adds doubles can't do so exactly: over a frame whose
    /// start moves, `pg_window_…`, which keeps the rows, is to be used in its place.
    pub inverse: bool,
    /// Begins a group.
    pub new: fn() -> Box<dyn Aggregate>,
}

/// Every scalar function.
pub fn scalars() -> &'static [Scalar] {
    static ALL: LazyLock<Vec<Scalar>> = LazyLock::new(|| {
        [
            crate::integer::FUNCTIONS,
            crate::float::FUNCTIONS,
            crate::numeric::FUNCTIONS,
            crate::text::FUNCTIONS,
            crate::bytes::FUNCTIONS,
            crate::regexp::FUNCTIONS,
            crate::timestamp::FUNCTIONS,
            crate::template::FUNCTIONS,
            crate::json::FUNCTIONS,
            crate::array::FUNCTIONS,
            &[
                crate::domain::FUNCTIONS,
                crate::enums::FUNCTIONS,
                crate::hash::FUNCTIONS,
                crate::inet::FUNCTIONS,
                crate::io::FUNCTIONS,
                crate::lsn::FUNCTIONS,
                crate::random::FUNCTIONS,
                crate::row_json::FUNCTIONS,
                crate::rows::FUNCTIONS,
                crate::series::FUNCTIONS,
            ],
        ]
        .into_iter()
        .flatten()
        .flat_map(|list| list.iter())
        .copied()
        .collect()
    });
    &ALL
}

/// Every aggregate function.
pub fn aggregates() -> &'static [AggregateSpec] {
    static ALL: LazyLock<Vec<AggregateSpec>> = LazyLock::new(|| {
        let lists = crate::aggregate::AGGREGATES.iter();
        lists.flat_map(|list| list.iter()).copied().collect()
    });
    &ALL
}
