//! Exponentials and powers of numerics.

use num_bigint::{BigInt, Sign};
use pgtypes::{Decimal, SqlState, ValueError};

use crate::error::fail;
use crate::numeric::logarithm::{
    MAX_RESULT_SCALE, SIGNIFICANT_DIGITS, leading_digits, ln_weight, truncated,
};
use crate::numeric::transcendental::{bits_of_digits, exp, ln, power_of_ten, shifted, to_decimal};

/// The logarithm of e to base 10, as `numeric.c` has it.
#[expect(
    clippy::approx_constant,
    reason = "the digits count: they decide on scales"
)]
const LOG_E: f64 = 0.434_294_481_903_252;
/// Beyond this, in both directions, an exponent is not computed with.
const EXPONENT_LIMIT: f64 = 6_000.0;
/// The same for a power, with some room.
const POWER_LIMIT: f64 = 6_020.0;

fn overflow() -> ValueError {
    ValueError::new(
        SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
        "value overflows numeric format",
    )
}

fn infinity() -> Decimal {
    Decimal::Infinity { negative: false }
}

fn zero(scale: i64) -> Result<Decimal, ValueError> {
    Decimal::from_unscaled(BigInt::ZERO, scale)
}

/// e to the power of a number.
pub(crate) fn exponential(number: &Decimal) -> Result<Decimal, ValueError> {
    let Some((unscaled, scale)) = number.unscaled() else {
        return Ok(match number {
            Decimal::Infinity { negative: true } => Decimal::from(0),
            other => other.clone(),
        });
    };
    let value = number.to_real();
    let weight = truncated((value * LOG_E).clamp(-2_000.0, 2_000.0));
    let digits = (SIGNIFICANT_DIGITS - weight)
        .max(scale.into())
        .clamp(0, MAX_RESULT_SCALE);
    if value.abs() >= EXPONENT_LIMIT {
        return if value > 0.0 {
            Err(overflow())
        } else {
            zero(digits)
        };
    }
    let bits = bits_of_digits(digits + truncated(value.abs() * LOG_E) + 4);
    let exponent = (unscaled << bits) / power_of_ten(scale.into());
    raised(&exponent, bits, digits)
}

/// The exponential of `exponent / 2^bits` with so many digits behind the point.
fn raised(exponent: &BigInt, bits: u64, digits: i64) -> Result<Decimal, ValueError> {
    let (value, twos) = exp(exponent, bits);
    let bits = i64::try_from(bits).unwrap_or(i64::MAX) - twos;
    let scale = u32::try_from(digits).unwrap_or(0);
    Decimal::from_unscaled(to_decimal(&value, bits, scale), digits)
}

/// A number to the power of another.
pub(crate) fn power(base: &Decimal, exponent: &Decimal) -> Result<Decimal, ValueError> {
    let (Some((b, b_scale)), Some((e, e_scale))) = (base.unscaled(), exponent.unscaled()) else {
        return special(base, exponent);
    };
    refuse_undefined(base, exponent)?;
    let whole = whole_exponent(exponent);
    if let Some(whole) = whole.as_ref().and_then(|whole| i32::try_from(whole).ok()) {
        let digits = SIGNIFICANT_DIGITS.max(b_scale.into()).min(MAX_RESULT_SCALE);
        return whole_power(base, whole, digits);
    }
    if base.is_zero() {
        return zero(SIGNIFICANT_DIGITS);
    }
    let negative = base.signum() < 0 && whole.is_some_and(|whole| is_odd(&whole));
    let magnitude = BigInt::from(b.magnitude().clone());
    let weight = ln_weight(&magnitude, b_scale);
    let rough = bits_of_digits(8 - weight);
    let rough_ln = ln(&magnitude, b_scale.into(), rough) * e;
    let rough_ln = rough_ln / power_of_ten(e_scale.into());
    let value = to_double(&rough_ln, rough);
    if value.abs() > POWER_LIMIT {
        return if value > 0.0 {
            Err(overflow())
        } else {
            zero(MAX_RESULT_SCALE)
        };
    }
    let digits = (SIGNIFICANT_DIGITS - truncated(value * LOG_E))
        .max(b_scale.into())
        .max(e_scale.into())
        .clamp(0, MAX_RESULT_SCALE);
    let size = i64::try_from(e.magnitude().to_string().len()).unwrap_or(0);
    let bits = bits_of_digits(digits + truncated(value.abs() * LOG_E) + size + 8);
    let finer = ln(&magnitude, b_scale.into(), bits) * e / power_of_ten(e_scale.into());
    let result = raised(&finer, bits, digits)?;
    Ok(if negative { -result } else { result })
}

fn to_double(value: &BigInt, bits: u64) -> f64 {
    // 64 bits behind the point are more than is needed here.
    let bits = i64::try_from(bits).unwrap_or(0);
    let fixed =
        i128::try_from(shifted(value, 64 - bits)).unwrap_or(if value.sign() == Sign::Minus {
            i128::MIN
        } else {
            i128::MAX
        });
    #[expect(clippy::cast_precision_loss, reason = "it is an estimate")]
    let value = fixed as f64;
    value / 18_446_744_073_709_551_616.0
}

/// The exponent, if it is a whole number.
fn whole_exponent(exponent: &Decimal) -> Option<BigInt> {
    let (unscaled, scale) = exponent.unscaled()?;
    let one = power_of_ten(scale.into());
    let is_whole = (unscaled % &one).sign() == Sign::NoSign;
    is_whole.then(|| unscaled / one)
}

fn is_odd(number: &BigInt) -> bool {
    number.bit(0)
}

/// 2201F for what has no real result.
fn refuse_undefined(base: &Decimal, exponent: &Decimal) -> Result<(), ValueError> {
    if base.is_zero() && exponent.signum() < 0 {
        return fail(
            SqlState::INVALID_ARGUMENT_FOR_POWER_FUNCTION,
            "zero raised to a negative power is undefined",
        );
    }
    let is_whole = exponent.unscaled().is_none() || whole_exponent(exponent).is_some();
    if base.signum() < 0 && !is_whole {
        return fail(
            SqlState::INVALID_ARGUMENT_FOR_POWER_FUNCTION,
            "a negative number raised to a non-integer power yields a complex result",
        );
    }
    Ok(())
}

/// Powers of and with what is not finite, as POSIX has them.
fn special(base: &Decimal, exponent: &Decimal) -> Result<Decimal, ValueError> {
    let one = Decimal::from(1);
    if matches!(base, Decimal::NotANumber) || matches!(exponent, Decimal::NotANumber) {
        let is_one = exponent.is_zero() || *base == one;
        return Ok(if is_one { one } else { Decimal::NotANumber });
    }
    refuse_undefined(base, exponent)?;
    if *base == one || exponent.is_zero() {
        return Ok(one);
    }
    let up = exponent.signum() > 0;
    if base.is_zero() {
        return Ok(Decimal::from(0));
    }
    if exponent.unscaled().is_none() {
        if *base == Decimal::from(-1) {
            return Ok(one);
        }
        let size = if base.signum() < 0 {
            -base.clone()
        } else {
            base.clone()
        };
        return Ok(if (size > one) == up {
            infinity()
        } else {
            Decimal::from(0)
        });
    }
    if !up {
        return Ok(Decimal::from(0));
    }
    let odd = whole_exponent(exponent).is_some_and(|whole| is_odd(&whole));
    Ok(Decimal::Infinity {
        negative: base.signum() < 0 && odd,
    })
}

/// A power by a whole number, with so many digits behind the point.
fn whole_power(base: &Decimal, exponent: i32, digits: i64) -> Result<Decimal, ValueError> {
    let scale = i16::try_from(digits).unwrap_or(i16::MAX);
    if exponent == 0 {
        return Ok(Decimal::from(1).rounded(scale));
    }
    let Some((unscaled, base_scale)) = base.unscaled() else {
        return Ok(base.clone());
    };
    if base.is_zero() {
        return zero(digits);
    }
    let (first, power) = leading_digits(unscaled, base_scale);
    let weight = f64::from(exponent) * (first.log10() + pgtypes::float::double_of_integer(power));
    if weight > 393_204.0 {
        return Err(overflow());
    }
    let least = pgtypes::float::double_of_integer(digits);
    if weight + 1.0 < -least || weight + 1.0 < -1_000.0 {
        return zero(digits);
    }
    let kept = 1 + digits + truncated(weight).max(0) + 32;
    let (mut result, mut result_scale) = (BigInt::from(1), 0_i64);
    let (mut square, mut square_scale) = (unscaled.clone(), i64::from(base_scale));
    let mut rest = exponent.unsigned_abs();
    // A negative power is an inverse, and needs as many digits as the power has in front.
    let kept = kept + truncated(weight.abs());
    loop {
        if rest & 1 == 1 {
            result *= &square;
            result_scale += square_scale;
            cut(&mut result, &mut result_scale, kept);
        }
        rest >>= 1;
        if rest == 0 {
            break;
        }
        square = &square * &square;
        square_scale *= 2;
        cut(&mut square, &mut square_scale, kept);
    }
    if exponent < 0 {
        return inverse(&result, result_scale, digits);
    }
    round_to(&result, result_scale, digits)
}

/// Takes digits off the end of a number that has more than are needed.
fn cut(value: &mut BigInt, scale: &mut i64, kept: i64) {
    let digits = i64::try_from(value.bits() * 30_103 / 100_000).unwrap_or(i64::MAX);
    let excess = digits - kept;
    if excess > 0 {
        let places = u32::try_from(excess).unwrap_or(0);
        *value /= power_of_ten(places);
        *scale -= excess;
    }
}

fn round_to(value: &BigInt, scale: i64, digits: i64) -> Result<Decimal, ValueError> {
    let excess = scale - digits;
    if excess <= 0 {
        let zeros = u32::try_from(-excess).map_err(|_| overflow())?;
        return Decimal::from_unscaled(value * power_of_ten(zeros), digits);
    }
    let unit = power_of_ten(u32::try_from(excess).map_err(|_| overflow())?);
    Decimal::from_unscaled(rounded_quotient(value, &unit), digits)
}

/// 1 divided by `value / 10^scale`.
fn inverse(value: &BigInt, scale: i64, digits: i64) -> Result<Decimal, ValueError> {
    // 10^scale / value, in units of 10^-digits.
    let power = scale + digits;
    if power < 0 {
        return zero(digits);
    }
    let dividend = power_of_ten(u32::try_from(power).map_err(|_| overflow())?);
    Decimal::from_unscaled(rounded_quotient(&dividend, value), digits)
}

fn rounded_quotient(dividend: &BigInt, divisor: &BigInt) -> BigInt {
    let (quotient, rest) = (dividend / divisor, dividend % divisor);
    if rest.magnitude() * 2_u8 < *divisor.magnitude() {
        return quotient;
    }
    let negative = (dividend.sign() == Sign::Minus) != (divisor.sign() == Sign::Minus);
    if negative { quotient - 1 } else { quotient + 1 }
}
