//! Whole numbers and booleans as text.

use bytes::{BufMut, BytesMut};

use crate::ValueError;

/// Appends a number in decimal digits; no allocation beyond `out`.
pub(crate) fn put(value: i64, out: &mut BytesMut) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends a number with zeros in front up to `width` digits.
pub(crate) fn put_padded(value: u64, width: usize, out: &mut BytesMut) {
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(value);
    out.put_bytes(b'0', width.saturating_sub(digits.len()));
    out.extend_from_slice(digits.as_bytes());
}

/// Reads a whole number between two bounds, blanks around it allowed.
pub fn parse(text: &str, type_name: &str, min: i64, max: i64) -> Result<i64, ValueError> {
    let trimmed = text.trim_ascii();
    match trimmed.parse::<i64>() {
        Ok(value) if (min..=max).contains(&value) => Ok(value),
        Ok(_) => Err(ValueError::range(type_name, text)),
        Err(_) => {
            // Too many digits are noticed before what stands behind them.
            let unsigned = trimmed.strip_prefix(['-', '+']).unwrap_or(trimmed);
            let end = unsigned
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(unsigned.len());
            let (digits, _) = unsigned.split_at(end);
            let bound = if trimmed.starts_with('-') {
                min.unsigned_abs()
            } else {
                max.unsigned_abs()
            };
            let fits = digits.parse::<u64>().is_ok_and(|number| number <= bound);
            if digits.is_empty() || fits {
                Err(ValueError::syntax(type_name, text))
            } else {
                Err(ValueError::range(type_name, text))
            }
        }
    }
}

/// Reads a truth value in any of PostgreSQL's spellings: `true`, `yes`, `on`, `1`, their opposites,
/// and beginnings of them that cannot be mistaken.
pub fn parse_bool(text: &str) -> Option<bool> {
    let word = text.trim_ascii();
    let begins = |full: &str, shortest: usize| {
        word.len() >= shortest
            && full
                .get(..word.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    if begins("true", 1) || begins("yes", 1) || begins("on", 2) || word == "1" {
        Some(true)
    } else if begins("false", 1) || begins("no", 1) || begins("off", 2) || word == "0" {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::{parse, parse_bool, put, put_padded};
    use crate::SqlState;

    #[test]
    fn numbers_are_written_as_std_writes_them_and_within_the_given_buffer() {
        for value in [
            0,
            1,
            -1,
            9,
            10,
            99,
            100,
            12345,
            i64::MAX,
            i64::MIN,
            -1_000_000,
        ] {
            let mut out = BytesMut::with_capacity(20);
            let before = out.as_ptr();
            put(value, &mut out);
            assert_eq!(out, value.to_string().as_bytes());
            assert_eq!(out.as_ptr(), before, "{value} moved the buffer");
        }
    }

    #[test]
    fn padding_counts_digits() {
        let mut out = BytesMut::new();
        put_padded(7, 2, &mut out);
        put_padded(2026, 4, &mut out);
        put_padded(12345, 4, &mut out);
        put_padded(u64::MAX, 2, &mut out);
        assert_eq!(out, &b"07202612345\x31\x38446744073709551615"[..]);
    }

    #[test]
    fn a_number_out_of_range_is_told_from_one_that_is_none() {
        assert_eq!(parse(" -42 ", "smallint", -32768, 32767).unwrap(), -42);
        assert_eq!(parse("+7", "smallint", -32768, 32767).unwrap(), 7);
        for text in ["32768", "-32769", "99999999999999999999999"] {
            let error = parse(text, "smallint", -32768, 32767).unwrap_err();
            assert_eq!(error.sqlstate, SqlState::NUMERIC_VALUE_OUT_OF_RANGE);
            assert_eq!(
                error.message,
                format!("value \"{text}\" is out of range for type smallint")
            );
        }
        for text in ["", "-", "1.5", "0x10", "1 2", "٣"] {
            let error = parse(text, "integer", i64::MIN, i64::MAX).unwrap_err();
            assert_eq!(
                error.sqlstate,
                SqlState::INVALID_TEXT_REPRESENTATION,
                "{text}"
            );
        }
    }

    #[test]
    fn truth_has_many_spellings() {
        for text in ["t", "TRUE", "tr", "y", "yes", "on", "1", " true "] {
            assert_eq!(parse_bool(text), Some(true), "{text}");
        }
        for text in ["f", "false", "N", "no", "of", "off", "0"] {
            assert_eq!(parse_bool(text), Some(false), "{text}");
        }
        for text in ["", "o", "2", "truth", "tö"] {
            assert_eq!(parse_bool(text), None, "{text}");
        }
    }
}
