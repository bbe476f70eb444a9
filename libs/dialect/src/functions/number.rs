//! Functions over numbers.
#![expect(clippy::unnecessary_wraps, reason = "all have the signature of Pure")]

use pgtypes::SqlState;

use crate::error::DialectError;
use crate::functions::Value;
use crate::functions::convert::{self, text_of};
use crate::functions::interval::float;
use crate::functions::text::integer;

type Result = std::result::Result<Value, DialectError>;

pub(crate) fn real(value: &Value) -> f64 {
    match value {
        Value::Integer(value) => float(*value),
        Value::Real(value) => *value,
        other => text_of(other).trim().parse().unwrap_or(0.0),
    }
}

fn power_of_ten(digits: i64) -> f64 {
    10_f64.powi(i32::try_from(digits.clamp(-300, 300)).unwrap_or(0))
}

/// Rounded to `digits` behind the point by the decimal text, halves away from zero, as numeric does.
fn decimal_round(value: f64, digits: i64) -> f64 {
    if digits < 0 {
        let unit = power_of_ten(-digits);
        return (value / unit).round() * unit;
    }
    let places = usize::try_from(digits.min(40)).unwrap_or(0);
    let shortest = format!("{value}");
    let Some((_, fraction)) = shortest.split_once('.') else {
        return value;
    };
    if fraction.len() <= places {
        return value;
    }
    // The shortest text is what the user wrote: 1.005 is a half there, whatever the binary fraction.
    let up = fraction
        .as_bytes()
        .get(places)
        .is_some_and(|digit| *digit >= b'5');
    let cut = shortest.len() - fraction.len() + places;
    let kept: f64 = shortest
        .get(..cut)
        .and_then(|text| text.trim_end_matches('.').parse().ok())
        .unwrap_or(value);
    let step = if up {
        power_of_ten(-digits).copysign(value)
    } else {
        0.0
    };
    format!("{:.places$}", kept + step).parse().unwrap_or(value)
}

pub(crate) fn number(value: f64) -> Value {
    match convert::rounded(value) {
        Some(whole) if value.fract().abs() < f64::MIN_POSITIVE && value.abs() < 9e15 => {
            Value::Integer(whole)
        }
        _ => Value::Real(value),
    }
}

pub(crate) fn round(arguments: &[Value]) -> Result {
    let Some(value) = arguments.first() else {
        return Ok(Value::Null);
    };
    if let (Value::Integer(_), true) = (value, arguments.len() == 1 || integer(arguments, 1) >= 0) {
        return Ok(value.clone());
    }
    Ok(number(decimal_round(
        real(value),
        if arguments.len() > 1 {
            integer(arguments, 1)
        } else {
            0
        },
    )))
}

pub(crate) fn trunc(arguments: &[Value]) -> Result {
    let Some(value) = arguments.first() else {
        return Ok(Value::Null);
    };
    let digits = if arguments.len() > 1 {
        integer(arguments, 1)
    } else {
        0
    };
    let unit = power_of_ten(digits);
    Ok(number((real(value) * unit).trunc() / unit))
}

pub(crate) fn modulo(arguments: &[Value]) -> Result {
    match arguments {
        [_, Value::Integer(0)] => Err(DialectError::new(
            SqlState::DIVISION_BY_ZERO,
            "division by zero",
        )),
        [Value::Integer(a), Value::Integer(b)] => Ok(Value::Integer(a.wrapping_rem(*b))),
        [_, b] if real(b) == 0.0 => Err(DialectError::new(
            SqlState::DIVISION_BY_ZERO,
            "division by zero",
        )),
        [a, b] => Ok(decimal_remainder(real(a), real(b))),
        _ => Ok(Value::Null),
    }
}

/// The remainder of two decimals: by whole hundredths and the like, so that 7.5 % 0.1 is 0.
fn decimal_remainder(a: f64, b: f64) -> Value {
    let places = |value: f64| {
        let text = format!("{value}");
        text.split_once('.')
            .map_or(0, |(_, fraction)| fraction.len())
    };
    let digits = places(a).max(places(b));
    let unit = power_of_ten(i64::try_from(digits).unwrap_or(0));
    match (convert::rounded(a * unit), convert::rounded(b * unit)) {
        (Some(a), Some(b)) if b != 0 && digits <= 15 => number(float(a.wrapping_rem(b)) / unit),
        _ => Value::Real(a % b),
    }
}

/// `eq_divisor`: what is divided by, unless it is zero.
pub(crate) fn divisor(arguments: &[Value]) -> Result {
    match arguments {
        [Value::Integer(0)] => Err(DialectError::new(
            SqlState::DIVISION_BY_ZERO,
            "division by zero",
        )),
        [Value::Real(value)] if *value == 0.0 => Err(DialectError::new(
            SqlState::DIVISION_BY_ZERO,
            "division by zero",
        )),
        [Value::Text(text)] if real(&Value::Text(text.clone())) == 0.0 => Err(DialectError::new(
            SqlState::DIVISION_BY_ZERO,
            "division by zero",
        )),
        [value] => Ok(value.clone()),
        _ => Ok(Value::Null),
    }
}

pub(crate) fn div(arguments: &[Value]) -> Result {
    match arguments {
        [_, b] if real(b) == 0.0 => Err(DialectError::new(
            SqlState::DIVISION_BY_ZERO,
            "division by zero",
        )),
        [a, b] => Ok(number((real(a) / real(b)).trunc())),
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
    let value = match arguments.first() {
        Some(Value::Text(text)) => {
            let trimmed = text.trim();
            if let Ok(whole) = trimmed.parse::<i64>() {
                Value::Integer(whole)
            } else {
                let parsed = trimmed
                    .parse::<f64>()
                    .ok()
                    .filter(|value| value.is_finite());
                let message = || {
                    DialectError::new(
                        SqlState::INVALID_TEXT_REPRESENTATION,
                        format!("invalid input syntax for type numeric: \"{text}\""),
                    )
                };
                Value::Real(parsed.ok_or_else(message)?)
            }
        }
        Some(value) => value.clone(),
        None => return Ok(Value::Null),
    };
    if arguments.len() > 1 {
        round(&[value, Value::Integer(integer(arguments, 1))])
    } else {
        Ok(value)
    }
}

/// The text of a numeric: with a scale, that many digits behind the point.
pub(crate) fn numeric_text(arguments: &[Value]) -> Result {
    let Some(value) = arguments.first() else {
        return Ok(Value::Null);
    };
    if arguments.len() < 2 {
        return Ok(Value::Text(match value {
            Value::Real(value) => format!("{value}"),
            other => text_of(other),
        }));
    }
    let places = usize::try_from(integer(arguments, 1).clamp(0, 40)).unwrap_or(0);
    Ok(Value::Text(format!("{:.places$}", real(value))))
}

pub(crate) fn float_text(arguments: &[Value]) -> Result {
    Ok(arguments.first().map_or(Value::Null, |value| {
        Value::Text(convert::float_text(real(value)))
    }))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_goes_by_the_decimal_text() {
        for (value, digits, expected) in [
            (1.005, 2, 1.01),
            (2.5, 0, 3.0),
            (-2.5, 0, -3.0),
            (0.125, 2, 0.13),
            (1.25, 5, 1.25),
        ] {
            let result = round(&[Value::Real(value), Value::Integer(digits)]).unwrap();
            assert!((real(&result) - expected).abs() < 1e-12, "{value} {digits}");
        }
        assert_eq!(
            round(&[Value::Integer(1250), Value::Integer(-2)]),
            Ok(Value::Integer(1300))
        );
        assert_eq!(
            numeric_text(&[Value::Integer(5), Value::Integer(2)]),
            Ok(Value::Text("5.00".into()))
        );
        assert_eq!(
            modulo(&[Value::Integer(-7), Value::Integer(3)]),
            Ok(Value::Integer(-1))
        );
        assert_eq!(
            modulo(&[Value::Integer(1), Value::Integer(0)])
                .unwrap_err()
                .sqlstate,
            SqlState::DIVISION_BY_ZERO
        );
    }
}
