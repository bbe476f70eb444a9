//! Casts between types: values to their stored form.

use pgtypes::SqlState;

use crate::error::DialectError;
use crate::functions::Value;
use crate::functions::interval::Interval;
use crate::functions::time::{self, Moment, invalid};

/// Types whose text has one stored form, to which literals are brought.
pub(crate) fn has_canonical_text(ty: &str) -> bool {
    matches!(
        ty,
        "bool"
            | "date"
            | "time"
            | "timetz"
            | "timestamp"
            | "timestamptz"
            | "interval"
            | "uuid"
            | "bytea"
            | "int2"
            | "int4"
            | "int8"
    )
}

fn bad(ty: &str, text: &str) -> DialectError {
    let shown = match ty {
        "int2" => "smallint",
        "int4" => "integer",
        "int8" => "bigint",
        "bool" => "boolean",
        "float8" => "double precision",
        other => other,
    };
    DialectError::new(
        SqlState::INVALID_TEXT_REPRESENTATION,
        format!("invalid input syntax for type {shown}: \"{text}\""),
    )
}

/// The text of a value, as it is stored.
pub(crate) fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Integer(value) => value.to_string(),
        Value::Real(value) => float_text(*value),
        Value::Text(text) => text.clone(),
        Value::Blob(bytes) => hex(bytes),
    }
}

/// PostgreSQL's shortest text of a double.
pub(crate) fn float_text(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-4..1e15).contains(&magnitude) {
        let text = format!("{value:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, digits) = exponent
            .strip_prefix('-')
            .map_or(("+", exponent), |digits| ("-", digits));
        return format!("{mantissa}e{sign}{digits:0>2}");
    }
    format!("{value}")
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = String::with_capacity(2 + bytes.len() * 2);
    out.push_str("\\x");
    for byte in bytes {
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    out
}

/// Brings a value to the stored form of a type.
pub(crate) fn to_type(value: &Value, ty: &str) -> Result<Value, DialectError> {
    match ty {
        "bool" => to_bool(value),
        "int2" | "int4" | "int8" => to_integer(value, ty),
        "float8" | "float4" => to_float(value),
        "date" => Ok(Value::Text(
            infinite(value).map_or_else(|| moment(value, "date").map(Moment::date), Ok)?,
        )),
        "timestamp" => Ok(Value::Text(
            infinite(value)
                .map_or_else(|| moment(value, "timestamp").map(Moment::timestamp), Ok)?,
        )),
        "timestamptz" => Ok(Value::Text(infinite(value).map_or_else(
            || moment(value, "timestamp with time zone").map(Moment::timestamptz),
            Ok,
        )?)),
        "time" => time_of_day(value).map(|moment| Value::Text(moment.time())),
        "timetz" => time_of_day(value).map(|moment| {
            let offset = moment.offset.unwrap_or(0);
            let sign = if offset < 0 { '-' } else { '+' };
            let (hours, minutes) = (offset.abs() / 3600, offset.abs() / 60 % 60);
            let tail = if minutes == 0 {
                String::new()
            } else {
                format!(":{minutes:02}")
            };
            Value::Text(format!("{}{sign}{hours:02}{tail}", moment.time()))
        }),
        "interval" => Interval::parse(&text_of(value)).map(|interval| Value::Text(interval.text())),
        "uuid" => to_uuid(value),
        "bytea" => to_bytea(value),
        _ => Ok(Value::Text(text_of(value))),
    }
}

fn infinite(value: &Value) -> Option<String> {
    let Value::Text(text) = value else {
        return None;
    };
    let text = text.trim().to_ascii_lowercase();
    matches!(text.as_str(), "infinity" | "-infinity").then_some(text)
}

/// A date or timestamp argument.
pub(crate) fn moment(value: &Value, ty: &str) -> Result<Moment, DialectError> {
    time::parse(&text_of(value), ty)
}

fn time_of_day(value: &Value) -> Result<Moment, DialectError> {
    let text = text_of(value);
    time::parse_time(&text, "time").or_else(|error| match time::parse(&text, "time") {
        Ok(moment) => Ok(moment.utc()),
        Err(_) => Err(error),
    })
}

fn to_bool(value: &Value) -> Result<Value, DialectError> {
    let truth = match value {
        Value::Integer(value) => *value != 0,
        Value::Real(value) => *value != 0.0,
        other => {
            let text = text_of(other);
            let lower = text.trim().to_ascii_lowercase();
            let is =
                |word: &str, least: usize| lower.len() >= least && word.starts_with(lower.as_str());
            if lower == "1" || is("true", 1) || is("yes", 1) || lower == "on" {
                true
            } else if lower == "0" || is("false", 1) || is("no", 1) || is("off", 2) {
                false
            } else {
                return Err(bad("bool", &text));
            }
        }
    };
    Ok(Value::Integer(i64::from(truth)))
}

/// Rounds to the nearest, halves to even as PostgreSQL does for doubles; checks the range of the type.
fn to_integer(value: &Value, ty: &str) -> Result<Value, DialectError> {
    let (low, high, shown) = match ty {
        "int2" => (i64::from(i16::MIN), i64::from(i16::MAX), "smallint"),
        "int4" => (i64::from(i32::MIN), i64::from(i32::MAX), "integer"),
        _ => (i64::MIN, i64::MAX, "bigint"),
    };
    let range = || {
        DialectError::new(
            SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
            format!("{shown} out of range"),
        )
    };
    let number = match value {
        Value::Integer(value) => *value,
        Value::Real(value) => rounded(*value).ok_or_else(range)?,
        other => {
            let text = text_of(other);
            let trimmed = text.trim();
            trimmed.parse::<i64>().map_err(|error| match error.kind() {
                std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow => {
                    DialectError::new(
                        SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
                        format!("value \"{text}\" is out of range for type {shown}"),
                    )
                }
                _ => bad(ty, &text),
            })?
        }
    };
    if (low..=high).contains(&number) {
        Ok(Value::Integer(number))
    } else {
        Err(range())
    }
}

/// The nearest integer of a numeric: halves away from zero.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the range is checked before"
)]
pub(crate) fn rounded(value: f64) -> Option<i64> {
    let round = value.round();
    (round.is_finite() && round.abs() < 9.2e18).then_some(round as i64)
}

pub(crate) fn to_float(value: &Value) -> Result<Value, DialectError> {
    match value {
        Value::Integer(value) => Ok(Value::Real(crate::functions::interval::float(*value))),
        Value::Real(value) => Ok(Value::Real(*value)),
        other => {
            let text = text_of(other);
            let trimmed = text.trim();
            let number = trimmed.parse::<f64>().map_err(|_| bad("float8", &text))?;
            if number.is_nan() {
                Ok(Value::Text("NaN".to_owned()))
            } else {
                Ok(Value::Real(number))
            }
        }
    }
}

fn to_uuid(value: &Value) -> Result<Value, DialectError> {
    let text = text_of(value);
    let digits: String = text
        .chars()
        .filter(|c| !matches!(c, '-' | '{' | '}'))
        .collect();
    if digits.len() != 32 || !digits.bytes().all(|c| c.is_ascii_hexdigit()) {
        return Err(bad("uuid", &text));
    }
    let lower = digits.to_ascii_lowercase();
    let parts: Vec<&str> = [0..8, 8..12, 12..16, 16..20, 20..32]
        .into_iter()
        .filter_map(|range| lower.get(range))
        .collect();
    Ok(Value::Text(parts.join("-")))
}

/// `\xff00`, or text with `\\` and `\ooo` escapes.
fn to_bytea(value: &Value) -> Result<Value, DialectError> {
    if let Value::Blob(bytes) = value {
        return Ok(Value::Blob(bytes.clone()));
    }
    let text = text_of(value);
    if let Some(digits) = text.strip_prefix("\\x") {
        return unhex(digits)
            .map(Value::Blob)
            .ok_or_else(|| invalid("bytea", &text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first != b'\\' {
            bytes.push(*first);
        } else if tail.first() == Some(&b'\\') {
            bytes.push(b'\\');
            rest = tail.get(1..).unwrap_or(&[]);
        } else {
            let octal = tail
                .get(..3)
                .and_then(|digits| std::str::from_utf8(digits).ok());
            let byte = octal.and_then(|digits| u8::from_str_radix(digits, 8).ok());
            bytes.push(byte.ok_or_else(|| bad("bytea", &text))?);
            rest = tail.get(3..).unwrap_or(&[]);
        }
    }
    Ok(Value::Blob(bytes))
}

pub(crate) fn unhex(digits: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = digits
        .bytes()
        .filter(|c| !c.is_ascii_whitespace())
        .collect();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits
        .chunks_exact(2)
        .map(|pair| {
            std::str::from_utf8(pair)
                .ok()
                .filter(|pair| !pair.contains('+'))
                .and_then(|pair| u8::from_str_radix(pair, 16).ok())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Value {
        Value::Text(value.to_owned())
    }

    #[test]
    fn booleans_have_many_spellings() {
        for yes in ["t", "TRUE", "yes", "on", "1", " y "] {
            assert_eq!(to_type(&text(yes), "bool"), Ok(Value::Integer(1)), "{yes}");
        }
        for no in ["f", "False", "no", "off", "0"] {
            assert_eq!(to_type(&text(no), "bool"), Ok(Value::Integer(0)), "{no}");
        }
        assert_eq!(
            to_type(&text("maybe"), "bool").unwrap_err().sqlstate,
            SqlState::INVALID_TEXT_REPRESENTATION
        );
        assert!(to_type(&text("o"), "bool").is_err());
    }

    #[test]
    fn integers_are_checked_against_their_range() {
        assert_eq!(to_type(&Value::Real(2.5), "int4"), Ok(Value::Integer(3)));
        assert_eq!(to_type(&text(" 42 "), "int2"), Ok(Value::Integer(42)));
        assert_eq!(
            to_type(&Value::Integer(70_000), "int2")
                .unwrap_err()
                .sqlstate,
            SqlState::NUMERIC_VALUE_OUT_OF_RANGE
        );
        assert_eq!(
            to_type(&text("x"), "int4").unwrap_err().sqlstate,
            SqlState::INVALID_TEXT_REPRESENTATION
        );
    }

    #[test]
    fn bytes_and_uuids_are_brought_to_one_form() {
        assert_eq!(
            to_type(&text("\\xDEad"), "bytea"),
            Ok(Value::Blob(vec![0xde, 0xad]))
        );
        assert_eq!(
            to_type(&text("a\\\\b\\001"), "bytea"),
            Ok(Value::Blob(b"a\\b\x01".to_vec()))
        );
        let uuid = to_type(&text("{A0EEBC999C0B4EF8BB6D6BB9BD380A11}"), "uuid");
        assert_eq!(uuid, Ok(text("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")));
        assert!(to_type(&text("\\xabc"), "bytea").is_err());
    }

    #[test]
    fn doubles_print_as_postgresql_prints_them() {
        for (value, form) in [
            (1.0, "1"),
            (0.1, "0.1"),
            (1e15, "1e+15"),
            (1.5e-7, "1.5e-07"),
            (-2.25, "-2.25"),
            (0.0, "0"),
        ] {
            assert_eq!(float_text(value), form);
        }
    }
}
