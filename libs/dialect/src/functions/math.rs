//! Roots, logarithms, angles, whole parts.
#![expect(clippy::unnecessary_wraps, reason = "all have the signature of Pure")]

use pgtypes::SqlState;

use crate::error::DialectError;
use crate::functions::Value;
use crate::functions::number::{number, real};

type Result = std::result::Result<Value, DialectError>;

fn of(arguments: &[Value], function: fn(f64) -> f64) -> Result {
    Ok(arguments
        .first()
        .map_or(Value::Null, |value| Value::Real(function(real(value)))))
}

/// The first argument, which must be one that the function is defined for.
fn within(arguments: &[Value], function: fn(f64) -> f64) -> Result {
    match of(arguments, function)? {
        Value::Real(result) if result.is_nan() => Err(DialectError::new(
            SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
            "input is out of range",
        )),
        result => Ok(result),
    }
}

pub(crate) fn sqrt(arguments: &[Value]) -> Result {
    match arguments {
        [value] if real(value) < 0.0 => {
            let message = "cannot take square root of a negative number";
            Err(DialectError::new(
                SqlState::INVALID_ARGUMENT_FOR_POWER_FUNCTION,
                message,
            ))
        }
        _ => of(arguments, f64::sqrt),
    }
}

pub(crate) fn exp(arguments: &[Value]) -> Result {
    of(arguments, f64::exp)
}

fn positive(value: &Value) -> std::result::Result<f64, DialectError> {
    let number = real(value);
    if number > 0.0 {
        return Ok(number);
    }
    let what = if number < 0.0 {
        "a negative number"
    } else {
        "zero"
    };
    Err(DialectError::new(
        SqlState::INVALID_ARGUMENT_FOR_LOG,
        format!("cannot take logarithm of {what}"),
    ))
}

pub(crate) fn ln(arguments: &[Value]) -> Result {
    match arguments {
        [value] => Ok(Value::Real(positive(value)?.ln())),
        _ => Ok(Value::Null),
    }
}

/// `log(x)` to base 10, `log(b, x)`.
pub(crate) fn log(arguments: &[Value]) -> Result {
    match arguments {
        [value] => Ok(Value::Real(positive(value)?.log10())),
        [base, value] => {
            let base = positive(base)?.ln();
            if base == 0.0 {
                return Err(DialectError::new(
                    SqlState::DIVISION_BY_ZERO,
                    "division by zero",
                ));
            }
            Ok(Value::Real(positive(value)?.ln() / base))
        }
        _ => Ok(Value::Null),
    }
}

pub(crate) fn pi(_: &[Value]) -> Result {
    Ok(Value::Real(std::f64::consts::PI))
}

pub(crate) fn sin(arguments: &[Value]) -> Result {
    within(arguments, f64::sin)
}

pub(crate) fn cos(arguments: &[Value]) -> Result {
    within(arguments, f64::cos)
}

pub(crate) fn tan(arguments: &[Value]) -> Result {
    within(arguments, f64::tan)
}

pub(crate) fn asin(arguments: &[Value]) -> Result {
    within(arguments, f64::asin)
}

pub(crate) fn acos(arguments: &[Value]) -> Result {
    within(arguments, f64::acos)
}

pub(crate) fn atan(arguments: &[Value]) -> Result {
    of(arguments, f64::atan)
}

pub(crate) fn atan2(arguments: &[Value]) -> Result {
    match arguments {
        [y, x] => Ok(Value::Real(real(y).atan2(real(x)))),
        _ => Ok(Value::Null),
    }
}

pub(crate) fn degrees(arguments: &[Value]) -> Result {
    of(arguments, f64::to_degrees)
}

pub(crate) fn radians(arguments: &[Value]) -> Result {
    of(arguments, f64::to_radians)
}

fn whole(arguments: &[Value], function: fn(f64) -> f64) -> Result {
    Ok(match arguments {
        [Value::Integer(value)] => Value::Integer(*value),
        [value] => number(function(real(value))),
        _ => Value::Null,
    })
}

pub(crate) fn ceil(arguments: &[Value]) -> Result {
    whole(arguments, f64::ceil)
}

pub(crate) fn floor(arguments: &[Value]) -> Result {
    whole(arguments, f64::floor)
}

fn common(a: i64, b: i64) -> u64 {
    let (mut a, mut b) = (a.unsigned_abs(), b.unsigned_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

fn bigint(value: Option<u64>) -> Result {
    value
        .and_then(|value| i64::try_from(value).ok())
        .map(Value::Integer)
        .ok_or_else(|| {
            DialectError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "bigint out of range")
        })
}

pub(crate) fn gcd(arguments: &[Value]) -> Result {
    match arguments {
        [Value::Integer(a), Value::Integer(b)] => bigint(Some(common(*a, *b))),
        _ => Ok(Value::Null),
    }
}

pub(crate) fn lcm(arguments: &[Value]) -> Result {
    match arguments {
        [Value::Integer(0), _] | [_, Value::Integer(0)] => Ok(Value::Integer(0)),
        [Value::Integer(a), Value::Integer(b)] => {
            bigint((a.unsigned_abs() / common(*a, *b)).checked_mul(b.unsigned_abs()))
        }
        _ => Ok(Value::Null),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_function_is_not_defined_for_is_refused() {
        for (result, sqlstate) in [
            (
                sqrt(&[Value::Integer(-1)]),
                SqlState::INVALID_ARGUMENT_FOR_POWER_FUNCTION,
            ),
            (ln(&[Value::Integer(0)]), SqlState::INVALID_ARGUMENT_FOR_LOG),
            (
                log(&[Value::Real(-2.0)]),
                SqlState::INVALID_ARGUMENT_FOR_LOG,
            ),
            (
                log(&[Value::Integer(1), Value::Integer(8)]),
                SqlState::DIVISION_BY_ZERO,
            ),
            (
                asin(&[Value::Integer(2)]),
                SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
            ),
            (
                lcm(&[Value::Integer(i64::MAX), Value::Integer(2)]),
                SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
            ),
        ] {
            assert_eq!(result.unwrap_err().sqlstate, sqlstate);
        }
    }

    #[test]
    fn whole_parts_are_whole_numbers() {
        assert_eq!(ceil(&[Value::Real(1.2)]), Ok(Value::Integer(2)));
        assert_eq!(floor(&[Value::Real(-1.2)]), Ok(Value::Integer(-2)));
        assert_eq!(
            gcd(&[Value::Integer(12), Value::Integer(-18)]),
            Ok(Value::Integer(6))
        );
        assert_eq!(
            lcm(&[Value::Integer(4), Value::Integer(6)]),
            Ok(Value::Integer(12))
        );
    }
}
