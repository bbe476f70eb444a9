//! Decimal numbers, exact within the limits of PostgreSQL's numeric.

use std::cmp::Ordering;

use num_bigint::{BigInt, Sign};

use crate::float::Shortest;
use crate::{SqlState, ValueError};

/// Digits in front of the point.
const MAX_WHOLE_DIGITS: u32 = 131_072;
/// Digits behind the point.
pub const MAX_SCALE: u16 = 16_383;
/// A number of type numeric.
///
/// Numbers are compared by value: `1.0` equals `1.00`, and NaN, which equals itself, is greater
/// than all others.
#[derive(Clone, Debug)]
pub enum Decimal {
    /// No number.
    NotANumber,
    /// Beyond all numbers.
    Infinity {
        /// Below them.
        negative: bool,
    },
    /// `unscaled / 10^scale`.
    Finite(Finite),
}

/// A finite decimal number; it keeps the zeros at its end.
#[derive(Clone, Debug)]
pub struct Finite {
    pub(crate) unscaled: BigInt,
    pub(crate) scale: u16,
}

pub(crate) fn power_of_ten(exponent: u32) -> BigInt {
    BigInt::from(10).pow(exponent)
}

/// `value overflows numeric format`, 22003.
pub(crate) fn overflow() -> ValueError {
    ValueError::new(
        SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
        "value overflows numeric format",
    )
}

impl Decimal {
    /// The shortest digits that mean this double; its scale is as many digits as they have.
    pub fn from_real(value: f64) -> Self {
        if value.is_nan() {
            return Self::NotANumber;
        }
        let negative = value < 0.0;
        if value.is_infinite() {
            return Self::Infinity { negative };
        }
        let shortest = Shortest::of_double(value);
        let digits = shortest
            .digits()
            .fold(0_u64, |number, digit| number * 10 + u64::from(digit - b'0'));
        let count = i32::try_from(shortest.digits().count()).unwrap_or(0);
        let behind = count - 1 - shortest.exponent();
        let unscaled = BigInt::from(digits) * power_of_ten(u32::try_from(-behind).unwrap_or(0));
        Self::Finite(Finite {
            unscaled: if negative { -unscaled } else { unscaled },
            scale: u16::try_from(behind).unwrap_or(0),
        })
    }

    /// `unscaled / 10^scale`; a negative scale means zeros at the end. 22003 beyond numeric's
    /// bounds.
    pub fn from_unscaled(unscaled: BigInt, scale: i64) -> Result<Self, ValueError> {
        Finite::new(unscaled, scale).map(Self::Finite)
    }

    /// A finite number as `unscaled / 10^scale`.
    pub fn unscaled(&self) -> Option<(&BigInt, u16)> {
        match self {
            Self::Finite(number) => Some((&number.unscaled, number.scale)),
            Self::NotANumber | Self::Infinity { .. } => None,
        }
    }

    /// The nearest double.
    pub fn to_real(&self) -> f64 {
        // The text of a decimal is one of a double.
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// Rounded to `scale` digits behind the point, half away from zero, and shown with as many.
    /// A negative scale rounds in front of the point.
    #[must_use]
    pub fn rounded(self, scale: i16) -> Self {
        self.map(|number| number.rounded(scale))
    }

    /// The digits from `scale` behind the point on cut off.
    #[must_use]
    pub fn truncated(self, scale: i16) -> Self {
        self.map(|number| number.truncated(scale))
    }

    pub(crate) fn map(self, change: impl FnOnce(Finite) -> Finite) -> Self {
        match self {
            Self::Finite(number) => Self::Finite(change(number)),
            other => other,
        }
    }

    /// Whether this is zero.
    pub fn is_zero(&self) -> bool {
        matches!(self, Self::Finite(number) if number.unscaled.sign() == Sign::NoSign)
    }

    /// -1, 0 or 1; NaN counts as positive.
    pub fn signum(&self) -> i8 {
        match self {
            Self::NotANumber | Self::Infinity { negative: false } => 1,
            Self::Infinity { negative: true } => -1,
            Self::Finite(number) => match number.unscaled.sign() {
                Sign::Minus => -1,
                Sign::NoSign => 0,
                Sign::Plus => 1,
            },
        }
    }
}

impl From<i64> for Decimal {
    fn from(value: i64) -> Self {
        Self::Finite(Finite {
            unscaled: value.into(),
            scale: 0,
        })
    }
}

impl Finite {
    /// A number within numeric's bounds, else 22003. A negative scale means zeros at the end.
    pub(crate) fn new(unscaled: BigInt, scale: i64) -> Result<Self, ValueError> {
        let zeros = u32::try_from(-scale).unwrap_or(0);
        if unscaled.sign() == Sign::NoSign {
            let scale = u16::try_from(scale.max(0)).map_err(|_| overflow())?;
            return Self { unscaled, scale }.checked();
        }
        if zeros > MAX_WHOLE_DIGITS {
            return Err(overflow());
        }
        let unscaled = if zeros > 0 {
            unscaled * power_of_ten(zeros)
        } else {
            unscaled
        };
        let scale = u16::try_from(scale.max(0)).map_err(|_| overflow())?;
        Self { unscaled, scale }.checked()
    }

    fn checked(self) -> Result<Self, ValueError> {
        let digits = MAX_WHOLE_DIGITS + u32::from(self.scale);
        // A digit has at least three bits: only numbers near the limit are compared with it.
        let near = self.unscaled.bits() / 3 >= u64::from(digits);
        let too_large = near && *self.unscaled.magnitude() >= *power_of_ten(digits).magnitude();
        if too_large || self.scale > MAX_SCALE {
            return Err(overflow());
        }
        Ok(self)
    }

    /// From decimal digits, of which the first is not 0.
    pub(crate) fn of_digits(negative: bool, digits: &str, scale: i64) -> Result<Self, ValueError> {
        let whole = i64::try_from(digits.len())
            .unwrap_or(i64::MAX)
            .saturating_sub(scale);
        // To be known before the time is taken to read that many.
        if !digits.is_empty() && whole > i64::from(MAX_WHOLE_DIGITS) || scale > i64::from(MAX_SCALE)
        {
            return Err(overflow());
        }
        let unscaled = BigInt::parse_bytes(digits.as_bytes(), 10).unwrap_or_default();
        Self::new(if negative { -unscaled } else { unscaled }, scale)
    }

    /// `unscaled` as it would be with another scale, which is not smaller.
    pub(crate) fn unscaled_at(&self, scale: u16) -> BigInt {
        &self.unscaled * power_of_ten(u32::from(scale.saturating_sub(self.scale)))
    }

    /// See [`Decimal::rounded`].
    pub(crate) fn rounded(self, scale: i16) -> Self {
        let unit = self.unit(scale);
        let half: BigInt = &unit / 2;
        let half = match self.unscaled.sign() {
            Sign::Minus => -half,
            Sign::NoSign | Sign::Plus => half,
        };
        self.cut(scale, &unit, &half)
    }

    /// See [`Decimal::truncated`].
    pub(crate) fn truncated(self, scale: i16) -> Self {
        let unit = self.unit(scale);
        self.cut(scale, &unit, &BigInt::ZERO)
    }

    /// What one in the last place of `scale` is in places of this number; 1 if that is finer.
    fn unit(&self, scale: i16) -> BigInt {
        let places = i32::from(self.scale) - i32::from(scale);
        power_of_ten(u32::try_from(places).unwrap_or(0))
    }

    fn cut(self, scale: i16, unit: &BigInt, added: &BigInt) -> Self {
        let shown = u16::try_from(scale).unwrap_or(0);
        let unscaled = if shown >= self.scale && scale >= 0 {
            self.unscaled_at(shown)
        } else {
            (self.unscaled + added) / unit * power_of_ten(u32::from(scale.min(0).unsigned_abs()))
        };
        Self {
            unscaled,
            scale: shown,
        }
    }

    /// Rounded to so many digits in all, half away from zero, and shown without zeros at the end.
    pub(crate) fn rounded_to_significant(self, count: i32) -> Self {
        let digits = self.unscaled.magnitude().to_string().len();
        let whole = i32::try_from(digits).unwrap_or(i32::MAX) - i32::from(self.scale);
        let scale = i16::try_from(count - whole).unwrap_or(i16::MAX);
        if i32::from(scale) >= i32::from(self.scale) {
            return self.without_zeros();
        }
        self.rounded(scale).without_zeros()
    }

    fn without_zeros(mut self) -> Self {
        let digits = self.unscaled.to_string();
        let zeros = digits.len() - digits.trim_end_matches('0').len();
        let zeros = u16::try_from(zeros).unwrap_or(u16::MAX).min(self.scale);
        self.unscaled /= power_of_ten(zeros.into());
        self.scale -= zeros;
        self
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let rank = |decimal: &Self| match decimal {
            Self::Infinity { negative: true } => 0,
            Self::Finite(_) => 1,
            Self::Infinity { negative: false } => 2,
            Self::NotANumber => 3,
        };
        match (self, other) {
            (Self::Finite(a), Self::Finite(b)) => {
                let scale = a.scale.max(b.scale);
                a.unscaled_at(scale).cmp(&b.unscaled_at(scale))
            }
            _ => rank(self).cmp(&rank(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Decimal;

    fn read(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn rounding_goes_away_from_zero_at_the_half() {
        for (input, scale, output) in [
            ("1.005", 2, "1.01"),
            ("-1.005", 2, "-1.01"),
            ("1.004", 2, "1.00"),
            ("0.5", 0, "1"),
            ("0.4", 0, "0"),
            ("-0.4", 0, "0"),
            ("9.999", 2, "10.00"),
            ("0.05", 0, "0"),
            ("0.049", 1, "0.0"),
            ("0.05", 1, "0.1"),
            ("1250", -2, "1300"),
            ("49", -2, "0"),
            ("50", -2, "100"),
            ("7", 3, "7.000"),
        ] {
            assert_eq!(
                read(input).rounded(scale).to_string(),
                output,
                "{input} at {scale}"
            );
        }
    }

    #[test]
    fn cutting_off_goes_towards_zero() {
        for (input, scale, output) in [
            ("2.567", 2, "2.56"),
            ("-2.567", 1, "-2.5"),
            ("1299", -2, "1200"),
            ("99", -2, "0"),
            ("1.5", 3, "1.500"),
        ] {
            assert_eq!(read(input).truncated(scale).to_string(), output);
        }
    }

    #[test]
    fn numbers_are_compared_by_value() {
        let sorted = [
            "-inf", "-2.50", "-1", "0.00", "1e-3", "1.0", "1e20", "inf", "nan",
        ];
        for (at, text) in sorted.iter().enumerate() {
            for (other_at, other) in sorted.iter().enumerate() {
                assert_eq!(
                    read(text).cmp(&read(other)),
                    at.cmp(&other_at),
                    "{text} {other}"
                );
            }
        }
        assert_eq!(read("1.0"), read("1.000"));
    }

    #[test]
    fn doubles_have_their_shortest_digits() {
        for (value, text) in [
            (0.1, "0.1"),
            (-1.5e-7, "-0.00000015"),
            (1e20, "100000000000000000000"),
            (100.0, "100"),
            (0.0, "0"),
            (f64::NEG_INFINITY, "-Infinity"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(Decimal::from_real(value).to_string(), text);
        }
    }
}
