//! Binary floating point numbers.

mod arithmetic;
mod casts;
mod comparison;
mod degrees;
mod functions;

pub(crate) use crate::float::comparison::compare;

use pgtypes::{SqlValueRef, ValueError};

use crate::arguments::real;
use crate::error::overflow;
use crate::registry::Scalar;

/// The functions of floating point numbers.
pub(crate) const FUNCTIONS: &[&[Scalar]] = &[
    arithmetic::FUNCTIONS,
    casts::FUNCTIONS,
    comparison::FUNCTIONS,
    degrees::FUNCTIONS,
    functions::FUNCTIONS,
];

/// The nearest single.
#[expect(
    clippy::cast_possible_truncation,
    reason = "rounding is what is asked for"
)]
pub(crate) fn nearest_single(value: f64) -> f32 {
    value as f32
}

/// An argument of type real; it is stored as the double of the same value.
pub(crate) fn single(arguments: &[SqlValueRef<'_>], at: usize) -> Result<f32, ValueError> {
    real(arguments, at).map(nearest_single)
}

/// A result that is infinite though no operand was is too large.
pub(crate) fn checked(result: f64, of: &[f64]) -> Result<f64, ValueError> {
    if result.is_infinite() && of.iter().all(|operand| !operand.is_infinite()) {
        return Err(overflow());
    }
    Ok(result)
}
