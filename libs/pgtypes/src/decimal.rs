//! Decimal numbers of any length, exact.

use bytes::{BufMut, BytesMut};

use crate::float::Shortest;
use crate::{SqlState, ValueError};

/// Magnitude in front of the point that PostgreSQL's numeric holds.
const MAX_WHOLE_DIGITS: i64 = 131_072;
/// Magnitude behind the point that it shows.
pub(crate) const MAX_SCALE: u16 = 16_383;

/// A number of type numeric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decimal {
    NotANumber,
    Infinity { negative: bool },
    Finite(Magnitude),
}

/// A finite decimal number: `0.d₁d₂d₃… × 10^point`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Magnitude {
    pub(crate) negative: bool,
    /// Values 0 to 9, the first and the last of them not 0; empty for zero.
    pub(crate) digits: Vec<u8>,
    /// How many digits stand in front of the point; negative: zeros behind it come first.
    pub(crate) point: i32,
    /// How many digits behind the point are shown.
    pub(crate) scale: u16,
}

impl Decimal {
    /// Reads PostgreSQL's syntax: `-12.50`, `1e-3`, `NaN`, `Infinity`.
    pub(crate) fn parse(text: &str) -> Result<Self, ValueError> {
        let syntax = || ValueError::syntax("numeric", text);
        let trimmed = text.trim_ascii();
        let (negative, number) = match trimmed.strip_prefix('-') {
            Some(number) => (true, number),
            None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
        };
        if trimmed.eq_ignore_ascii_case("nan") {
            return Ok(Self::NotANumber);
        }
        if number.eq_ignore_ascii_case("infinity") || number.eq_ignore_ascii_case("inf") {
            return Ok(Self::Infinity { negative });
        }
        let (mantissa, exponent) = match number.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (number, None),
        };
        let exponent = exponent.map_or(Ok(0), |e| parse_exponent(e).ok_or_else(syntax))?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
            return Err(syntax());
        }
        let length = |text: &str| i64::try_from(text.len()).unwrap_or(i64::MAX);
        let digits = whole
            .bytes()
            .chain(fraction.bytes())
            .map(|b| b - b'0')
            .collect();
        let scale = length(fraction).saturating_sub(exponent).max(0);
        let point = length(whole).saturating_add(exponent);
        Magnitude::new(negative, digits, point, scale).map(Self::Finite)
    }

    /// The digits of a whole number.
    pub(crate) fn from_integer(value: i64) -> Self {
        let mut rest = value.unsigned_abs();
        let mut digits = Vec::with_capacity(20);
        while rest > 0 {
            digits.push(u8::try_from(rest % 10).unwrap_or(0));
            rest /= 10;
        }
        digits.reverse();
        let point = i32::try_from(digits.len()).unwrap_or(0);
        Self::Finite(
            Magnitude {
                negative: value < 0,
                digits,
                point,
                scale: 0,
            }
            .normalised(),
        )
    }

    /// The shortest digits that mean this double; its scale is as many digits as they have.
    pub(crate) fn from_real(value: f64) -> Self {
        if value.is_nan() {
            return Self::NotANumber;
        }
        let negative = value < 0.0;
        if value.is_infinite() {
            return Self::Infinity { negative };
        }
        let shortest = Shortest::of(value);
        let digits: Vec<u8> = shortest.digits().map(|b| b - b'0').collect();
        let number = Magnitude {
            negative,
            digits,
            point: shortest.exponent() + 1,
            scale: 0,
        };
        Self::Finite(number.normalised().with_natural_scale())
    }
}

/// An exponent; one beyond all bounds is cut to one that is still beyond them.
fn parse_exponent(text: &str) -> Option<i64> {
    const BEYOND: i64 = 1_000_000_000;
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let size = digits.parse::<i64>().map_or(BEYOND, |n| n.min(BEYOND));
    Some(if text.starts_with('-') { -size } else { size })
}

impl Magnitude {
    /// A number within numeric's bounds, else 22003.
    pub(crate) fn new(
        negative: bool,
        digits: Vec<u8>,
        point: i64,
        scale: i64,
    ) -> Result<Self, ValueError> {
        let overflow = || {
            ValueError::new(
                SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
                "value overflows numeric format",
            )
        };
        let is_zero = digits.iter().all(|digit| *digit == 0);
        let leading = digits.iter().take_while(|digit| **digit == 0).count();
        let whole = point.saturating_sub(i64::try_from(leading).unwrap_or(i64::MAX));
        if !is_zero && whole > MAX_WHOLE_DIGITS {
            return Err(overflow());
        }
        let scale = u16::try_from(scale)
            .ok()
            .filter(|s| *s <= MAX_SCALE)
            .ok_or_else(overflow)?;
        let point = if is_zero {
            0
        } else {
            i32::try_from(point).map_err(|_| overflow())?
        };
        Ok(Self {
            negative,
            digits,
            point,
            scale,
        }
        .normalised())
    }

    /// Without zeros at either end; zero has no sign.
    fn normalised(mut self) -> Self {
        let leading = self.digits.iter().take_while(|digit| **digit == 0).count();
        self.digits.drain(..leading);
        self.point -= i32::try_from(leading).unwrap_or(0);
        let trailing = self
            .digits
            .iter()
            .rev()
            .take_while(|digit| **digit == 0)
            .count();
        self.digits.truncate(self.digits.len() - trailing);
        if self.digits.is_empty() {
            self.point = 0;
            self.negative = false;
        }
        self
    }

    fn length(&self) -> i32 {
        i32::try_from(self.digits.len()).unwrap_or(i32::MAX)
    }

    /// Shows each digit there is behind the point, and no zero after it.
    fn with_natural_scale(mut self) -> Self {
        let behind = self.length().saturating_sub(self.point).max(0);
        self.scale = u16::try_from(behind).unwrap_or(MAX_SCALE).min(MAX_SCALE);
        self
    }

    /// Whether there is nothing behind the point.
    pub(crate) fn is_whole(&self) -> bool {
        self.length() <= self.point
    }

    /// Rounded to so many digits in all, half away from zero, and shown without zeros at the end.
    pub(crate) fn rounded_to_significant(self, count: i32) -> Self {
        let places = count - self.point;
        self.rounded_at(places).with_natural_scale()
    }

    /// Rounded to `scale` digits behind the point, half away from zero, and shown with as many.
    /// A negative scale rounds in front of the point.
    pub(crate) fn rounded(self, scale: i16) -> Self {
        let mut number = self.rounded_at(i32::from(scale));
        number.scale = u16::try_from(scale).unwrap_or(0);
        number
    }

    fn rounded_at(mut self, places: i32) -> Self {
        let Ok(keep) = usize::try_from(self.point.saturating_add(places)) else {
            // All of it is less than half of the last place.
            return self.truncated_at(0);
        };
        let up = self.digits.get(keep).is_some_and(|digit| *digit >= 5);
        if !up {
            return self.truncated_at(keep);
        }
        self.digits.truncate(keep);
        while let Some(last) = self.digits.pop() {
            if last < 9 {
                self.digits.push(last + 1);
                return self.normalised();
            }
        }
        // All nines, or nothing: the carry is a digit of its own.
        self.digits.push(1);
        self.point += 1;
        self.normalised()
    }

    fn truncated_at(mut self, keep: usize) -> Self {
        self.digits.truncate(keep);
        self.normalised()
    }

    /// Without the digits that its scale does not show.
    pub(crate) fn truncated_to_scale(self) -> Self {
        let keep = self.point.saturating_add(i32::from(self.scale));
        self.truncated_at(usize::try_from(keep).unwrap_or(0))
    }

    /// Appends the number without an exponent, with as many digits behind the point as its scale.
    pub(crate) fn put(&self, out: &mut BytesMut) {
        if self.negative {
            out.put_u8(b'-');
        }
        let digit = |at: i32| {
            let index = usize::try_from(at).ok();
            b'0' + index
                .and_then(|at| self.digits.get(at))
                .copied()
                .unwrap_or(0)
        };
        if self.point <= 0 {
            out.put_u8(b'0');
        }
        (0..self.point).for_each(|at| out.put_u8(digit(at)));
        if self.scale > 0 {
            out.put_u8(b'.');
            (0..i32::from(self.scale)).for_each(|at| out.put_u8(digit(self.point + at)));
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use proptest::prelude::*;

    use super::{Decimal, Magnitude};
    use crate::SqlState;

    fn finite(text: &str) -> Magnitude {
        match Decimal::parse(text).unwrap() {
            Decimal::Finite(digits) => digits,
            other => panic!("{text} is {other:?}"),
        }
    }

    fn text(digits: &Magnitude) -> String {
        let mut out = BytesMut::new();
        digits.put(&mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn the_text_keeps_the_zeros_at_the_end() {
        for (input, output) in [
            ("0", "0"),
            ("-0", "0"),
            ("000", "0"),
            ("0.00", "0.00"),
            ("1.50", "1.50"),
            ("-12.50", "-12.50"),
            (".5", "0.5"),
            ("5.", "5"),
            ("007", "7"),
            ("1e3", "1000"),
            ("1.5e3", "1500"),
            ("1e-3", "0.001"),
            ("1.50e-3", "0.00150"),
            (" 12 ", "12"),
            (
                "123456789012345678901234567890.123456789",
                "123456789012345678901234567890.123456789",
            ),
        ] {
            assert_eq!(text(&finite(input)), output, "{input}");
        }
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
                text(&finite(input).rounded(scale)),
                output,
                "{input} at {scale}"
            );
        }
    }

    #[test]
    fn what_is_no_number_and_what_is_too_large_are_told_apart() {
        for bad in [
            "", "-", ".", "e5", "1e", "1e+", "1.2.3", "1 2", "0x1", "1_000", "--1", "+-1",
        ] {
            let error = Decimal::parse(bad).unwrap_err();
            assert_eq!(
                error.sqlstate,
                SqlState::INVALID_TEXT_REPRESENTATION,
                "{bad}"
            );
        }
        for large in [
            "1e131072",
            "1e99999999999999999999",
            "1e-16384",
            "1e-99999999999999999999",
        ] {
            let error = Decimal::parse(large).unwrap_err();
            assert_eq!(
                error.sqlstate,
                SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
                "{large}"
            );
            assert_eq!(error.message, "value overflows numeric format");
        }
        assert_eq!(finite("1e131071").point, 131_072);
        assert_eq!(finite("0e99999999999").digits, Vec::<u8>::new());
    }

    #[test]
    fn the_special_values_are_read() {
        assert_eq!(Decimal::parse("nan").unwrap(), Decimal::NotANumber);
        assert_eq!(
            Decimal::parse("-inf").unwrap(),
            Decimal::Infinity { negative: true }
        );
        assert_eq!(
            Decimal::parse("+Infinity").unwrap(),
            Decimal::Infinity { negative: false }
        );
        assert!(Decimal::parse("-nan").is_err());
    }

    proptest! {
        #[test]
        fn any_decimal_is_written_as_it_was_read(
            negative: bool, whole in "0|[1-9][0-9]{0,40}", fraction in "[0-9]{0,40}"
        ) {
            let point = if fraction.is_empty() { "" } else { "." };
            let plain = format!("{whole}{point}{fraction}");
            let is_zero = plain.bytes().all(|b| matches!(b, b'0' | b'.'));
            let input = format!("{}{plain}", if negative && !is_zero { "-" } else { "" });
            prop_assert_eq!(text(&finite(&input)), input);
        }

        #[test]
        fn reading_never_panics(input in ".{0,40}") {
            let decimal = Decimal::parse(&input);
            prop_assert!(decimal.is_ok() || decimal.is_err_and(|e| !e.message.is_empty()));
        }
    }
}
