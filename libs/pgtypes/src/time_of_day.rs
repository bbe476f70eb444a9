//! Types `time` and `timetz`.

use std::fmt;

use crate::calendar::DAY;
use crate::moment_line;
use crate::moment_text::{parse_time, parse_timetz};
use crate::timestamp::rounded;
use crate::{Context, SqlState, ValueError};

/// A time zone is less than 16 hours from Greenwich.
const OFFSET_LIMIT_SECONDS: u32 = 16 * 3600;

/// A time of day: microseconds since midnight, up to and including 24:00:00.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(i64);

impl Time {
    /// A time from its microseconds, rounded to `digits` of a second; else 22008.
    pub fn new(micros: i64, digits: Option<u8>) -> Result<Self, ValueError> {
        if (0..=DAY).contains(&micros) {
            return Ok(Self(rounded(micros, digits)));
        }
        Err(ValueError::new(
            SqlState::DATETIME_FIELD_OVERFLOW,
            "time out of range",
        ))
    }

    /// Reads a time, rounded to `digits` of a second; a zone means nothing.
    pub fn parse(text: &str, digits: Option<u8>) -> Result<Self, ValueError> {
        Self::parse_in(text, digits, Context::standard())
    }

    /// Reads a time with the settings of a session.
    pub fn parse_in(text: &str, digits: Option<u8>, context: &Context) -> Result<Self, ValueError> {
        parse_time(text, context).map(|micros| Self(rounded(micros, digits)))
    }

    /// Microseconds since midnight.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// So much later, past midnight from the beginning again.
    #[must_use]
    pub fn plus(self, micros: i64) -> Self {
        Self((self.0 + micros % DAY).rem_euclid(DAY))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        moment_line::time(*self).fmt(f)
    }
}

/// A time of day with the zone in which it is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timetz {
    /// The time that clocks show there.
    pub time: Time,
    /// Seconds east of Greenwich.
    pub offset_seconds: i32,
}

impl Timetz {
    /// A time with zone from its binary parts; else 22008 or 22009.
    pub fn new(time: Time, offset_seconds: i32) -> Result<Self, ValueError> {
        if offset_seconds.unsigned_abs() >= OFFSET_LIMIT_SECONDS {
            return Err(ValueError::new(
                SqlState::INVALID_TIME_ZONE_DISPLACEMENT_VALUE,
                "time zone displacement out of range",
            ));
        }
        Ok(Self {
            time,
            offset_seconds,
        })
    }

    /// Reads a time with its zone; UTC where none is written.
    pub fn parse(text: &str, digits: Option<u8>) -> Result<Self, ValueError> {
        Self::parse_in(text, digits, Context::standard())
    }

    /// Reads a time with its zone; the session's where none is written, at the day that is written
    /// or else today.
    pub fn parse_in(text: &str, digits: Option<u8>, context: &Context) -> Result<Self, ValueError> {
        let (micros, offset) = parse_timetz(text, context)?;
        let offset = i32::try_from(offset).unwrap_or(i32::MAX);
        Self::new(Time(rounded(micros, digits)), offset)
    }
}

impl fmt::Display for Timetz {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        moment_line::timetz(*self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::{Time, Timetz};
    use crate::calendar::{DAY, HOUR};

    #[test]
    fn a_time_with_zone_shows_no_more_of_the_zone_than_needed() {
        for text in [
            "04:05:06+00",
            "04:05:06.5-08",
            "04:05:06+05:30",
            "04:05:06-00:19:32",
        ] {
            assert_eq!(Timetz::parse(text, None).unwrap().to_string(), text);
        }
    }

    #[test]
    fn numbers_from_the_wire_that_are_no_time_are_refused() {
        assert!(Time::new(-1, None).is_err());
        let end = Time::new(DAY, None).unwrap();
        assert!(Timetz::new(end, 16 * 3600).is_err());
        assert!(Timetz::new(end, -57_599).is_ok());
    }

    #[test]
    fn times_go_round() {
        let evening = Time::parse("22:00", None).unwrap();
        assert_eq!(evening.plus(3 * HOUR).to_string(), "01:00:00");
        assert_eq!(evening.plus(-23 * HOUR).to_string(), "23:00:00");
        assert_eq!(evening.plus(i64::MIN).to_string(), "17:59:05.224192");
        assert_eq!(Time::parse("23:59:59.9999", Some(2)).unwrap().micros(), DAY);
    }
}
