//! Sizes with units.

use pgtypes::{Decimal, SqlState, SqlValueRef, ValueError};

use crate::arguments::{Answer, text, whole, written};
use crate::error::fail;
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_pg_size_bytes", 1, bytes),
    Scalar::pure("pg_pg_client_encoding", 0, |_| written("UTF8")),
];

const UNITS: [(&str, u32); 7] = [
    ("bytes", 0),
    ("b", 0),
    ("kb", 10),
    ("mb", 20),
    ("gb", 30),
    ("tb", 40),
    ("pb", 50),
];

/// `1.5 kB`
fn bytes(arguments: &[SqlValueRef<'_>]) -> Answer {
    let given = text(arguments, 0)?;
    let trimmed = given.trim_ascii();
    let invalid = || {
        ValueError::new(
            SqlState::INVALID_PARAMETER_VALUE,
            format!("invalid size: \"{given}\""),
        )
    };
    let end = number_length(trimmed).ok_or_else(invalid)?;
    let (number, unit) = trimmed.split_at(end);
    let unit = unit.trim_ascii();
    let bits = if unit.is_empty() {
        0
    } else {
        let known = UNITS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(unit));
        let (_, bits) = known.ok_or_else(|| {
            invalid()
                .with_detail(format!("Invalid size unit: \"{unit}\"."))
                .with_hint(
                    "Valid units are \"bytes\", \"B\", \"kB\", \"MB\", \"GB\", \"TB\", and \"PB\".",
                )
        })?;
        *bits
    };
    let factor = Decimal::parse(&(1_u64 << bits).to_string())?;
    let size = Decimal::parse(number)?.times(&factor)?;
    match size.to_string().parse::<i64>() {
        Ok(size) => whole(size),
        Err(_) => match size.rounded(0).to_string().parse::<i64>() {
            Ok(size) => whole(size),
            Err(_) => fail(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "bigint out of range"),
        },
    }
}

/// How many bytes at the beginning are a number.
fn number_length(text: &str) -> Option<usize> {
    let digits = |from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        rest.bytes().take_while(u8::is_ascii_digit).count()
    };
    let mut end = usize::from(text.starts_with(['-', '+']));
    let whole = digits(end);
    end += whole;
    let mut behind = 0;
    if text.get(end..).is_some_and(|rest| rest.starts_with('.')) {
        behind = digits(end + 1);
        end += 1 + behind;
    }
    if whole + behind == 0 {
        return None;
    }
    if text
        .get(end..)
        .is_some_and(|rest| rest.starts_with(['e', 'E']))
    {
        let sign = text
            .get(end + 1..)
            .is_some_and(|rest| rest.starts_with(['-', '+']));
        let first = end + 1 + usize::from(sign);
        match digits(first) {
            0 => {}
            count => end = first + count,
        }
    }
    Some(end)
}
