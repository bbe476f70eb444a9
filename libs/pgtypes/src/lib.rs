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
//! One form for each type, so that equal values are stored alike as far as the type has it:
//!
//! | type | stored as | collation |
//! | --- | --- | --- |
//! | `boolean` | integer 0 or 1 | |
//! | `smallint`, `integer`, `bigint`, `oid`, `regclass` and its like | integer | |
//! | `real`, `double precision` | real, of a `real` the very double that it is; NaN as text `NaN` | |
//! | `numeric` | text as it is printed, `1.50`, `NaN`, `-Infinity` | `pg_numeric` |
//! | `text`, `varchar`, `name` | text | |
//! | `"char"` | text: nothing for the byte 0, `\303` for one beyond ASCII | |
//! | `char(n)` | text without trailing blanks | |
//! | `bytea` | blob | |
//! | `date` | integer: days since 2000-01-01; ±infinity is the end of 32 bits | |
//! | `time` | integer: microseconds since midnight | |
//! | `timestamp` | integer: microseconds since 2000-01-01; ±infinity is the end of 64 bits | |
//! | `timestamptz` | the same in UTC | |
//! | `timetz` | text `04:05:06.5-03:30` | `pg_timetz` |
//! | `interval` | text in style `postgres`, `1 day 02:03:04` | `pg_interval` |
//! | `uuid` | text, lower case | |
//! | `json` | text as it was written | |
//! | `jsonb` | text as it is printed: keys in order, each once | `pg_jsonb` |
//! | `inet`, `cidr` | text as it is printed | `pg_inet` |
//! | arrays and what else is known by name only | text | |
//!
//! The collations are named here ([`PgType::collation`]) and defined by who opens SQLite. What a
//! text form depends on besides the value, time zone, styles, is a [`Context`]: `encode_in` and the
//! like take one, `encode` and the like take PostgreSQL's defaults.

#![warn(missing_docs)]
#![deny(clippy::indexing_slicing)]

pub mod array;
pub mod bytea;
pub mod calendar;
pub mod copy;
pub mod float;
pub mod integer;
pub mod json;
pub mod numeric;
pub mod single_byte;
pub mod sqlite;
pub mod text;
pub mod uuid;

mod array_binary;
mod array_type;
mod cast;
#[cfg(test)]
mod cast_tests;
#[cfg(test)]
mod codec_tests;
mod context;
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
mod float_digits;
mod inet;
mod inet_text;
mod interval;
mod interval_fields;
mod interval_iso;
mod interval_style;
mod interval_text;
mod iso_text;
mod line;
mod moment_line;
mod moment_text;
mod numeric_binary;
mod oid;
mod output;
mod parts;
mod pg_type;
mod sqlstate;
mod time_of_day;
mod timestamp;
mod type_name;
mod unit;
mod value;
mod zone;
mod zone_names;

pub use crate::array_type::array_collation;
pub use crate::cast::{cast, cast_in};
pub use crate::context::{ByteaOutput, Context, DateOrder, DateStyle, IntervalStyle};
pub use crate::date::Date;
pub use crate::decimal::{Decimal, MAX_SCALE};
pub use crate::decode::{decode, decode_in};
pub use crate::encode::{encode, encode_in};
pub use crate::error::ValueError;
pub use crate::inet::Inet;
pub use crate::interval::Interval;
pub use crate::interval_fields::interval_name;
pub use crate::oid::Oid;
pub use crate::output::{to_json, to_json_in, to_text, to_text_in};
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
