//! Numbers in pages, which are big-endian (sections 1.3 and 1.6).

#![expect(
    clippy::big_endian_bytes,
    reason = "SQLite's file format is big-endian"
)]

/// The number of two bytes that stands there.
#[inline]
pub fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let field = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_be_bytes(field.try_into().ok()?))
}

/// The number of four bytes that stands there.
#[inline]
pub fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let field = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes(field.try_into().ok()?))
}

/// Writes a number of two bytes there; `None`: it does not fit.
#[inline]
pub fn put_u16(bytes: &mut [u8], at: usize, number: usize) -> Option<()> {
    let number = u16::try_from(number).ok()?;
    let field = bytes.get_mut(at..at.checked_add(2)?)?;
    field.copy_from_slice(&number.to_be_bytes());
    Some(())
}

/// Writes a number of four bytes there; `None`: it does not fit.
#[inline]
pub fn put_u32(bytes: &mut [u8], at: usize, number: u32) -> Option<()> {
    let field = bytes.get_mut(at..at.checked_add(4)?)?;
    field.copy_from_slice(&number.to_be_bytes());
    Some(())
}

/// A number of one to nine bytes, and how many they are: seven bits each, the ninth has eight.
#[inline]
pub fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().take(9).enumerate() {
        if index == 8 {
            return Some(((value << 8) | u64::from(*byte), 9));
        }
        value = (value << 7) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, index + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As SQLite writes it.
    fn written(value: u64) -> Vec<u8> {
        if value >> 56 != 0 {
            let mut bytes: Vec<u8> = (0..8)
                .map(|index| u8::try_from(value >> (8 + 7 * (7 - index)) & 0x7f).unwrap() | 0x80)
                .collect();
            bytes.push(u8::try_from(value & 0xff).unwrap());
            return bytes;
        }
        let mut bytes = vec![u8::try_from(value & 0x7f).unwrap()];
        let mut rest = value >> 7;
        while rest > 0 {
            bytes.push(u8::try_from(rest & 0x7f).unwrap() | 0x80);
            rest >>= 7;
        }
        bytes.reverse();
        bytes
    }

    #[test]
    fn a_varint_has_nine_bytes_at_most() {
        assert_eq!(varint(&[0x81, 0x00]), Some((128, 2)));
        assert_eq!(varint(&[0xff; 9]), Some((u64::MAX, 9)));
        assert_eq!(varint(&[0xff; 8]), None);
        assert_eq!(varint(&[]), None);
    }

    proptest! {
        #[test]
        fn a_varint_reads_back_and_is_longer_than_its_beginning(value: u64, shift in 0_u32..64) {
            let value = value >> shift;
            let bytes = written(value);
            prop_assert_eq!(varint(&bytes), Some((value, bytes.len())));
            prop_assert_eq!(varint(&bytes[..bytes.len() - 1]), None);
        }

        #[test]
        fn a_number_reads_back_where_it_fits(at in 0_usize..12, number: u16) {
            let mut bytes = [0; 8];
            let fits = at <= 6;
            prop_assert_eq!(put_u16(&mut bytes, at, usize::from(number)).is_some(), fits);
            prop_assert_eq!(u16_at(&bytes, at), fits.then_some(number));
            let long = u32::from(number) << 9;
            prop_assert_eq!(put_u32(&mut bytes, at, long).is_some(), at <= 4);
            prop_assert_eq!(u32_at(&bytes, at), (at <= 4).then_some(long));
            prop_assert_eq!(put_u16(&mut bytes, 0, 1 << 16), None);
            prop_assert_eq!(u16_at(&bytes, usize::MAX), None);
        }
    }
}
