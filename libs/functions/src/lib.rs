//! PostgreSQL's functions as SQLite calls them.
//!
//! A statement that is run by SQLite computes with PostgreSQL's functions: each is here under the
//! name of PostgreSQL's implementation (`prosrc` in `pg_proc`) with `pg_` before it, takes its
//! arguments in their stored form and gives its result in that of its type. The server registers
//! what [`scalars`], [`aggregates`] and [`collations`] list; this crate itself knows nothing of
//! SQLite's interface.
//!
//! # Stored form
//!
//! | type | stored as |
//! | --- | --- |
//! | `bool` | integer 0 or 1 |
//! | `int2`, `int4`, `int8`, `oid` | integer |
//! | `float4`, `float8` | real; NaN as text `NaN` |
//! | `numeric` | text as PostgreSQL prints it, compared by `pg_numeric` |
//! | `text`, `varchar`, `name`, `"char"`, `json` | text |
//! | `bpchar` | text without trailing blanks |
//! | `bytea` | blob |
//! | `date` | integer: days since 2000-01-01 |
//! | `time` | integer: microseconds since midnight |
//! | `timestamp`, `timestamptz` | integer: microseconds since 2000-01-01 00:00 (UTC) |
//! | `timetz` | text as PostgreSQL prints it, compared by `pg_timetz` |
//! | `interval` | text in style `postgres`, compared by `pg_interval` |
//! | `uuid` | text, lower case |
//! | `jsonb` | text as PostgreSQL prints it, compared by `pg_jsonb` |
//! | `inet`, `cidr` | text, compared by `pg_inet` |
//! | arrays | text as PostgreSQL prints it |
//!
//! The infinities of dates and timestamps are the largest and the least number of their width.
//!
//! # Names
//!
//! Where several functions of PostgreSQL share an implementation, one function here serves them.
//! What PostgreSQL defines in SQL has the name of the function with those of its argument types
//! behind it where there are several: `pg_round_numeric`, `pg_log_numeric`. A function that returns
//! a set is `pg_set_<prosrc>` and gives a JSON array with an element for each row.

#![warn(missing_docs)]
#![deny(clippy::indexing_slicing)]
#![expect(
    clippy::single_match_else,
    reason = "a match says better that a value and its absence are both usual"
)]
#![expect(
    clippy::format_push_string,
    reason = "writing to a String needs a result to be dropped, and results here are short"
)]

mod aggregate;
mod arguments;
mod array;
mod bytes;
mod collation;
mod domain;
mod enums;
mod error;
mod float;
mod hash;
mod inet;
mod integer;
mod io;
mod json;
mod lsn;
mod numeric;
mod random;
mod regexp;
mod registry;
mod row_json;
mod rows;
mod series;
mod session;
mod template;
mod text;
mod timestamp;

pub use crate::collation::{Collation, collations};
pub use crate::json::jsonpath_text;
pub use crate::registry::{
    Aggregate, AggregateSpec, Body, Pure, Scalar, WithSession, aggregates, scalars,
};
pub use crate::rows::record_fields;
pub use crate::session::{DateOrder, DateStyle, IntervalStyle, Session};
pub use crate::text::identifier;
