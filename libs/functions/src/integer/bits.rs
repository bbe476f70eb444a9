//! Bits of integers.

use pgtypes::SqlValueRef;

use crate::arguments::{Answer, integer, whole};
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_int2and", 2, and),
    Scalar::pure("pg_int4and", 2, and),
    Scalar::pure("pg_int8and", 2, and),
    Scalar::pure("pg_int2or", 2, or),
    Scalar::pure("pg_int4or", 2, or),
    Scalar::pure("pg_int8or", 2, or),
    Scalar::pure("pg_int2xor", 2, exclusive),
    Scalar::pure("pg_int4xor", 2, exclusive),
    Scalar::pure("pg_int8xor", 2, exclusive),
    Scalar::pure("pg_int2not", 1, inverted),
    Scalar::pure("pg_int4not", 1, inverted),
    Scalar::pure("pg_int8not", 1, inverted),
    Scalar::pure("pg_int2shl", 2, left2),
    Scalar::pure("pg_int4shl", 2, left4),
    Scalar::pure("pg_int8shl", 2, left8),
    Scalar::pure("pg_int2shr", 2, right4),
    Scalar::pure("pg_int4shr", 2, right4),
    Scalar::pure("pg_int8shr", 2, right8),
];

fn and(arguments: &[SqlValueRef<'_>]) -> Answer {
    whole(integer(arguments, 0)? & integer(arguments, 1)?)
}

fn or(arguments: &[SqlValueRef<'_>]) -> Answer {
    whole(integer(arguments, 0)? | integer(arguments, 1)?)
}

fn exclusive(arguments: &[SqlValueRef<'_>]) -> Answer {
    whole(integer(arguments, 0)? ^ integer(arguments, 1)?)
}

fn inverted(arguments: &[SqlValueRef<'_>]) -> Answer {
    whole(!integer(arguments, 0)?)
}

/// By how many bits to shift: the processor looks at no more of the number than it needs.
fn shift(arguments: &[SqlValueRef<'_>], width: i64) -> Result<u32, pgtypes::ValueError> {
    let bits = integer(arguments, 1)?.rem_euclid(width);
    Ok(u32::try_from(bits).unwrap_or(0))
}

/// The number in its lowest bits, of which the highest is the sign.
fn cut(value: i64, bits: u32) -> i64 {
    let rest = 64 - bits;
    (value << rest) >> rest
}

/// PostgreSQL shifts a smallint as an integer and cuts the result.
fn left2(arguments: &[SqlValueRef<'_>]) -> Answer {
    whole(cut(integer(arguments, 0)? << shift(arguments, 32)?, 16))
}

fn left4(arguments: &[SqlValueRef<'_>]) -> Answer {
    whole(cut(integer(arguments, 0)? << shift(arguments, 32)?, 32))
}

fn left8(arguments: &[SqlValueRef<'_>]) -> Answer {
    whole(integer(arguments, 0)? << shift(arguments, 64)?)
}

fn right4(arguments: &[SqlValueRef<'_>]) -> Answer {
    whole(integer(arguments, 0)? >> shift(arguments, 32)?)
}

fn right8(arguments: &[SqlValueRef<'_>]) -> Answer {
    whole(integer(arguments, 0)? >> shift(arguments, 64)?)
}
