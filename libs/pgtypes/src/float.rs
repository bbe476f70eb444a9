//! Binary floating point numbers as text: the shortest digits that give the same number back,
//! laid out as PostgreSQL lays them out.

use std::fmt::Write;

use bytes::{BufMut, BytesMut};

use crate::{SqlState, ValueError};

/// Enough for the scientific form of any number: 17 digits, point, sign, `e-308`.
const SCIENTIFIC_BYTES: usize = 32;

/// From this decimal exponent on, PostgreSQL writes a double in scientific form.
const FIXED_LIMIT_DOUBLE: i32 = 15;
/// The same for a single.
const FIXED_LIMIT_SINGLE: i32 = 6;
/// Below this one too.
const FIXED_LEAST: i32 = -4;

/// From here on, 2^53, doubles are whole numbers, and so are the numbers just between two.
const WHOLE_FROM: f64 = 9_007_199_254_740_992.0;

/// The shortest digits of a finite number, taken apart; lives on the stack.
pub(crate) struct Shortest {
    buffer: [u8; SCIENTIFIC_BYTES],
    used: usize,
}

impl Write for Shortest {
    fn write_str(&mut self, s: &str) -> std::fmt::Result {
        let end = self.used + s.len();
        let target = self.buffer.get_mut(self.used..end).ok_or(std::fmt::Error)?;
        target.copy_from_slice(s.as_bytes());
        self.used = end;
        Ok(())
    }
}

impl Shortest {
    /// Of the absolute value of a number, which must be finite.
    fn of(number: impl std::fmt::LowerExp) -> Self {
        Self::written(format_args!("{number:e}"))
    }

    pub(crate) fn written(number: std::fmt::Arguments<'_>) -> Self {
        let mut text = Self {
            buffer: [0; SCIENTIFIC_BYTES],
            used: 0,
        };
        // No finite number is longer than the buffer.
        let written = text.write_fmt(number);
        debug_assert!(written.is_ok());
        text
    }

    /// As PostgreSQL finds them, which rounds halves to the even digit and leaves out digits that lie
    /// just between two doubles; Rust's own do neither.
    pub(crate) fn of_double(value: f64) -> Self {
        let own = Self::of(value);
        let digits = own.digits().count();
        if digits < 16 && value.abs() < WHOLE_FROM {
            return own;
        }
        let fits = |text: &Self| text.number() == Some(value) && !text.is_between(value);
        let rounded = |digits| Self::written(format_args!("{value:.0$e}", digits - 1));
        nearest_shortest(own, (digits..=17).map(rounded), fits)
    }

    /// The same for a single.
    pub(crate) fn of_single(value: f32) -> Self {
        let own = Self::of(value);
        let digits = own.digits().count();
        let is_between = |text: &Self| {
            let twice =
                [value.next_up(), value.next_down()].map(|next| f64::from(value) + f64::from(next));
            text.number::<f64>()
                .is_some_and(|number| twice.contains(&(2.0 * number)))
        };
        let fits = |text: &Self| text.number() == Some(value) && !is_between(text);
        let rounded = |digits| Self::written(format_args!("{value:.0$e}", digits - 1));
        nearest_shortest(own, (digits..=9).map(rounded), fits)
    }

    fn number<T: std::str::FromStr>(&self) -> Option<T> {
        let text = self.buffer.get(..self.used)?;
        std::str::from_utf8(text).ok()?.parse().ok()
    }

    /// Whether the digits lie just between a double and one of its neighbours. That can only be
    /// where doubles are whole numbers, and these are not too large.
    fn is_between(&self, value: f64) -> bool {
        if value.abs() < WHOLE_FROM {
            return false;
        }
        let digits = self.digits();
        let (count, exponent) = (digits.clone().count(), self.exponent());
        let zeros = usize::try_from(exponent)
            .ok()
            .and_then(|e| (e + 1).checked_sub(count));
        let number = zeros.and_then(|zeros| {
            let mut all = digits.chain(std::iter::repeat_n(b'0', zeros));
            all.try_fold(0_u128, |number, digit| {
                number
                    .checked_mul(10)?
                    .checked_add(u128::from(digit - b'0'))
            })
        });
        let whole = |value: f64| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it is whole and positive; one that is too large is never just between"
            )]
            let whole = value.abs() as u128;
            whole
        };
        number.is_some_and(|number| {
            [value.next_up(), value.next_down()]
                .iter()
                .any(|next| number.checked_mul(2) == whole(value).checked_add(whole(*next)))
        })
    }

    pub(crate) fn parts(&self) -> (&[u8], &[u8]) {
        let text = self.buffer.get(..self.used).unwrap_or_default();
        let text = text.strip_prefix(b"-").unwrap_or(text);
        match text.iter().position(|b| *b == b'e') {
            Some(at) => {
                let (digits, exponent) = text.split_at(at);
                (digits, exponent.get(1..).unwrap_or_default())
            }
            None => (text, b"0"),
        }
    }

    /// The significant digits as characters.
    pub(crate) fn digits(&self) -> impl Iterator<Item = u8> + Clone {
        self.parts().0.iter().copied().filter(|b| *b != b'.')
    }

    /// The power of ten of the first digit.
    pub(crate) fn exponent(&self) -> i32 {
        let text = std::str::from_utf8(self.parts().1).unwrap_or("0");
        text.parse().unwrap_or(0)
    }
}

/// A double as text.
pub fn double_text(value: f64) -> String {
    let mut out = BytesMut::with_capacity(SCIENTIFIC_BYTES);
    put_double(value, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// A single as text.
pub fn single_text(value: f32) -> String {
    let mut out = BytesMut::with_capacity(SCIENTIFIC_BYTES);
    put_single(value, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// The first of the rounded texts, shortest first, that gives the number back; or Rust's own, which is as long as the
/// first of them. Below a power of two doubles lie closer than above it, and there what is rounded down may give
/// another one.
fn nearest_shortest(
    own: Shortest,
    mut rounded: impl Iterator<Item = Shortest>,
    fits: impl Fn(&Shortest) -> bool,
) -> Shortest {
    let first = rounded.next().filter(&fits);
    if let Some(first) = first {
        return first;
    }
    if fits(&own) {
        return own;
    }
    rounded.find(fits).unwrap_or(own)
}

/// Appends a double.
pub(crate) fn put_double(value: f64, out: &mut BytesMut) {
    if value.is_finite() {
        put_finite(
            value.is_sign_negative(),
            &Shortest::of_double(value),
            FIXED_LIMIT_DOUBLE,
            out,
        );
    } else {
        put_special(value, out);
    }
}

/// Appends a single.
pub(crate) fn put_single(value: f32, out: &mut BytesMut) {
    if value.is_finite() {
        put_finite(
            value.is_sign_negative(),
            &Shortest::of_single(value),
            FIXED_LIMIT_SINGLE,
            out,
        );
    } else {
        put_special(f64::from(value), out);
    }
}

pub(crate) fn put_special(value: f64, out: &mut BytesMut) {
    out.extend_from_slice(if value.is_nan() {
        b"NaN"
    } else if value > 0.0 {
        b"Infinity"
    } else {
        b"-Infinity"
    });
}

pub(crate) fn put_finite(
    negative: bool,
    shortest: &Shortest,
    fixed_limit: i32,
    out: &mut BytesMut,
) {
    if negative {
        out.put_u8(b'-');
    }
    let exponent = shortest.exponent();
    if (FIXED_LEAST..fixed_limit).contains(&exponent) {
        put_fixed(shortest, exponent, out);
    } else {
        for (at, digit) in shortest.digits().enumerate() {
            if at == 1 {
                out.put_u8(b'.');
            }
            out.put_u8(digit);
        }
        out.put_u8(b'e');
        out.put_u8(if exponent < 0 { b'-' } else { b'+' });
        crate::integer::put_padded(u64::from(exponent.unsigned_abs()), 2, out);
    }
}

fn put_fixed(shortest: &Shortest, exponent: i32, out: &mut BytesMut) {
    let Ok(exponent) = usize::try_from(exponent) else {
        out.extend_from_slice(b"0.");
        out.put_bytes(b'0', usize::try_from(-1 - exponent).unwrap_or(0));
        shortest.digits().for_each(|digit| out.put_u8(digit));
        return;
    };
    let mut written = 0;
    for digit in shortest.digits() {
        if written == exponent + 1 {
            out.put_u8(b'.');
        }
        out.put_u8(digit);
        written += 1;
    }
    out.put_bytes(b'0', (exponent + 1).saturating_sub(written));
}

/// Reads a double; 22003 when it is too large, or too small to differ from zero.
pub fn parse_double(text: &str) -> Result<f64, ValueError> {
    let value: f64 = number(text, "double precision")?;
    check_range(text, value.is_infinite(), value == 0.0, "double precision")?;
    Ok(value)
}

/// Reads a single; 22003 when it is too large, or too small to differ from zero.
pub fn parse_single(text: &str) -> Result<f32, ValueError> {
    let value: f32 = number(text, "real")?;
    check_range(text, value.is_infinite(), value == 0.0, "real")?;
    Ok(value)
}

fn number<T: std::str::FromStr>(text: &str, type_name: &str) -> Result<T, ValueError> {
    text.trim_ascii()
        .parse()
        .map_err(|_| ValueError::syntax(type_name, text))
}

fn check_range(text: &str, infinite: bool, zero: bool, type_name: &str) -> Result<(), ValueError> {
    // "Infinity" begins with a letter, what overflowed with a digit; "0e5" has no other digit.
    let number = text.trim_ascii().trim_start_matches(['+', '-']);
    let mantissa = number.split(['e', 'E']).next().unwrap_or_default();
    let overflow = infinite && !number.starts_with(['i', 'I']);
    let underflow = zero && mantissa.bytes().any(|b| (b'1'..=b'9').contains(&b));
    if overflow || underflow {
        return Err(ValueError::new(
            SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
            format!("\"{text}\" is out of range for type {type_name}"),
        ));
    }
    Ok(())
}

/// The nearest single; `None` when a finite number is too large for one.
pub(crate) fn single(value: f64) -> Option<f32> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "rounding is what is asked for"
    )]
    let single = value as f32;
    (single.is_finite() || !value.is_finite()).then_some(single)
}

/// The nearest double.
#[expect(clippy::cast_precision_loss, reason = "rounding is what is asked for")]
pub fn double_of_integer(value: i64) -> f64 {
    value as f64
}

/// The integer that a double is, if it is one.
pub fn exact_integer(value: f64) -> Option<i64> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0; // 2^63
    if value.fract() != 0.0 || !(-LIMIT..LIMIT).contains(&value) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and in range")]
    let integer = value as i64;
    Some(integer)
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use proptest::prelude::*;

    use super::{exact_integer, parse_double, parse_single, put_double, put_single, single};
    use crate::SqlState;

    fn double(value: f64) -> String {
        let mut out = BytesMut::new();
        put_double(value, &mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    fn single_text(value: f32) -> String {
        let mut out = BytesMut::new();
        put_single(value, &mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn doubles_look_as_in_postgresql() {
        let cases = [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-1.5, "-1.5"),
            (0.1, "0.1"),
            (0.1 + 0.2, "0.30000000000000004"),
            (100.0, "100"),
            (123_456.789, "123456.789"),
            (1e14, "100000000000000"),
            (1e15, "1e+15"),
            (1.5e15, "1.5e+15"),
            (0.0001, "0.0001"),
            (0.00012, "0.00012"),
            (0.00001, "1e-05"),
            (1e100, "1e+100"),
            (622_053_460_900_696_064.0, "6.220534609006961e+17"),
            (2_466_831_905_612_469.0, "2.466831905612469e+15"),
            (-9.6709e20, "-9.670899999999999e+20"),
            (1_073_741_824.003_906_2, "1073741824.0039062"),
            (1.0 / 16_777_216.0, "5.960464477539063e-08"),
            (1.0 / 33_554_432.0, "2.9802322387695312e-08"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::from_bits(1), "5e-324"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
            (f64::NAN, "NaN"),
        ];
        for (value, text) in cases {
            assert_eq!(double(value), text);
        }
    }

    #[test]
    fn singles_look_as_in_postgresql() {
        let cases = [
            (2.71, "2.71"),
            (100_000.0, "100000"),
            (1e6, "1e+06"),
            (16_777_216.0, "1.6777216e+07"),
            (0.0001, "0.0001"),
            (3_413.781_2, "3413.7812"),
            (52_954_992.0, "5.2954992e+07"),
            (f32::MAX, "3.4028235e+38"),
            (f32::NAN, "NaN"),
        ];
        for (value, text) in cases {
            assert_eq!(single_text(value), text);
        }
    }

    #[test]
    fn numbers_that_no_float_can_hold_are_refused() {
        assert_eq!(
            parse_double(" 1.5e3 ").map(f64::to_bits),
            Ok(1500_f64.to_bits())
        );
        assert!(parse_double("-Infinity").is_ok_and(|value| value < f64::MIN));
        assert!(parse_double("nan").unwrap().is_nan());
        assert_eq!(parse_double("0e999").map(f64::to_bits), Ok(0));
        for text in ["1e400", "-1e400", "1e-400"] {
            let error = parse_double(text).unwrap_err();
            assert_eq!(error.sqlstate, SqlState::NUMERIC_VALUE_OUT_OF_RANGE);
            assert_eq!(
                error.message,
                format!("\"{text}\" is out of range for type double precision")
            );
        }
        assert_eq!(
            parse_single("1e39").unwrap_err().message,
            "\"1e39\" is out of range for type real"
        );
        for text in ["", "abc", "1,5", "0x"] {
            assert_eq!(
                parse_double(text).unwrap_err().sqlstate,
                SqlState::INVALID_TEXT_REPRESENTATION
            );
        }
    }

    #[test]
    fn only_whole_doubles_in_range_are_integers() {
        assert_eq!(exact_integer(-3.0), Some(-3));
        assert_eq!(exact_integer(-9_223_372_036_854_775_808.0), Some(i64::MIN));
        for value in [0.5, 9_223_372_036_854_775_808.0, f64::NAN, f64::INFINITY] {
            assert_eq!(exact_integer(value), None);
        }
    }

    proptest! {
        #[test]
        fn the_text_of_a_double_gives_the_same_double(bits: u64) {
            let value = f64::from_bits(bits);
            let back = parse_double(&double(value)).unwrap();
            prop_assert!(back.to_bits() == bits || (back.is_nan() && value.is_nan()));
        }

        #[test]
        fn the_text_of_a_single_gives_the_same_single(bits: u32) {
            let value = f32::from_bits(bits);
            let back = parse_single(&single_text(value)).unwrap();
            prop_assert!(back.to_bits() == bits || (back.is_nan() && value.is_nan()));
            let stored = single(f64::from(value));
            prop_assert!(value.is_nan() || stored == Some(value));
        }
    }
}
