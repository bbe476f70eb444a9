//! Type numeric: exact decimal numbers, kept as the text that PostgreSQL prints.

mod arithmetic;
mod casts;
mod comparison;
mod functions;
mod logarithm;
mod power;
mod rounding;
mod small;
mod transcendental;
mod whole;

pub(crate) use crate::numeric::casts::to_int4;
pub(crate) use crate::numeric::comparison::compare;
pub(crate) use crate::numeric::rounding::limits;
pub(crate) use crate::numeric::small::Small;

use crate::registry::Scalar;

/// The functions of numeric.
pub(crate) const FUNCTIONS: &[&[Scalar]] = &[
    arithmetic::FUNCTIONS,
    casts::FUNCTIONS,
    comparison::FUNCTIONS,
    functions::FUNCTIONS,
    rounding::FUNCTIONS,
    whole::FUNCTIONS,
];
