//! Type `numeric`: what is stored for it, and its two forms on the wire.
//!
//! The binary form, in 16-bit numbers, high byte first:
//!
//! ```text
//! | ndigits | weight | sign | dscale | digit × ndigits |
//! ```
//!
//! A digit is 0 to 9999; the first counts 10000^weight. `dscale` is the number of decimal digits
//! that are shown behind the point.

use std::fmt::Write;

use bytes::{Buf, BufMut, BytesMut};
use num_bigint::Sign;

use crate::decimal::{Decimal, Finite, MAX_SCALE, overflow, power_of_ten};
use crate::{SqlState, SqlValue, SqlValueRef, ValueError, integer};

const POSITIVE: u16 = 0x0000;
const NEGATIVE: u16 = 0x4000;
const NOT_A_NUMBER: u16 = 0xc000;
const POSITIVE_INFINITY: u16 = 0xd000;
const NEGATIVE_INFINITY: u16 = 0xf000;

/// Decimal digits in a digit of the binary form.
const GROUP: usize = 4;
/// Decimal digits that a double always keeps.
const DOUBLE_DIGITS: i32 = 15;

/// The limits of a column: digits in all and digits behind the point.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Digits in all.
    pub precision: u16,
    /// Digits behind the point.
    pub scale: i16,
}

/// Appends the text form. `false` when the value is no number, and nothing is appended.
pub(crate) fn put_text(value: SqlValueRef<'_>, scale: Option<i16>, out: &mut BytesMut) -> bool {
    if let SqlValueRef::Integer(number) = value {
        // The scale of a whole number needs no rounding unless it is negative.
        let zeros = scale.map_or(Ok(0), usize::try_from);
        if let Ok(zeros) = zeros {
            integer::put(number, out);
            if zeros > 0 {
                out.put_u8(b'.');
                out.put_bytes(b'0', zeros);
            }
            return true;
        }
    }
    shown(value, scale).is_ok_and(|decimal| write!(out, "{decimal}").is_ok())
}

/// Appends the binary form.
pub(crate) fn put_binary(
    value: SqlValueRef<'_>,
    scale: Option<i16>,
    out: &mut BytesMut,
) -> Result<(), ValueError> {
    let special = match shown(value, scale)? {
        Decimal::Finite(number) => return put_groups(&number, out),
        Decimal::NotANumber => NOT_A_NUMBER,
        Decimal::Infinity { negative: true } => NEGATIVE_INFINITY,
        Decimal::Infinity { negative: false } => POSITIVE_INFINITY,
    };
    out.put_u16(0);
    out.put_i16(0);
    out.put_u16(special);
    out.put_u16(match special {
        NOT_A_NUMBER => 0,
        _ => INFINITY_SCALE,
    });
    Ok(())
}

/// The exact number of a stored value.
pub fn decimal(value: SqlValueRef<'_>) -> Result<Decimal, ValueError> {
    match value {
        SqlValueRef::Integer(number) => Ok(Decimal::from(number)),
        SqlValueRef::Real(number) => Ok(Decimal::from_real(number)),
        SqlValueRef::Text(text) => Decimal::parse(text),
        SqlValueRef::Null | SqlValueRef::Blob(_) => {
            Err(ValueError::syntax("numeric", "binary data"))
        }
    }
}

/// The number to show for a stored value.
///
/// Sums of doubles carry noise behind their 15th digit. Where a scale is known, rounding to it
/// takes that away; where none is, 15 digits are shown, as PostgreSQL does when it makes a numeric
/// of a double.
pub(crate) fn shown(value: SqlValueRef<'_>, scale: Option<i16>) -> Result<Decimal, ValueError> {
    let decimal = decimal(value)?;
    Ok(match (scale, value) {
        (Some(scale), _) => decimal.rounded(scale),
        (None, SqlValueRef::Real(_)) => {
            decimal.map(|number| number.rounded_to_significant(DOUBLE_DIGITS))
        }
        (None, _) => decimal,
    })
}

/// PostgreSQL sends a scale of 32 with an infinity; nobody reads it.
const INFINITY_SCALE: u16 = 0x20;

fn put_groups(number: &Finite, out: &mut BytesMut) -> Result<(), ValueError> {
    let overflow = || ValueError::range("numeric", "a number with too many digits");
    let digits = number.unscaled.magnitude().to_string();
    // The first group holds the digits up to the next multiple of four in front of the point.
    let last = i64::try_from(digits.len()).map_err(|_| overflow())? - i64::from(number.scale) - 1;
    let group = i64::try_from(GROUP).unwrap_or(4);
    let padding = group - 1 - last.rem_euclid(group);
    let zeros = "0".repeat(usize::try_from(padding).unwrap_or(0));
    let padded = zeros + digits.trim_end_matches('0');
    let is_zero = number.unscaled.sign() == Sign::NoSign;
    let groups = if is_zero { "" } else { padded.as_str() }
        .as_bytes()
        .chunks(GROUP);
    out.put_i16(i16::try_from(groups.len()).map_err(|_| overflow())?);
    let weight = if is_zero { 0 } else { last.div_euclid(group) };
    out.put_i16(i16::try_from(weight).map_err(|_| overflow())?);
    out.put_u16(match number.unscaled.sign() {
        Sign::Minus => NEGATIVE,
        Sign::NoSign | Sign::Plus => POSITIVE,
    });
    out.put_u16(number.scale);
    for group in groups {
        let digit = |at| {
            group
                .get(at)
                .map_or(0, |digit: &u8| u16::from(digit - b'0'))
        };
        out.put_u16((0..GROUP).fold(0, |value, at| value * 10 + digit(at)));
    }
    Ok(())
}

/// Reads the text form.
pub(crate) fn from_text(text: &str, limits: Option<Limits>) -> Result<SqlValue, ValueError> {
    stored(Decimal::parse(text)?, limits)
}

/// Reads the binary form.
pub(crate) fn from_binary(bytes: &[u8], limits: Option<Limits>) -> Result<SqlValue, ValueError> {
    stored(read_binary(bytes)?, limits)
}

fn read_binary(mut bytes: &[u8]) -> Result<Decimal, ValueError> {
    let invalid =
        |what: &str| ValueError::binary(format!("invalid {what} in external \"numeric\" value"));
    let count = bytes.try_get_u16().map_err(|_| invalid("length"))?;
    let weight = bytes.try_get_i16().map_err(|_| invalid("length"))?;
    let sign = bytes.try_get_u16().map_err(|_| invalid("length"))?;
    let scale = bytes.try_get_u16().map_err(|_| invalid("length"))?;
    if bytes.len() != usize::from(count) * 2 {
        return Err(invalid("length"));
    }
    let negative = match sign {
        POSITIVE => false,
        NEGATIVE => true,
        NOT_A_NUMBER => return Ok(Decimal::NotANumber),
        POSITIVE_INFINITY => return Ok(Decimal::Infinity { negative: false }),
        NEGATIVE_INFINITY => return Ok(Decimal::Infinity { negative: true }),
        _ => return Err(invalid("sign")),
    };
    if scale > MAX_SCALE {
        return Err(invalid("scale"));
    }
    let mut digits = String::with_capacity(usize::from(count) * GROUP);
    while let Ok(group) = bytes.try_get_u16() {
        if group > 9999 {
            return Err(invalid("digit"));
        }
        write!(digits, "{group:04}").map_err(|_| invalid("digit"))?;
    }
    // The scale that the groups have, and then the one that is to be shown: digits beyond it are
    // cut off.
    let group = i64::try_from(GROUP).unwrap_or(4);
    let of_groups = (i64::from(count) - i64::from(weight) - 1) * group;
    let beyond = of_groups - i64::from(scale);
    let keep = digits
        .len()
        .saturating_sub(usize::try_from(beyond).unwrap_or(0));
    let kept = digits.get(..keep).unwrap_or_default();
    let of_kept = of_groups.min(scale.into());
    let number = Finite::of_digits(negative, kept.trim_start_matches('0'), of_kept)?;
    let unscaled = number.unscaled_at(scale);
    Finite::new(unscaled, scale.into()).map(Decimal::Finite)
}

/// The stored form: the first of integer, real and text that keeps the number.
pub fn stored(decimal: Decimal, limits: Option<Limits>) -> Result<SqlValue, ValueError> {
    let decimal = match limits {
        Some(limits) => within(decimal, limits)?,
        None => decimal,
    };
    let number = match &decimal {
        Decimal::NotANumber => return Ok(SqlValue::Text("NaN".to_owned())),
        Decimal::Infinity { .. } => return Ok(SqlValue::Real(decimal.to_real())),
        Decimal::Finite(number) => number,
    };
    let text = number.to_string();
    if number.is_whole() {
        let whole = text.split('.').next().unwrap_or_default();
        if let Ok(integer) = whole.parse() {
            return Ok(SqlValue::Integer(integer));
        }
    }
    let significant = text.trim_matches(['-', '0', '.']);
    let digits = significant.bytes().filter(u8::is_ascii_digit).count();
    // The double must lead back to the very same digits.
    let real = text.parse::<f64>().ok().filter(|real| {
        i32::try_from(digits).is_ok_and(|digits| digits <= DOUBLE_DIGITS)
            && Decimal::from_real(*real) == decimal
    });
    Ok(real.map_or(SqlValue::Text(text), SqlValue::Real))
}

/// The form with which SQLite computes and compares: as stored, but a double where only text keeps
/// every digit, for SQLite ranks any text behind all numbers. 22003 beyond a double's range.
pub fn computed(decimal: Decimal, limits: Option<Limits>) -> Result<SqlValue, ValueError> {
    let real = match stored(decimal, limits)? {
        SqlValue::Text(text) if text != "NaN" => text.parse::<f64>(),
        value => return Ok(value),
    };
    real.ok()
        .filter(|real| real.is_finite())
        .map(SqlValue::Real)
        .ok_or_else(overflow)
}

/// The number rounded to a column's scale; 22003 when it has more digits than the column.
pub fn within(decimal: Decimal, limits: Limits) -> Result<Decimal, ValueError> {
    let Limits { precision, scale } = limits;
    let number = match decimal {
        Decimal::NotANumber => return Ok(decimal),
        Decimal::Infinity { .. } => {
            return Err(field_overflow(format!(
                "A field with precision {precision}, scale {scale} cannot hold an infinite value."
            )));
        }
        Decimal::Finite(number) => number.rounded(scale),
    };
    let digits = u32::from(precision) + u32::from(scale.min(0).unsigned_abs());
    if *number.unscaled.magnitude() >= *power_of_ten(digits).magnitude() {
        let bound = match i32::from(precision) - i32::from(scale) {
            0 => "1".to_owned(),
            room => format!("10^{room}"),
        };
        return Err(field_overflow(format!(
            "A field with precision {precision}, scale {scale} must round to an absolute value less than {bound}."
        )));
    }
    Ok(Decimal::Finite(number))
}

fn field_overflow(detail: String) -> ValueError {
    ValueError::new(
        SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
        "numeric field overflow",
    )
    .with_detail(detail)
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use proptest::prelude::*;

    use super::{Decimal, Limits, computed, from_binary, from_text, put_binary, put_text};
    use crate::{SqlState, SqlValue, SqlValueRef};

    const MONEY: Option<Limits> = Some(Limits {
        precision: 10,
        scale: 2,
    });

    fn text(value: SqlValueRef<'_>, scale: Option<i16>) -> String {
        let mut out = BytesMut::new();
        assert!(put_text(value, scale, &mut out), "{value:?}");
        String::from_utf8(out.to_vec()).unwrap()
    }

    fn binary(value: SqlValueRef<'_>, scale: Option<i16>) -> Vec<u8> {
        let mut out = BytesMut::new();
        put_binary(value, scale, &mut out).unwrap();
        out.to_vec()
    }

    #[test]
    fn the_declared_scale_is_shown() {
        assert_eq!(text(SqlValueRef::Integer(5), Some(2)), "5.00");
        assert_eq!(text(SqlValueRef::Real(19.99 + 4e-15), Some(2)), "19.99");
        assert_eq!(text(SqlValueRef::Text("1.005"), Some(2)), "1.01");
        let hundreds = Some(-2);
        assert_eq!(text(SqlValueRef::Integer(1250), hundreds), "1300");
    }

    #[test]
    fn without_a_scale_the_noise_of_doubles_is_not_shown() {
        assert_eq!(text(SqlValueRef::Real(0.1 + 0.2), None), "0.3");
        assert_eq!(text(SqlValueRef::Real(199.99 + 3e-14), None), "199.99");
        assert_eq!(text(SqlValueRef::Real(1e20), None), "100000000000000000000");
        assert_eq!(text(SqlValueRef::Real(1.5e-7), None), "0.00000015");
        assert_eq!(text(SqlValueRef::Text("1.50"), None), "1.50");
        assert_eq!(
            text(SqlValueRef::Real(f64::NEG_INFINITY), None),
            "-Infinity"
        );
    }

    #[test]
    fn what_is_no_number_has_no_form() {
        let mut out = BytesMut::new();
        assert!(!put_text(SqlValueRef::Text("abc"), None, &mut out));
        assert!(out.is_empty());
        let error = put_binary(SqlValueRef::Text("abc"), None, &mut out).unwrap_err();
        assert_eq!(
            error.message,
            "invalid input syntax for type numeric: \"abc\""
        );
        assert!(put_binary(SqlValueRef::Blob(b"1"), None, &mut out).is_err());
        assert!(out.is_empty());
    }

    #[test]
    fn infinities_have_a_binary_form() {
        let negative = [0, 0, 0, 0, 0xf0, 0, 0, 0x20];
        assert_eq!(binary(SqlValueRef::Real(f64::NEG_INFINITY), None), negative);
        assert_eq!(
            from_binary(&negative, None).unwrap(),
            SqlValue::Real(f64::NEG_INFINITY)
        );
    }

    #[test]
    fn the_first_form_that_keeps_the_number_is_stored() {
        assert_eq!(from_text("12.00", None).unwrap(), SqlValue::Integer(12));
        assert_eq!(
            from_text("-9223372036854775808", None).unwrap(),
            SqlValue::Integer(i64::MIN)
        );
        assert_eq!(
            from_text("9223372036854775808", None).unwrap().as_ref(),
            SqlValueRef::Text("9223372036854775808")
        );
        assert_eq!(from_text("1.10", None).unwrap(), SqlValue::Real(1.1));
        assert_eq!(from_text("1e20", None).unwrap(), SqlValue::Real(1e20));
        assert_eq!(
            from_text("3.14159265358979323846", None).unwrap(),
            SqlValue::Text("3.14159265358979323846".into())
        );
        assert_eq!(
            from_text("nan", None).unwrap(),
            SqlValue::Text("NaN".into())
        );
    }

    #[test]
    fn statements_compute_with_numbers_and_not_with_text() {
        let computed = |text| computed(Decimal::parse(text).unwrap(), None);
        assert_eq!(
            computed("0.30000000000000004"),
            Ok(SqlValue::Real(0.1 + 0.2))
        );
        assert_eq!(computed("1.10"), Ok(SqlValue::Real(1.1)));
        assert_eq!(computed("NaN"), Ok(SqlValue::Text("NaN".into())));
        assert_eq!(computed("1e-400"), Ok(SqlValue::Real(0.0)));
        let error = computed("1e400").unwrap_err();
        assert_eq!(error.sqlstate, SqlState::NUMERIC_VALUE_OUT_OF_RANGE);
    }

    #[test]
    fn a_column_rounds_and_refuses_what_is_too_large_for_it() {
        assert_eq!(from_text("1.005", MONEY).unwrap(), SqlValue::Real(1.01));
        assert_eq!(
            from_text("99999999.994", MONEY).unwrap(),
            SqlValue::Real(99_999_999.99)
        );
        let error = from_text("99999999.995", MONEY).unwrap_err();
        assert_eq!(error.sqlstate, SqlState::NUMERIC_VALUE_OUT_OF_RANGE);
        assert_eq!(error.message, "numeric field overflow");
        assert_eq!(
            error.detail.unwrap(),
            "A field with precision 10, scale 2 must round to an absolute value less than 10^8."
        );
        assert!(from_text("Infinity", MONEY).is_err());
        let fraction = Some(Limits {
            precision: 2,
            scale: 2,
        });
        assert!(
            from_text("1", fraction)
                .unwrap_err()
                .detail
                .unwrap()
                .ends_with("less than 1.")
        );
        assert_eq!(from_text("0.99", fraction).unwrap(), SqlValue::Real(0.99));
    }

    #[test]
    fn hostile_binary_numbers_are_refused() {
        let cases: [(&[u8], &str); 6] = [
            (&[], "length"),
            (&[0, 1, 0, 0, 0, 0, 0, 0], "length"),
            (&[0, 0, 0, 0, 0, 0, 0, 0, 0, 1], "length"),
            (&[0, 0, 0, 0, 0x12, 0, 0, 0], "sign"),
            (&[0, 0, 0, 0, 0, 0, 0x40, 0], "scale"),
            (&[0, 1, 0, 0, 0, 0, 0, 0, 0x27, 0x10], "digit"),
        ];
        for (bytes, what) in cases {
            let error = from_binary(bytes, None).unwrap_err();
            assert_eq!(error.sqlstate, SqlState::INVALID_BINARY_REPRESENTATION);
            assert_eq!(
                error.message,
                format!("invalid {what} in external \"numeric\" value")
            );
        }
        let error = from_binary(&[0, 1, 0x7f, 0xff, 0, 0, 0, 0, 0, 10], None);
        assert!(error.is_ok_and(|value| matches!(value, SqlValue::Real(_) | SqlValue::Text(_))));
    }

    proptest! {
        #[test]
        fn any_decimal_survives_the_binary_form(
            negative: bool, whole in "[1-9][0-9]{0,30}", fraction in "[0-9]{0,30}"
        ) {
            let sign = if negative { "-" } else { "" };
            let point = if fraction.is_empty() { "" } else { "." };
            let number = format!("{sign}{whole}{point}{fraction}");
            let bytes = binary(SqlValueRef::Text(&number), None);
            prop_assert_eq!(from_binary(&bytes, None).unwrap(), from_text(&number, None).unwrap());
        }

        #[test]
        fn a_price_is_shown_as_it_was_written(cents in -9_999_999_999_i64..=9_999_999_999) {
            let sign = if cents < 0 { "-" } else { "" };
            let price = format!("{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100);
            let stored = from_text(&price, MONEY).unwrap();
            prop_assert_eq!(text(stored.as_ref(), Some(2)), price);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            if let Ok(value) = from_binary(&bytes, None) {
                prop_assert!(put_text(value.as_ref(), None, &mut BytesMut::new()));
            }
        }
    }
}
