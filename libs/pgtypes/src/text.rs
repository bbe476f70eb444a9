//! Text: what may be sent and stored as characters, and the limits of the character types.

use memchr::memchr;

use crate::SqlState;
use crate::error::ValueError;

/// The bytes as UTF-8 without a zero byte, which no PostgreSQL text holds; else 22021.
pub(crate) fn checked_utf8(bytes: &[u8]) -> Result<&str, ValueError> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return Err(invalid_sequence(bytes.get(error.valid_up_to()..))),
    };
    if memchr(0, bytes).is_some() {
        return Err(invalid_sequence(Some(&[0])));
    }
    Ok(text)
}

fn invalid_sequence(from: Option<&[u8]>) -> ValueError {
    let bytes = from.unwrap_or_default();
    let expected = match bytes.first() {
        Some(0xc0..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf7) => 4,
        _ => 1,
    };
    let shown: Vec<String> = bytes
        .iter()
        .take(expected)
        .map(|b| format!("0x{b:02x}"))
        .collect();
    ValueError::new(
        SqlState::CHARACTER_NOT_IN_REPERTOIRE,
        format!(
            "invalid byte sequence for encoding \"UTF8\": {}",
            shown.join(" ")
        ),
    )
}

/// Text for a column of at most `limit` characters. As in PostgreSQL, blanks beyond it are cut
/// off silently, anything else is 22001.
pub fn within_limit<'a>(
    text: &'a str,
    limit: Option<u32>,
    type_name: &str,
) -> Result<&'a str, ValueError> {
    let Some(limit) = limit else { return Ok(text) };
    let limit_chars = usize::try_from(limit).unwrap_or(usize::MAX);
    if text.len() <= limit_chars {
        return Ok(text);
    }
    let Some((end, _)) = text.char_indices().nth(limit_chars) else {
        return Ok(text);
    };
    let (kept, beyond) = text.split_at(end);
    if beyond.bytes().all(|b| b == b' ') {
        return Ok(kept);
    }
    Err(ValueError::new(
        SqlState::STRING_DATA_RIGHT_TRUNCATION,
        format!("value too long for type {type_name}({limit})"),
    ))
}

#[cfg(test)]
mod tests {
    use super::{checked_utf8, within_limit};
    use crate::SqlState;

    #[test]
    fn bytes_that_are_no_text_are_named_in_the_error() {
        let error = checked_utf8(b"ab\xff").unwrap_err();
        assert_eq!(error.sqlstate, SqlState::CHARACTER_NOT_IN_REPERTOIRE);
        assert_eq!(
            error.message,
            "invalid byte sequence for encoding \"UTF8\": 0xff"
        );
        let error = checked_utf8(b"ab\xe4\xb8").unwrap_err();
        assert_eq!(
            error.message,
            "invalid byte sequence for encoding \"UTF8\": 0xe4 0xb8"
        );
        let error = checked_utf8(b"a\0b").unwrap_err();
        assert_eq!(
            error.message,
            "invalid byte sequence for encoding \"UTF8\": 0x00"
        );
        assert_eq!(checked_utf8("größe".as_bytes()).unwrap(), "größe");
    }

    #[test]
    fn a_limit_counts_characters_and_forgives_blanks() {
        assert_eq!(
            within_limit("äöü", Some(3), "character varying").unwrap(),
            "äöü"
        );
        assert_eq!(
            within_limit("ab  ", Some(2), "character varying").unwrap(),
            "ab"
        );
        assert_eq!(within_limit("ab", None, "character varying").unwrap(), "ab");
        let error = within_limit("äöüß", Some(3), "character varying").unwrap_err();
        assert_eq!(error.sqlstate, SqlState::STRING_DATA_RIGHT_TRUNCATION);
        assert_eq!(
            error.message,
            "value too long for type character varying(3)"
        );
    }
}
