//! Numbers of bytes as people read them.

use pgtypes::{Decimal, SqlValueRef};

use crate::arguments::{Answer, integer, text, written};
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_pg_size_pretty", 1, |a| {
        written(pretty(i128::from(integer(a, 0)?)))
    }),
    Scalar::pure("pg_pg_size_pretty_numeric", 1, of_numeric),
];

/// A unit, up to which number it is used, and how often 2 it is.
const UNITS: &[(&str, i128, u32)] = &[
    ("bytes", 10 * 1024, 0),
    ("kB", 20 * 1024 - 1, 10),
    ("MB", 20 * 1024 - 1, 20),
    ("GB", 20 * 1024 - 1, 30),
    ("TB", 20 * 1024 - 1, 40),
    ("PB", i128::MAX, 50),
];

fn pretty(bytes: i128) -> String {
    let mut size = bytes;
    let mut shifted = 0;
    for (unit, limit, bits) in UNITS {
        // One bit more than the unit has, by which to round.
        let keep = bits.saturating_sub(1);
        size /= 1 << (keep - shifted);
        shifted = keep;
        if size.abs() < *limit {
            let rounded = if *bits == 0 { size } else { half_rounded(size) };
            return format!("{rounded} {unit}");
        }
    }
    format!("{} PB", size / 2)
}

/// Half of a number, away from 0 where it lies between two.
fn half_rounded(size: i128) -> i128 {
    size / 2 + size % 2
}

fn of_numeric(arguments: &[SqlValueRef<'_>]) -> Answer {
    let written_size = text(arguments, 0)?;
    let whole = written_size.split('.').next().unwrap_or(written_size);
    match whole.parse::<i128>() {
        Ok(size) if size.abs() >= 10 * 1024 => written(pretty(size)),
        _ => written(format!("{} bytes", Decimal::parse(written_size)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_to_the_unit_in_which_they_are_short() {
        for (bytes, shown) in [
            (0, "0 bytes"),
            (10_239, "10239 bytes"),
            (10_240, "10 kB"),
            (-10_240, "-10 kB"),
            (1_000_000, "977 kB"),
            (20_971_519, "20 MB"),
            (1_000_000_000_000, "931 GB"),
        ] {
            assert_eq!(pretty(bytes), shown);
        }
    }
}
