//! Floating point numbers from and to each other and numeric.

use pgtypes::{Decimal, SqlValue, SqlValueRef};

use crate::arguments::{Answer, double, real, text, value, whole, written};
use crate::error::{overflow, underflow};
use crate::float::nearest_single;
use crate::registry::Scalar;

/// Decimal digits that a double always keeps.
const DOUBLE_DIGITS: usize = 15;
/// Decimal digits that a single always keeps.
const SINGLE_DIGITS: usize = 6;

/// The lowest bytes of a number, the highest of them first: the order of PostgreSQL's binary forms.
fn bytes(bits: u64, count: u32) -> Vec<u8> {
    let each = (0..count).rev();
    each.map(|at| u8::try_from((bits >> (8 * at)) & 0xff).unwrap_or(0))
        .collect()
}

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_float4send", 1, |a| {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "it is the value of a single"
        )]
        let single = real(a, 0)? as f32;
        Ok(SqlValue::Blob(bytes(single.to_bits().into(), 4)))
    }),
    Scalar::pure("pg_float8send", 1, |a| {
        Ok(SqlValue::Blob(bytes(real(a, 0)?.to_bits(), 8)))
    }),
    Scalar::pure("pg_ftod", 1, |a| double(real(a, 0)?)),
    Scalar::pure("pg_dtof", 1, to_single),
    Scalar::pure("pg_float8_numeric", 1, |a| {
        written(significant(real(a, 0)?, DOUBLE_DIGITS))
    }),
    Scalar::pure("pg_float4_numeric", 1, |a| {
        written(significant(real(a, 0)?, SINGLE_DIGITS))
    }),
    Scalar::pure("pg_numeric_float8", 1, numeric_to_double),
    Scalar::pure("pg_numeric_float8_no_overflow", 1, numeric_to_near_double),
    Scalar::pure("pg_numeric_float4", 1, numeric_to_single),
    Scalar::pure("pg_real_as_bits", 1, |a| match value(a, 0) {
        SqlValueRef::Real(number) => whole(number.to_bits().cast_signed()),
        other => Ok(other.to_owned()),
    }),
    Scalar::pure("pg_real_of_bits", 1, |a| match value(a, 0) {
        SqlValueRef::Integer(bits) => double(f64::from_bits(bits.cast_unsigned())),
        other => Ok(other.to_owned()),
    }),
];

fn to_single(arguments: &[SqlValueRef<'_>]) -> Answer {
    let value = real(arguments, 0)?;
    let single = nearest_single(value);
    if single.is_infinite() && !value.is_infinite() {
        return Err(overflow());
    }
    if single == 0.0 && value != 0.0 {
        return Err(underflow());
    }
    double(f64::from(single))
}

/// The number rounded to so many digits, without zeros at the end.
fn significant(value: f64, digits: usize) -> Decimal {
    if !value.is_finite() {
        return Decimal::from_real(value);
    }
    let rounded = format!("{value:.*e}", digits - 1);
    let (mantissa, exponent) = rounded.split_once('e').unwrap_or((&rounded, "0"));
    let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.');
    Decimal::parse(&format!("{mantissa}e{exponent}")).unwrap_or(Decimal::NotANumber)
}

fn numeric_to_double(arguments: &[SqlValueRef<'_>]) -> Answer {
    double(pgtypes::float::parse_double(text(arguments, 0)?)?)
}

fn numeric_to_near_double(arguments: &[SqlValueRef<'_>]) -> Answer {
    double(text(arguments, 0)?.parse().unwrap_or(f64::NAN))
}

fn numeric_to_single(arguments: &[SqlValueRef<'_>]) -> Answer {
    double(f64::from(pgtypes::float::parse_single(text(
        arguments, 0,
    )?)?))
}
