//! Type `uuid`.

use bytes::{BufMut, BytesMut};

use crate::ValueError;

/// Where a hyphen follows: after so many bytes.
const GROUP_ENDS: [usize; 4] = [4, 6, 8, 10];

/// Appends 36 lower-case characters.
pub(crate) fn put(uuid: [u8; 16], out: &mut BytesMut) {
    for (at, byte) in uuid.into_iter().enumerate() {
        if GROUP_ENDS.contains(&at) {
            out.put_u8(b'-');
        }
        let mut digits = [0; 2];
        let encoded = hex::encode_to_slice([byte], &mut digits);
        assert!(encoded.is_ok(), "there is room for two digits");
        out.put_slice(&digits);
    }
}

/// As it is printed: 36 lower-case characters.
pub fn text(uuid: [u8; 16]) -> String {
    let mut out = String::with_capacity(36);
    let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or('0');
    for (at, byte) in uuid.into_iter().enumerate() {
        if GROUP_ENDS.contains(&at) {
            out.push('-');
        }
        out.push(digit(byte >> 4));
        out.push(digit(byte & 0xf));
    }
    out
}

/// Whether a text is already as it is printed.
pub(crate) fn is_printed(text: &str) -> bool {
    let is_right = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    };
    text.len() == 36 && text.bytes().enumerate().all(is_right)
}

/// Reads 32 digits in either case, with hyphens after any group of four, in braces or without.
pub fn parse(text: &str) -> Result<[u8; 16], ValueError> {
    parse_digits(text.as_bytes()).ok_or_else(|| ValueError::syntax("uuid", text))
}

fn parse_digits(text: &[u8]) -> Option<[u8; 16]> {
    let mut rest = match text.strip_prefix(b"{") {
        Some(inside) => inside.strip_suffix(b"}")?,
        None => text,
    };
    let mut uuid = [0; 16];
    for (at, byte) in uuid.iter_mut().enumerate() {
        if at > 0 && at % 2 == 0 {
            rest = rest.strip_prefix(b"-").unwrap_or(rest);
        }
        let (pair, tail) = rest.split_first_chunk::<2>()?;
        hex::decode_to_slice(pair, std::slice::from_mut(byte)).ok()?;
        rest = tail;
    }
    rest.is_empty().then_some(uuid)
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use proptest::prelude::*;

    use super::{parse, put};
    use crate::SqlState;

    fn text(uuid: [u8; 16]) -> String {
        let mut out = BytesMut::new();
        put(uuid, &mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn every_accepted_spelling_gives_the_same_lower_case_text() {
        let canonical = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
        for spelling in [
            canonical,
            "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
            "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}",
            "a0eebc999c0b4ef8bb6d6bb9bd380a11",
            "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11",
        ] {
            assert_eq!(text(parse(spelling).unwrap()), canonical, "{spelling}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in [
            "",
            "{",
            "{}",
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1",
            "g0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
            "a0eebc99--9c0b4ef8bb6d6bb9bd380a11",
            "{a0eebc999c0b4ef8bb6d6bb9bd380a11",
            "a0eebc999c0b4ef8bb6d6bb9bd380a11ff",
            "a-0eebc999c0b4ef8bb6d6bb9bd380a11",
        ] {
            let error = parse(bad).unwrap_err();
            assert_eq!(error.sqlstate, SqlState::INVALID_TEXT_REPRESENTATION);
            assert_eq!(
                error.message,
                format!("invalid input syntax for type uuid: \"{bad}\"")
            );
        }
    }

    proptest! {
        #[test]
        fn any_uuid_survives(uuid: [u8; 16]) {
            prop_assert_eq!(parse(&text(uuid)).unwrap(), uuid);
        }
    }
}
