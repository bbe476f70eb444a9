//! Type `date`.

use std::fmt;

use crate::calendar::DAY;
use crate::error::{EXCERPT_CHARS, excerpt};
use crate::moment_line;
use crate::moment_text::{Moment, parse_moment};
use crate::timestamp::{FIRST_DAY, Timestamp};
use crate::{Context, DateOrder, DateStyle, SqlState, ValueError};

/// 5874897-12-31, the last day of type date.
const LAST_DAY: i64 = 2_145_031_948;

/// A day: so many days after 2000-01-01, or one of the infinities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(i32);

impl Date {
    /// Later than every other date.
    pub const INFINITY: Self = Self(i32::MAX);
    /// Earlier than every other date.
    pub const MINUS_INFINITY: Self = Self(i32::MIN);

    /// The day of a number, which may be that of an infinity; else 22008.
    pub fn new(days: i64) -> Result<Self, ValueError> {
        Self::of_days(days).ok_or_else(out_of_range)
    }

    fn of_days(days: i64) -> Option<Self> {
        let date = Self(i32::try_from(days).ok()?);
        (date.is_infinite() || (FIRST_DAY..=LAST_DAY).contains(&days)).then_some(date)
    }

    /// Reads a date; a time behind it is left out.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        Self::parse_in(text, Context::standard())
    }

    /// Reads a date with the settings of a session.
    pub fn parse_in(text: &str, context: &Context) -> Result<Self, ValueError> {
        match parse_moment(text, "date", context)? {
            Moment::Infinity => Ok(Self::INFINITY),
            Moment::MinusInfinity => Ok(Self::MINUS_INFINITY),
            Moment::At { days, .. } => Self::of_days(days).ok_or_else(|| {
                ValueError::new(
                    SqlState::DATETIME_FIELD_OVERFLOW,
                    format!("date out of range: \"{}\"", excerpt(text, EXCERPT_CHARS)),
                )
            }),
        }
    }

    /// Days since 2000-01-01.
    pub const fn days(self) -> i32 {
        self.0
    }

    /// Whether this is one of the infinities.
    pub const fn is_infinite(self) -> bool {
        self.0 == i32::MAX || self.0 == i32::MIN
    }

    /// So many days later; an infinity stays what it is.
    pub fn plus_days(self, days: i64) -> Result<Self, ValueError> {
        if self.is_infinite() {
            return Ok(self);
        }
        // A sum must not become an infinity.
        Self::of_days(i64::from(self.0).saturating_add(days))
            .filter(|date| !date.is_infinite())
            .ok_or_else(out_of_range)
    }

    /// The days from `earlier` to this day.
    pub fn minus(self, earlier: Self) -> Result<i64, ValueError> {
        if self.is_infinite() || earlier.is_infinite() {
            return Err(ValueError::new(
                SqlState::DATETIME_FIELD_OVERFLOW,
                "cannot subtract infinite dates",
            ));
        }
        Ok(i64::from(self.0) - i64::from(earlier.0))
    }

    /// The moment when this day begins.
    pub fn midnight(self) -> Result<Timestamp, ValueError> {
        match self {
            Self::INFINITY => Ok(Timestamp::INFINITY),
            Self::MINUS_INFINITY => Ok(Timestamp::MINUS_INFINITY),
            Self(days) => i64::from(days)
                .checked_mul(DAY)
                .map_or_else(|| Err(crate::timestamp::out_of_range()), Timestamp::finite),
        }
    }

    /// As it is printed in a session.
    pub fn text_in(self, context: &Context) -> String {
        moment_line::date(self, context.date_style, context.date_order).to_string()
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        moment_line::date(*self, DateStyle::Iso, DateOrder::Ymd).fmt(f)
    }
}

fn out_of_range() -> ValueError {
    ValueError::new(SqlState::DATETIME_FIELD_OVERFLOW, "date out of range")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Date;

    #[test]
    fn dates_are_days_since_the_year_2000() {
        for (days, text) in [
            (0, "2000-01-01"),
            (9_516, "2026-01-20"),
            (-730_120, "0001-12-31 BC"),
            (-2_451_545, "4714-11-24 BC"),
            (2_145_031_948, "5874897-12-31"),
            (i32::MAX, "infinity"),
            (i32::MIN, "-infinity"),
        ] {
            assert_eq!(Date(days).to_string(), text);
            assert_eq!(Date::parse(text).unwrap(), Date(days));
        }
        assert_eq!(Date::parse("2000-01-02 13:00:00").unwrap(), Date(1));
        assert_eq!(
            Date::parse("5874898-01-01").unwrap_err().message,
            "date out of range: \"5874898-01-01\""
        );
    }

    #[test]
    fn days_are_added_and_counted() {
        let day = Date::parse("2024-02-28").unwrap();
        assert_eq!(day.plus_days(2).unwrap().to_string(), "2024-03-01");
        assert_eq!(day.plus_days(2).unwrap().minus(day).unwrap(), 2);
        assert_eq!(Date::INFINITY.plus_days(1).unwrap(), Date::INFINITY);
        for days in [i64::MAX, i64::from(i32::MAX) - 8_824, 2_145_031_948] {
            let error = day.plus_days(days).unwrap_err();
            assert_eq!(error.message, "date out of range", "{days}");
        }
        assert!(day.minus(Date::INFINITY).is_err());
        assert!(Date::parse("5874897-12-31").unwrap().midnight().is_err());
    }

    #[test]
    fn numbers_from_the_wire_that_are_no_day_are_refused() {
        assert!(Date::new(2_145_031_949).is_err());
        assert!(Date::new(i64::from(i32::MAX)).is_ok());
    }

    proptest! {
        #[test]
        fn a_date_and_its_text_belong_to_each_other(days in -2_451_545_i32..=2_145_031_948) {
            prop_assert_eq!(Date::parse(&Date(days).to_string()).unwrap(), Date(days));
        }
    }
}
