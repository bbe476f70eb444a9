//! Bytes as hexadecimal text.

use std::fmt;

use bytes::{BufMut, BytesMut};

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Appends two lower-case digits for each byte.
pub(crate) fn put(bytes: &[u8], out: &mut BytesMut) {
    out.reserve(bytes.len().saturating_mul(2));
    for byte in bytes {
        for half in [byte >> 4, byte & 0xf] {
            out.put_u8(DIGITS.get(usize::from(half)).copied().unwrap_or(b'0'));
        }
    }
}

/// Shows two lower-case digits for each byte.
#[derive(Clone, Copy, Debug)]
pub struct Hex<'a>(pub &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = BytesMut::new();
        put(self.0, &mut digits);
        f.write_str(&String::from_utf8_lossy(&digits))
    }
}

/// The byte that two digits mean, in either case.
pub(crate) fn pair([high, low]: [u8; 2]) -> Option<u8> {
    let value = |digit: u8| {
        char::from(digit)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    Some(value(high)? << 4 | value(low)?)
}

/// Reads exactly `N` bytes.
pub fn parse<const N: usize>(text: &str) -> Option<[u8; N]> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, digits) in bytes.iter_mut().zip(pairs) {
        *byte = pair(*digits)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::{Hex, parse};

    #[test]
    fn bytes_survive_their_digits() {
        let bytes = [0x00, 0x1f, 0xa0, 0xff];
        assert_eq!(Hex(&bytes).to_string(), "001fa0ff");
        assert_eq!(parse("001FA0ff"), Some(bytes));
        for other in [
            "",
            "001fa0f",
            "001fa0ff00",
            "001fa0fg",
            "+01fa0ff",
            "é01fa0f",
        ] {
            assert_eq!(parse::<4>(other), None, "{other}");
        }
    }
}
