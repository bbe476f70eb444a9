//! A value as SQLite holds it.

use crate::error::ValueError;

/// A value in the form in which SQLite stores it, owned.
#[derive(Clone, Debug, PartialEq)]
pub enum SqlValue {
    /// No value.
    Null,
    /// A signed integer of 64 bits; also a boolean as 0 or 1.
    Integer(i64),
    /// A binary floating point number; never NaN, which SQLite would turn into NULL.
    Real(f64),
    /// Text; also dates, times, UUIDs, JSON and numbers that no other form holds exactly.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

/// A value in the form in which SQLite stores it, borrowed from the row it was read from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SqlValueRef<'a> {
    /// No value.
    Null,
    /// A signed integer of 64 bits.
    Integer(i64),
    /// A binary floating point number.
    Real(f64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Blob(&'a [u8]),
}

impl SqlValue {
    /// The same value, borrowed.
    pub fn as_ref(&self) -> SqlValueRef<'_> {
        match self {
            Self::Null => SqlValueRef::Null,
            Self::Integer(value) => SqlValueRef::Integer(*value),
            Self::Real(value) => SqlValueRef::Real(*value),
            Self::Text(value) => SqlValueRef::Text(value),
            Self::Blob(value) => SqlValueRef::Blob(value),
        }
    }

    /// Whether this is NULL.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

impl<'a> SqlValueRef<'a> {
    /// Text as SQLite hands it out: bytes that nothing has checked yet.
    ///
    /// SQLite stores whatever bytes it is given as text; a client must only get valid UTF-8.
    pub fn text(bytes: &'a [u8]) -> Result<Self, ValueError> {
        crate::text::checked_utf8(bytes).map(Self::Text)
    }

    /// The same value, owned.
    pub fn to_owned(self) -> SqlValue {
        match self {
            Self::Null => SqlValue::Null,
            Self::Integer(value) => SqlValue::Integer(value),
            Self::Real(value) => SqlValue::Real(value),
            Self::Text(value) => SqlValue::Text(value.to_owned()),
            Self::Blob(value) => SqlValue::Blob(value.to_vec()),
        }
    }

    /// Whether this is NULL.
    pub fn is_null(self) -> bool {
        matches!(self, Self::Null)
    }
}

impl<'a> From<&'a SqlValue> for SqlValueRef<'a> {
    fn from(value: &'a SqlValue) -> Self {
        value.as_ref()
    }
}
