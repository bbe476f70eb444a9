//! Types `timestamp` and `timestamptz`.

use std::fmt;

use crate::calendar::{Civil, DAY, SECOND};
use crate::error::{EXCERPT_CHARS, excerpt};
use crate::moment_line;
use crate::moment_text::{Moment, parse_moment};
use crate::{Context, Date, DateOrder, DateStyle, Interval, SqlState, ValueError, Zone};

/// 4714-11-24 BC, the first day that PostgreSQL's dates and timestamps know.
pub(crate) const FIRST_DAY: i64 = -2_451_545;
/// 294276-12-31 23:59:59.999999, the last moment of a timestamp.
const LAST_MICROS: i64 = 106_751_983 * DAY - 1;

/// A moment: so many microseconds after 2000-01-01 00:00:00, or one of the infinities. One of type
/// `timestamptz` counts in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Later than every other timestamp.
    pub const INFINITY: Self = Self(i64::MAX);
    /// Earlier than every other timestamp.
    pub const MINUS_INFINITY: Self = Self(i64::MIN);

    /// The moment of a number, which may be that of an infinity, rounded to `digits` of a second;
    /// else 22008.
    pub fn new(micros: i64, digits: Option<u8>) -> Result<Self, ValueError> {
        let given = Self(micros);
        if given.is_infinite() {
            return Ok(given);
        }
        Self::finite(rounded(micros, digits))
    }

    /// The moment of a number that is no infinity; else 22008.
    pub fn finite(micros: i64) -> Result<Self, ValueError> {
        if (FIRST_DAY * DAY..=LAST_MICROS).contains(&micros) {
            Ok(Self(micros))
        } else {
            Err(out_of_range())
        }
    }

    /// Reads a `timestamp`, rounded to `digits` of a second; a zone means nothing.
    pub fn parse(text: &str, digits: Option<u8>) -> Result<Self, ValueError> {
        Self::parse_in(text, digits, Context::standard())
    }

    /// Reads a `timestamp` with the settings of a session.
    pub fn parse_in(text: &str, digits: Option<u8>, context: &Context) -> Result<Self, ValueError> {
        read(text, digits, Meaning::Local, context).map(|(moment, _)| moment)
    }

    /// Reads a timestamp of either type, and whether it says its zone; then it is in UTC.
    pub fn parse_any(text: &str) -> Result<(Self, bool), ValueError> {
        read(text, None, Meaning::AsWritten, Context::standard())
    }

    /// Microseconds since 2000-01-01 00:00:00.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whether this is one of the infinities.
    pub const fn is_infinite(self) -> bool {
        self.0 == i64::MAX || self.0 == i64::MIN
    }

    /// The day that it is in.
    pub fn date(self) -> Date {
        match self {
            Self::INFINITY => Date::INFINITY,
            Self::MINUS_INFINITY => Date::MINUS_INFINITY,
            Self(micros) => Date::new(micros.div_euclid(DAY)).unwrap_or(Date::INFINITY),
        }
    }

    /// Microseconds since the beginning of its day.
    pub const fn micros_of_day(self) -> i64 {
        self.0.rem_euclid(DAY)
    }

    /// Later by an interval: by its months first, where the day is cut to the month's last, then by
    /// its days, then by its time.
    pub fn plus(self, span: Interval) -> Result<Self, ValueError> {
        if self.is_infinite() {
            return Ok(self);
        }
        let civil = Civil::of(self.0.div_euclid(DAY));
        let months = civil.year * 12 + i64::from(civil.month) - 1 + i64::from(span.months);
        let moved = Civil {
            year: months.div_euclid(12),
            month: u8::try_from(months.rem_euclid(12) + 1).unwrap_or(1),
            day: civil.day,
        };
        let days = moved.clamped_days() + i64::from(span.days);
        days.checked_mul(DAY)
            .and_then(|midnight| midnight.checked_add(self.micros_of_day()))
            .and_then(|micros| micros.checked_add(span.micros))
            .map_or_else(|| Err(out_of_range()), Self::finite)
    }

    /// The days and the time from `earlier` to this moment.
    pub fn minus(self, earlier: Self) -> Result<Interval, ValueError> {
        if self.is_infinite() || earlier.is_infinite() {
            return Err(ValueError::new(
                SqlState::DATETIME_FIELD_OVERFLOW,
                "cannot subtract infinite timestamps",
            ));
        }
        let micros = self.0.checked_sub(earlier.0).ok_or_else(|| {
            ValueError::new(SqlState::DATETIME_FIELD_OVERFLOW, "interval out of range")
        })?;
        let between = Interval {
            micros,
            ..Interval::default()
        };
        between.justified_hours()
    }

    /// Years, months, days and time from `earlier` to this moment, as a person counts.
    pub fn age(self, earlier: Self) -> Result<Interval, ValueError> {
        if self.is_infinite() || earlier.is_infinite() {
            return Err(out_of_range());
        }
        if self < earlier {
            return earlier.age(self)?.negated();
        }
        let [late, early] = [self, earlier].map(|at| Civil::of(at.0.div_euclid(DAY)));
        let mut months =
            (late.year - early.year) * 12 + i64::from(late.month) - i64::from(early.month);
        let mut days = i32::from(late.day) - i32::from(early.day);
        let mut micros = self.micros_of_day() - earlier.micros_of_day();
        if micros < 0 {
            micros += DAY;
            days -= 1;
        }
        if days < 0 {
            months -= 1;
            days +=
                i32::from(crate::calendar::days_in_month(early.year, early.month).unwrap_or(30));
        }
        Ok(Interval {
            months: i32::try_from(months).map_err(|_| out_of_range())?,
            days,
            micros,
        })
    }

    /// What clocks in a zone show at this moment in UTC.
    pub fn to_local(self, zone: &Zone) -> Result<Self, ValueError> {
        self.moved(zone.offset_at(self.0))
    }

    /// The moment in UTC when clocks in a zone show this.
    pub fn to_utc(self, zone: &Zone) -> Result<Self, ValueError> {
        self.moved(-zone.offset_of_local(self.0.div_euclid(DAY), self.micros_of_day()))
    }

    fn moved(self, seconds: i64) -> Result<Self, ValueError> {
        if self.is_infinite() {
            return Ok(self);
        }
        Self::finite(self.0.saturating_add(seconds * SECOND))
    }

    /// As one of type `timestamptz` is printed: with `+00`, as it is in UTC.
    pub const fn with_zone(self) -> Timestamptz {
        Timestamptz(self)
    }

    /// As it is printed in a session.
    pub fn text_in(self, context: &Context) -> String {
        moment_line::timestamp(self, context.date_style, context.date_order).to_string()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        moment_line::timestamp(*self, DateStyle::Iso, DateOrder::Ymd).fmt(f)
    }
}

/// A timestamp of type `timestamptz`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamptz(pub Timestamp);

impl Timestamptz {
    /// Reads a `timestamptz`, rounded to `digits` of a second; in UTC where no zone is written.
    pub fn parse(text: &str, digits: Option<u8>) -> Result<Self, ValueError> {
        Self::parse_in(text, digits, Context::standard())
    }

    /// Reads a `timestamptz` with the settings of a session; in its zone where none is written.
    pub fn parse_in(text: &str, digits: Option<u8>, context: &Context) -> Result<Self, ValueError> {
        read(text, digits, Meaning::Utc, context).map(|(moment, _)| Self(moment))
    }

    /// As it is printed in a session.
    pub fn text_in(self, context: &Context) -> String {
        moment_line::timestamptz(self.0, context).to_string()
    }
}

impl fmt::Display for Timestamptz {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        moment_line::timestamptz(self.0, Context::standard()).fmt(f)
    }
}

/// What a zone that is written means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Local,
    Utc,
    AsWritten,
}

fn read(
    text: &str,
    digits: Option<u8>,
    meaning: Meaning,
    context: &Context,
) -> Result<(Timestamp, bool), ValueError> {
    let type_name = match meaning {
        Meaning::Utc => "timestamp with time zone",
        Meaning::Local | Meaning::AsWritten => "timestamp",
    };
    let (days, micros, offset) = match parse_moment(text, type_name, context)? {
        Moment::Infinity => return Ok((Timestamp::INFINITY, false)),
        Moment::MinusInfinity => return Ok((Timestamp::MINUS_INFINITY, false)),
        Moment::At {
            days,
            micros,
            offset_seconds,
        } => (days, micros, offset_seconds),
    };
    let east = SECOND
        * match (meaning, offset) {
            (Meaning::Local, _) | (Meaning::AsWritten, None) => 0,
            (_, Some(offset)) => offset,
            (Meaning::Utc, None) => context.zone.offset_of_local(days, micros),
        };
    let moment = days
        .checked_mul(DAY)
        .and_then(|midnight| midnight.checked_add(micros))
        .and_then(|local| local.checked_sub(east))
        .and_then(|micros| Timestamp::finite(rounded(micros, digits)).ok());
    let moment = moment.ok_or_else(|| {
        ValueError::new(
            SqlState::DATETIME_FIELD_OVERFLOW,
            format!(
                "timestamp out of range: \"{}\"",
                excerpt(text, EXCERPT_CHARS)
            ),
        )
    })?;
    Ok((moment, offset.is_some()))
}

/// Rounded to `digits` of a second, half away from zero.
pub(crate) fn rounded(micros: i64, digits: Option<u8>) -> i64 {
    let Some(digits) = digits.filter(|digits| *digits < 6) else {
        return micros;
    };
    let unit = 10_i64.pow(6 - u32::from(digits));
    let half = if micros < 0 { -unit / 2 } else { unit / 2 };
    micros.saturating_add(half) / unit * unit
}

pub(crate) fn out_of_range() -> ValueError {
    ValueError::new(SqlState::DATETIME_FIELD_OVERFLOW, "timestamp out of range")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Timestamp, Timestamptz, rounded};
    use crate::calendar::{DAY, SECOND};
    use crate::{Interval, Zone};

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text, None).unwrap()
    }

    #[test]
    fn timestamps_are_microseconds_since_the_year_2000() {
        for (micros, text) in [
            (0, "2000-01-01 00:00:00"),
            (1, "2000-01-01 00:00:00.000001"),
            (-500_000, "1999-12-31 23:59:59.5"),
            (i64::MAX, "infinity"),
            (i64::MIN, "-infinity"),
            (-211_813_488_000_000_000, "4714-11-24 00:00:00 BC"),
            (9_223_371_331_199_999_999, "294276-12-31 23:59:59.999999"),
        ] {
            assert_eq!(Timestamp(micros).to_string(), text);
            assert_eq!(at(text).micros(), micros);
        }
        let zoned = |micros| Timestamp(micros).with_zone().to_string();
        assert_eq!(zoned(0), "2000-01-01 00:00:00+00");
        assert_eq!(zoned(-DAY * 730_120), "0001-12-31 00:00:00+00 BC");
        for text in ["294277-01-01", "4714-11-23 BC"] {
            assert!(Timestamp::parse(text, None).is_err(), "{text}");
        }
    }

    #[test]
    fn a_zone_moves_only_a_timestamp_that_has_one() {
        let text = "2000-01-01 02:00:00+02";
        assert_eq!(Timestamptz::parse(text, None).unwrap().0.micros(), 0);
        assert_eq!(at(text).micros(), 7200 * SECOND);
        assert_eq!(Timestamp::parse_any(text).unwrap(), (Timestamp(0), true));
        let utc = Timestamptz::parse("2000-01-01", None).unwrap();
        assert_eq!(utc.0.micros(), 0);
    }

    #[test]
    fn seconds_are_rounded_half_away_from_zero() {
        assert_eq!(rounded(1_500_000, Some(0)), 2_000_000);
        assert_eq!(rounded(-1_500_000, Some(0)), -2_000_000);
        assert_eq!(rounded(1_234_567, Some(3)), 1_235_000);
        assert_eq!(rounded(1_234_567, Some(6)), 1_234_567);
        assert_eq!(rounded(1_234_567, None), 1_234_567);
    }

    #[test]
    fn numbers_from_the_wire_that_are_no_time_are_refused() {
        assert!(Timestamp::new(i64::MAX - 1, None).is_err());
        assert!(Timestamp::new(i64::MIN + 1, None).is_err());
    }

    #[test]
    fn intervals_are_added_by_months_days_and_time() {
        for (start, span, end) in [
            ("2024-01-31", "1 month", "2024-02-29 00:00:00"),
            ("2024-03-31", "-1 month", "2024-02-29 00:00:00"),
            (
                "2024-12-31 12:00",
                "1 mon 1 day 13:00",
                "2025-02-02 01:00:00",
            ),
            ("infinity", "1 day", "infinity"),
        ] {
            let span = Interval::parse(span).unwrap();
            assert_eq!(at(start).plus(span).unwrap().to_string(), end);
        }
        let long = Interval::parse("300000 years").unwrap();
        assert_eq!(
            at("2024-01-01").plus(long).unwrap_err().message,
            "timestamp out of range"
        );
    }

    #[test]
    fn the_time_between_is_counted_in_days_or_as_a_person_counts() {
        let between = |a: &str, b: &str| {
            let (a, b) = (at(a), at(b));
            let (days, age) = (a.minus(b).unwrap(), a.age(b).unwrap());
            (days.to_string(), age.to_string())
        };
        for (a, b, days, age) in [
            ("2024-03-31", "2024-02-29", "31 days", "1 mon 2 days"),
            ("2024-02-29", "2024-03-31", "-31 days", "-1 mons -2 days"),
            (
                "2024-01-01 00:00",
                "2023-01-31 12:00",
                "334 days 12:00:00",
                "11 mons 12:00:00",
            ),
        ] {
            assert_eq!(between(a, b), (days.to_owned(), age.to_owned()));
        }
        assert!(at("infinity").minus(at("2024-01-01")).is_err());
    }

    #[test]
    fn a_zone_shows_other_clocks() {
        let zone = Zone::by_name("America/New_York").unwrap();
        let noon = at("2024-07-01 12:00");
        assert_eq!(
            noon.to_local(&zone).unwrap().to_string(),
            "2024-07-01 08:00:00"
        );
        assert_eq!(
            noon.to_utc(&zone).unwrap().to_string(),
            "2024-07-01 16:00:00"
        );
    }

    proptest! {
        #[test]
        fn a_timestamp_and_its_text_belong_to_each_other(
            micros in -211_813_488_000_000_000_i64..9_223_371_331_200_000_000
        ) {
            let moment = Timestamp(micros);
            prop_assert_eq!(at(&moment.to_string()), moment);
            let zoned = moment.with_zone();
            prop_assert_eq!(Timestamptz::parse(&zoned.to_string(), None).unwrap(), zoned);
        }
    }
}
