//! Arithmetic of [`Decimal`] with the scales that PostgreSQL gives to results (`numeric.c`).

use std::cmp::Ordering;
use std::ops::Neg;

use num_bigint::{BigInt, Sign};

use crate::decimal::{Decimal, Finite, MAX_SCALE, power_of_ten};
use crate::{SqlState, ValueError};

/// Digits that a quotient and a root have at least.
const MIN_SIGNIFICANT_DIGITS: i64 = 16;
/// Digits behind the point that they have at most.
const MAX_RESULT_SCALE: i64 = 1_000;
/// Decimal digits of a digit in `numeric.c`, in which the size of numbers is estimated.
const GROUP: i64 = 4;

type Result<T> = std::result::Result<T, ValueError>;

fn division_by_zero() -> ValueError {
    ValueError::new(SqlState::DIVISION_BY_ZERO, "division by zero")
}

fn infinity(negative: bool) -> Decimal {
    Decimal::Infinity { negative }
}

fn finite(unscaled: BigInt, scale: impl Into<i64>) -> Result<Decimal> {
    Finite::new(unscaled, scale.into()).map(Decimal::Finite)
}

impl Neg for Decimal {
    type Output = Self;

    fn neg(self) -> Self {
        match self {
            Self::NotANumber => Self::NotANumber,
            Self::Infinity { negative } => infinity(!negative),
            Self::Finite(Finite { unscaled, scale }) => Self::Finite(Finite {
                unscaled: -unscaled,
                scale,
            }),
        }
    }
}

impl Decimal {
    /// The sum.
    pub fn plus(&self, other: &Self) -> Result<Self> {
        match (self, other) {
            (Self::Finite(a), Self::Finite(b)) => {
                let scale = a.scale.max(b.scale);
                finite(a.unscaled_at(scale) + b.unscaled_at(scale), scale)
            }
            (Self::NotANumber, _) | (_, Self::NotANumber) => Ok(Self::NotANumber),
            (Self::Infinity { negative: a }, Self::Infinity { negative: b }) if a != b => {
                Ok(Self::NotANumber)
            }
            (Self::Infinity { negative }, _) | (_, Self::Infinity { negative }) => {
                Ok(infinity(*negative))
            }
        }
    }

    /// The difference.
    pub fn minus(&self, other: &Self) -> Result<Self> {
        self.plus(&-other.clone())
    }

    /// The product, with the digits behind the point of both factors.
    pub fn times(&self, other: &Self) -> Result<Self> {
        match (self, other) {
            (Self::Finite(a), Self::Finite(b)) => {
                let scale = u32::from(a.scale) + u32::from(b.scale);
                let beyond = scale.saturating_sub(MAX_SCALE.into());
                let product = divided(&(&a.unscaled * &b.unscaled), &power_of_ten(beyond));
                finite(product, scale - beyond)
            }
            (Self::NotANumber, _) | (_, Self::NotANumber) => Ok(Self::NotANumber),
            _ => Ok(match self.signum() * other.signum() {
                0 => Self::NotANumber,
                sign => infinity(sign < 0),
            }),
        }
    }

    /// The quotient, with 16 significant digits or more; 22012 by zero.
    pub fn over(&self, other: &Self) -> Result<Self> {
        match (self, other) {
            (Self::NotANumber, _) | (_, Self::NotANumber) => Ok(Self::NotANumber),
            _ if other.is_zero() => Err(division_by_zero()),
            (Self::Finite(a), Self::Finite(b)) => {
                let scale = quotient_scale(a, b);
                let (dividend, divisor) = common(a, b, scale);
                finite(divided(&dividend, &divisor), scale)
            }
            (Self::Infinity { .. }, Self::Infinity { .. }) => Ok(Self::NotANumber),
            (Self::Finite(_), Self::Infinity { .. }) => Ok(Self::from(0)),
            (Self::Infinity { negative }, Self::Finite(_)) => {
                Ok(infinity(*negative != (other.signum() < 0)))
            }
        }
    }

    /// The whole part of the quotient, `div`; 22012 by zero.
    pub fn whole_quotient(&self, other: &Self) -> Result<Self> {
        match (self, other) {
            (Self::Finite(a), Self::Finite(b)) if !other.is_zero() => {
                let (dividend, divisor) = common(a, b, 0);
                finite(dividend / divisor, 0)
            }
            _ => self.over(other),
        }
    }

    /// What a division leaves, with the sign of the dividend; 22012 by zero.
    pub fn remainder(&self, other: &Self) -> Result<Self> {
        match (self, other) {
            (Self::NotANumber, _) | (_, Self::NotANumber) => Ok(Self::NotANumber),
            _ if other.is_zero() => Err(division_by_zero()),
            (Self::Finite(a), Self::Finite(b)) => {
                let scale = a.scale.max(b.scale);
                finite(a.unscaled_at(scale) % b.unscaled_at(scale), scale)
            }
            (Self::Infinity { .. }, _) => Ok(Self::NotANumber),
            (Self::Finite(_), Self::Infinity { .. }) => Ok(self.clone()),
        }
    }

    /// The square root, with 16 significant digits or more; 2201F of a negative number.
    pub fn square_root(&self) -> Result<Self> {
        let number = match self {
            _ if self.signum() < 0 => {
                return Err(ValueError::new(
                    SqlState::INVALID_ARGUMENT_FOR_POWER_FUNCTION,
                    "cannot take square root of a negative number",
                ));
            }
            Self::Finite(number) => number,
            other => return Ok(other.clone()),
        };
        let (weight, _) = leading_group(number);
        let scale = MIN_SIGNIFICANT_DIGITS - ((weight + 1) * GROUP / 2 - 1);
        let scale = scale.max(number.scale.into()).clamp(0, MAX_RESULT_SCALE);
        // A finer root cut off rounds as the true one does.
        let finer = scale.max(i64::from(number.scale.div_ceil(2))) + 1;
        let zeros = u32::try_from(2 * finer - i64::from(number.scale)).unwrap_or(0);
        let root = (&number.unscaled * power_of_ten(zeros)).sqrt();
        let beyond = u32::try_from(finer - scale).unwrap_or(0);
        finite(divided(&root, &power_of_ten(beyond)), scale)
    }
}

/// Dividend and divisor as whole numbers whose quotient has `scale` digits behind the point.
fn common(a: &Finite, b: &Finite, scale: u16) -> (BigInt, BigInt) {
    let [up, down] = [u32::from(b.scale) + u32::from(scale), u32::from(a.scale)];
    (
        &a.unscaled * power_of_ten(up.saturating_sub(down)),
        &b.unscaled * power_of_ten(down.saturating_sub(up)),
    )
}

/// The quotient rounded half away from zero.
fn divided(dividend: &BigInt, divisor: &BigInt) -> BigInt {
    let (quotient, rest) = (dividend / divisor, dividend % divisor);
    if (rest.magnitude() * 2_u8).cmp(divisor.magnitude()) == Ordering::Less {
        return quotient;
    }
    let negative = (dividend.sign() == Sign::Minus) != (divisor.sign() == Sign::Minus);
    if negative { quotient - 1 } else { quotient + 1 }
}

/// `select_div_scale`: 16 significant digits by the estimate from the leading groups, and no fewer
/// digits behind the point than either operand shows.
fn quotient_scale(a: &Finite, b: &Finite) -> u16 {
    let ((a_weight, a_first), (b_weight, b_first)) = (leading_group(a), leading_group(b));
    let weight = a_weight - b_weight - i64::from(a_first <= b_first);
    let scale = (MIN_SIGNIFICANT_DIGITS - weight * GROUP).max(a.scale.max(b.scale).into());
    u16::try_from(scale.clamp(0, MAX_RESULT_SCALE)).unwrap_or(0)
}

/// The power of 10000 and the value of a number's first group of four digits.
fn leading_group(number: &Finite) -> (i64, u16) {
    if number.unscaled.sign() == Sign::NoSign {
        return (0, 0);
    }
    let digits = number.unscaled.magnitude().to_string();
    let last = i64::try_from(digits.len()).unwrap_or(i64::MAX) - i64::from(number.scale) - 1;
    let width = usize::try_from(last.rem_euclid(GROUP) + 1).unwrap_or(1);
    let first = format!("{:0<width$}", digits.get(..width).unwrap_or(&digits));
    (last.div_euclid(GROUP), first.parse().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use num_bigint::BigInt;
    use proptest::prelude::*;

    use super::Result;
    use crate::decimal::{Finite, power_of_ten};
    use crate::{Decimal, SqlState};

    fn read(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    fn check(compute: fn(&Decimal, &Decimal) -> Result<Decimal>, cases: &[(&str, &str, &str)]) {
        for (a, b, result) in cases {
            let computed = compute(&read(a), &read(b)).unwrap();
            assert_eq!(computed.to_string(), *result, "{a} {b}");
        }
    }

    #[test]
    fn sums_and_products_show_the_digits_of_both() {
        check(
            Decimal::plus,
            &[
                ("1.5", "2.25", "3.75"),
                ("1.50", "-1.5", "0.00"),
                ("inf", "1", "Infinity"),
                ("inf", "-inf", "NaN"),
                ("nan", "1", "NaN"),
            ],
        );
        check(
            Decimal::minus,
            &[("1", "0.001", "0.999"), ("inf", "inf", "NaN")],
        );
        check(
            Decimal::times,
            &[
                ("1.5", "-2.25", "-3.375"),
                ("0.10", "0.10", "0.0100"),
                ("0", "inf", "NaN"),
                ("-2", "inf", "-Infinity"),
                ("nan", "0", "NaN"),
            ],
        );
    }

    #[test]
    fn quotients_have_postgresqls_scale() {
        check(
            Decimal::over,
            &[
                ("1", "3", "0.33333333333333333333"),
                ("10", "3", "3.3333333333333333"),
                ("100000", "7", "14285.714285714286"),
                ("1.0", "3.00", "0.33333333333333333333"),
                ("0.0001", "3", "0.000033333333333333333333"),
                ("1", "99999", "0.000010000100001000010000"),
                ("-2", "3", "-0.66666666666666666667"),
                ("inf", "-2", "-Infinity"),
                ("inf", "inf", "NaN"),
                ("1", "-inf", "0"),
                ("nan", "0", "NaN"),
            ],
        );
        check(
            Decimal::remainder,
            &[
                ("5.5", "2", "1.5"),
                ("-5.5", "2.25", "-1.00"),
                ("10.123", "0.1", "0.023"),
                ("inf", "2", "NaN"),
                ("2", "inf", "2"),
            ],
        );
        check(
            Decimal::whole_quotient,
            &[
                ("7.5", "2", "3"),
                ("-7.5", "2", "-3"),
                ("0.7", "0.01", "70"),
            ],
        );
        for compute in [Decimal::over, Decimal::remainder, Decimal::whole_quotient] {
            for dividend in ["1", "0", "inf"] {
                let error = compute(&read(dividend), &read("0.00")).unwrap_err();
                assert_eq!(error.sqlstate, SqlState::DIVISION_BY_ZERO);
            }
        }
    }

    #[test]
    fn roots_have_postgresqls_scale() {
        for (number, root) in [
            ("2", "1.414213562373095"),
            ("2.00", "1.414213562373095"),
            ("1e10", "100000.00000000000"),
            ("0.0001", "0.01000000000000000"),
            ("123456789.123", "11111.11106609056"),
            ("1e-30", "0.0000000000000010000000000000000"),
            ("0", "0.000000000000000"),
            ("1e40", "100000000000000000000"),
            ("12345678901234567890", "3513641828.8201443"),
            ("inf", "Infinity"),
            ("nan", "NaN"),
        ] {
            assert_eq!(read(number).square_root().unwrap().to_string(), root);
        }
        assert!(read("-1").square_root().is_err() && read("-inf").square_root().is_err());
    }

    #[test]
    fn results_beyond_the_limits_are_refused_or_rounded() {
        let largest = read(&"9".repeat(131_072));
        for error in [
            largest.plus(&Decimal::from(1)),
            largest.times(&Decimal::from(10)),
            largest.over(&read("0.1")),
        ] {
            assert_eq!(error.unwrap_err().message, "value overflows numeric format");
        }
        let least = read("1e-16383");
        let half = least.times(&read("0.5")).unwrap();
        assert_eq!(half, least);
        assert!(least.times(&read("0.4")).unwrap().is_zero());
        assert_eq!(largest.minus(&largest).unwrap(), Decimal::from(0));
    }

    fn any_decimal() -> impl Strategy<Value = (BigInt, u16)> {
        let digits = prop_oneof!["-?[0-9]{1,12}", "-?[0-9]{1,120}"];
        (digits, 0_u16..60).prop_map(|(digits, scale)| (digits.parse().unwrap(), scale))
    }

    fn decimal((unscaled, scale): &(BigInt, u16)) -> Decimal {
        Decimal::Finite(Finite {
            unscaled: unscaled.clone(),
            scale: *scale,
        })
    }

    /// `unscaled / 10^scale` as a whole number of `10^-200`.
    fn fine((unscaled, scale): &(BigInt, u16)) -> BigInt {
        unscaled * power_of_ten(200 - u32::from(*scale))
    }

    fn parts(decimal: Decimal) -> (BigInt, u16) {
        match decimal {
            Decimal::Finite(number) => (number.unscaled, number.scale),
            other => panic!("{other}"),
        }
    }

    proptest! {
        #[test]
        fn arithmetic_is_that_of_whole_numbers(a in any_decimal(), b in any_decimal()) {
            let (x, y) = (decimal(&a), decimal(&b));
            let sum = parts(x.plus(&y).unwrap());
            prop_assert_eq!(fine(&sum), fine(&a) + fine(&b));
            prop_assert_eq!(sum.1, a.1.max(b.1));
            let product = parts(x.times(&y).unwrap());
            prop_assert_eq!(product, (&a.0 * &b.0, a.1 + b.1));
            prop_assert_eq!(x.cmp(&y), fine(&a).cmp(&fine(&b)));
        }

        #[test]
        fn a_quotient_is_the_nearest_of_its_scale(a in any_decimal(), b in any_decimal()) {
            prop_assume!(b.0 != BigInt::ZERO);
            let (x, y) = (decimal(&a), decimal(&b));
            let quotient = parts(x.over(&y).unwrap());
            prop_assert!(quotient.1 >= a.1.max(b.1));
            // |a - q·b| ≤ |b| / 2 in the last place of q.
            let error = &a.0 * power_of_ten(u32::from(b.1 + quotient.1))
                - &quotient.0 * &b.0 * power_of_ten(u32::from(a.1));
            let bound = &b.0 * power_of_ten(u32::from(a.1));
            prop_assert!(error.magnitude() * 2_u8 <= *bound.magnitude());
            let whole = x.whole_quotient(&y).unwrap();
            let rest = x.remainder(&y).unwrap();
            prop_assert_eq!(whole.times(&y).unwrap().plus(&rest).unwrap(), x);
        }

        #[test]
        fn a_root_is_the_nearest_of_its_scale(a in any_decimal()) {
            let square = (BigInt::from(a.0.magnitude().clone()), a.1);
            let (root, scale) = parts(decimal(&square).square_root().unwrap());
            // (2r - 1)² ≤ 4·a < (2r + 1)² in places of r².
            let four = &square.0 * 4 * power_of_ten(2 * u32::from(scale) - u32::from(a.1));
            let twice: BigInt = root * 2;
            prop_assert!((&twice + 1_u8).pow(2) > four);
            prop_assert!(twice == BigInt::ZERO || (&twice - 1_u8).pow(2) <= four);
        }
    }
}
