//! Type `"char"`: one byte.

/// As it is printed and stored: the character of an ASCII byte, `\303` for one beyond, nothing for
/// the byte 0.
pub fn stored(byte: u8) -> String {
    match byte {
        0 => String::new(),
        1..=0x7f => char::from(byte).to_string(),
        _ => format!("\\{byte:03o}"),
    }
}

/// The stored form of a text: its first byte, or the byte of three octal digits behind a backslash.
pub(crate) fn from_text(text: &str) -> String {
    stored(byte(text))
}

/// The byte that a text means.
pub fn byte(text: &str) -> u8 {
    match text.as_bytes() {
        [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7'] => {
            (a - b'0') << 6 | (b - b'0') << 3 | (c - b'0')
        }
        [first, ..] => *first,
        [] => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::{byte, from_text, stored};

    /// As in PostgreSQL 15.
    #[test]
    fn a_byte_beyond_ascii_is_written_in_octal_digits() {
        for (text, kept) in [
            ("r", "r"),
            ("rest", "r"),
            ("é", "\\303"),
            ("\\303", "\\303"),
            ("\\303x", "\\"),
            ("\\1", "\\"),
            ("\\000", ""),
            ("", ""),
        ] {
            assert_eq!(from_text(text), kept, "{text}");
        }
        for any in 0..=u8::MAX {
            assert_eq!(byte(&stored(any)), any);
        }
    }
}
