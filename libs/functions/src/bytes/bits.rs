//! Single bytes and bits.

use pgtypes::{SqlState, SqlValue, SqlValueRef, ValueError};

use crate::arguments::{Answer, bytes, count, integer, whole};
use crate::error::{fail, invalid};
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_byteaGetByte", 2, |a| {
        let (bytes, at) = (bytes(a, 0)?, integer(a, 1)?);
        whole(byte(bytes, at, at, 1)?.into())
    }),
    Scalar::pure("pg_byteaGetBit", 2, |a| {
        let (bytes, at) = (bytes(a, 0)?, integer(a, 1)?);
        whole(i64::from(
            (byte(bytes, at.div_euclid(8), at, 8)? >> at.rem_euclid(8)) & 1,
        ))
    }),
    Scalar::pure("pg_byteaSetByte", 3, set_byte),
    Scalar::pure("pg_byteaSetBit", 3, set_bit),
    Scalar::pure("pg_bytea_bit_count", 1, |a| {
        let bits = bytes(a, 0)?.iter().map(|byte| byte.count_ones());
        whole(bits.map(i64::from).sum())
    }),
    Scalar::pure("pg_byteaoctetlen", 1, |a| count(bytes(a, 0)?.len())),
    Scalar::pure("pg_bit_length_bytea", 1, |a| count(bytes(a, 0)?.len() * 8)),
];

/// The byte at a place; 2202E names the index, of which there are so many in a byte.
fn byte(bytes: &[u8], at: i64, index: i64, in_byte: i64) -> Result<u8, ValueError> {
    let found = usize::try_from(at).ok().and_then(|at| bytes.get(at));
    match found {
        Some(byte) => Ok(*byte),
        None => {
            let last = i64::try_from(bytes.len()).unwrap_or(i64::MAX) * in_byte - 1;
            fail(
                SqlState::ARRAY_SUBSCRIPT_ERROR,
                format!("index {index} out of valid range, 0..{last}"),
            )
        }
    }
}

fn with(bytes: &[u8], at: i64, byte: u8) -> SqlValue {
    let mut changed = bytes.to_vec();
    if let Some(place) = usize::try_from(at).ok().and_then(|at| changed.get_mut(at)) {
        *place = byte;
    }
    SqlValue::Blob(changed)
}

fn set_byte(arguments: &[SqlValueRef<'_>]) -> Answer {
    let (bytes, at) = (bytes(arguments, 0)?, integer(arguments, 1)?);
    byte(bytes, at, at, 1)?;
    let lowest = integer(arguments, 2)? & 0xff;
    Ok(with(bytes, at, u8::try_from(lowest).unwrap_or(0)))
}

fn set_bit(arguments: &[SqlValueRef<'_>]) -> Answer {
    let (bytes, index) = (bytes(arguments, 0)?, integer(arguments, 1)?);
    let at = index.div_euclid(8);
    let old = byte(bytes, at, index, 8)?;
    let mask = 1_u8 << index.rem_euclid(8);
    let new = match integer(arguments, 2)? {
        0 => old & !mask,
        1 => old | mask,
        _ => return invalid("new bit must be 0 or 1"),
    };
    Ok(with(bytes, at, new))
}
