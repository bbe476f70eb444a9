//! Roots, powers, logarithms, angles and whole parts of doubles.

use std::f64::consts::LN_2;

use pgtypes::{SqlState, SqlValueRef, ValueError};

use crate::arguments::{Answer, double, integer, real, whole};
use crate::error::{fail, overflow, underflow};
use crate::float::checked;
use crate::registry::Scalar;

/// From here on a square takes the one beside it in.
const FAR: f64 = 268_435_456.0;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_dround", 1, |a| double(real(a, 0)?.round_ties_even())),
    Scalar::pure("pg_dtrunc", 1, |a| double(real(a, 0)?.trunc())),
    Scalar::pure("pg_dceil", 1, |a| double(real(a, 0)?.ceil())),
    Scalar::pure("pg_dfloor", 1, |a| double(real(a, 0)?.floor())),
    Scalar::pure("pg_dsign", 1, sign),
    Scalar::pure("pg_dsqrt", 1, square_root),
    Scalar::pure("pg_dcbrt", 1, |a| double(real(a, 0)?.cbrt())),
    Scalar::pure("pg_dpow", 2, |a| {
        power(real(a, 0)?, real(a, 1)?).and_then(double)
    }),
    Scalar::pure("pg_dexp", 1, exponential),
    Scalar::pure("pg_dlog1", 1, |a| double(for_logarithm(real(a, 0)?)?.ln())),
    Scalar::pure("pg_dlog10", 1, |a| {
        double(for_logarithm(real(a, 0)?)?.log10())
    }),
    Scalar::pure("pg_dsin", 1, |a| angle(a, f64::sin)),
    Scalar::pure("pg_dcos", 1, |a| angle(a, f64::cos)),
    Scalar::pure("pg_dtan", 1, |a| angle(a, f64::tan)),
    Scalar::pure("pg_dcot", 1, |a| angle(a, |x| 1.0 / x.tan())),
    Scalar::pure("pg_dasin", 1, |a| double(within_one(a)?.asin())),
    Scalar::pure("pg_dacos", 1, |a| double(within_one(a)?.acos())),
    Scalar::pure("pg_datan", 1, |a| double(real(a, 0)?.atan())),
    Scalar::pure("pg_datan2", 2, |a| double(real(a, 0)?.atan2(real(a, 1)?))),
    Scalar::pure("pg_dsinh", 1, |a| double(real(a, 0)?.sinh())),
    Scalar::pure("pg_dcosh", 1, |a| double(real(a, 0)?.cosh())),
    Scalar::pure("pg_dtanh", 1, |a| double(real(a, 0)?.tanh())),
    Scalar::pure("pg_dasinh", 1, inverse_sinh),
    Scalar::pure("pg_dacosh", 1, inverse_cosh),
    Scalar::pure("pg_datanh", 1, inverse_tanh),
    Scalar::pure("pg_dpi", 0, |_| double(std::f64::consts::PI)),
    Scalar::pure("pg_width_bucket_float8", 4, bucket),
];

/// `input is out of range`, 22003.
pub(crate) fn input_out_of_range() -> ValueError {
    ValueError::new(
        SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
        "input is out of range",
    )
}

fn sign(arguments: &[SqlValueRef<'_>]) -> Answer {
    let value = real(arguments, 0)?;
    // NaN, too, is neither.
    double(if value > 0.0 {
        1.0
    } else if value < 0.0 {
        -1.0
    } else {
        0.0
    })
}

fn square_root(arguments: &[SqlValueRef<'_>]) -> Answer {
    let value = real(arguments, 0)?;
    if value < 0.0 {
        return fail(
            SqlState::INVALID_ARGUMENT_FOR_POWER_FUNCTION,
            "cannot take square root of a negative number",
        );
    }
    double(value.sqrt())
}

fn exponential(arguments: &[SqlValueRef<'_>]) -> Answer {
    let value = real(arguments, 0)?;
    let result = checked(value.exp(), &[value])?;
    if result == 0.0 && !value.is_infinite() {
        return Err(underflow());
    }
    double(result)
}

#[expect(clippy::float_cmp, reason = "only these very numbers are special")]
fn power(base: f64, exponent: f64) -> Result<f64, ValueError> {
    if base.is_nan() || exponent.is_nan() {
        return Ok(if exponent == 0.0 || base == 1.0 {
            1.0
        } else {
            f64::NAN
        });
    }
    if base == 0.0 && exponent < 0.0 {
        return fail(
            SqlState::INVALID_ARGUMENT_FOR_POWER_FUNCTION,
            "zero raised to a negative power is undefined",
        );
    }
    if base < 0.0 && exponent.floor() != exponent {
        return fail(
            SqlState::INVALID_ARGUMENT_FOR_POWER_FUNCTION,
            "a negative number raised to a non-integer power yields a complex result",
        );
    }
    let result = base.powf(exponent);
    if base.is_infinite() || exponent.is_infinite() {
        return Ok(result);
    }
    if result.is_infinite() {
        return Err(overflow());
    }
    if result == 0.0 && base != 0.0 {
        return Err(underflow());
    }
    Ok(result)
}

fn for_logarithm(value: f64) -> Result<f64, ValueError> {
    if value == 0.0 {
        return fail(
            SqlState::INVALID_ARGUMENT_FOR_LOG,
            "cannot take logarithm of zero",
        );
    }
    if value < 0.0 {
        return fail(
            SqlState::INVALID_ARGUMENT_FOR_LOG,
            "cannot take logarithm of a negative number",
        );
    }
    Ok(value)
}

fn angle(arguments: &[SqlValueRef<'_>], compute: fn(f64) -> f64) -> Answer {
    let value = real(arguments, 0)?;
    if value.is_infinite() {
        return Err(input_out_of_range());
    }
    double(compute(value))
}

fn within_one(arguments: &[SqlValueRef<'_>]) -> Result<f64, ValueError> {
    let value = real(arguments, 0)?;
    // NaN has an arc, which is NaN.
    if value.abs() > 1.0 {
        return Err(input_out_of_range());
    }
    Ok(value)
}

fn inverse_cosh(arguments: &[SqlValueRef<'_>]) -> Answer {
    let value = real(arguments, 0)?;
    if value < 1.0 {
        return Err(input_out_of_range());
    }
    double(if value >= FAR {
        value.ln() + LN_2
    } else if value > 2.0 {
        (2.0 * value - 1.0 / (value + (value * value - 1.0).sqrt())).ln()
    } else {
        let above = value - 1.0;
        (above + (2.0 * above + above * above).sqrt()).ln_1p()
    })
}

/// By the formulas of C libraries, so that the last digits are theirs, too.
fn inverse_sinh(arguments: &[SqlValueRef<'_>]) -> Answer {
    let value = real(arguments, 0)?;
    let size = value.abs();
    let result = if !value.is_finite() || size < 1.0 / FAR {
        return double(value);
    } else if size > FAR {
        size.ln() + LN_2
    } else if size > 2.0 {
        (2.0 * size + 1.0 / ((value * value + 1.0).sqrt() + size)).ln()
    } else {
        let square = value * value;
        (size + square / (1.0 + (1.0 + square).sqrt())).ln_1p()
    };
    double(result.copysign(value))
}

fn inverse_tanh(arguments: &[SqlValueRef<'_>]) -> Answer {
    let value = within_one(arguments)?;
    let size = value.abs();
    let double_size = size + size;
    let result = if size < 1.0 / FAR {
        return double(value);
    } else if size < 0.5 {
        0.5 * (double_size + double_size * size / (1.0 - size)).ln_1p()
    } else if size < 1.0 {
        0.5 * (double_size / (1.0 - size)).ln_1p()
    } else if size.is_nan() {
        return double(value);
    } else {
        f64::INFINITY
    };
    double(result.copysign(value))
}

/// `width_bucket`: in which of so many equal parts of a range an operand lies.
#[expect(
    clippy::float_cmp,
    reason = "only a range without any length is refused"
)]
fn bucket(arguments: &[SqlValueRef<'_>]) -> Answer {
    let refused = |message: &str| {
        fail(
            SqlState::INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION,
            message,
        )
    };
    let [operand, low, high] = [0, 1, 2].map(|at| real(arguments, at));
    let (operand, low, high) = (operand?, low?, high?);
    let count = integer(arguments, 3)?;
    if count <= 0 {
        return refused("count must be greater than zero");
    }
    if operand.is_nan() || low.is_nan() || high.is_nan() {
        return refused("operand, lower bound, and upper bound cannot be NaN");
    }
    if low.is_infinite() || high.is_infinite() {
        return refused("lower and upper bounds must be finite");
    }
    if low == high {
        return refused("lower bound cannot equal upper bound");
    }
    let beyond = |value: Option<i64>| {
        value
            .filter(|value| i32::try_from(*value).is_ok())
            .map_or_else(|| Err(crate::error::out_of_range("integer")), whole)
    };
    let (before, behind) = if low < high {
        (operand < low, operand >= high)
    } else {
        (operand > low, operand <= high)
    };
    if before {
        return whole(0);
    }
    if behind {
        return beyond(count.checked_add(1));
    }
    let width = pgtypes::float::double_of_integer(count);
    let (part, range) = if low < high {
        (width * (operand - low), high - low)
    } else {
        (width * (low - operand), low - high)
    };
    // Bounds so far from each other that this overflows give the integer that PostgreSQL's processor makes of it.
    let found = pgtypes::float::exact_integer((part / range + 1.0).trunc())
        .and_then(|found| i32::try_from(found).ok());
    whole(found.unwrap_or(i32::MIN).into())
}
