//! Type `interval`: months, days and microseconds, which do not convert into each other.

use bytes::{BufMut, BytesMut};

use crate::calendar::{DAY, HOUR, MINUTE, SECOND};
use crate::datetime::put_fraction;
use crate::error::{EXCERPT_CHARS, excerpt};
use crate::integer::{put, put_padded};
use crate::{SqlState, ValueError};

/// Days of a month, where a fraction of one has to be spread.
const DAYS_PER_MONTH: i64 = 30;
/// What a quantity is counted in while it is read: millionths.
const MILLION: i64 = 1_000_000;

/// A span of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Interval {
    pub(crate) months: i32,
    pub(crate) days: i32,
    pub(crate) micros: i64,
}

/// Appends an interval as PostgreSQL's style `postgres` has it: `1 year 2 mons 3 days 04:05:06`.
pub(crate) fn put_text(interval: Interval, out: &mut BytesMut) {
    let mut first = true;
    let mut after_minus = false;
    let parts = [
        (interval.months / 12, "year"),
        (interval.months % 12, "mon"),
        (interval.days, "day"),
    ];
    for (value, unit) in parts {
        if value == 0 {
            continue;
        }
        if !first {
            out.put_u8(b' ');
        }
        if after_minus && value > 0 {
            out.put_u8(b'+');
        }
        put(i64::from(value), out);
        out.put_u8(b' ');
        out.extend_from_slice(unit.as_bytes());
        if value != 1 {
            out.put_u8(b's');
        }
        first = false;
        after_minus = value < 0;
    }
    if !first && interval.micros == 0 {
        return;
    }
    if !first {
        out.put_u8(b' ');
    }
    if interval.micros < 0 {
        out.put_u8(b'-');
    } else if after_minus {
        out.put_u8(b'+');
    }
    put_clock(interval.micros.unsigned_abs(), out);
}

fn put_clock(micros: u64, out: &mut BytesMut) {
    let [hour, minute, second] = [HOUR, MINUTE, SECOND].map(i64::unsigned_abs);
    put_padded(micros / hour, 2, out);
    out.put_u8(b':');
    put_padded(micros % hour / minute, 2, out);
    out.put_u8(b':');
    put_padded(micros % minute / second, 2, out);
    put_fraction(micros % second, out);
}

/// Reads PostgreSQL's own form, quantities with units (`1.5 days ago`), and ISO 8601 (`P1DT2H`).
pub(crate) fn parse(text: &str) -> Result<Interval, ValueError> {
    let trimmed = text.trim_ascii();
    let mut sum = Sum::default();
    let read = if trimmed.starts_with('P') {
        sum.iso(trimmed.get(1..).unwrap_or_default())
    } else {
        sum.quantities(trimmed)
    };
    match read.and_then(|()| sum.interval()) {
        Ok(interval) => Ok(interval),
        Err(Problem::Syntax) => Err(ValueError::new(
            SqlState::INVALID_DATETIME_FORMAT,
            format!(
                "invalid input syntax for type interval: \"{}\"",
                excerpt(text, EXCERPT_CHARS)
            ),
        )),
        Err(Problem::Range) => Err(ValueError::new(
            SqlState::INTERVAL_FIELD_OVERFLOW,
            format!(
                "interval field value out of range: \"{}\"",
                excerpt(text, EXCERPT_CHARS)
            ),
        )),
    }
}

#[derive(Clone, Copy, Debug)]
enum Problem {
    Syntax,
    Range,
}

/// What has been read so far.
#[derive(Debug, Default)]
struct Sum {
    months: i64,
    days: i64,
    micros: i64,
}

/// A unit in months, days and microseconds.
type Unit = (i64, i64, i64);

fn unit(name: &str) -> Option<Unit> {
    let lower = name.to_ascii_lowercase();
    let singular = lower
        .strip_suffix('s')
        .filter(|stem| stem.len() > 1)
        .unwrap_or(&lower);
    Some(match singular {
        "microsecond" | "microsec" | "us" | "usec" | "usecond" => (0, 0, 1),
        "millisecond" | "millisec" | "ms" | "msec" | "msecond" => (0, 0, 1_000),
        "second" | "sec" | "s" => (0, 0, SECOND),
        "minute" | "min" | "m" => (0, 0, MINUTE),
        "hour" | "hr" | "h" => (0, 0, HOUR),
        "day" | "d" => (0, 1, 0),
        "week" | "w" => (0, 7, 0),
        "month" | "mon" => (1, 0, 0),
        "year" | "yr" | "y" => (12, 0, 0),
        "decade" | "dec" => (120, 0, 0),
        "century" | "centurie" | "c" => (1_200, 0, 0),
        "millennium" | "millennia" | "mil" => (12_000, 0, 0),
        _ => return None,
    })
}

impl Sum {
    fn interval(&self) -> Result<Interval, Problem> {
        Ok(Interval {
            months: i32::try_from(self.months).map_err(|_| Problem::Range)?,
            days: i32::try_from(self.days).map_err(|_| Problem::Range)?,
            micros: self.micros,
        })
    }

    /// Adds millionths of a unit. A fraction of a month becomes days, of a day microseconds.
    fn add(&mut self, millionths: i64, (months, days, micros): Unit) -> Result<(), Problem> {
        let scaled = |unit: i64| i128::from(millionths) * i128::from(unit);
        let million = i128::from(MILLION);
        let day_millionths = scaled(days) + scaled(months) % million * i128::from(DAYS_PER_MONTH);
        let added_micros =
            day_millionths % million * i128::from(DAY) / million + scaled(micros) / million;
        let plus = |sum: i64, more: i128| {
            i64::try_from(i128::from(sum) + more).map_err(|_| Problem::Range)
        };
        self.months = plus(self.months, scaled(months) / million)?;
        self.days = plus(self.days, day_millionths / million)?;
        self.micros = plus(self.micros, added_micros)?;
        Ok(())
    }

    fn quantities(&mut self, text: &str) -> Result<(), Problem> {
        let text = text.strip_prefix('@').unwrap_or(text);
        let mut words = text.split_ascii_whitespace().flat_map(pieces).peekable();
        if words
            .peek()
            .is_none_or(|word| word.eq_ignore_ascii_case("ago"))
        {
            return Err(Problem::Syntax);
        }
        while let Some(word) = words.next() {
            if word.eq_ignore_ascii_case("ago") && words.peek().is_none() {
                return self.negate();
            }
            if word.contains(':') {
                self.add(clock(word)?, (0, 0, SECOND))?;
                continue;
            }
            let millionths = quantity(word)?;
            let this_unit = if words.peek().is_some_and(|next| next.contains(':')) {
                (0, 1, 0)
            } else {
                match words.next() {
                    Some(name) => unit(name).ok_or(Problem::Syntax)?,
                    None => (0, 0, SECOND),
                }
            };
            self.add(millionths, this_unit)?;
        }
        Ok(())
    }

    fn negate(&mut self) -> Result<(), Problem> {
        for part in [&mut self.months, &mut self.days, &mut self.micros] {
            *part = part.checked_neg().ok_or(Problem::Range)?;
        }
        Ok(())
    }

    /// `1Y2M3DT4H5M6.7S`: M is a month before the T, a minute behind it.
    fn iso(&mut self, text: &str) -> Result<(), Problem> {
        let mut rest = text;
        let mut in_time = false;
        let mut any = false;
        while !rest.is_empty() {
            if let Some(behind) = rest.strip_prefix('T').filter(|_| !in_time) {
                in_time = true;
                rest = behind;
                continue;
            }
            let end = rest
                .find(|c: char| c.is_ascii_alphabetic())
                .ok_or(Problem::Syntax)?;
            let (number, letter_and_rest) = rest.split_at(end);
            let (letter, behind) = letter_and_rest.split_at(1);
            let this_unit = match (letter, in_time) {
                ("Y", false) => (12, 0, 0),
                ("M", false) => (1, 0, 0),
                ("W", false) => (0, 7, 0),
                ("D", false) => (0, 1, 0),
                ("H", true) => (0, 0, HOUR),
                ("M", true) => (0, 0, MINUTE),
                ("S", true) => (0, 0, SECOND),
                _ => return Err(Problem::Syntax),
            };
            self.add(quantity(number)?, this_unit)?;
            any = true;
            rest = behind;
        }
        if any { Ok(()) } else { Err(Problem::Syntax) }
    }
}

/// The numbers and units of a word: `3h20m` is four pieces. Clock times stay whole.
fn pieces(word: &str) -> impl Iterator<Item = &str> {
    let whole = word.contains(':');
    let mut rest = word;
    std::iter::from_fn(move || {
        let letters = rest.starts_with(|c: char| c.is_ascii_alphabetic());
        let end = rest.find(|c: char| c.is_ascii_alphabetic() != letters);
        let (piece, behind) = rest.split_at(end.filter(|_| !whole).unwrap_or(rest.len()));
        rest = behind;
        (!piece.is_empty()).then_some(piece)
    })
}

/// A decimal number in millionths; digits beyond the sixth are cut off.
fn quantity(text: &str) -> Result<i64, Problem> {
    let (negative, number) = match text.strip_prefix('-') {
        Some(number) => (true, number),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
        return Err(Problem::Syntax);
    }
    let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(6);
    let millionths = digits.fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
    let whole = if whole.is_empty() {
        Ok(0)
    } else {
        whole.parse::<i64>()
    };
    let value = whole
        .ok()
        .and_then(|whole| whole.checked_mul(MILLION)?.checked_add(millionths))
        .ok_or(Problem::Range)?;
    Ok(if negative { -value } else { value })
}

/// `[-]H:MM[:SS[.ffffff]]` in millionths of a second.
fn clock(text: &str) -> Result<i64, Problem> {
    let (negative, number) = match text.strip_prefix('-') {
        Some(number) => (true, number),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut parts = number.split(':');
    let mut next = || parts.next().unwrap_or("0");
    let [hours, minutes, seconds] = [next(), next(), next()];
    let is_whole = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if parts.next().is_some()
        || !is_whole(hours)
        || !is_whole(minutes)
        || !seconds.starts_with(|c: char| c.is_ascii_digit())
    {
        return Err(Problem::Syntax);
    }
    let (hours, minutes, seconds) = (quantity(hours)?, quantity(minutes)?, quantity(seconds)?);
    if minutes >= 60 * MILLION || seconds > 60 * MILLION {
        return Err(Problem::Range);
    }
    let value = hours
        .checked_mul(3600)
        .and_then(|value| value.checked_add(minutes * 60 + seconds))
        .ok_or(Problem::Range)?;
    Ok(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use proptest::prelude::*;

    use super::{Interval, parse, put_text};
    use crate::SqlState;
    use crate::calendar::{HOUR, MINUTE, SECOND};

    fn text(interval: Interval) -> String {
        let mut out = BytesMut::new();
        put_text(interval, &mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn every_spelling_is_written_in_one_form() {
        for (input, output) in [
            (
                "1 year 2 mons 3 days 04:05:06",
                "1 year 2 mons 3 days 04:05:06",
            ),
            ("0", "00:00:00"),
            ("90 minutes", "01:30:00"),
            ("1.5 days", "1 day 12:00:00"),
            ("1.5 months", "1 mon 15 days"),
            ("2 weeks", "14 days"),
            ("1 day ago", "-1 days"),
            ("1 day -00:00:01", "1 day -00:00:01"),
            ("-1 month +1 day", "-1 mons +1 day"),
            ("-1 day 02:03", "-1 days +02:03:00"),
            ("1 02:03:04", "1 day 02:03:04"),
            ("5", "00:00:05"),
            ("1.25s", "00:00:01.25"),
            ("3h20m", "03:20:00"),
            ("250 ms", "00:00:00.25"),
            ("P1Y2M3DT4H5M6.7S", "1 year 2 mons 3 days 04:05:06.7"),
            ("PT36H", "36:00:00"),
            ("@ 1 century", "100 years"),
            ("14 mons", "1 year 2 mons"),
        ] {
            let interval = match parse(input) {
                Ok(interval) => interval,
                Err(error) => panic!("{input}: {error}"),
            };
            assert_eq!(text(interval), output, "{input}");
        }
    }

    #[test]
    fn what_is_no_interval_is_told_from_one_that_is_too_long() {
        for bad in [
            "",
            "abc",
            "1 fortnight",
            "ago",
            "P",
            "P1",
            "PT1D",
            "1:2:3:4",
            ":1",
            "1:",
            "-",
            "1 day day",
        ] {
            let error = parse(bad).unwrap_err();
            assert_eq!(error.sqlstate, SqlState::INVALID_DATETIME_FORMAT, "{bad}");
        }
        for long in [
            "99999999999999999999 days",
            "3000000000 days",
            "1000000000 years",
            "1:60",
        ] {
            let error = parse(long).unwrap_err();
            assert_eq!(error.sqlstate, SqlState::INTERVAL_FIELD_OVERFLOW, "{long}");
        }
    }

    #[test]
    fn hours_are_not_carried_into_days() {
        let interval = Interval {
            months: 0,
            days: 1,
            micros: 30 * HOUR + MINUTE + SECOND,
        };
        assert_eq!(text(interval), "1 day 30:01:01");
        assert_eq!(
            text(Interval {
                micros: i64::MIN,
                ..Interval::default()
            }),
            "-2562047788:00:54.775808"
        );
    }

    proptest! {
        #[test]
        fn any_interval_survives_its_text(
            months: i32, days: i32, micros in -9_223_372_036_000_000_000_i64..9_223_372_036_000_000_000
        ) {
            let interval = Interval { months, days, micros };
            prop_assert_eq!(parse(&text(interval)).unwrap(), interval);
        }

        #[test]
        fn reading_never_panics(text in "[0-9PTYMWDHS:.+@ adgo-]{0,24}") {
            if let Err(error) = parse(&text) {
                prop_assert!(!error.message.is_empty());
            }
        }
    }
}
