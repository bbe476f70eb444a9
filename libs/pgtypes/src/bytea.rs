//! Type `bytea`: bytes as hexadecimal text behind `\x`, or with backslash sequences.

use bytes::BytesMut;

use crate::{SqlState, ValueError};

/// Appends the text form, `\x00ff`.
pub(crate) fn put_text(bytes: &[u8], out: &mut BytesMut) {
    out.extend_from_slice(b"\\x");
    let start = out.len();
    out.resize(start + bytes.len() * 2, 0);
    if let Some(digits) = out.get_mut(start..) {
        let encoded = hex::encode_to_slice(bytes, digits);
        assert!(encoded.is_ok(), "there is room for two digits a byte");
    }
}

/// The text form with sequences, of which `parse` reads the bytes again: `\000` for what is no
/// ASCII, `\\` for a backslash.
pub fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'\\' => text.push_str("\\\\"),
            1..=127 => text.push(char::from(*byte)),
            _ => {
                text.push('\\');
                for shift in [6, 3, 0] {
                    text.push(char::from(b'0' + (byte >> shift & 7)));
                }
            }
        }
    }
    text
}

/// Reads either text form.
pub fn parse(text: &str) -> Result<Vec<u8>, ValueError> {
    match text.strip_prefix("\\x") {
        Some(digits) => parse_hex(digits),
        None => parse_escaped(text.as_bytes()),
    }
}

/// Reads hexadecimal digits with blanks between bytes, as `decode(…, 'hex')` does.
pub fn parse_hex(digits: &str) -> Result<Vec<u8>, ValueError> {
    let invalid = |message: String| ValueError::new(SqlState::INVALID_PARAMETER_VALUE, message);
    let mut bytes = Vec::with_capacity(digits.len() / 2);
    let mut high = None;
    for c in digits.chars() {
        // Blanks may stand between bytes, not within one.
        if high.is_none() && c.is_ascii_whitespace() {
            continue;
        }
        let value = c.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let value = value.ok_or_else(|| invalid(format!("invalid hexadecimal digit: \"{c}\"")))?;
        match high.take() {
            None => high = Some(value),
            Some(high) => bytes.push(high << 4 | value),
        }
    }
    match high {
        None => Ok(bytes),
        Some(_) => Err(invalid(
            "invalid hexadecimal data: odd number of digits".to_owned(),
        )),
    }
}

/// Reads text with backslash sequences.
pub fn parse_escaped(text: &[u8]) -> Result<Vec<u8>, ValueError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        if byte != b'\\' {
            bytes.push(byte);
            rest = tail;
            continue;
        }
        match tail {
            [b'\\', tail @ ..] => {
                bytes.push(b'\\');
                rest = tail;
            }
            [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', tail @ ..] => {
                bytes.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest = tail;
            }
            _ => {
                return Err(ValueError::new(
                    SqlState::INVALID_TEXT_REPRESENTATION,
                    "invalid input syntax for type bytea",
                ));
            }
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use proptest::prelude::*;

    use super::{escaped, parse, put_text};
    use crate::SqlState;

    #[test]
    fn both_text_forms_are_read() {
        assert_eq!(parse("\\xDEADbeef").unwrap(), [0xde, 0xad, 0xbe, 0xef]);
        assert_eq!(parse("\\xde ad\n").unwrap(), [0xde, 0xad]);
        assert_eq!(parse("\\x").unwrap(), []);
        assert_eq!(parse("a\\\\b\\001\\377").unwrap(), b"a\\b\x01\xff");
        assert_eq!(parse("ä").unwrap(), "ä".as_bytes());
    }

    #[test]
    fn damaged_text_is_refused_in_postgresqls_words() {
        let cases = [
            (
                "\\xabc",
                SqlState::INVALID_PARAMETER_VALUE,
                "invalid hexadecimal data: odd number of digits",
            ),
            (
                "\\xzz",
                SqlState::INVALID_PARAMETER_VALUE,
                "invalid hexadecimal digit: \"z\"",
            ),
            (
                "\\xé",
                SqlState::INVALID_PARAMETER_VALUE,
                "invalid hexadecimal digit: \"é\"",
            ),
            (
                "\\400",
                SqlState::INVALID_TEXT_REPRESENTATION,
                "invalid input syntax for type bytea",
            ),
            (
                "\\",
                SqlState::INVALID_TEXT_REPRESENTATION,
                "invalid input syntax for type bytea",
            ),
        ];
        for (text, sqlstate, message) in cases {
            let error = parse(text).unwrap_err();
            assert_eq!(
                (error.sqlstate, error.message.as_str()),
                (sqlstate, message)
            );
        }
    }

    proptest! {
        #[test]
        fn any_bytes_survive(bytes: Vec<u8>) {
            prop_assert_eq!(&parse(&escaped(&bytes)).unwrap(), &bytes);
            let mut out = BytesMut::new();
            put_text(&bytes, &mut out);
            prop_assert_eq!(parse(std::str::from_utf8(&out).unwrap()).unwrap(), bytes);
        }
    }
}
