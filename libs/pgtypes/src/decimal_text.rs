//! Decimal numbers as text.

use std::fmt;

use num_bigint::Sign;

use crate::ValueError;
use crate::decimal::{Decimal, Finite, overflow};

/// Exponents beyond this are refused even for zero.
const MAX_EXPONENT: i64 = 1_073_741_823;

impl Decimal {
    /// Reads PostgreSQL's syntax: `-12.50`, `1e-3`, `NaN`, `Infinity`.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
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
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent).ok_or_else(syntax)?),
            None => (number, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
            return Err(syntax());
        }
        if exponent.abs() > MAX_EXPONENT {
            return Err(overflow());
        }
        let scale = i64::try_from(fraction.len()).unwrap_or(i64::MAX) - exponent;
        let digits = [whole, fraction].concat();
        Finite::of_digits(negative, digits.trim_start_matches('0'), scale).map(Self::Finite)
    }
}

/// An exponent; one beyond all bounds is cut to one that is still beyond them.
fn parse_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let size = digits
        .parse::<i64>()
        .map_or(MAX_EXPONENT + 1, |n| n.min(MAX_EXPONENT + 1));
    Some(if text.starts_with('-') { -size } else { size })
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotANumber => f.write_str("NaN"),
            Self::Infinity { negative: false } => f.write_str("Infinity"),
            Self::Infinity { negative: true } => f.write_str("-Infinity"),
            Self::Finite(number) => number.fmt(f),
        }
    }
}

/// Without an exponent, with as many digits behind the point as its scale.
impl fmt::Display for Finite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = usize::from(self.scale);
        let digits = format!(
            "{:0>width$}",
            self.unscaled.magnitude().to_string(),
            width = scale + 1
        );
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let sign = if self.unscaled.sign() == Sign::Minus {
            "-"
        } else {
            ""
        };
        let point = if scale > 0 { "." } else { "" };
        write!(f, "{sign}{whole}{point}{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::{Decimal, SqlState};

    fn read(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
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
            assert_eq!(read(input).to_string(), output, "{input}");
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
            "0e99999999999",
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
        assert_eq!(read("1e131071").to_string().len(), 131_072);
        assert_eq!(read("1e-16383").to_string().len(), 16_385);
        assert!(Decimal::parse(&"9".repeat(131_073)).is_err());
        assert!(Decimal::parse(&format!("{}1", "0".repeat(1 << 20))).is_ok());
        assert_eq!(read("0e1000000000").to_string(), "0");
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
            prop_assert_eq!(read(&input).to_string(), input);
        }

        #[test]
        fn reading_never_panics(input in ".{0,40}") {
            let decimal = Decimal::parse(&input);
            prop_assert!(decimal.is_ok() || decimal.is_err_and(|e| !e.message.is_empty()));
        }
    }
}
