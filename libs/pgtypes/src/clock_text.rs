//! Reading dates and times: ISO 8601 as PostgreSQL and SQLite write it, `1/31/2026`, and the words
//! `infinity`, `-infinity` and `epoch`.

use crate::calendar::{Civil, DAY, HOUR, MINUTE, SECOND, days_of};
use crate::error::{EXCERPT_CHARS, excerpt};
use crate::{SqlState, ValueError};

/// A moment as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    Infinity,
    MinusInfinity,
    At {
        /// Days since 2000-01-01.
        days: i64,
        /// Microseconds since midnight, up to and including 24:00:00.
        micros: i64,
        /// Seconds east of Greenwich, where a zone was written.
        offset_seconds: Option<i64>,
    },
}

/// Reads a date with or without a time behind it. `type_name` is for the error message.
pub(crate) fn parse_moment(text: &str, type_name: &str) -> Result<Moment, ValueError> {
    let trimmed = text.trim_ascii();
    if trimmed.eq_ignore_ascii_case("infinity") || trimmed.eq_ignore_ascii_case("+infinity") {
        return Ok(Moment::Infinity);
    }
    if trimmed.eq_ignore_ascii_case("-infinity") {
        return Ok(Moment::MinusInfinity);
    }
    if trimmed.eq_ignore_ascii_case("epoch") {
        let days = days_of(Civil {
            year: 1970,
            month: 1,
            day: 1,
        })
        .unwrap_or(0);
        return Ok(Moment::At {
            days,
            micros: 0,
            offset_seconds: Some(0),
        });
    }
    let mut scanner = Scanner {
        rest: trimmed.as_bytes(),
    };
    scanner
        .moment()
        .map_err(|problem| problem.error(text, type_name))
}

/// Reads a time of day: microseconds since midnight, and the zone in seconds east of Greenwich.
pub(crate) fn parse_time(text: &str, type_name: &str) -> Result<(i64, Option<i64>), ValueError> {
    let mut scanner = Scanner {
        rest: text.trim_ascii().as_bytes(),
    };
    scanner
        .time_and_zone()
        .map_err(|problem| problem.error(text, type_name))
}

/// What is wrong with a text.
#[derive(Clone, Copy, Debug)]
enum Problem {
    /// It is no date or time.
    Syntax,
    /// It is one, of a month 13 or an hour 25.
    Range,
}

impl Problem {
    fn error(self, text: &str, type_name: &str) -> ValueError {
        let shown = excerpt(text, EXCERPT_CHARS);
        match self {
            Self::Syntax => ValueError::new(
                SqlState::INVALID_DATETIME_FORMAT,
                format!("invalid input syntax for type {type_name}: \"{shown}\""),
            ),
            Self::Range => ValueError::new(
                SqlState::DATETIME_FIELD_OVERFLOW,
                format!("date/time field value out of range: \"{shown}\""),
            ),
        }
    }
}

/// What is left of a text.
struct Scanner<'a> {
    rest: &'a [u8],
}

impl Scanner<'_> {
    fn moment(&mut self) -> Result<Moment, Problem> {
        let mut civil = self.date()?;
        let mut micros = 0;
        let mut offset_seconds = None;
        let blanks = self.skip_blanks();
        let digit_follows = self.rest.first().is_some_and(u8::is_ascii_digit);
        if self.take(|b| matches!(b, b'T' | b't')) || (blanks && digit_follows) {
            micros = self.time()?;
        }
        self.skip_blanks();
        if !self.at_era() {
            offset_seconds = self.zone()?;
        }
        if self.era()? {
            civil.year = 1 - civil.year;
        }
        let days = days_of(civil).ok_or(Problem::Range)?;
        self.end()?;
        Ok(Moment::At {
            days,
            micros,
            offset_seconds,
        })
    }

    fn time_and_zone(&mut self) -> Result<(i64, Option<i64>), Problem> {
        let micros = self.time()?;
        self.skip_blanks();
        let zone = self.zone()?;
        self.end()?;
        Ok((micros, zone))
    }

    fn end(&mut self) -> Result<(), Problem> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Problem::Syntax)
        }
    }

    /// `2026-01-31`, `2026/01/31`, `20260131` or `1/31/2026`.
    fn date(&mut self) -> Result<Civil, Problem> {
        let (first, length) = self.number(7)?;
        let Some(separator) = self.take_one(|b| matches!(b, b'-' | b'/' | b'.')) else {
            // Eight digits in one: the last of them is still there.
            let (last, _) = self.number(1)?;
            if length < 7 {
                return Err(Problem::Syntax);
            }
            return civil(first / 1_000, first / 10 % 100, first % 10 * 10 + last);
        };
        let (second, _) = self.number(2)?;
        if !self.take(|b| b == separator) {
            return Err(Problem::Syntax);
        }
        if length > 2 {
            let (third, _) = self.number(2)?;
            return civil(first, second, third);
        }
        // Month and day come first, and the year must be one that cannot be mistaken for them.
        let (year, year_length) = self.number(7)?;
        if year_length < 4 {
            return Err(Problem::Syntax);
        }
        civil(year, first, second)
    }

    /// `04:05`, `04:05:06`, `04:05:06.789`.
    fn time(&mut self) -> Result<i64, Problem> {
        let (hour, _) = self.number(2)?;
        if !self.take(|b| b == b':') {
            return Err(Problem::Syntax);
        }
        let (minute, _) = self.number(2)?;
        let mut second = 0;
        let mut fraction = 0;
        if self.take(|b| b == b':') {
            second = self.number(2)?.0;
            if self.take(|b| b == b'.') {
                fraction = self.fraction();
            }
        }
        let micros = hour * HOUR + minute * MINUTE + second * SECOND + fraction;
        // 23:59:60 is a leap second, 24:00:00 the end of the day.
        if minute > 59 || second > 60 || micros > DAY {
            return Err(Problem::Range);
        }
        Ok(micros)
    }

    /// Digits of a second, rounded to microseconds.
    fn fraction(&mut self) -> i64 {
        let mut value = 0;
        let mut unit = SECOND;
        let mut up = None;
        while let Some(byte) = self.take_one(|b| b.is_ascii_digit()) {
            if unit > 1 {
                unit /= 10;
                value += i64::from(byte - b'0') * unit;
            } else {
                up.get_or_insert(byte >= b'5');
            }
        }
        value + i64::from(up.unwrap_or(false))
    }

    /// `Z`, `UTC`, `GMT`, `+02`, `-0330`, `+05:30`, `+00:19:32`.
    fn zone(&mut self) -> Result<Option<i64>, Problem> {
        for name in ["UTC", "GMT", "Z"] {
            if let Some((start, rest)) = self.rest.split_at_checked(name.len())
                && start.eq_ignore_ascii_case(name.as_bytes())
            {
                self.rest = rest;
                self.skip_blanks();
                return Ok(Some(0));
            }
        }
        let Some(sign) = self.take_one(|b| matches!(b, b'+' | b'-')) else {
            return Ok(None);
        };
        let (first, length) = self.number(4)?;
        let mut seconds = if length > 2 {
            first / 100 * 3600 + first % 100 * 60
        } else {
            first * 3600
        };
        let mut minutes = if length > 2 { first % 100 } else { 0 };
        for unit in [60, 1] {
            if length <= 2 && self.take(|b| b == b':') {
                let (value, _) = self.number(2)?;
                minutes = minutes.max(value);
                seconds += value * unit;
            }
        }
        if minutes > 59 || seconds >= 16 * 3600 {
            return Err(Problem::Range);
        }
        self.skip_blanks();
        Ok(Some(if sign == b'-' { -seconds } else { seconds }))
    }

    fn at_era(&self) -> bool {
        matches!(self.rest.first(), Some(b'A' | b'B' | b'a' | b'b'))
    }

    /// `BC` gives true; `AD` and nothing give false.
    fn era(&mut self) -> Result<bool, Problem> {
        let bc = self.rest.eq_ignore_ascii_case(b"BC");
        if bc || self.rest.eq_ignore_ascii_case(b"AD") {
            self.rest = &[];
        }
        self.end().map(|()| bc)
    }

    fn skip_blanks(&mut self) -> bool {
        let rest = self.rest.trim_ascii_start();
        let skipped = rest.len() < self.rest.len();
        self.rest = rest;
        skipped
    }

    fn take(&mut self, wanted: impl Fn(u8) -> bool) -> bool {
        self.take_one(wanted).is_some()
    }

    fn take_one(&mut self, wanted: impl Fn(u8) -> bool) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        wanted(byte).then(|| self.rest = rest)?;
        Some(byte)
    }

    /// A number of one to `limit` digits, and how many they were.
    fn number(&mut self, limit: usize) -> Result<(i64, usize), Problem> {
        let mut value = 0_i64;
        let mut length = 0;
        while length < limit
            && let Some(byte) = self.take_one(|b| b.is_ascii_digit())
        {
            value = value * 10 + i64::from(byte - b'0');
            length += 1;
        }
        if length == 0 {
            Err(Problem::Syntax)
        } else {
            Ok((value, length))
        }
    }
}

fn civil(year: i64, month: i64, day: i64) -> Result<Civil, Problem> {
    let month = u8::try_from(month).map_err(|_| Problem::Range)?;
    let day = u8::try_from(day).map_err(|_| Problem::Range)?;
    // There is no year 0: 1 BC is written as such.
    if year == 0 {
        Err(Problem::Range)
    } else {
        Ok(Civil { year, month, day })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Moment, parse_moment, parse_time};
    use crate::SqlState;
    use crate::calendar::{DAY, HOUR, MINUTE, SECOND};

    fn at(text: &str) -> (i64, i64, Option<i64>) {
        match parse_moment(text, "timestamp") {
            Ok(Moment::At {
                days,
                micros,
                offset_seconds,
            }) => (days, micros, offset_seconds),
            other => panic!("{text} is {other:?}"),
        }
    }

    #[test]
    fn dates_are_read_in_several_spellings() {
        for text in [
            "2000-01-31",
            "2000/01/31",
            "2000-1-31",
            "20000131",
            "1/31/2000",
            " 2000-01-31 ",
            "2000-01-31 AD",
        ] {
            assert_eq!(at(text), (30, 0, None), "{text}");
        }
        assert_eq!(at("0001-12-31 BC"), (-730_120, 0, None));
    }

    #[test]
    fn times_follow_a_blank_or_a_letter() {
        let micros = 4 * HOUR + 5 * MINUTE + 6 * SECOND;
        assert_eq!(at("2000-01-01 04:05:06"), (0, micros, None));
        assert_eq!(at("2000-01-01T04:05:06Z"), (0, micros, Some(0)));
        assert_eq!(
            at("2000-01-01 04:05:06.5+02"),
            (0, micros + 500_000, Some(7200))
        );
        assert_eq!(at("2000-01-01 04:05:06 -0330"), (0, micros, Some(-12_600)));
        assert_eq!(at("2000-01-01 04:05:06+05:30"), (0, micros, Some(19_800)));
        assert_eq!(at("2000-01-01 04:05:06+00:19:32"), (0, micros, Some(1172)));
        assert_eq!(at("2000-01-01 04:05:06 utc"), (0, micros, Some(0)));
        assert_eq!(at("2000-01-01 24:00:00"), (0, DAY, None));
        assert_eq!(at("2000-01-01 23:59:60"), (0, DAY, None));
        assert_eq!(at("2000-01-01 00:00:00.1234567"), (0, 123_457, None));
        assert_eq!(at("0001-12-31 00:00:00+00 BC"), (-730_120, 0, Some(0)));
    }

    #[test]
    fn the_words_for_the_ends_of_time_are_read() {
        assert_eq!(parse_moment("infinity", "date").unwrap(), Moment::Infinity);
        assert_eq!(
            parse_moment("-Infinity", "date").unwrap(),
            Moment::MinusInfinity
        );
        assert_eq!(at("epoch"), (-10_957, 0, Some(0)));
    }

    #[test]
    fn what_is_no_date_is_told_from_a_date_that_does_not_exist() {
        for text in [
            "",
            "abc",
            "2000",
            "2000-01",
            "2000-01-01T",
            "2000-01-01 x",
            "12-1-99",
            "2000-01-01 1",
            "2000-01/01",
            "200001011",
        ] {
            let error = parse_moment(text, "date").unwrap_err();
            assert_eq!(error.sqlstate, SqlState::INVALID_DATETIME_FORMAT, "{text}");
            assert_eq!(
                error.message,
                format!("invalid input syntax for type date: \"{text}\"")
            );
        }
        for text in [
            "2000-02-30",
            "2000-13-01",
            "0000-01-01",
            "2000-01-01 25:00:00",
            "2000-01-01 10:60",
            "2000-01-01 00:00:00+17",
        ] {
            let error = parse_moment(text, "date").unwrap_err();
            assert_eq!(error.sqlstate, SqlState::DATETIME_FIELD_OVERFLOW, "{text}");
            assert_eq!(
                error.message,
                format!("date/time field value out of range: \"{text}\"")
            );
        }
    }

    #[test]
    fn a_time_of_day_may_have_a_zone() {
        assert_eq!(
            parse_time("04:05", "time").unwrap(),
            (4 * HOUR + 5 * MINUTE, None)
        );
        assert_eq!(
            parse_time("04:05-08", "time").unwrap(),
            (4 * HOUR + 5 * MINUTE, Some(-28_800))
        );
        assert!(parse_time("4", "time").is_err());
        assert!(parse_time("24:00:01", "time").is_err());
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "[0-9TZ:+./ BCinfty-]{0,30}") {
            if let Err(error) = parse_moment(&text, "timestamp") {
                prop_assert!(!error.message.is_empty());
            }
        }
    }
}
