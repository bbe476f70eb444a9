//! PostgreSQL values between SQLite and the wire.
//!
//! SQLite knows five kinds of value; a PostgreSQL client expects a type for each column and a
//! value in that type's text or binary form. This crate holds everything in between, without I/O
//! and without SQLite itself: the [types](PgType), [`encode`] and [`decode`], the [`copy`] formats,
//! and what SQLite's [errors](sqlite) are called in a PostgreSQL client's language.
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

pub mod copy;
pub mod sqlite;

mod bytea;
mod calendar;
mod clock_text;
#[cfg(test)]
mod codec_tests;
mod datetime;
mod decimal;
mod declared;
mod decode;
mod encode;
mod encode_binary;
mod error;
mod float;
mod integer;
mod interval;
mod json;
mod numeric;
mod oid;
mod pg_type;
mod sqlstate;
mod text;
mod uuid;
mod value;

pub use crate::decode::decode;
pub use crate::encode::encode;
pub use crate::error::ValueError;
pub use crate::oid::Oid;
pub use crate::pg_type::PgType;
pub use crate::sqlstate::SqlState;
pub use crate::value::{SqlValue, SqlValueRef};

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
