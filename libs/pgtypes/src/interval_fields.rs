//! The fields and digits that a type modifier lets an interval have.

use crate::calendar::{HOUR, MINUTE};
use crate::{Context, Interval, SqlState, ValueError};

const MONTH: i64 = 1 << 1;
const YEAR: i64 = 1 << 2;
const DAY: i64 = 1 << 3;
const HOURS: i64 = 1 << 10;
const MINUTES: i64 = 1 << 11;
const SECONDS: i64 = 1 << 12;
const ALL: i64 = 0x7fff;
/// The digits of a modifier that names none.
const ANY_DIGITS: i64 = 0xffff;

/// The modifier of a declaration: the words behind `interval`, and the digits of a second. `None` for neither.
pub(crate) fn modifier(words: &str, digits: Option<u8>) -> Option<i32> {
    let fields = match words {
        "year" => YEAR,
        "month" => MONTH,
        "day" => DAY,
        "hour" => HOURS,
        "minute" => MINUTES,
        "second" => SECONDS,
        "year to month" => YEAR | MONTH,
        "day to hour" => DAY | HOURS,
        "day to minute" => DAY | HOURS | MINUTES,
        "day to second" => DAY | HOURS | MINUTES | SECONDS,
        "hour to minute" => HOURS | MINUTES,
        "hour to second" => HOURS | MINUTES | SECONDS,
        "minute to second" => MINUTES | SECONDS,
        _ => ALL,
    };
    if fields == ALL && digits.is_none() {
        return None;
    }
    let digits = digits.map_or(ANY_DIGITS, |digits| digits.min(6).into());
    i32::try_from(fields << 16 | digits).ok()
}

fn invalid(message: String) -> ValueError {
    ValueError::new(SqlState::INVALID_PARAMETER_VALUE, message)
}

impl Interval {
    /// Reads an interval under a type modifier, -1 for none. A number without a unit counts the last of the fields that
    /// it may have.
    pub fn parse_for(text: &str, typmod: i64, context: &Context) -> Result<Self, ValueError> {
        read(text, typmod, context)
    }

    /// What a type modifier lets it keep.
    pub fn kept(self, typmod: i64) -> Result<Self, ValueError> {
        coerced(self, typmod)
    }
}

fn read(text: &str, typmod: i64, context: &Context) -> Result<Interval, ValueError> {
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
        Some(unit) => Interval::parse_in(&format!("{trimmed} {unit}"), context)?,
        None => match by_fields(trimmed, typmod) {
            Some(spelled) => Interval::parse_in(&spelled, context)?,
            None => Interval::parse_in(text, context)?,
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

fn coerced(span: Interval, typmod: i64) -> Result<Interval, ValueError> {
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
        fields => {
            return Err(invalid(format!("unrecognized interval typmod: {fields}")));
        }
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
        digits => Err(invalid(format!(
            "interval({digits}) precision must be between 0 and 6"
        ))),
    }
}

/// A field has the bit of its number.
const FIELDS: &[(u32, &str)] = &[
    (1 << 2, "year"),
    (1 << 1, "month"),
    (1 << 3, "day"),
    (1 << 10, "hour"),
    (1 << 11, "minute"),
    (1 << 12, "second"),
];

/// The name of the type with a modifier: `interval day to second(3)`.
pub fn interval_name(modifier: u32) -> String {
    let (fields, digits) = ((modifier >> 16) & 0x7fff, modifier & 0xffff);
    let mut text = "interval".to_owned();
    if fields != 0x7fff {
        let mut said = FIELDS.iter().filter(|(bit, _)| fields & bit != 0);
        if let Some((_, first)) = said.next() {
            text = format!("{text} {first}");
        }
        if let Some((_, last)) = said.next_back() {
            text = format!("{text} to {last}");
        }
    }
    if digits != 0xffff {
        text = format!("{text}({digits})");
    }
    text
}

#[cfg(test)]
mod tests {
    use crate::PgType;

    /// As PostgreSQL 15 shows them.
    #[test]
    fn a_declaration_gives_the_modifier_of_the_catalog() {
        for (declared, modifier) in [
            ("interval", None),
            ("interval(2)", Some(2_147_418_114)),
            ("interval year", Some(327_679)),
            ("interval year to month", Some(458_751)),
            ("interval day to second(3)", Some(470_286_339)),
            ("INTERVAL SECOND(4)", Some(268_435_460)),
            ("interval day to hour", Some(67_698_687)),
            ("interval minute to second", Some(402_718_719)),
            ("ELAPSED_TEXT", None),
            ("ELAPSED_TEXT(402718719)", Some(402_718_719)),
        ] {
            let ty = PgType::parse(declared);
            assert_eq!(ty, Some(PgType::Interval(modifier)), "{declared}");
            let again = PgType::from_declared(&PgType::Interval(modifier).declaration());
            assert_eq!(again, ty, "{declared}");
        }
    }
}
