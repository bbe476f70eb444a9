//! Comparisons of numerics: by value, NaN above all others.

use std::cmp::Ordering;

use pgtypes::{Decimal, SqlValue, SqlValueRef, ValueError};

use crate::arguments::{Answer, boolean, decimal, value, whole};
use crate::numeric::Small;
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_numeric_eq", 2, |a| boolean(compared(a)?.is_eq())),
    Scalar::pure("pg_numeric_ne", 2, |a| boolean(compared(a)?.is_ne())),
    Scalar::pure("pg_numeric_lt", 2, |a| boolean(compared(a)?.is_lt())),
    Scalar::pure("pg_numeric_le", 2, |a| boolean(compared(a)?.is_le())),
    Scalar::pure("pg_numeric_gt", 2, |a| boolean(compared(a)?.is_gt())),
    Scalar::pure("pg_numeric_ge", 2, |a| boolean(compared(a)?.is_ge())),
    Scalar::pure("pg_numeric_cmp", 2, |a| whole(compared(a)? as i64)),
    Scalar::pure("pg_numeric_larger", 2, larger),
    Scalar::pure("pg_numeric_smaller", 2, smaller),
];

/// Compares two stored numerics. What is none comes behind all that are.
pub(crate) fn compare(a: &str, b: &str) -> Ordering {
    if let (Some(a), Some(b)) = (Small::parse(a), Small::parse(b))
        && let Some(order) = a.compare(b)
    {
        return order;
    }
    match (Decimal::parse(a), Decimal::parse(b)) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(_), Err(_)) => a.cmp(b),
    }
}

fn compared(arguments: &[SqlValueRef<'_>]) -> Result<Ordering, ValueError> {
    if let (SqlValueRef::Text(a), SqlValueRef::Text(b)) = (value(arguments, 0), value(arguments, 1))
    {
        return Ok(compare(a, b));
    }
    Ok(decimal(arguments, 0)?.cmp(&decimal(arguments, 1)?))
}

fn larger(arguments: &[SqlValueRef<'_>]) -> Result<SqlValue, ValueError> {
    chosen(arguments, !compared(arguments)?.is_gt())
}

fn smaller(arguments: &[SqlValueRef<'_>]) -> Result<SqlValue, ValueError> {
    chosen(arguments, !compared(arguments)?.is_lt())
}

#[expect(clippy::unnecessary_wraps, reason = "it ends a function")]
fn chosen(arguments: &[SqlValueRef<'_>], second: bool) -> Answer {
    Ok(value(arguments, usize::from(second)).to_owned())
}
