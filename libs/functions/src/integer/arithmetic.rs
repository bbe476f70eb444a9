//! Sums, products, quotients and remainders of integers; the type of the wider operand is that of
//! the result.

use pgtypes::SqlValueRef;

use crate::arguments::{Answer, integer, whole};
use crate::error::{division_by_zero, out_of_range};
use crate::integer::{Int2, Int4, Int8, Width};
use crate::registry::Scalar;

const fn binary(name: &'static str, body: fn(&[SqlValueRef<'_>]) -> Answer) -> Scalar {
    Scalar::pure(name, 2, body)
}

const fn unary(name: &'static str, body: fn(&[SqlValueRef<'_>]) -> Answer) -> Scalar {
    Scalar::pure(name, 1, body)
}

pub(crate) const FUNCTIONS: &[Scalar] = &[
    binary("pg_int2pl", plus::<Int2>),
    binary("pg_int4pl", plus::<Int4>),
    binary("pg_int8pl", plus::<Int8>),
    binary("pg_int24pl", plus::<Int4>),
    binary("pg_int42pl", plus::<Int4>),
    binary("pg_int28pl", plus::<Int8>),
    binary("pg_int82pl", plus::<Int8>),
    binary("pg_int48pl", plus::<Int8>),
    binary("pg_int84pl", plus::<Int8>),
    binary("pg_int2mi", minus::<Int2>),
    binary("pg_int4mi", minus::<Int4>),
    binary("pg_int8mi", minus::<Int8>),
    binary("pg_int24mi", minus::<Int4>),
    binary("pg_int42mi", minus::<Int4>),
    binary("pg_int28mi", minus::<Int8>),
    binary("pg_int82mi", minus::<Int8>),
    binary("pg_int48mi", minus::<Int8>),
    binary("pg_int84mi", minus::<Int8>),
    binary("pg_int2mul", times::<Int2>),
    binary("pg_int4mul", times::<Int4>),
    binary("pg_int8mul", times::<Int8>),
    binary("pg_int24mul", times::<Int4>),
    binary("pg_int42mul", times::<Int4>),
    binary("pg_int28mul", times::<Int8>),
    binary("pg_int82mul", times::<Int8>),
    binary("pg_int48mul", times::<Int8>),
    binary("pg_int84mul", times::<Int8>),
    binary("pg_int2div", over::<Int2>),
    binary("pg_int4div", over::<Int4>),
    binary("pg_int8div", over::<Int8>),
    binary("pg_int24div", over::<Int4>),
    binary("pg_int42div", over::<Int4>),
    binary("pg_int28div", over::<Int8>),
    binary("pg_int82div", over::<Int8>),
    binary("pg_int48div", over::<Int8>),
    binary("pg_int84div", over::<Int8>),
    binary("pg_int2mod", remainder),
    binary("pg_int4mod", remainder),
    binary("pg_int8mod", remainder),
    unary("pg_int2um", negated::<Int2>),
    unary("pg_int4um", negated::<Int4>),
    unary("pg_int8um", negated::<Int8>),
    unary("pg_int2abs", absolute::<Int2>),
    unary("pg_int4abs", absolute::<Int4>),
    unary("pg_int8abs", absolute::<Int8>),
    unary("pg_int2up", same),
    unary("pg_int4up", same),
    unary("pg_int8up", same),
    unary("pg_int4inc", successor::<Int4>),
    unary("pg_int8inc", successor::<Int8>),
    unary("pg_int8dec", predecessor::<Int8>),
    binary("pg_int4gcd", common_divisor::<Int4>),
    binary("pg_int8gcd", common_divisor::<Int8>),
    binary("pg_int4lcm", common_multiple::<Int4>),
    binary("pg_int8lcm", common_multiple::<Int8>),
];

fn pair(arguments: &[SqlValueRef<'_>]) -> Result<(i64, i64), pgtypes::ValueError> {
    Ok((integer(arguments, 0)?, integer(arguments, 1)?))
}

fn plus<W: Width>(arguments: &[SqlValueRef<'_>]) -> Answer {
    let (a, b) = pair(arguments)?;
    W::fitted(a.checked_add(b)).and_then(whole)
}

fn minus<W: Width>(arguments: &[SqlValueRef<'_>]) -> Answer {
    let (a, b) = pair(arguments)?;
    W::fitted(a.checked_sub(b)).and_then(whole)
}

fn times<W: Width>(arguments: &[SqlValueRef<'_>]) -> Answer {
    let (a, b) = pair(arguments)?;
    W::fitted(a.checked_mul(b)).and_then(whole)
}

fn over<W: Width>(arguments: &[SqlValueRef<'_>]) -> Answer {
    let (a, b) = pair(arguments)?;
    if b == 0 {
        return Err(division_by_zero());
    }
    W::fitted(a.checked_div(b)).and_then(whole)
}

/// With the sign of the dividend; it fits any type that has both operands.
fn remainder(arguments: &[SqlValueRef<'_>]) -> Answer {
    let (a, b) = pair(arguments)?;
    if b == 0 {
        return Err(division_by_zero());
    }
    whole(a.wrapping_rem(b))
}

fn negated<W: Width>(arguments: &[SqlValueRef<'_>]) -> Answer {
    W::fitted(integer(arguments, 0)?.checked_neg()).and_then(whole)
}

fn absolute<W: Width>(arguments: &[SqlValueRef<'_>]) -> Answer {
    W::fitted(integer(arguments, 0)?.checked_abs()).and_then(whole)
}

fn same(arguments: &[SqlValueRef<'_>]) -> Answer {
    whole(integer(arguments, 0)?)
}

fn successor<W: Width>(arguments: &[SqlValueRef<'_>]) -> Answer {
    W::fitted(integer(arguments, 0)?.checked_add(1)).and_then(whole)
}

fn predecessor<W: Width>(arguments: &[SqlValueRef<'_>]) -> Answer {
    W::fitted(integer(arguments, 0)?.checked_sub(1)).and_then(whole)
}

fn divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

fn common_divisor<W: Width>(arguments: &[SqlValueRef<'_>]) -> Answer {
    let (a, b) = pair(arguments)?;
    let divisor = divisor(a.unsigned_abs(), b.unsigned_abs());
    W::fitted(i64::try_from(divisor).ok()).and_then(whole)
}

fn common_multiple<W: Width>(arguments: &[SqlValueRef<'_>]) -> Answer {
    let (a, b) = pair(arguments)?;
    let (a, b) = (a.unsigned_abs(), b.unsigned_abs());
    if a == 0 || b == 0 {
        return whole(0);
    }
    let multiple = (a / divisor(a, b))
        .checked_mul(b)
        .ok_or_else(|| out_of_range(W::NAME))?;
    W::fitted(i64::try_from(multiple).ok()).and_then(whole)
}
