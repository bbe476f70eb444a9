//! Type `numeric`: what is stored for it, and its text.

use std::fmt::Write;

use bytes::BytesMut;

use crate::decimal::{Decimal, power_of_ten};
use crate::{SqlState, SqlValue, SqlValueRef, ValueError, integer};

/// Decimal digits that a double always keeps.
const DOUBLE_DIGITS: i32 = 15;
/// Longer numbers take the way that checks the bounds of numeric.
const MAX_PLAIN_BYTES: usize = 1000;

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
    match value {
        SqlValueRef::Text(text) => {
            out.extend_from_slice(text.as_bytes());
            true
        }
        SqlValueRef::Integer(number) if scale.is_none() => {
            integer::put(number, out);
            true
        }
        _ => shown(value, scale).is_ok_and(|decimal| write!(out, "{decimal}").is_ok()),
    }
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

/// The number to show for a value that need not be in stored form.
///
/// A double has noise behind its 15th digit. Where a scale is known, rounding to it takes that
/// away; where none is, 15 digits are shown, as PostgreSQL does when it makes a numeric of a double.
pub(crate) fn shown(value: SqlValueRef<'_>, scale: Option<i16>) -> Result<Decimal, ValueError> {
    let decimal = decimal(value)?;
    Ok(match (scale, value) {
        (_, SqlValueRef::Text(_)) => decimal,
        (Some(scale), _) => decimal.rounded(scale),
        (None, SqlValueRef::Real(_)) => {
            decimal.map(|number| number.rounded_to_significant(DOUBLE_DIGITS))
        }
        (None, _) => decimal,
    })
}

/// A finite number as it is printed, cut at its sign and its point.
pub(crate) struct Plain<'a> {
    pub(crate) negative: bool,
    /// Without zeros in front, unless it is 0.
    pub(crate) whole: &'a str,
    pub(crate) fraction: &'a str,
}

impl<'a> Plain<'a> {
    /// `None` for what is not printed like this, as `1e3`, `+1`, `01` and `-0.0`.
    pub(crate) fn of(text: &'a str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let (whole, fraction) = match digits.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (digits, ""),
        };
        let mut all = whole.bytes().chain(fraction.bytes());
        let is_number = !whole.is_empty() && all.all(|b| b.is_ascii_digit());
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        let negative_zero = negative && digits.bytes().all(|b| matches!(b, b'0' | b'.'));
        (is_number && !leading_zero && !negative_zero).then_some(Self {
            negative,
            whole,
            fraction,
        })
    }

    /// The digits in front of the point, of which 0 has none.
    pub(crate) fn significant_whole(&self) -> &'a str {
        if self.whole == "0" { "" } else { self.whole }
    }
}

/// Reads the text form.
pub(crate) fn from_text(text: &str, limits: Option<Limits>) -> Result<SqlValue, ValueError> {
    if text.len() <= MAX_PLAIN_BYTES
        && let Some(plain) = Plain::of(text)
        && let Some(stored) = within_as_it_is(text, &plain, limits)
    {
        return Ok(SqlValue::Text(stored));
    }
    stored(Decimal::parse(text)?, limits)
}

/// The stored form of a printed number that needs no rounding.
fn within_as_it_is(text: &str, plain: &Plain<'_>, limits: Option<Limits>) -> Option<String> {
    let Some(Limits { precision, scale }) = limits else {
        return Some(text.to_owned());
    };
    let scale = usize::try_from(scale).ok()?;
    let zeros = scale.checked_sub(plain.fraction.len())?;
    let room = usize::from(precision).checked_sub(scale)?;
    if plain.significant_whole().len() > room {
        return None;
    }
    let mut stored = String::with_capacity(text.len() + zeros + 1);
    stored.push_str(text);
    if plain.fraction.is_empty() && scale > 0 {
        stored.push('.');
    }
    stored.extend(std::iter::repeat_n('0', zeros));
    Some(stored)
}

/// The stored form: the number as it is printed, rounded to a column's scale.
pub fn stored(decimal: Decimal, limits: Option<Limits>) -> Result<SqlValue, ValueError> {
    let decimal = match limits {
        Some(limits) => within(decimal, limits)?,
        None => decimal,
    };
    Ok(SqlValue::Text(decimal.to_string()))
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

    use super::{Limits, from_text, put_text};
    use crate::{SqlState, SqlValue, SqlValueRef};

    const MONEY: Option<Limits> = Some(Limits {
        precision: 10,
        scale: 2,
    });

    fn stored(text: &str) -> SqlValue {
        SqlValue::Text(text.to_owned())
    }

    fn text(value: SqlValueRef<'_>, scale: Option<i16>) -> String {
        let mut out = BytesMut::new();
        assert!(put_text(value, scale, &mut out), "{value:?}");
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn numbers_in_stored_form_are_shown_as_they_are() {
        for number in [
            "5.00",
            "1.50",
            "NaN",
            "-Infinity",
            "0.00",
            "100000000000000000000",
        ] {
            assert_eq!(text(SqlValueRef::Text(number), Some(2)), number);
        }
    }

    #[test]
    fn numbers_of_sqlites_own_are_rounded_to_a_scale_that_is_known() {
        assert_eq!(text(SqlValueRef::Integer(5), Some(2)), "5.00");
        assert_eq!(text(SqlValueRef::Real(19.99 + 4e-15), Some(2)), "19.99");
        assert_eq!(text(SqlValueRef::Integer(1250), Some(-2)), "1300");
        assert_eq!(text(SqlValueRef::Real(0.1 + 0.2), None), "0.3");
        assert_eq!(text(SqlValueRef::Real(199.99 + 3e-14), None), "199.99");
        assert_eq!(text(SqlValueRef::Real(1e20), None), "100000000000000000000");
        assert_eq!(text(SqlValueRef::Real(1.5e-7), None), "0.00000015");
        let infinity = SqlValueRef::Real(f64::NEG_INFINITY);
        assert_eq!(text(infinity, None), "-Infinity");
    }

    #[test]
    fn what_is_no_number_has_no_form() {
        let mut out = BytesMut::new();
        assert!(!put_text(SqlValueRef::Blob(b"1"), None, &mut out));
        assert!(out.is_empty());
    }

    #[test]
    fn numbers_are_stored_as_they_are_printed() {
        for (written, printed) in [
            ("12.00", "12.00"),
            (" 1.10", "1.10"),
            ("+.5", "0.5"),
            ("007", "7"),
            ("-0.0", "0.0"),
            ("1.50e3", "1500"),
            ("9223372036854775808", "9223372036854775808"),
            ("3.14159265358979323846", "3.14159265358979323846"),
            ("nan", "NaN"),
            ("inf", "Infinity"),
        ] {
            assert_eq!(from_text(written, None).unwrap(), stored(printed));
        }
        for wrong in ["1.", "--1", "1.2.3", "abc", ""] {
            let read = from_text(wrong, None);
            assert_eq!(read.is_ok(), wrong == "1.", "{wrong}");
        }
        let long = format!("{}.5", "9".repeat(131_073));
        assert!(from_text(&long, None).is_err());
    }

    #[test]
    fn a_column_rounds_and_refuses_what_is_too_large_for_it() {
        for (written, kept) in [
            ("1.005", "1.01"),
            ("5", "5.00"),
            ("-0.5", "-0.50"),
            ("0", "0.00"),
            ("99999999.994", "99999999.99"),
            ("12345678", "12345678.00"),
        ] {
            assert_eq!(from_text(written, MONEY).unwrap(), stored(kept));
        }
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
        assert_eq!(from_text("0.9", fraction).unwrap(), stored("0.90"));
        let hundreds = Some(Limits {
            precision: 3,
            scale: -2,
        });
        assert_eq!(from_text("1250", hundreds).unwrap(), stored("1300"));
    }

    proptest! {
        #[test]
        fn a_price_is_shown_as_it_was_written(cents in -9_999_999_999_i64..=9_999_999_999) {
            let sign = if cents < 0 { "-" } else { "" };
            let price = format!("{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100);
            let stored = from_text(&price, MONEY).unwrap();
            prop_assert_eq!(text(stored.as_ref(), Some(2)), price);
        }

    }
}
