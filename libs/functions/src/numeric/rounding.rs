//! Digits of numerics: rounding, cutting, and the limits of a column.

use num_bigint::{BigInt, Sign};
use pgtypes::numeric::{Limits, within};
use pgtypes::{Decimal, SqlValue, SqlValueRef, ValueError};

use crate::arguments::{Answer, decimal, integer, whole, written};
use crate::numeric::Small;
use crate::registry::Scalar;

/// The largest scale that rounding takes.
const MAX_ROUNDED_SCALE: i64 = 16_383;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_numeric", 2, coerced),
    Scalar::pure("pg_numeric_round", 2, |a| {
        written(decimal(a, 0)?.rounded(scale(a)?))
    }),
    Scalar::pure("pg_round_numeric", 1, |a| {
        written(decimal(a, 0)?.rounded(0))
    }),
    Scalar::pure("pg_numeric_trunc", 2, |a| {
        written(decimal(a, 0)?.truncated(scale(a)?))
    }),
    Scalar::pure("pg_trunc_numeric", 1, |a| {
        written(decimal(a, 0)?.truncated(0))
    }),
    Scalar::pure("pg_numeric_ceil", 1, |a| {
        written(next_whole(&decimal(a, 0)?, 1)?)
    }),
    Scalar::pure("pg_numeric_floor", 1, |a| {
        written(next_whole(&decimal(a, 0)?, -1)?)
    }),
    Scalar::pure("pg_numeric_scale", 1, shown_scale),
    Scalar::pure("pg_numeric_min_scale", 1, least_scale),
    Scalar::pure("pg_numeric_trim_scale", 1, |a| {
        written(trimmed(decimal(a, 0)?))
    }),
];

fn scale(arguments: &[SqlValueRef<'_>]) -> Result<i16, ValueError> {
    let scale = integer(arguments, 1)?.clamp(i16::MIN.into(), MAX_ROUNDED_SCALE);
    Ok(i16::try_from(scale).unwrap_or(0))
}

/// The limits that a type modifier packs; `None` for one that is none.
pub(crate) fn limits(typmod: i64) -> Option<Limits> {
    let packed = typmod.checked_sub(4).filter(|packed| *packed >= 0)?;
    Some(Limits {
        precision: u16::try_from(packed >> 16).ok()?,
        // Eleven bits, the highest of them the sign.
        scale: i16::try_from(((packed & 0x7ff) ^ 0x400) - 0x400).ok()?,
    })
}

/// `numeric(value, typmod)`: the value as a column with these limits holds it.
fn coerced(arguments: &[SqlValueRef<'_>]) -> Answer {
    let Some(limits) = limits(integer(arguments, 1)?) else {
        return written(decimal(arguments, 0)?);
    };
    if let Some(SqlValueRef::Text(text)) = arguments.first()
        && fits(text, limits)
    {
        return written(text);
    }
    written(within(decimal(arguments, 0)?, limits)?)
}

/// Whether a number already is what a column with these limits holds.
fn fits(text: &str, limits: Limits) -> bool {
    Small::parse(text).is_some_and(|small| {
        i32::from(small.scale) == i32::from(limits.scale)
            && 10_u128
                .checked_pow(limits.precision.into())
                .is_none_or(|bound| small.unscaled.unsigned_abs() < bound)
    })
}

/// The next whole number above (1) or below (-1).
fn next_whole(number: &Decimal, direction: i8) -> Result<Decimal, ValueError> {
    let whole = number.clone().truncated(0);
    let beyond = match direction {
        1 => *number > whole,
        _ => *number < whole,
    };
    if beyond {
        return whole.plus(&Decimal::from(i64::from(direction)));
    }
    Ok(whole)
}

fn shown_scale(arguments: &[SqlValueRef<'_>]) -> Answer {
    match decimal(arguments, 0)?.unscaled() {
        Some((_, scale)) => whole(scale.into()),
        None => Ok(SqlValue::Null),
    }
}

fn least_scale(arguments: &[SqlValueRef<'_>]) -> Answer {
    match trimmed(decimal(arguments, 0)?).unscaled() {
        Some((_, scale)) => whole(scale.into()),
        None => Ok(SqlValue::Null),
    }
}

/// Without zeros at the end behind the point.
pub(crate) fn trimmed(number: Decimal) -> Decimal {
    let Some((unscaled, scale)) = number.unscaled() else {
        return number;
    };
    if unscaled.sign() == Sign::NoSign {
        return Decimal::from(0);
    }
    let digits = unscaled.magnitude().to_string();
    let zeros = digits.len() - digits.trim_end_matches('0').len();
    let zeros = u16::try_from(zeros).unwrap_or(u16::MAX).min(scale);
    let unscaled = unscaled / BigInt::from(10).pow(zeros.into());
    Decimal::from_unscaled(unscaled, i64::from(scale - zeros)).unwrap_or(number)
}
