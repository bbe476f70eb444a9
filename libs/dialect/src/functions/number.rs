//! Functions over numbers.
#![expect(clippy::unnecessary_wraps, reason = "all have the signature of Pure")]

use pgtypes::float::{double_of_integer as float, exact_integer};
use pgtypes::{Decimal, Format, PgType, SqlState, ValueError, numeric};

use crate::error::DialectError;
use crate::functions::Value;
use crate::functions::convert::text_of;
use crate::functions::text::{integer, text};

type Result = std::result::Result<Value, DialectError>;

/// The largest number of digits that rounding looks at, before or behind the point.
const MAX_DIGITS: i64 = 2_000;

pub(crate) fn real(value: &Value) -> f64 {
    match value {
        Value::Integer(value) => float(*value),
        Value::Real(value) => *value,
        other => text_of(other).trim().parse().unwrap_or(0.0),
    }
}

/// A whole number as an integer, as long as doubles count one by one.
pub(crate) fn number(value: f64) -> Value {
    match exact_integer(value) {
        Some(whole) if value.abs() < 9e15 => Value::Integer(whole),
        _ => Value::Real(value),
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "called with what was just computed"
)]
fn computed(decimal: Decimal) -> Result {
    Ok(Value::Text(decimal.to_string()))
}

/// The first argument cut at a digit, by its decimal text: 1.005 is a half, whatever the binary fraction.
fn cut(arguments: &[Value], change: fn(Decimal, i16) -> Decimal) -> Result {
    let Some(value) = arguments.first() else {
        return Ok(Value::Null);
    };
    let digits = integer(arguments, 1);
    if matches!(value, Value::Integer(_)) && digits >= 0 {
        return Ok(value.clone());
    }
    let digits = i16::try_from(digits.clamp(-MAX_DIGITS, MAX_DIGITS)).unwrap_or(0);
    computed(change(numeric::decimal(value.as_ref())?, digits))
}

pub(crate) fn round(arguments: &[Value]) -> Result {
    cut(arguments, Decimal::rounded)
}

pub(crate) fn trunc(arguments: &[Value]) -> Result {
    cut(arguments, Decimal::truncated)
}

fn division_by_zero() -> DialectError {
    DialectError::new(SqlState::DIVISION_BY_ZERO, "division by zero")
}

fn decimals(
    arguments: &[Value],
    compute: fn(&Decimal, &Decimal) -> std::result::Result<Decimal, ValueError>,
) -> Result {
    match arguments {
        [a, b] => {
            let [a, b] = [a, b].map(|value| numeric::decimal(value.as_ref()));
            computed(compute(&a?, &b?)?)
        }
        _ => Ok(Value::Null),
    }
}

pub(crate) fn modulo(arguments: &[Value]) -> Result {
    match arguments {
        [Value::Integer(a), Value::Integer(b)] if *b != 0 => Ok(Value::Integer(a.wrapping_rem(*b))),
        _ => decimals(arguments, Decimal::remainder),
    }
}

pub(crate) fn div(arguments: &[Value]) -> Result {
    decimals(arguments, Decimal::whole_quotient)
}

/// `eq_divisor`: what is divided by, unless it is zero.
pub(crate) fn divisor(arguments: &[Value]) -> Result {
    match arguments {
        [value] if real(value) == 0.0 => Err(division_by_zero()),
        [value] => Ok(value.clone()),
        _ => Ok(Value::Null),
    }
}

pub(crate) fn power(arguments: &[Value]) -> Result {
    match arguments {
        [a, b] => Ok(Value::Real(real(a).powf(real(b)))),
        _ => Ok(Value::Null),
    }
}

pub(crate) fn cbrt(arguments: &[Value]) -> Result {
    Ok(arguments
        .first()
        .map_or(Value::Null, |value| Value::Real(real(value).cbrt())))
}

/// `numeric` with or without a scale, from a number or its text.
pub(crate) fn to_numeric(arguments: &[Value]) -> Result {
    let Some(value) = arguments.first() else {
        return Ok(Value::Null);
    };
    let value = pgtypes::cast(value.as_ref(), &PgType::NUMERIC)?;
    if arguments.len() > 1 {
        round(&[value, Value::Integer(integer(arguments, 1))])
    } else {
        Ok(value)
    }
}

/// The text of a value of a type, as the wire has it.
fn printed(value: &Value, ty: &PgType) -> Result {
    let mut out = bytes::BytesMut::new();
    pgtypes::encode(value.as_ref(), ty, Format::Text, &mut out)?;
    text(String::from_utf8_lossy(&out))
}

/// The text of a numeric: with a scale, that many digits behind the point.
pub(crate) fn numeric_text(arguments: &[Value]) -> Result {
    match arguments {
        [value] => printed(value, &PgType::NUMERIC),
        [value, _] => {
            let scale = i16::try_from(integer(arguments, 1)).unwrap_or(0);
            text(numeric::decimal(value.as_ref())?.rounded(scale).to_string())
        }
        _ => Ok(Value::Null),
    }
}

pub(crate) fn float_text(arguments: &[Value]) -> Result {
    printed(arguments.first().unwrap_or(&Value::Null), &PgType::Float8)
}

/// `pg_size_pretty`
pub(crate) fn size_pretty(arguments: &[Value]) -> Result {
    let bytes = integer(arguments, 0);
    let mut value = bytes;
    for unit in ["bytes", "kB", "MB", "GB", "TB"] {
        if value.abs() < 10 * 1024 {
            return Ok(Value::Text(format!("{value} {unit}")));
        }
        value = (value + 512) / 1024;
    }
    Ok(Value::Text(format!("{value} PB")))
}
