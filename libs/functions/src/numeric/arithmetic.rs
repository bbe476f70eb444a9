//! Sums, products and quotients of numerics.

use pgtypes::{Decimal, SqlValueRef, ValueError};

use crate::arguments::{Answer, decimal, value, written};
use crate::numeric::Small;
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_numeric_add", 2, |a| {
        computed(a, Small::plus, Decimal::plus)
    }),
    Scalar::pure("pg_numeric_sub", 2, |a| {
        computed(a, |a, b| a.plus(b.negated()), Decimal::minus)
    }),
    Scalar::pure("pg_numeric_mul", 2, |a| {
        computed(a, Small::times, Decimal::times)
    }),
    Scalar::pure("pg_numeric_div", 2, |a| {
        computed(a, |_, _| None, Decimal::over)
    }),
    Scalar::pure("pg_numeric_div_trunc", 2, |a| {
        computed(a, |_, _| None, Decimal::whole_quotient)
    }),
    Scalar::pure("pg_numeric_mod", 2, |a| {
        computed(a, remainder, Decimal::remainder)
    }),
    Scalar::pure("pg_numeric_uminus", 1, |a| written(-decimal(a, 0)?)),
    Scalar::pure("pg_numeric_uplus", 1, |a| written(decimal(a, 0)?)),
    Scalar::pure("pg_numeric_inc", 1, |a| {
        written(decimal(a, 0)?.plus(&Decimal::from(1))?)
    }),
    Scalar::pure("pg_numeric_abs", 1, |a| {
        let number = decimal(a, 0)?;
        written(if number.signum() < 0 { -number } else { number })
    }),
    Scalar::pure("pg_numeric_sign", 1, |a| {
        let number = decimal(a, 0)?;
        written(match number {
            Decimal::NotANumber => number,
            other => Decimal::from(i64::from(other.signum())),
        })
    }),
];

/// Computes with small numbers where that can be, else with large ones.
fn computed(
    arguments: &[SqlValueRef<'_>],
    small: fn(Small, Small) -> Option<Small>,
    large: fn(&Decimal, &Decimal) -> Result<Decimal, ValueError>,
) -> Answer {
    if let (SqlValueRef::Text(a), SqlValueRef::Text(b)) = (value(arguments, 0), value(arguments, 1))
        && let (Some(a), Some(b)) = (Small::parse(a), Small::parse(b))
        && let Some(result) = small(a, b)
    {
        return written(result.text());
    }
    written(large(&decimal(arguments, 0)?, &decimal(arguments, 1)?)?)
}

fn remainder(a: Small, b: Small) -> Option<Small> {
    let scale = a.scale.max(b.scale);
    let unscaled = a.unscaled_at(scale)?.checked_rem(b.unscaled_at(scale)?)?;
    Some(Small { unscaled, scale })
}
