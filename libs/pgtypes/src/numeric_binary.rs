//! Type `numeric` in binary.
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

use crate::decimal::{Decimal, Finite, MAX_SCALE};
use crate::numeric::{Limits, Plain, shown, stored};
use crate::{SqlValue, SqlValueRef, ValueError};

const POSITIVE: u16 = 0x0000;
const NEGATIVE: u16 = 0x4000;
const NOT_A_NUMBER: u16 = 0xc000;
const POSITIVE_INFINITY: u16 = 0xd000;
const NEGATIVE_INFINITY: u16 = 0xf000;

/// Decimal digits in a digit of the binary form.
const GROUP: usize = 4;
/// PostgreSQL sends a scale of 32 with an infinity; nobody reads it.
const INFINITY_SCALE: u16 = 0x20;

/// Appends the binary form.
pub(crate) fn put_binary(
    value: SqlValueRef<'_>,
    scale: Option<i16>,
    out: &mut BytesMut,
) -> Result<(), ValueError> {
    if let SqlValueRef::Text(text) = value
        && let Some(plain) = Plain::of(text)
    {
        return put_groups(&plain, out);
    }
    let special = match shown(value, scale)? {
        Decimal::Finite(number) => {
            let text = number.to_string();
            let plain = Plain::of(&text).ok_or_else(|| ValueError::syntax("numeric", &text))?;
            return put_groups(&plain, out);
        }
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

fn put_groups(number: &Plain<'_>, out: &mut BytesMut) -> Result<(), ValueError> {
    let overflow = || ValueError::range("numeric", "a number with too many digits");
    let size = |length: usize| i64::try_from(length).map_err(|_| overflow());
    let whole = number.significant_whole();
    // The place of the first digit that is not 0: that of the units is 0.
    let zeros = number.fraction.bytes().take_while(|b| *b == b'0').count();
    let first = if whole.is_empty() {
        -1 - size(zeros)?
    } else {
        size(whole.len())? - 1
    };
    let fraction = number.fraction.trim_end_matches('0');
    let significant = if whole.is_empty() {
        fraction.get(zeros..).unwrap_or_default()
    } else {
        fraction
    };
    let whole = if fraction.is_empty() {
        whole.trim_end_matches('0')
    } else {
        whole
    };
    // The first group holds the digits up to the next multiple of four in front of the point.
    let group = i64::try_from(GROUP).unwrap_or(4);
    let padding = usize::try_from(group - 1 - first.rem_euclid(group)).unwrap_or(0);
    let digits = whole.len() + significant.len();
    let is_zero = digits == 0;
    let groups = if is_zero {
        0
    } else {
        (padding + digits).div_ceil(GROUP)
    };
    out.put_u16(u16::try_from(groups).map_err(|_| overflow())?);
    let weight = if is_zero { 0 } else { first.div_euclid(group) };
    out.put_i16(i16::try_from(weight).map_err(|_| overflow())?);
    out.put_u16(if number.negative { NEGATIVE } else { POSITIVE });
    out.put_u16(u16::try_from(number.fraction.len()).map_err(|_| overflow())?);
    let mut digits = std::iter::repeat_n(b'0', padding)
        .chain(whole.bytes())
        .chain(significant.bytes());
    for _ in 0..groups {
        let mut next = || u16::from(digits.next().unwrap_or(b'0') - b'0');
        out.put_u16((0..GROUP).fold(0, |value, _| value * 10 + next()));
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use proptest::prelude::*;

    use super::{from_binary, put_binary};
    use crate::numeric::{from_text, put_text};
    use crate::{SqlState, SqlValue, SqlValueRef};

    fn binary(value: SqlValueRef<'_>, scale: Option<i16>) -> Vec<u8> {
        let mut out = BytesMut::new();
        put_binary(value, scale, &mut out).unwrap();
        out.to_vec()
    }

    #[test]
    fn infinities_have_a_binary_form() {
        let negative = [0, 0, 0, 0, 0xf0, 0, 0, 0x20];
        assert_eq!(binary(SqlValueRef::Real(f64::NEG_INFINITY), None), negative);
        assert_eq!(
            from_binary(&negative, None).unwrap(),
            SqlValue::Text("-Infinity".into())
        );
    }

    #[test]
    fn what_is_no_number_has_no_form() {
        let mut out = BytesMut::new();
        let error = put_binary(SqlValueRef::Text("abc"), None, &mut out).unwrap_err();
        assert_eq!(
            error.message,
            "invalid input syntax for type numeric: \"abc\""
        );
        assert!(put_binary(SqlValueRef::Blob(b"1"), None, &mut out).is_err());
        assert!(out.is_empty());
    }

    #[test]
    fn texts_in_other_than_printed_form_have_the_numbers_bytes() {
        for (text, printed) in [("1e3", "1000"), ("-0.0", "0.0"), ("+01.50", "1.50")] {
            let [given, printed] =
                [text, printed].map(|text| binary(SqlValueRef::Text(text), None));
            assert_eq!(given, printed, "{text}");
        }
        let long = "7".repeat(131_072);
        let bytes = binary(SqlValueRef::Text(&long), None);
        assert_eq!(from_binary(&bytes, None).unwrap(), SqlValue::Text(long));
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
        assert!(error.is_ok_and(|value| matches!(value, SqlValue::Text(_))));
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
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            if let Ok(value) = from_binary(&bytes, None) {
                prop_assert!(put_text(value.as_ref(), None, &mut BytesMut::new()));
            }
        }
    }
}
