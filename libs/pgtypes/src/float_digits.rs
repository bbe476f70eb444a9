//! Floating point numbers with fewer digits than give the number back: the setting
//! `extra_float_digits` at 0 and below.

use bytes::BytesMut;

use crate::float::{Shortest, put_double, put_finite, put_single, put_special};

/// Digits that every double keeps.
const DOUBLE_DIGITS: i8 = 15;
/// Digits that every single keeps.
const SINGLE_DIGITS: i8 = 6;

/// Appends a double under the setting.
pub(crate) fn put_double_in(value: f64, extra_digits: i8, out: &mut BytesMut) {
    if extra_digits > 0 {
        put_double(value, out);
    } else {
        put_rounded(value, DOUBLE_DIGITS.saturating_add(extra_digits), out);
    }
}

/// Appends a single under the setting.
pub(crate) fn put_single_in(value: f32, extra_digits: i8, out: &mut BytesMut) {
    if extra_digits > 0 {
        put_single(value, out);
    } else {
        let digits = SINGLE_DIGITS.saturating_add(extra_digits);
        put_rounded(value.into(), digits, out);
    }
}

/// As C's `%.*g` has it: so many digits, without zeros at the end.
fn put_rounded(value: f64, digits: i8, out: &mut BytesMut) {
    if !value.is_finite() {
        return put_special(value, out);
    }
    let digits = digits.max(1);
    let behind = usize::try_from(digits - 1).unwrap_or(0);
    let rounded = Shortest::written(format_args!("{value:.behind$e}"));
    let (mantissa, exponent) = rounded.parts();
    let text = |bytes| std::str::from_utf8(bytes).unwrap_or_default();
    let mantissa = if behind > 0 {
        text(mantissa).trim_end_matches('0').trim_end_matches('.')
    } else {
        text(mantissa)
    };
    let trimmed = Shortest::written(format_args!("{mantissa}e{}", text(exponent)));
    put_finite(value.is_sign_negative(), &trimmed, digits.into(), out);
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::{put_double_in, put_single_in};

    fn text(put: impl Fn(&mut BytesMut)) -> String {
        let mut out = BytesMut::new();
        put(&mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    /// Texts of PostgreSQL 15.
    #[test]
    fn fewer_digits_are_rounded_and_lose_their_zeros() {
        for (value, extra, printed) in [
            (0.1 + 0.2, 1, "0.30000000000000004"),
            (0.1 + 0.2, 0, "0.3"),
            (1e15, 0, "1e+15"),
            (123_456_789_012_345_678.0, 0, "1.23456789012346e+17"),
            (1e-5, 0, "1e-05"),
            (0.000_123_456_789_012_345_68, 0, "0.000123456789012346"),
            (100_000.0, 0, "100000"),
            (999_999_999_999_999.9, 0, "1e+15"),
            (f64::NAN, 0, "NaN"),
            (0.0, 0, "0"),
            (123_456.789, -10, "1.2346e+05"),
            (99_999.5, -10, "1e+05"),
            (0.1, -10, "0.1"),
            (0.16, -15, "0.2"),
            (123_456.789, -15, "1e+05"),
        ] {
            let printed_now = text(|out| put_double_in(value, extra, out));
            assert_eq!(printed_now, printed, "{value} {extra}");
        }
        for (value, extra, printed) in [
            (1.1, 0, "1.1"),
            (1.1, 3, "1.1"),
            (16_777_217.0, 0, "1.67772e+07"),
            (1e6, 0, "1e+06"),
            (1.5, -10, "2"),
            (123_456.0, -10, "1e+05"),
        ] {
            let printed_now = text(|out| put_single_in(value, extra, out));
            assert_eq!(printed_now, printed, "{value} {extra}");
        }
    }
}
