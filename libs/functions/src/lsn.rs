//! Positions in PostgreSQL's log, which tools compare. Their stored form is their text.

use std::cmp::Ordering;

use pgtypes::{SqlState, SqlValueRef, ValueError};

use crate::arguments::{Answer, boolean, text, written};
use crate::error::fail;
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_pg_lsn_eq", 2, |a| {
        boolean(compared(a)? == Ordering::Equal)
    }),
    Scalar::pure("pg_pg_lsn_ne", 2, |a| {
        boolean(compared(a)? != Ordering::Equal)
    }),
    Scalar::pure("pg_pg_lsn_lt", 2, |a| {
        boolean(compared(a)? == Ordering::Less)
    }),
    Scalar::pure("pg_pg_lsn_gt", 2, |a| {
        boolean(compared(a)? == Ordering::Greater)
    }),
    Scalar::pure("pg_pg_lsn_le", 2, |a| {
        boolean(compared(a)? != Ordering::Greater)
    }),
    Scalar::pure("pg_pg_lsn_ge", 2, |a| {
        boolean(compared(a)? != Ordering::Less)
    }),
    Scalar::pure("pg_pg_lsn_mi", 2, difference),
    Scalar::pure("pg_pg_wal_lsn_diff", 2, difference),
];

fn compared(arguments: &[SqlValueRef<'_>]) -> Result<Ordering, ValueError> {
    Ok(position(arguments, 0)?.cmp(&position(arguments, 1)?))
}

/// Bytes between two positions: a numeric.
fn difference(arguments: &[SqlValueRef<'_>]) -> Answer {
    let (one, other) = (position(arguments, 0)?, position(arguments, 1)?);
    written(i128::from(one) - i128::from(other))
}

fn position(arguments: &[SqlValueRef<'_>], at: usize) -> Result<u64, ValueError> {
    let written = text(arguments, at)?;
    match parse(written) {
        Some(position) => Ok(position),
        None => fail(
            SqlState::INVALID_TEXT_REPRESENTATION,
            format!("invalid input syntax for type pg_lsn: \"{written}\""),
        ),
    }
}

/// `16/B374D848`
fn parse(written: &str) -> Option<u64> {
    let (high, low) = written.split_once('/')?;
    let part = |digits: &str| {
        let plain = digits.len() <= 8 && !digits.starts_with('+');
        u32::from_str_radix(digits, 16).ok().filter(|_| plain)
    };
    Some(u64::from(part(high)?) << 32 | u64::from(part(low)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_two_numbers() {
        assert_eq!(parse("16/B374D848"), Some(0x16_B374_D848));
        assert_eq!(parse("0/0"), Some(0));
        for wrong in ["", "/", "1", "1/", "1/+2", "123456789/0", "x/0"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
