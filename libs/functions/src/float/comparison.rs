//! Comparisons of floating point numbers: NaN equals itself and is greater than all others.

use std::cmp::Ordering;

use pgtypes::{SqlValueRef, ValueError};

use crate::arguments::{Answer, boolean, double, real, whole};
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_float8eq", 2, |a| boolean(compared(a)?.is_eq())),
    Scalar::pure("pg_float48eq", 2, |a| boolean(compared(a)?.is_eq())),
    Scalar::pure("pg_float84eq", 2, |a| boolean(compared(a)?.is_eq())),
    Scalar::pure("pg_float4eq", 2, |a| boolean(compared(a)?.is_eq())),
    Scalar::pure("pg_float8ne", 2, |a| boolean(compared(a)?.is_ne())),
    Scalar::pure("pg_float48ne", 2, |a| boolean(compared(a)?.is_ne())),
    Scalar::pure("pg_float84ne", 2, |a| boolean(compared(a)?.is_ne())),
    Scalar::pure("pg_float4ne", 2, |a| boolean(compared(a)?.is_ne())),
    Scalar::pure("pg_float8lt", 2, |a| boolean(compared(a)?.is_lt())),
    Scalar::pure("pg_float48lt", 2, |a| boolean(compared(a)?.is_lt())),
    Scalar::pure("pg_float84lt", 2, |a| boolean(compared(a)?.is_lt())),
    Scalar::pure("pg_float4lt", 2, |a| boolean(compared(a)?.is_lt())),
    Scalar::pure("pg_float8le", 2, |a| boolean(compared(a)?.is_le())),
    Scalar::pure("pg_float48le", 2, |a| boolean(compared(a)?.is_le())),
    Scalar::pure("pg_float84le", 2, |a| boolean(compared(a)?.is_le())),
    Scalar::pure("pg_float4le", 2, |a| boolean(compared(a)?.is_le())),
    Scalar::pure("pg_float8gt", 2, |a| boolean(compared(a)?.is_gt())),
    Scalar::pure("pg_float48gt", 2, |a| boolean(compared(a)?.is_gt())),
    Scalar::pure("pg_float84gt", 2, |a| boolean(compared(a)?.is_gt())),
    Scalar::pure("pg_float4gt", 2, |a| boolean(compared(a)?.is_gt())),
    Scalar::pure("pg_float8ge", 2, |a| boolean(compared(a)?.is_ge())),
    Scalar::pure("pg_float48ge", 2, |a| boolean(compared(a)?.is_ge())),
    Scalar::pure("pg_float84ge", 2, |a| boolean(compared(a)?.is_ge())),
    Scalar::pure("pg_float4ge", 2, |a| boolean(compared(a)?.is_ge())),
    Scalar::pure("pg_float8larger", 2, larger),
    Scalar::pure("pg_float4larger", 2, larger),
    Scalar::pure("pg_float8smaller", 2, smaller),
    Scalar::pure("pg_float4smaller", 2, smaller),
    Scalar::pure("pg_btfloat8cmp", 2, order),
    Scalar::pure("pg_btfloat4cmp", 2, order),
    Scalar::pure("pg_btfloat48cmp", 2, order),
    Scalar::pure("pg_btfloat84cmp", 2, order),
];

/// Zero has no sign in a comparison.
pub(crate) fn compare(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b)
        .unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

fn compared(arguments: &[SqlValueRef<'_>]) -> Result<Ordering, ValueError> {
    Ok(compare(real(arguments, 0)?, real(arguments, 1)?))
}

fn order(arguments: &[SqlValueRef<'_>]) -> Answer {
    whole(compared(arguments)? as i64)
}

fn larger(arguments: &[SqlValueRef<'_>]) -> Answer {
    double(real(arguments, usize::from(!compared(arguments)?.is_gt()))?)
}

fn smaller(arguments: &[SqlValueRef<'_>]) -> Answer {
    double(real(arguments, usize::from(!compared(arguments)?.is_lt()))?)
}
