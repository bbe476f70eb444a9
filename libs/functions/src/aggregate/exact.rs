//! Exact sums of decimal numbers: 127 bits as long as they suffice.

use num_bigint::BigInt;
use pgtypes::{Decimal, SqlValueRef, ValueError};

use crate::arguments::decimal;
use crate::numeric::Small;

/// A sum, of which rows can be taken out.
#[derive(Debug, Default)]
pub(super) struct Exact {
    small: i128,
    scale: u16,
    /// What no longer fitted.
    large: BigInt,
    large_scale: u16,
}

fn power_of_ten(exponent: u16) -> BigInt {
    BigInt::from(10).pow(exponent.into())
}

impl Exact {
    /// Adds a number of few digits.
    pub(super) fn add(&mut self, number: Small) {
        if number.scale == self.scale
            && let Some(sum) = self.small.checked_add(number.unscaled)
        {
            self.small = sum;
            return;
        }
        let mine = Small {
            unscaled: self.small,
            scale: self.scale,
        };
        match mine.plus(number) {
            Some(sum) => (self.small, self.scale) = (sum.unscaled, sum.scale),
            None => {
                self.add_large(&BigInt::from(self.small), self.scale);
                (self.small, self.scale) = (number.unscaled, number.scale);
            }
        }
    }

    /// Adds a number of any length.
    pub(super) fn add_large(&mut self, unscaled: &BigInt, scale: u16) {
        let common = scale.max(self.large_scale);
        let more = unscaled * power_of_ten(common - scale);
        if common > self.large_scale {
            self.large = &self.large * power_of_ten(common - self.large_scale);
            self.large_scale = common;
        }
        self.large += more;
    }

    /// The sum in units of `10^-scale`, which is no coarser than any number that was added.
    pub(super) fn unscaled_at(&self, scale: u16) -> BigInt {
        // Both parts together: digits beyond the scale cancel out only there.
        let common = scale.max(self.scale).max(self.large_scale);
        let sum = BigInt::from(self.small) * power_of_ten(common - self.scale)
            + &self.large * power_of_ten(common - self.large_scale);
        if common == scale {
            return sum;
        }
        sum / power_of_ten(common - scale)
    }
}

/// What is added: a number, or what is none.
#[derive(Debug)]
pub(super) enum Addend {
    Small(Small),
    Large(Decimal),
}

impl Addend {
    /// An argument of an integer type or numeric; `None` for NULL.
    pub(super) fn of(arguments: &[SqlValueRef<'_>], at: usize) -> Result<Option<Self>, ValueError> {
        Ok(Some(match arguments.get(at) {
            None | Some(SqlValueRef::Null) => return Ok(None),
            Some(SqlValueRef::Integer(value)) => Self::Small(Small {
                unscaled: i128::from(*value),
                scale: 0,
            }),
            Some(SqlValueRef::Text(text)) => match Small::parse(text) {
                Some(small) => Self::Small(small),
                None => Self::Large(Decimal::parse(text)?),
            },
            Some(_) => Self::Large(decimal(arguments, at)?),
        }))
    }

    fn scale(&self) -> Option<u16> {
        match self {
            Self::Small(small) => Some(small.scale),
            Self::Large(number) => number.unscaled().map(|(_, scale)| scale),
        }
    }
}

/// How many numbers of which kind were added, and their sum.
#[derive(Debug, Default)]
pub(super) struct Total {
    pub(super) sum: Exact,
    /// The numbers that were added.
    pub(super) count: i64,
    nan: i64,
    above: i64,
    below: i64,
    /// How many numbers had so many digits behind the point.
    scales: Vec<(u16, i64)>,
}

impl Total {
    /// Adds a number, or takes it out.
    pub(super) fn add(&mut self, addend: &Addend, taken_out: bool) {
        let sign = if taken_out { -1 } else { 1 };
        self.count += sign;
        if let Some(scale) = addend.scale() {
            self.note(scale, sign);
        }
        match addend {
            Addend::Small(small) => self
                .sum
                .add(if taken_out { small.negated() } else { *small }),
            Addend::Large(Decimal::NotANumber) => self.nan += sign,
            Addend::Large(Decimal::Infinity { negative: true }) => self.below += sign,
            Addend::Large(Decimal::Infinity { negative: false }) => self.above += sign,
            Addend::Large(number) => {
                if let Some((unscaled, scale)) = number.unscaled() {
                    self.sum.add_large(&(unscaled * sign), scale);
                }
            }
        }
    }

    fn note(&mut self, scale: u16, sign: i64) {
        if let Some((_, count)) = self.scales.iter_mut().find(|(known, _)| *known == scale) {
            *count += sign;
            return;
        }
        self.scales.push((scale, sign));
    }

    /// The most digits behind the point.
    pub(super) fn scale(&self) -> u16 {
        let used = self.scales.iter().filter(|(_, count)| *count > 0);
        used.map(|(scale, _)| *scale).max().unwrap_or(0)
    }

    /// What the sum is if one of the numbers is not finite.
    pub(super) fn not_finite(&self) -> Option<Decimal> {
        if self.nan > 0 || (self.above > 0 && self.below > 0) {
            Some(Decimal::NotANumber)
        } else if self.above > 0 || self.below > 0 {
            Some(Decimal::Infinity {
                negative: self.below > 0,
            })
        } else {
            None
        }
    }

    /// The sum as a numeric.
    pub(super) fn value(&self) -> Result<Decimal, ValueError> {
        if let Some(special) = self.not_finite() {
            return Ok(special);
        }
        let scale = self.scale();
        Decimal::from_unscaled(self.sum.unscaled_at(scale), scale.into())
    }
}
