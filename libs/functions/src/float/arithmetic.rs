//! Sums, products and quotients of floating point numbers.

use pgtypes::{SqlValueRef, ValueError};

use crate::arguments::{Answer, double, real};
use crate::error::{division_by_zero, overflow, underflow};
use crate::float::single;
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_float8pl", 2, |a| binary(a, plus)),
    Scalar::pure("pg_float48pl", 2, |a| binary(a, plus)),
    Scalar::pure("pg_float84pl", 2, |a| binary(a, plus)),
    Scalar::pure("pg_float8mi", 2, |a| binary(a, minus)),
    Scalar::pure("pg_float48mi", 2, |a| binary(a, minus)),
    Scalar::pure("pg_float84mi", 2, |a| binary(a, minus)),
    Scalar::pure("pg_float8mul", 2, |a| binary(a, times)),
    Scalar::pure("pg_float48mul", 2, |a| binary(a, times)),
    Scalar::pure("pg_float84mul", 2, |a| binary(a, times)),
    Scalar::pure("pg_float8div", 2, |a| binary(a, over)),
    Scalar::pure("pg_float48div", 2, |a| binary(a, over)),
    Scalar::pure("pg_float84div", 2, |a| binary(a, over)),
    Scalar::pure("pg_float4pl", 2, |a| narrow(a, plus)),
    Scalar::pure("pg_float4mi", 2, |a| narrow(a, minus)),
    Scalar::pure("pg_float4mul", 2, |a| narrow(a, times)),
    Scalar::pure("pg_float4div", 2, |a| narrow(a, over)),
    Scalar::pure("pg_float8um", 1, |a| double(-real(a, 0)?)),
    Scalar::pure("pg_float4um", 1, |a| double(-real(a, 0)?)),
    Scalar::pure("pg_float8up", 1, |a| double(real(a, 0)?)),
    Scalar::pure("pg_float4up", 1, |a| double(real(a, 0)?)),
    Scalar::pure("pg_float8abs", 1, |a| double(real(a, 0)?.abs())),
    Scalar::pure("pg_float4abs", 1, |a| double(real(a, 0)?.abs())),
];

/// What singles and doubles have in common.
trait Float: Copy + PartialOrd + Into<f64> {
    fn add(self, other: Self) -> Self;
    fn subtract(self, other: Self) -> Self;
    fn multiply(self, other: Self) -> Self;
    fn divide(self, other: Self) -> Self;
}

macro_rules! float {
    ($($ty:ty)*) => {$(
        impl Float for $ty {
            fn add(self, other: Self) -> Self {
                self + other
            }
            fn subtract(self, other: Self) -> Self {
                self - other
            }
            fn multiply(self, other: Self) -> Self {
                self * other
            }
            fn divide(self, other: Self) -> Self {
                self / other
            }
        }
    )*};
}

float! { f32 f64 }

fn is_zero(value: impl Float) -> bool {
    value.into() == 0.0
}

fn is_infinite(value: impl Float) -> bool {
    value.into().is_infinite()
}

fn plus<F: Float>(a: F, b: F) -> Result<F, ValueError> {
    bounded(a.add(b), a, b)
}

fn minus<F: Float>(a: F, b: F) -> Result<F, ValueError> {
    bounded(a.subtract(b), a, b)
}

fn bounded<F: Float>(result: F, a: F, b: F) -> Result<F, ValueError> {
    if is_infinite(result) && !is_infinite(a) && !is_infinite(b) {
        return Err(overflow());
    }
    Ok(result)
}

fn times<F: Float>(a: F, b: F) -> Result<F, ValueError> {
    let product = bounded(a.multiply(b), a, b)?;
    if is_zero(product) && !is_zero(a) && !is_zero(b) {
        return Err(underflow());
    }
    Ok(product)
}

fn over<F: Float>(a: F, b: F) -> Result<F, ValueError> {
    if is_zero(b) && !a.into().is_nan() {
        return Err(division_by_zero());
    }
    let quotient = a.divide(b);
    if is_infinite(quotient) && !is_infinite(a) {
        return Err(overflow());
    }
    if is_zero(quotient) && !is_zero(a) && !is_infinite(b) {
        return Err(underflow());
    }
    Ok(quotient)
}

fn binary(
    arguments: &[SqlValueRef<'_>],
    compute: fn(f64, f64) -> Result<f64, ValueError>,
) -> Answer {
    compute(real(arguments, 0)?, real(arguments, 1)?).and_then(double)
}

fn narrow(
    arguments: &[SqlValueRef<'_>],
    compute: fn(f32, f32) -> Result<f32, ValueError>,
) -> Answer {
    let result = compute(single(arguments, 0)?, single(arguments, 1)?)?;
    double(f64::from(result))
}
