//! PostgreSQL values between SQLite and the wire.
//!
//! SQLite knows five kinds of value; a PostgreSQL client expects a type for each column and a
//! value in that type's text or binary form. This crate holds everything in between, without I/O
//! and without SQLite itself: the [types](PgType), [`encode`], [`decode`] and [`cast`], the
//! [`copy`] formats, and what SQLite's [errors](sqlite) are called in a PostgreSQL client's
//! language. It alone knows how values are written and computed: the [calendar], [`Date`], [`Time`],
//! [`Timestamp`], [`Interval`], [`Decimal`]. Time zones come from the system's database, else from
//! a bundled one.
//!
//! # Stored form
//!
//! | type | stored as |
//! | --- | --- |
//! | `boolean` | integer 0 or 1 |
//! | `smallint`, `integer`, `bigint`, `oid` | integer |
//! | `real`, `double precision` | real; NaN as text `NaN` |
//! | `numeric` | integer, else real, else text: the first that keeps every digit |
//! | `text`, `varchar`, `name`, `json`, `jsonb` | text |
//! | `char(n)` | text without trailing blanks |
//! | `bytea` | blob |
//! | `date`, `time`, `timestamp` | text as PostgreSQL writes it in ISO style |
//! | `timestamptz` | the same in UTC, with `+00` behind |
//! | `interval` | text, `1 day 02:03:04` |
//! | `uuid` | text, lower case |

#![warn(missing_docs)]
#![deny(clippy::indexing_slicing)]

pub mod bytea;
pub mod calendar;
pub mod copy;
pub mod float;
pub mod hex;
pub mod integer;
pub mod numeric;
pub mod sqlite;
pub mod text;
pub mod uuid;

mod cast;
#[cfg(test)]
mod codec_tests;
mod date;
mod decimal;
mod decimal_arithmetic;
mod decimal_text;
mod declared;
mod decode;
mod encode;
mod encode_binary;
mod error;
mod fields;
mod interval;
mod interval_text;
mod json;
mod moment_text;
mod oid;
mod output;
mod parts;
mod pg_type;
mod sqlstate;
mod time_of_day;
mod timestamp;
mod unit;
mod value;
mod zone;
mod zone_names;

pub use crate::cast::cast;
pub use crate::date::Date;
pub use crate::decimal::{Decimal, MAX_SCALE};
pub use crate::decode::decode;
pub use crate::encode::encode;
pub use crate::error::ValueError;
pub use crate::interval::Interval;
pub use crate::oid::Oid;
pub use crate::output::{to_json, to_text};
pub use crate::pg_type::{Opaque, PgType};
pub use crate::sqlstate::SqlState;
pub use crate::time_of_day::{Time, Timetz};
pub use crate::timestamp::{Timestamp, Timestamptz};
pub use crate::unit::Unit;
pub use crate::value::{SqlValue, SqlValueRef};
pub use crate::zone::Zone;

/// The two forms in which a value goes over the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// Characters, for people and for simple queries.
    #[default]
    Text,
    /// The type's own bytes.
    Binary,
}

impl Format {
    /// From the protocol's format code: 0 is text, 1 is binary.
    pub fn from_code(code: i16) -> Result<Self, ValueError> {
        match code {
            0 => Ok(Self::Text),
            1 => Ok(Self::Binary),
            _ => Err(ValueError::new(
                SqlState::PROTOCOL_VIOLATION,
                format!("unsupported format code: {code}"),
            )),
        }
    }

    /// The protocol's format code.
    pub const fn code(self) -> i16 {
        match self {
            Self::Text => 0,
            Self::Binary => 1,
        }
    }
}
