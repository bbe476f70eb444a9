//! What a declared type does to a value (<https://www.sqlite.org/datatype3.html>, section 3).

use crate::value::Value;

/// What a column makes of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Affinity {
    Text,
    Numeric,
    Integer,
    Real,
    /// Nothing.
    Blob,
}

impl Affinity {
    pub(crate) fn of(declared: &str, strict: bool) -> Self {
        let declared = declared.to_ascii_uppercase();
        let has = |parts: &[&str]| parts.iter().any(|part| declared.contains(part));
        if has(&["INT"]) {
            Self::Integer
        } else if has(&["CHAR", "CLOB", "TEXT"]) {
            Self::Text
        } else if declared.is_empty() || has(&["BLOB"]) || (strict && declared == "ANY") {
            Self::Blob
        } else if has(&["REAL", "FLOA", "DOUB"]) {
            Self::Real
        } else {
            Self::Numeric
        }
    }

    /// A value as it comes out of a column: whole numbers of a REAL column are stored as integers.
    pub(crate) fn read(self, value: Value) -> Value {
        match (self, value) {
            #[expect(
                clippy::cast_precision_loss,
                reason = "it was stored because it is exact"
            )]
            (Self::Real, Value::Integer(value)) => Value::Real(value as f64),
            (_, value) => value,
        }
    }

    /// A value as a column takes it in.
    pub(crate) fn apply(self, value: Value) -> Value {
        match (self, value) {
            (Self::Text, Value::Integer(value)) => Value::Text(value.to_string().into_bytes()),
            (Self::Text, Value::Real(value)) => Value::Text(real_text(value).into_bytes()),
            (Self::Numeric | Self::Integer | Self::Real, Value::Text(text)) => {
                match std::str::from_utf8(&text).ok().and_then(number) {
                    Some(number) => self.apply(number),
                    None => Value::Text(text),
                }
            }
            (Self::Numeric | Self::Integer, Value::Real(value)) => whole(value),
            (affinity, value) => affinity.read(value),
        }
    }
}

/// A number as its text says it.
fn number(text: &str) -> Option<Value> {
    let text = text.trim_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    let plain = |c: char| c.is_ascii_digit() || matches!(c, '.' | '+' | '-' | 'e' | 'E');
    if !text.chars().all(plain) {
        return None;
    }
    let integer = text.parse().ok().map(Value::Integer);
    integer.or_else(|| text.parse().ok().map(Value::Real))
}

/// A real that is a whole number becomes one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::float_cmp,
    reason = "the question is whether it is exact"
)]
fn whole(value: f64) -> Value {
    let integer = value as i64;
    if integer as f64 == value && integer > i64::MIN && integer < i64::MAX {
        Value::Integer(integer)
    } else {
        Value::Real(value)
    }
}

/// As SQLite prints a real that has few digits: with a point.
fn real_text(value: f64) -> String {
    format!("{value:?}")
}
