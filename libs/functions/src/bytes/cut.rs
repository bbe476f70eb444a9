//! Parts of bytes, and bytes put into bytes.

use pgtypes::{SqlValue, ValueError};

use crate::arguments::{Answer, bytes, count, integer};
use crate::registry::Scalar;
use crate::text::{bounds, overlay_bounds};

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_bytea_substr", 3, |a| {
        blob(part(bytes(a, 0)?, integer(a, 1)?, Some(integer(a, 2)?))?)
    }),
    Scalar::pure("pg_bytea_substr_no_len", 2, |a| {
        blob(part(bytes(a, 0)?, integer(a, 1)?, None)?)
    }),
    Scalar::pure("pg_byteaoverlay", 4, |a| {
        overlaid(bytes(a, 0)?, bytes(a, 1)?, integer(a, 2)?, integer(a, 3)?)
    }),
    Scalar::pure("pg_byteaoverlay_no_len", 3, |a| {
        let with = bytes(a, 1)?;
        let length = i64::try_from(with.len()).unwrap_or(i64::MAX);
        overlaid(bytes(a, 0)?, with, integer(a, 2)?, length)
    }),
    Scalar::pure("pg_byteacat", 2, |a| {
        blob(&[bytes(a, 0)?, bytes(a, 1)?].concat())
    }),
    Scalar::pure("pg_byteapos", 2, |a| {
        let (whole, wanted) = (bytes(a, 0)?, bytes(a, 1)?);
        if wanted.is_empty() {
            return count(1);
        }
        let found = whole.windows(wanted.len()).position(|part| part == wanted);
        count(found.map_or(0, |at| at + 1))
    }),
    Scalar::pure("pg_byteatrim", 2, |a| {
        trimmed(bytes(a, 0)?, bytes(a, 1)?, true, true)
    }),
    Scalar::pure("pg_bytealtrim", 2, |a| {
        trimmed(bytes(a, 0)?, bytes(a, 1)?, true, false)
    }),
    Scalar::pure("pg_byteartrim", 2, |a| {
        trimmed(bytes(a, 0)?, bytes(a, 1)?, false, true)
    }),
];

#[expect(clippy::unnecessary_wraps, reason = "it ends a function")]
fn blob(bytes: &[u8]) -> Answer {
    Ok(SqlValue::Blob(bytes.to_vec()))
}

fn part(bytes: &[u8], start: i64, length: Option<i64>) -> Result<&[u8], ValueError> {
    let (from, to) = bounds(start, length)?;
    let (from, to) = (from.min(bytes.len()), to.min(bytes.len()));
    Ok(bytes.get(from..to.max(from)).unwrap_or_default())
}

fn overlaid(value: &[u8], with: &[u8], start: i64, length: i64) -> Answer {
    let (start, behind) = overlay_bounds(start, length)?;
    let before = part(value, 1, Some(start - 1))?;
    blob(&[before, with, part(value, behind, None)?].concat())
}

fn trimmed(value: &[u8], set: &[u8], start: bool, end: bool) -> Answer {
    let mut value = value;
    while let Some((first, rest)) = value.split_first() {
        if !start || !set.contains(first) {
            break;
        }
        value = rest;
    }
    while let Some((last, rest)) = value.split_last() {
        if !end || !set.contains(last) {
            break;
        }
        value = rest;
    }
    blob(value)
}
