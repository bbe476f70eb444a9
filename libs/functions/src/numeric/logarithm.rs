//! How many digits logarithms have: `numeric.c` estimates their size from the first digits of a
//! number in base 10000.

use num_bigint::{BigInt, Sign};
use pgtypes::{Decimal, SqlState, ValueError};

use crate::error::fail;
use crate::numeric::transcendental::{bits_of_digits, ln, to_decimal};

/// Digits that a result has at least.
pub(crate) const SIGNIFICANT_DIGITS: i64 = 16;
/// Digits behind the point that it has at most.
pub(crate) const MAX_RESULT_SCALE: i64 = 1_000;
/// The logarithm of 10 to base e.
const LN_10: f64 = std::f64::consts::LN_10;

/// A positive number as its unscaled digits and its scale; 2201E for another.
pub(crate) fn for_logarithm(number: &Decimal) -> Result<(), ValueError> {
    match number.signum() {
        0 => fail(
            SqlState::INVALID_ARGUMENT_FOR_LOG,
            "cannot take logarithm of zero",
        ),
        -1 => fail(
            SqlState::INVALID_ARGUMENT_FOR_LOG,
            "cannot take logarithm of a negative number",
        ),
        _ => Ok(()),
    }
}

/// The power of 10000 of the first group of four digits, and the first two groups as one number
/// with the power of 10 that it stands for.
fn leading_groups(unscaled: &BigInt, scale: u16, groups: usize) -> (f64, i64) {
    let digits = unscaled.magnitude().to_string();
    let last = i64::try_from(digits.len()).unwrap_or(i64::MAX) - i64::from(scale) - 1;
    let width = usize::try_from(last.rem_euclid(4) + 1).unwrap_or(1);
    let mut taken = width;
    let trimmed = digits.trim_end_matches('0').len();
    let mut power = last.div_euclid(4) * 4;
    for _ in 1..groups {
        if trimmed <= taken {
            break;
        }
        taken += 4;
        power -= 4;
    }
    let head = digits.get(..taken.min(digits.len())).unwrap_or_default();
    let number: f64 = format!("{head:0<taken$}").parse().unwrap_or(0.0);
    (number, power)
}

/// The number of the first digits, up to sixteen, and the power of 10 it stands for.
pub(crate) fn leading_digits(unscaled: &BigInt, scale: u16) -> (f64, i64) {
    leading_groups(unscaled, scale, 4)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "it is cut to a whole number, which is small"
)]
pub(crate) fn truncated(value: f64) -> i64 {
    value as i64
}

/// About the decimal exponent of the logarithm.
pub(crate) fn ln_weight(unscaled: &BigInt, scale: u16) -> i64 {
    if unscaled.sign() != Sign::Plus {
        return 0;
    }
    let one = BigInt::from(10).pow(scale.into());
    let ten_times: BigInt = unscaled * 10;
    if ten_times >= &one * 9 && ten_times <= &one * 11 {
        let rest = unscaled - one;
        if rest.sign() == Sign::NoSign {
            return 0;
        }
        let (first, power) = leading_groups(&rest, scale, 1);
        return power + truncated(first.log10());
    }
    let (digits, power) = leading_groups(unscaled, scale, 2);
    let ln = digits.ln() + pgtypes::float::double_of_integer(power) * LN_10;
    truncated(ln.abs().log10())
}

/// The natural logarithm of a number that [`for_logarithm`] lets pass.
pub(crate) fn natural(number: &Decimal) -> Result<Decimal, ValueError> {
    for_logarithm(number)?;
    let Some((unscaled, scale)) = number.unscaled() else {
        return Ok(number.clone());
    };
    let digits = (SIGNIFICANT_DIGITS - ln_weight(unscaled, scale))
        .max(scale.into())
        .clamp(0, MAX_RESULT_SCALE);
    let bits = bits_of_digits(digits);
    let value = ln(unscaled, scale.into(), bits);
    decimal(&value, bits, digits)
}

/// `value / 2^bits` with so many digits behind the point.
pub(crate) fn decimal(value: &BigInt, bits: u64, digits: i64) -> Result<Decimal, ValueError> {
    let bits = i64::try_from(bits).unwrap_or(i64::MAX);
    let scale = u32::try_from(digits).unwrap_or(0);
    Decimal::from_unscaled(to_decimal(value, bits, scale), digits)
}

/// The logarithm to a base.
pub(crate) fn to_base(base: &Decimal, number: &Decimal) -> Result<Decimal, ValueError> {
    let is_nan = |number: &Decimal| matches!(number, Decimal::NotANumber);
    if is_nan(base) || is_nan(number) {
        return Ok(Decimal::NotANumber);
    }
    let infinite = base.unscaled().is_none() || number.unscaled().is_none();
    let (first, second) = if infinite && number.signum() < 0 {
        (number, base)
    } else {
        (base, number)
    };
    for_logarithm(first)?;
    for_logarithm(second)?;
    let (b, b_scale, n, n_scale) = match (base.unscaled(), number.unscaled()) {
        (Some((b, b_scale)), Some((n, n_scale))) => (b, b_scale, n, n_scale),
        // Of two infinities nothing is known.
        (None, None) => return Ok(Decimal::NotANumber),
        (None, Some(_)) => return Ok(Decimal::from(0)),
        (Some(_), None) => return Ok(number.clone()),
    };
    let (base_weight, number_weight) = (ln_weight(b, b_scale), ln_weight(n, n_scale));
    let digits = (SIGNIFICANT_DIGITS - (number_weight - base_weight))
        .max(b_scale.into())
        .max(n_scale.into())
        .clamp(0, MAX_RESULT_SCALE);
    // The quotient is as wrong as the divisor is in proportion to its size.
    let bits = bits_of_digits(digits + base_weight.abs() * 2 + number_weight.abs());
    let divisor = ln(b, b_scale.into(), bits);
    if divisor.sign() == Sign::NoSign {
        return Err(crate::error::division_by_zero());
    }
    let quotient = (ln(n, n_scale.into(), bits) << bits) / divisor;
    decimal(&quotient, bits, digits)
}
