//! Reading dates and times in the forms that PostgreSQL reads with its default `DateStyle`, ISO
//! and MDY: `2024-01-31T10:00:00+02`, `Jan 31 2024 10:00 PM`, `1/31/2024`, `20240131`, `epoch`,
//! `infinity`, `today`.

use crate::error::{EXCERPT_CHARS, excerpt};
use crate::parts::Parts;
use crate::{SqlState, ValueError, zone};

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
    moment(&text.to_ascii_lowercase()).map_err(|problem| problem.error(text, type_name))
}

/// Reads a time of day: microseconds since midnight, and the zone in seconds east of Greenwich.
pub(crate) fn parse_time(text: &str, type_name: &str) -> Result<(i64, Option<i64>), ValueError> {
    let parts = Parts::read(&text.to_ascii_lowercase(), true);
    let time = parts.and_then(|parts| {
        let micros = parts.micros()?.ok_or(Problem::Syntax)?;
        let days = if parts.has_no_date() {
            None
        } else {
            Some(parts.days()?)
        };
        Ok((micros, parts.offset(days, micros)?))
    });
    time.map_err(|problem| problem.error(text, type_name))
}

fn moment(lower: &str) -> Result<Moment, Problem> {
    match lower.trim_ascii() {
        "infinity" => return Ok(Moment::Infinity),
        "-infinity" => return Ok(Moment::MinusInfinity),
        _ => {}
    }
    let parts = Parts::read(lower, false)?;
    let days = parts.days()?;
    let micros = parts.micros()?.unwrap_or(0);
    Ok(Moment::At {
        days,
        micros,
        offset_seconds: parts.offset(Some(days), micros)?,
    })
}

/// What is wrong with a text.
#[derive(Clone, Debug)]
pub(crate) enum Problem {
    /// It is no date or time.
    Syntax,
    /// It is one, of a month 13 or an hour 25.
    Range,
    /// A zone too far from Greenwich.
    Displacement,
    /// A place that the time zone database has not.
    UnknownZone(String),
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
            Self::Displacement => ValueError::new(
                SqlState::INVALID_TIME_ZONE_DISPLACEMENT_VALUE,
                format!("time zone displacement out of range: \"{shown}\""),
            ),
            Self::UnknownZone(name) => zone::unknown(&name),
        }
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
            "1-31-00",
            "000131",
            "2000.1.31",
            "2000.031",
            "2000-031",
            "Jan 31 2000",
            "jan-31-2000",
            "31 January, 2000",
            "31-Jan-2000",
            "2000-Jan-31",
            "Mon Jan 31 2000",
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
        assert_eq!(at("20000101T040506"), (0, micros, None));
        assert_eq!(at("20000101T040506-08"), (0, micros, Some(-28_800)));
        assert_eq!(at("2000-01-01 0405"), (0, micros - 6 * SECOND, None));
        assert_eq!(at("2000-01-01 at 4:05:06 AM"), (0, micros, None));
        assert_eq!(at("1/1/2000 4:05:06 pm"), (0, micros + 12 * HOUR, None));
        assert_eq!(at("4:05:06 PST Jan 1 2000"), (0, micros, Some(-28_800)));
        assert_eq!(
            at("2000-01-01 04:05:06 America/New_York"),
            (0, micros, Some(-18_000))
        );
        assert_eq!(at("2000-01-01 04:05:06 UTC+2"), (0, micros, Some(-7_200)));
    }

    #[test]
    fn the_words_for_the_ends_of_time_are_read() {
        assert_eq!(parse_moment("infinity", "date").unwrap(), Moment::Infinity);
        assert_eq!(
            parse_moment("-Infinity", "date").unwrap(),
            Moment::MinusInfinity
        );
        assert_eq!(at("epoch"), (-10_957, 0, Some(0)));
        let (today, micros, zone) = at("now");
        assert!(today > 9_500 && (0..DAY).contains(&micros) && zone == Some(0));
        assert_eq!(at("epoch").0 - 1, at("1969-12-31").0);
        assert!(at("tomorrow 10:00").0 - at("yesterday").0 >= 2);
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
            "10:00",
            "2000-01-01 10:00 10:00",
            "2000-01-01 10:00 Mars",
            "2000-01-01 -infinity",
            "infinity x",
            "now x",
            "2000-01-01 1",
            "2000-01/01",
            "2000-01-01 10",
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
            "99-01-02",
            "2000-01-01 13:00 PM",
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
    fn zones_that_there_are_not_are_named() {
        for (text, sqlstate, message) in [
            (
                "2000-01-01 00:00:00+17",
                SqlState::INVALID_TIME_ZONE_DISPLACEMENT_VALUE,
                "time zone displacement out of range: \"2000-01-01 00:00:00+17\"",
            ),
            (
                "2000-01-01 Mars/X",
                SqlState::INVALID_PARAMETER_VALUE,
                "time zone \"mars/x\" not recognized",
            ),
        ] {
            let error = parse_moment(text, "timestamp").unwrap_err();
            assert_eq!(
                (error.sqlstate, error.message.as_str()),
                (sqlstate, message)
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
        for (text, micros) in [
            ("0405", 4 * HOUR + 5 * MINUTE),
            ("040506.5", 4 * HOUR + 5 * MINUTE + 6_500_000),
            ("4:05 PM", 16 * HOUR + 5 * MINUTE),
            ("12:00 am", 0),
            ("00:30 pm", 12 * HOUR + 30 * MINUTE),
            ("2000-01-31 04:05", 4 * HOUR + 5 * MINUTE),
        ] {
            assert_eq!(parse_time(text, "time").unwrap(), (micros, None), "{text}");
        }
        let named = parse_time("2003-04-12 04:05 America/New_York", "time").unwrap();
        assert_eq!(named.1, Some(-14_400));
        for text in ["4", "", "2000-01-31", "04:05 America/New_York"] {
            assert!(parse_time(text, "time").is_err(), "{text}");
        }
        assert!(parse_time("24:00:01", "time").is_err());
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "[0-9TZ:+./ BCinftyAMJadPu-]{0,30}") {
            if let Err(error) = parse_moment(&text, "timestamp") {
                prop_assert!(!error.message.is_empty());
            }
        }
    }
}
