//! Decimal numbers of up to 38 digits, which most are: computed without allocation.

use std::cmp::Ordering;

/// Digits that fit 64 bits for sure.
const DIGITS_64: usize = 19;
/// Digits that fit 127 bits for sure.
const DIGITS_127: usize = 38;

/// `unscaled / 10^scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Small {
    pub(crate) unscaled: i128,
    pub(crate) scale: u16,
}

/// 10 to the power of so much, if it has no more than 38 zeros.
fn power_of_ten(exponent: u16) -> Option<i128> {
    10_i128.checked_pow(exponent.into())
}

impl Small {
    /// Reads the stored form; `None` for what is longer or no such number.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.as_bytes() {
            [b'-', digits @ ..] => (true, digits),
            digits => (false, digits),
        };
        let (magnitude, scale) = if digits.len() <= DIGITS_64 {
            let (magnitude, scale) = read_short(digits)?;
            (i128::from(magnitude), scale)
        } else {
            read_long(digits)?
        };
        Some(Self {
            unscaled: if negative { -magnitude } else { magnitude },
            scale,
        })
    }

    /// The same number with more digits behind the point.
    pub(crate) fn unscaled_at(self, scale: u16) -> Option<i128> {
        if scale == self.scale {
            return Some(self.unscaled);
        }
        let zeros = scale.checked_sub(self.scale)?;
        self.unscaled.checked_mul(power_of_ten(zeros)?)
    }

    pub(crate) fn plus(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let unscaled = self
            .unscaled_at(scale)?
            .checked_add(other.unscaled_at(scale)?)?;
        Some(Self { unscaled, scale })
    }

    pub(crate) fn negated(self) -> Self {
        // No number of 38 digits is the least of its width.
        Self {
            unscaled: -self.unscaled,
            ..self
        }
    }

    pub(crate) fn times(self, other: Self) -> Option<Self> {
        Some(Self {
            unscaled: self.unscaled.checked_mul(other.unscaled)?,
            scale: self.scale + other.scale,
        })
    }

    /// `None` where the scales are too far apart to be compared here.
    pub(crate) fn compare(self, other: Self) -> Option<Ordering> {
        let scale = self.scale.max(other.scale);
        let (a, b) = (self.unscaled_at(scale)?, other.unscaled_at(scale)?);
        Some(a.cmp(&b))
    }

    /// As numeric is printed.
    pub(crate) fn text(self) -> String {
        let scale = usize::from(self.scale);
        let mut out = String::with_capacity(scale + 24);
        if self.unscaled < 0 {
            out.push('-');
        }
        let mut digits = [b'0'; 40];
        let used = put_digits(self.unscaled.unsigned_abs(), &mut digits);
        let digits = digits.get(digits.len() - used..).unwrap_or_default();
        let digits = std::str::from_utf8(digits).unwrap_or_default();
        match digits.len().checked_sub(scale).filter(|whole| *whole > 0) {
            Some(whole) => {
                let (whole, fraction) = digits.split_at(whole);
                out.push_str(whole);
                if !fraction.is_empty() {
                    out.push('.');
                    out.push_str(fraction);
                }
            }
            None => {
                out.push_str("0.");
                out.extend(std::iter::repeat_n('0', scale - digits.len()));
                out.push_str(digits);
            }
        }
        out
    }
}

/// Writes a number at the end of a buffer, and says how many digits it has.
fn put_digits(value: u128, buffer: &mut [u8; 40]) -> usize {
    let mut used = 0;
    let mut places = buffer.iter_mut().rev();
    let mut put = |digit: u128| {
        if let Some(place) = places.next() {
            *place = b'0' + u8::try_from(digit).unwrap_or(0);
            used += 1;
        }
    };
    let mut large = value;
    while large > u128::from(u64::MAX) {
        put(large % 10);
        large /= 10;
    }
    let mut rest = u64::try_from(large).unwrap_or(0);
    loop {
        put(u128::from(rest % 10));
        rest /= 10;
        if rest == 0 {
            return used;
        }
    }
}

fn read_short(digits: &[u8]) -> Option<(u64, u16)> {
    let mut magnitude = 0_u64;
    let mut point = None;
    for (at, byte) in digits.iter().enumerate() {
        match byte.wrapping_sub(b'0') {
            digit @ 0..=9 => magnitude = magnitude * 10 + u64::from(digit),
            _ if *byte == b'.' && point.is_none() => point = Some(at),
            _ => return None,
        }
    }
    Some((magnitude, scale(digits.len(), point)?))
}

fn read_long(digits: &[u8]) -> Option<(i128, u16)> {
    // One more for the point.
    if digits.len() > DIGITS_127 + 1 {
        return None;
    }
    let (head, tail) = digits.split_at_checked(DIGITS_64)?;
    let (high, _) = read_short(head)?;
    let (mut magnitude, mut point) = (i128::from(high), head.iter().position(|byte| *byte == b'.'));
    for (at, byte) in tail.iter().enumerate() {
        match byte.wrapping_sub(b'0') {
            digit @ 0..=9 => {
                magnitude = magnitude.checked_mul(10)?.checked_add(digit.into())?;
            }
            _ if *byte == b'.' && point.is_none() => point = Some(at + DIGITS_64),
            _ => return None,
        }
    }
    let count = digits.len() - usize::from(point.is_some());
    (count <= DIGITS_127).then_some((magnitude, scale(digits.len(), point)?))
}

/// The digits behind the point; a number has one on each side of it.
fn scale(length: usize, point: Option<usize>) -> Option<u16> {
    match point {
        None => (length > 0).then_some(0),
        Some(at) => u16::try_from(length - at - 1)
            .ok()
            .filter(|scale| at > 0 && *scale > 0),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Small;

    #[test]
    fn numbers_are_printed_as_they_were_read() {
        for text in [
            "0",
            "-1",
            "12.50",
            "0.05",
            "-0.001",
            "0.00",
            "99999999999999999999999999999999999999",
            "-9999999999999999999.9999999999999999999",
        ] {
            let small = Small::parse(text);
            assert_eq!(small.map(Small::text).as_deref(), Some(text));
        }
    }

    #[test]
    fn what_is_longer_or_no_number_is_left_to_others() {
        for text in [
            "", "-", ".", "1.", ".5", "NaN", "1e5", "1.2.3", "Infinity", "1 ",
        ] {
            assert_eq!(Small::parse(text), None, "{text}");
        }
        assert_eq!(Small::parse(&"9".repeat(39)), None);
    }

    proptest! {
        #[test]
        fn sums_and_products_are_those_of_integers(a in -1_000_000_i64..1_000_000, b: i32) {
            let small = |value: i64, scale| Small { unscaled: value.into(), scale };
            let (x, y) = (small(a, 2), small(b.into(), 2));
            let sum = i128::from(a) + i128::from(b);
            prop_assert_eq!(x.plus(y), Some(Small { unscaled: sum, scale: 2 }));
            let product = i128::from(a) * i128::from(b);
            prop_assert_eq!(x.times(y), Some(Small { unscaled: product, scale: 4 }));
            prop_assert_eq!(x.compare(y), Some(a.cmp(&i64::from(b))));
            prop_assert_eq!(Small::parse(&x.text()), Some(x));
        }
    }
}
