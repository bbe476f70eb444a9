//! Numerics from and to integers.

use num_bigint::BigInt;
use pgtypes::{Decimal, SqlState, SqlValueRef};

use crate::arguments::{Answer, decimal, integer, value, whole, written};
use crate::error::fail;
use crate::integer::{Int2, Int4, Int8, Width};
use crate::numeric::Small;
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_int2_numeric", 1, |a| written(integer(a, 0)?)),
    Scalar::pure("pg_int4_numeric", 1, |a| written(integer(a, 0)?)),
    Scalar::pure("pg_int8_numeric", 1, |a| written(integer(a, 0)?)),
    Scalar::pure("pg_numeric_int2", 1, to_integer::<Int2>),
    Scalar::pure("pg_numeric_int4", 1, to_integer::<Int4>),
    Scalar::pure("pg_numeric_int8", 1, to_integer::<Int8>),
];

/// A cast to `integer`.
pub(crate) fn to_int4(arguments: &[SqlValueRef<'_>]) -> Answer {
    to_integer::<Int4>(arguments)
}

/// Rounded half away from zero.
fn to_integer<W: Width>(arguments: &[SqlValueRef<'_>]) -> Answer {
    if let SqlValueRef::Text(text) = value(arguments, 0)
        && let Some(Small { unscaled, scale: 0 }) = Small::parse(text)
    {
        return W::fitted(i64::try_from(unscaled).ok()).and_then(whole);
    }
    let rounded = match decimal(arguments, 0)? {
        Decimal::NotANumber => return refused::<W>("NaN"),
        Decimal::Infinity { .. } => return refused::<W>("infinity"),
        number @ Decimal::Finite(_) => number.rounded(0),
    };
    let integer = rounded
        .unscaled()
        .and_then(|(unscaled, _): (&BigInt, u16)| i64::try_from(unscaled).ok());
    W::fitted(integer).and_then(whole)
}

fn refused<W: Width>(what: &str) -> Answer {
    fail(
        SqlState::FEATURE_NOT_SUPPORTED,
        format!("cannot convert {what} to {}", W::NAME),
    )
}
