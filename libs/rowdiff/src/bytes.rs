//! Numbers in pages and records, which are big-endian (sections 1.3, 1.6 and 2.1).

#![expect(
    clippy::big_endian_bytes,
    reason = "SQLite's file format is big-endian"
)]

pub(crate) use sqlitepage::{u16_at, u32_at, varint};

pub(crate) fn real(bytes: &[u8]) -> Option<f64> {
    Some(f64::from_be_bytes(bytes.try_into().ok()?))
}

/// A signed integer of one to eight bytes.
pub(crate) fn integer(bytes: &[u8]) -> Option<i64> {
    let first = *bytes.first()?;
    let start = if first & 0x80 == 0 { 0 } else { -1 };
    let value = |value: i64, byte: &u8| (value << 8) | i64::from(*byte);
    (bytes.len() <= 8).then(|| bytes.iter().fold(start, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_have_their_sign() {
        assert_eq!(integer(&[0xff]), Some(-1));
        assert_eq!(integer(&[0x00, 0xff, 0xff]), Some(65535));
        assert_eq!(integer(&[0x80, 0, 0, 0, 0, 0, 0, 0]), Some(i64::MIN));
        assert_eq!(integer(&[]), None);
    }
}
