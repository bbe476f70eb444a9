//! Reading dates and times in the forms that PostgreSQL reads, with any order of a date's numbers:
//! `2024-01-31T10:00:00+02`, `Jan 31 2024 10:00 PM`, `1/31/2024`, `20240131`, `epoch`,
//! `infinity`, `today`.

use crate::calendar::DAY;
use crate::error::{EXCERPT_CHARS, excerpt};
use crate::parts::Parts;
use crate::{Context, SqlState, ValueError, iso_text, zone};

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
pub(crate) fn parse_moment(
    text: &str,
    type_name: &str,
    context: &Context,
) -> Result<Moment, ValueError> {
    if let Some(moment) = iso_text::moment(text.as_bytes()) {
        return Ok(moment);
    }
    moment(&text.to_ascii_lowercase(), context).map_err(|problem| problem.error(text, type_name))
}

/// Reads a time of day without a zone: microseconds since midnight.
pub(crate) fn parse_time(text: &str, context: &Context) -> Result<i64, ValueError> {
    if let Some((micros, b"")) = iso_text::clock(text.as_bytes()) {
        return Ok(micros);
    }
    time_of_day(&text.to_ascii_lowercase(), context)
        .map(|(micros, ..)| micros)
        .map_err(|problem| problem.error(text, "time"))
}

/// Reads a time of day with its zone: microseconds since midnight, seconds east of Greenwich.
pub(crate) fn parse_timetz(text: &str, context: &Context) -> Result<(i64, i64), ValueError> {
    let (micros, days, offset) = time_of_day(&text.to_ascii_lowercase(), context)
        .map_err(|problem| problem.error(text, "time with time zone"))?;
    let offset = offset.unwrap_or_else(|| {
        let today = || context.local_now().0.div_euclid(DAY);
        context
            .zone
            .offset_of_local(days.unwrap_or_else(today), micros)
    });
    Ok((micros, offset))
}

/// Microseconds since midnight, the day if one is said, and the zone if one is said.
fn time_of_day(lower: &str, context: &Context) -> Result<(i64, Option<i64>, Option<i64>), Problem> {
    let parts = Parts::read(lower, true, context)?;
    let micros = parts.micros()?.ok_or(Problem::Syntax)?;
    let days = if parts.has_no_date() {
        None
    } else {
        Some(parts.days()?)
    };
    Ok((micros, days, parts.offset(days, micros)?))
}

fn moment(lower: &str, context: &Context) -> Result<Moment, Problem> {
    match lower.trim_ascii() {
        "infinity" => return Ok(Moment::Infinity),
        "-infinity" => return Ok(Moment::MinusInfinity),
        _ => {}
    }
    let parts = Parts::read(lower, false, context)?;
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
    /// It is one, of a day that its month has not or an hour 25.
    Range,
    /// It is one, of a month 13 or a day 32: perhaps its numbers are meant in another order.
    MonthOrDay,
    /// A zone too far from Greenwich.
    Displacement,
    /// A place that the time zone database has not.
    UnknownZone(String),
}

impl Problem {
    pub(crate) fn error(self, text: &str, type_name: &str) -> ValueError {
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
            Self::MonthOrDay => Self::Range
                .error(text, type_name)
                .with_hint("Perhaps you need a different \"datestyle\" setting."),
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

    use super::{Moment, parse_timetz};
    use crate::calendar::{DAY, HOUR, MINUTE, SECOND};
    use crate::{Context, DateOrder, SqlState, Timestamp, ValueError, Zone};

    fn parse_moment(text: &str, type_name: &str) -> Result<Moment, ValueError> {
        super::parse_moment(text, type_name, Context::standard())
    }

    fn parse_time(text: &str) -> Result<i64, ValueError> {
        super::parse_time(text, Context::standard())
    }

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
            "J2451575",
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
        assert_eq!(at("2000-01-01 04:05:06 -1:"), (0, micros, Some(-3_600)));
    }

    #[test]
    fn a_year_may_have_six_digits_behind_the_time() {
        let (day, micros) = (at("100000-03-12").0, 23 * HOUR + 58 * MINUTE + 48 * SECOND);
        for (text, zone) in [
            ("Sat Mar 12 23:58:48 100000 UTC", Some(0)),
            ("Mar 12 23:58:48 100000", None),
            ("100000-03-12 23:58:48", None),
            ("1000000312 23:58:48", None),
        ] {
            assert_eq!(at(text), (day, micros, zone), "{text}");
        }
    }

    /// PostgreSQL reads a fraction as a double: .5002725 is a little less than it looks.
    #[test]
    fn what_is_smaller_than_a_microsecond_is_rounded_as_a_double_is() {
        for (written, micros) in [
            ("00:00:00.5002725", 500_272),
            ("00:00:00.4765585", 476_558),
            ("00:00:00.9999999", 1_000_000),
            ("00:00:00.1234567", 123_457),
        ] {
            assert_eq!(parse_time(written).unwrap(), micros, "{written}");
        }
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
        let (hour, micros) = (HOUR, 4 * HOUR + 5 * MINUTE);
        assert_eq!(parse_time("04:05").unwrap(), micros);
        assert_eq!(parse_time("04:05-08").unwrap(), micros);
        let zoned = |text| parse_timetz(text, Context::standard());
        assert_eq!(zoned("04:05-08").unwrap(), (micros, -28_800));
        assert_eq!(zoned("04:05").unwrap(), (micros, 0));
        assert_eq!(zoned("14:05 Z").unwrap(), (micros + 10 * hour, 0));
        for (text, micros) in [
            ("0405", 4 * HOUR + 5 * MINUTE),
            ("040506-08", 4 * HOUR + 5 * MINUTE + 6 * SECOND),
            ("040506.5", 4 * HOUR + 5 * MINUTE + 6_500_000),
            ("4:05 PM", 16 * HOUR + 5 * MINUTE),
            ("12:00 am", 0),
            ("00:30 pm", 12 * HOUR + 30 * MINUTE),
            ("2000-01-31 04:05", 4 * HOUR + 5 * MINUTE),
        ] {
            assert_eq!(parse_time(text).unwrap(), micros, "{text}");
        }
        let named = zoned("2003-04-12 04:05 America/New_York").unwrap();
        assert_eq!(named.1, -14_400);
        for text in ["4", "", "2000-01-31", "04:05 America/New_York", "24:00:01"] {
            assert!(parse_time(text).is_err(), "{text}");
            assert!(zoned(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_session_says_the_order_of_numbers_and_what_time_it_is() {
        let date = |order, text: &str| {
            let context = Context {
                date_order: order,
                ..Context::default()
            };
            crate::Date::parse_in(text, &context).map(|date| date.to_string())
        };
        for (order, text, iso) in [
            (DateOrder::Mdy, "1/2/2003", "2003-01-02"),
            (DateOrder::Dmy, "1/2/2003", "2003-02-01"),
            (DateOrder::Ymd, "01/02/03", "2001-02-03"),
            (DateOrder::Dmy, "01-02-03", "2003-02-01"),
            (DateOrder::Ymd, "99-Jan-08", "1999-01-08"),
            (DateOrder::Dmy, "8-Jan-99", "1999-01-08"),
            (DateOrder::Ymd, "Jan 99 8", "1999-01-08"),
            (DateOrder::Dmy, "20030201", "2003-02-01"),
            (DateOrder::Ymd, "2003-02-01", "2003-02-01"),
        ] {
            assert_eq!(date(order, text).as_deref(), Ok(iso), "{text}");
        }
        let error = date(DateOrder::Mdy, "31/1/2024").unwrap_err();
        assert_eq!(
            error.hint.unwrap(),
            "Perhaps you need a different \"datestyle\" setting."
        );
        assert_eq!(date(DateOrder::Mdy, "2/30/2024").unwrap_err().hint, None);

        // 2024-06-30 23:30 in UTC
        let now = Timestamp::parse("2024-06-30 23:30", None).unwrap();
        let context = Context {
            zone: Zone::by_name("Europe/Berlin").unwrap(),
            transaction_start: Some(now),
            ..Context::default()
        };
        let stamp = |text| {
            Timestamp::parse_in(text, None, &context)
                .unwrap()
                .to_string()
        };
        let zoned = |text| {
            let at = crate::Timestamptz::parse_in(text, None, &context).unwrap();
            (at.to_string(), at.text_in(&context))
        };
        let both = |utc: &str, local: &str| (utc.to_owned(), local.to_owned());
        assert_eq!(stamp("now"), "2024-07-01 01:30:00");
        assert_eq!(stamp("yesterday 04:00"), "2024-06-30 04:00:00");
        assert_eq!(
            zoned("now"),
            both("2024-06-30 23:30:00+00", "2024-07-01 01:30:00+02")
        );
        assert_eq!(
            zoned("today"),
            both("2024-06-30 22:00:00+00", "2024-07-01 00:00:00+02")
        );
        assert_eq!(
            zoned("epoch"),
            both("1970-01-01 00:00:00+00", "1970-01-01 01:00:00+01")
        );
        assert_eq!(
            zoned("2024-01-01 12:00"),
            both("2024-01-01 11:00:00+00", "2024-01-01 12:00:00+01")
        );
        let timetz = |text| {
            crate::Timetz::parse_in(text, None, &context)
                .unwrap()
                .to_string()
        };
        assert_eq!(timetz("10:00"), "10:00:00+02");
        assert_eq!(timetz("2024-01-01 10:00"), "10:00:00+01");
        assert_eq!(timetz("allballs"), "00:00:00+00");
        assert_eq!(timetz("now"), "01:30:00+02");
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
