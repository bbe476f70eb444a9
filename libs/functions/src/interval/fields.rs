//! The fields and digits that a type modifier lets an interval have.

use pgtypes::calendar::{HOUR, MINUTE};
use pgtypes::{Interval, ValueError};

use crate::error::invalid;

const MONTH: i64 = 1 << 1;
const YEAR: i64 = 1 << 2;
const DAY: i64 = 1 << 3;
const HOURS: i64 = 1 << 10;
const MINUTES: i64 = 1 << 11;
const SECONDS: i64 = 1 << 12;
const ALL: i64 = 0x7fff;
/// The digits of a modifier that names none.
const ANY_DIGITS: i64 = 0xffff;

/// Reads an interval. A number without a unit counts the last of the fields that it may have.
pub(crate) fn read(text: &str, typmod: i64) -> Result<Interval, ValueError> {
    let trimmed = text.trim();
    let unit = match typmod >> 16 {
        _ if typmod < 0 || !is_number(trimmed) => None,
        YEAR => Some("year"),
        fields if fields & !(YEAR | MONTH) == 0 => Some("month"),
        DAY => Some("day"),
        fields if fields & !(DAY | HOURS) == 0 => Some("hour"),
        fields if fields & !(DAY | HOURS | MINUTES) == 0 => Some("minute"),
        _ => None,
    };
    let span = match unit {
        Some(unit) => Interval::parse(&format!("{trimmed} {unit}"))?,
        None => match by_fields(trimmed, typmod) {
            Some(spelled) => Interval::parse(&spelled)?,
            None => Interval::parse(text)?,
        },
    };
    coerced(span, typmod)
}

/// The text with what its fields let it leave out: `2:03` is minutes and seconds where there are no hours, and of two
/// numbers the first counts days and the second hours.
fn by_fields(text: &str, typmod: i64) -> Option<String> {
    let (before, last) = text.rsplit_once(' ').unwrap_or(("", text));
    match typmod >> 16 {
        _ if typmod < 0 => None,
        fields if fields == MINUTES | SECONDS && last.matches(':').count() == 1 => {
            let digits = last.trim_start_matches(['-', '+']);
            let sign = last.strip_suffix(digits)?;
            Some(format!("{before} {sign}0:{digits}"))
        }
        fields if fields == DAY | HOURS && is_number(before) && is_number(last) => {
            Some(format!("{before} days {last} hours"))
        }
        _ => None,
    }
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty()
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// What an interval with these fields and digits keeps of a span.
pub(crate) fn coerced(span: Interval, typmod: i64) -> Result<Interval, ValueError> {
    if typmod < 0 {
        return Ok(span);
    }
    let cut = |unit: i64| Interval {
        micros: span.micros / unit * unit,
        ..span
    };
    let span = match typmod >> 16 {
        YEAR => Interval {
            months: span.months / 12 * 12,
            ..Interval::default()
        },
        fields if fields & !(YEAR | MONTH) == 0 => Interval {
            months: span.months,
            ..Interval::default()
        },
        DAY => Interval { micros: 0, ..span },
        fields if fields & !(DAY | HOURS) == 0 => cut(HOUR),
        fields if fields & !(DAY | HOURS | MINUTES) == 0 => cut(MINUTE),
        fields if fields == ALL || fields & SECONDS != 0 => span,
        fields => return invalid(format!("unrecognized interval typmod: {fields}")),
    };
    match typmod & ANY_DIGITS {
        ANY_DIGITS => Ok(span),
        digits @ 0..=6 => {
            let unit = 10_i64.pow(u32::try_from(6 - digits).unwrap_or(0));
            let half = if span.micros < 0 { -unit / 2 } else { unit / 2 };
            Ok(Interval {
                micros: span.micros.saturating_add(half) / unit * unit,
                ..span
            })
        }
        digits => invalid(format!(
            "interval({digits}) precision must be between 0 and 6"
        )),
    }
}
