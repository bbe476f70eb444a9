//! Roots, logarithms and powers of numerics.

use pgtypes::Decimal;

use crate::arguments::{decimal, written};
use crate::numeric::logarithm::{natural, to_base};
use crate::numeric::power::{exponential, power};
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_numeric_sqrt", 1, |a| {
        written(decimal(a, 0)?.square_root()?)
    }),
    Scalar::pure("pg_numeric_ln", 1, |a| written(natural(&decimal(a, 0)?)?)),
    Scalar::pure("pg_numeric_log", 2, |a| {
        written(to_base(&decimal(a, 0)?, &decimal(a, 1)?)?)
    }),
    Scalar::pure("pg_log_numeric", 1, |a| {
        written(to_base(&Decimal::from(10), &decimal(a, 0)?)?)
    }),
    Scalar::pure("pg_log10_numeric", 1, |a| {
        written(to_base(&Decimal::from(10), &decimal(a, 0)?)?)
    }),
    Scalar::pure("pg_numeric_exp", 1, |a| {
        written(exponential(&decimal(a, 0)?)?)
    }),
    Scalar::pure("pg_numeric_power", 2, |a| {
        written(power(&decimal(a, 0)?, &decimal(a, 1)?)?)
    }),
];
