//! The types a client sees, and what the protocol says about each.

use std::fmt;

use crate::{Oid, SqlValueRef};

/// A PostgreSQL type with its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PgType {
    /// `boolean`; stored as 0 or 1.
    Bool,
    /// `smallint`.
    Int2,
    /// `integer`.
    Int4,
    /// `bigint`.
    Int8,
    /// `oid`: an unsigned number of 32 bits.
    Oid,
    /// `real`.
    Float4,
    /// `double precision`.
    Float8,
    /// `numeric`: exact decimal numbers.
    Numeric {
        /// Digits in all, 1 to 1000; none: any number.
        precision: Option<u16>,
        /// Digits behind the point, -1000 to 1000. Without a precision it is no limit but what is
        /// known of a result, as that a sum of prices has two: they are shown, unless it is 0.
        scale: i16,
    },
    /// `text`.
    Text,
    /// `character varying`, with its limit in characters.
    Varchar(Option<u32>),
    /// `character`, blank-padded to its length; stored without the padding.
    Bpchar(Option<u32>),
    /// `name`: an identifier of at most 63 bytes.
    Name,
    /// `"char"`: one byte.
    Char,
    /// `bytea`.
    Bytea,
    /// `date`; stored as `YYYY-MM-DD`.
    Date,
    /// `time without time zone`, with its digits of a second; stored as `HH:MM:SS[.ffffff]`.
    Time(Option<u8>),
    /// `time with time zone`, with its digits of a second; stored as `HH:MM:SS[.ffffff]±HH[:MM]`.
    Timetz(Option<u8>),
    /// `timestamp without time zone`; stored as `YYYY-MM-DD HH:MM:SS[.ffffff]`.
    Timestamp(Option<u8>),
    /// `timestamp with time zone`; stored like `timestamp`, in UTC, with `+00` behind.
    Timestamptz(Option<u8>),
    /// `interval`; stored as PostgreSQL writes it, `1 day 02:03:04`.
    Interval,
    /// `uuid`; stored as 36 lower-case characters.
    Uuid,
    /// `json`; stored as the client wrote it.
    Json,
    /// `jsonb`; stored as the client wrote it.
    Jsonb,
    /// `void`: the result of a function that has none.
    Void,
    /// `unknown`: no type was declared or asked for. Values go as text.
    Unknown,
}

impl PgType {
    /// `numeric` without limits.
    pub const NUMERIC: Self = Self::Numeric {
        precision: None,
        scale: 0,
    };

    /// Every type once, without modifiers, in the order of a catalog listing.
    pub const ALL: [Self; 25] = [
        Self::Bool,
        Self::Bytea,
        Self::Char,
        Self::Name,
        Self::Int8,
        Self::Int2,
        Self::Int4,
        Self::Text,
        Self::Oid,
        Self::Json,
        Self::Float4,
        Self::Float8,
        Self::Unknown,
        Self::Bpchar(None),
        Self::Varchar(None),
        Self::Date,
        Self::Time(None),
        Self::Timestamp(None),
        Self::Timestamptz(None),
        Self::Interval,
        Self::Timetz(None),
        Self::NUMERIC,
        Self::Void,
        Self::Uuid,
        Self::Jsonb,
    ];

    /// The type's number on the wire.
    pub const fn oid(&self) -> Oid {
        match self {
            Self::Bool => Oid::BOOL,
            Self::Int2 => Oid::INT2,
            Self::Int4 => Oid::INT4,
            Self::Int8 => Oid::INT8,
            Self::Oid => Oid::OID,
            Self::Float4 => Oid::FLOAT4,
            Self::Float8 => Oid::FLOAT8,
            Self::Numeric { .. } => Oid::NUMERIC,
            Self::Text => Oid::TEXT,
            Self::Varchar(_) => Oid::VARCHAR,
            Self::Bpchar(_) => Oid::BPCHAR,
            Self::Name => Oid::NAME,
            Self::Char => Oid::CHAR,
            Self::Bytea => Oid::BYTEA,
            Self::Date => Oid::DATE,
            Self::Time(_) => Oid::TIME,
            Self::Timetz(_) => Oid::TIMETZ,
            Self::Timestamp(_) => Oid::TIMESTAMP,
            Self::Timestamptz(_) => Oid::TIMESTAMPTZ,
            Self::Interval => Oid::INTERVAL,
            Self::Uuid => Oid::UUID,
            Self::Json => Oid::JSON,
            Self::Jsonb => Oid::JSONB,
            Self::Void => Oid::VOID,
            Self::Unknown => Oid::UNKNOWN,
        }
    }

    /// The number of the type's array type; 0 where there is none.
    pub const fn array_oid(&self) -> Oid {
        match self {
            Self::Bool => Oid::BOOL_ARRAY,
            Self::Int2 => Oid::INT2_ARRAY,
            Self::Int4 => Oid::INT4_ARRAY,
            Self::Int8 => Oid::INT8_ARRAY,
            Self::Oid => Oid::OID_ARRAY,
            Self::Float4 => Oid::FLOAT4_ARRAY,
            Self::Float8 => Oid::FLOAT8_ARRAY,
            Self::Numeric { .. } => Oid::NUMERIC_ARRAY,
            Self::Text => Oid::TEXT_ARRAY,
            Self::Varchar(_) => Oid::VARCHAR_ARRAY,
            Self::Bpchar(_) => Oid::BPCHAR_ARRAY,
            Self::Name => Oid::NAME_ARRAY,
            Self::Char => Oid::CHAR_ARRAY,
            Self::Bytea => Oid::BYTEA_ARRAY,
            Self::Date => Oid::DATE_ARRAY,
            Self::Time(_) => Oid::TIME_ARRAY,
            Self::Timetz(_) => Oid::TIMETZ_ARRAY,
            Self::Timestamp(_) => Oid::TIMESTAMP_ARRAY,
            Self::Timestamptz(_) => Oid::TIMESTAMPTZ_ARRAY,
            Self::Interval => Oid::INTERVAL_ARRAY,
            Self::Uuid => Oid::UUID_ARRAY,
            Self::Json => Oid::JSON_ARRAY,
            Self::Jsonb => Oid::JSONB_ARRAY,
            Self::Void | Self::Unknown => Oid::UNSPECIFIED,
        }
    }

    /// Bytes of a binary value: a fixed number, -1 for variable, -2 for a C string.
    pub const fn typlen(&self) -> i16 {
        match self {
            Self::Bool | Self::Char => 1,
            Self::Int2 => 2,
            Self::Int4 | Self::Oid | Self::Float4 | Self::Date | Self::Void => 4,
            Self::Int8
            | Self::Float8
            | Self::Time(_)
            | Self::Timestamp(_)
            | Self::Timestamptz(_) => 8,
            Self::Timetz(_) => 12,
            Self::Interval | Self::Uuid => 16,
            Self::Name => 64,
            Self::Unknown => -2,
            Self::Numeric { .. }
            | Self::Text
            | Self::Varchar(_)
            | Self::Bpchar(_)
            | Self::Bytea
            | Self::Json
            | Self::Jsonb => -1,
        }
    }

    /// The type modifier as the protocol and the catalog carry it; -1 for none.
    pub fn typmod(&self) -> i32 {
        match *self {
            Self::Varchar(Some(length)) | Self::Bpchar(Some(length)) => i32::try_from(length)
                .ok()
                .and_then(|n| n.checked_add(4))
                .unwrap_or(-1),
            Self::Numeric {
                precision: Some(precision),
                scale,
            } => ((i32::from(precision) << 16) | (i32::from(scale) & 0x7ff)) + 4,
            Self::Time(Some(digits))
            | Self::Timetz(Some(digits))
            | Self::Timestamp(Some(digits))
            | Self::Timestamptz(Some(digits)) => i32::from(digits),
            _ => -1,
        }
    }

    /// The type of an OID and a type modifier, -1 for none. `None` for a type this crate has not.
    pub fn from_oid(oid: Oid, typmod: i32) -> Option<Self> {
        if oid == Oid::UNSPECIFIED {
            return Some(Self::Unknown);
        }
        let plain = Self::ALL.into_iter().find(|ty| ty.oid() == oid)?;
        Some(plain.with_typmod(typmod))
    }

    /// The same type with another modifier; one that makes no sense counts as none.
    #[must_use]
    pub fn with_typmod(self, typmod: i32) -> Self {
        let length = u32::try_from(typmod.saturating_sub(4))
            .ok()
            .filter(|n| *n > 0);
        let digits = u8::try_from(typmod).ok().filter(|n| *n <= 6);
        match self {
            Self::Varchar(_) => Self::Varchar(length),
            Self::Bpchar(_) => Self::Bpchar(length),
            Self::Time(_) => Self::Time(digits),
            Self::Timetz(_) => Self::Timetz(digits),
            Self::Timestamp(_) => Self::Timestamp(digits),
            Self::Timestamptz(_) => Self::Timestamptz(digits),
            Self::Numeric { .. } => Self::numeric_of_typmod(typmod),
            other => other,
        }
    }

    fn numeric_of_typmod(typmod: i32) -> Self {
        let Some(packed) = typmod.checked_sub(4).filter(|n| *n >= 0) else {
            return Self::NUMERIC;
        };
        let precision = u16::try_from(packed >> 16)
            .ok()
            .filter(|p| (1..=1000).contains(p));
        // Eleven bits, the highest of them the sign.
        let scale = i16::try_from(((packed & 0x7ff) ^ 1024) - 1024).unwrap_or(0);
        match precision {
            Some(_) => Self::Numeric { precision, scale },
            None => Self::NUMERIC,
        }
    }

    /// The type that tells most about a value when nothing is declared.
    pub fn of_value(value: SqlValueRef<'_>) -> Self {
        match value {
            SqlValueRef::Integer(_) => Self::Int8,
            SqlValueRef::Real(_) => Self::Float8,
            SqlValueRef::Text(_) | SqlValueRef::Null => Self::Text,
            SqlValueRef::Blob(_) => Self::Bytea,
        }
    }

    /// The name in the catalog, `varchar`.
    pub const fn typname(&self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int2 => "int2",
            Self::Int4 => "int4",
            Self::Int8 => "int8",
            Self::Oid => "oid",
            Self::Float4 => "float4",
            Self::Float8 => "float8",
            Self::Numeric { .. } => "numeric",
            Self::Text => "text",
            Self::Varchar(_) => "varchar",
            Self::Bpchar(_) => "bpchar",
            Self::Name => "name",
            Self::Char => "char",
            Self::Bytea => "bytea",
            Self::Date => "date",
            Self::Time(_) => "time",
            Self::Timetz(_) => "timetz",
            Self::Timestamp(_) => "timestamp",
            Self::Timestamptz(_) => "timestamptz",
            Self::Interval => "interval",
            Self::Uuid => "uuid",
            Self::Json => "json",
            Self::Jsonb => "jsonb",
            Self::Void => "void",
            Self::Unknown => "unknown",
        }
    }

    /// The name without modifiers that messages use, `character varying`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Bool => "boolean",
            Self::Int2 => "smallint",
            Self::Int4 => "integer",
            Self::Int8 => "bigint",
            Self::Float4 => "real",
            Self::Float8 => "double precision",
            Self::Varchar(_) => "character varying",
            Self::Bpchar(_) => "character",
            Self::Char => "\"char\"",
            Self::Time(_) => "time without time zone",
            Self::Timetz(_) => "time with time zone",
            Self::Timestamp(_) => "timestamp without time zone",
            Self::Timestamptz(_) => "timestamp with time zone",
            other => other.typname(),
        }
    }

    /// The catalog's category letter, by which drivers sort types.
    pub const fn category(&self) -> char {
        match self {
            Self::Bool => 'B',
            Self::Int2
            | Self::Int4
            | Self::Int8
            | Self::Oid
            | Self::Float4
            | Self::Float8
            | Self::Numeric { .. } => 'N',
            Self::Text | Self::Varchar(_) | Self::Bpchar(_) | Self::Name => 'S',
            Self::Char => 'Z',
            Self::Date
            | Self::Time(_)
            | Self::Timetz(_)
            | Self::Timestamp(_)
            | Self::Timestamptz(_) => 'D',
            Self::Interval => 'T',
            Self::Bytea | Self::Uuid | Self::Json | Self::Jsonb => 'U',
            Self::Void => 'P',
            Self::Unknown => 'X',
        }
    }
}

/// The name with its modifiers, as `format_type` gives it: `character varying(20)`.
impl fmt::Display for PgType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Varchar(Some(length)) | Self::Bpchar(Some(length)) => {
                write!(f, "{}({length})", self.name())
            }
            Self::Bpchar(None) => f.write_str("bpchar"),
            Self::Numeric {
                precision: Some(precision),
                scale,
            } => {
                write!(f, "numeric({precision},{scale})")
            }
            Self::Time(Some(digits)) => write!(f, "time({digits}) without time zone"),
            Self::Timetz(Some(digits)) => write!(f, "time({digits}) with time zone"),
            Self::Timestamp(Some(digits)) => write!(f, "timestamp({digits}) without time zone"),
            Self::Timestamptz(Some(digits)) => write!(f, "timestamp({digits}) with time zone"),
            _ => f.write_str(self.name()),
        }
    }
}
