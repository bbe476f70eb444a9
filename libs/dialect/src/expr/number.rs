//! Numbers as they are written: their scale, and whether a column has room for them.

use pgtypes::{PgType, SqlState};

use crate::error::DialectError;

/// The digits behind the point of a decimal literal: 2 for `1.50`, 3 for `1.5e-2`.
pub(crate) fn scale(text: &str) -> u32 {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let written = mantissa.split_once('.').map_or(0, |(_, fraction)| {
        fraction.bytes().filter(u8::is_ascii_digit).count()
    });
    let exponent: i64 = exponent.parse().unwrap_or(0);
    let digits = i64::try_from(written).unwrap_or(0).saturating_sub(exponent);
    u32::try_from(digits.clamp(0, 1000)).unwrap_or(0)
}

/// Whether a decimal number, as it is written, goes into a column of this type without any change. `None`: it must be
/// looked at when the statement runs.
pub(crate) fn fits(text: &str, ty: &PgType) -> Option<bool> {
    let digits = text.trim().trim_start_matches(['-', '+']).trim_start();
    let plain = !digits.is_empty() && digits.bytes().all(|c| c.is_ascii_digit() || c == b'.');
    if !plain {
        return None;
    }
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if ty.is_integer() {
        let value: i64 = text.trim().replace(' ', "").parse().ok()?;
        return Some(match ty {
            PgType::Int2 => i16::try_from(value).is_ok(),
            PgType::Int4 => i32::try_from(value).is_ok(),
            _ => true,
        });
    }
    let Some(precision) = ty.precision() else {
        return Some(true);
    };
    // A negative scale rounds before the point.
    let scale = ty.scale()?;
    let room = usize::try_from(precision.saturating_sub(scale)).ok()?;
    let places = usize::try_from(scale).ok()?;
    let fits = whole.trim_start_matches('0').len() <= room && fraction.len() <= places;
    fits.then_some(true)
}

/// 22003 for an integer type.
pub(crate) fn out_of_range(ty: &PgType) -> DialectError {
    DialectError::new(
        SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
        format!("{} out of range", ty.name()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_of_a_literal_is_what_is_written() {
        for (text, digits) in [
            ("1.50", 2),
            ("1.5e-2", 3),
            ("1.5e3", 0),
            ("7.", 0),
            (".125", 3),
        ] {
            assert_eq!(scale(text), digits, "{text}");
        }
    }

    #[test]
    fn a_number_fits_a_column_or_must_be_looked_at() {
        for (text, ty, expected) in [
            ("19.99", "numeric(10,2)", Some(true)),
            ("19.995", "numeric(10,2)", None),
            ("123456789.00", "numeric(10,2)", None),
            ("1e3", "numeric(10,2)", None),
            ("-32768", "int2", Some(true)),
            ("32768", "int2", Some(false)),
            ("1.5", "int4", None),
            ("123456789012345678901", "numeric", Some(true)),
        ] {
            assert_eq!(
                fits(text, &PgType::parse(ty).unwrap()),
                expected,
                "{text} {ty}"
            );
        }
    }
}
