//! A date and time in the parts that a template names.

use pgtypes::calendar::{Civil, HOUR, MINUTE, SECOND, days_in_month};
use pgtypes::{SqlState, ValueError};

use crate::error::fail;
use crate::timestamp::iso_weekday;

const JULIAN_EPOCH: i64 = 2_451_545;

/// How a template counts days: it keeps to one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Convention {
    Gregorian,
    IsoWeek,
}

/// What was read, in the words of the template; 0 where nothing was.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) convention: Option<Convention>,
    pub(super) year: i64,
    /// Digits of the year that the template has.
    pub(super) year_width: usize,
    pub(super) century: i64,
    pub(super) before_christ: i64,
    pub(super) month: i64,
    pub(super) day: i64,
    pub(super) day_of_year: i64,
    /// 1 is Sunday.
    pub(super) weekday: i64,
    pub(super) week: i64,
    pub(super) week_of_month: i64,
    pub(super) julian: i64,
    pub(super) hour: i64,
    pub(super) twelve: bool,
    pub(super) afternoon: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
    pub(super) of_day: i64,
    pub(super) millis: i64,
    pub(super) micros: i64,
    /// Digits of a second that the template has.
    pub(super) precision: Option<u32>,
    /// 1 is east, -1 west.
    pub(super) zone_sign: i64,
    pub(super) zone_hours: i64,
    pub(super) zone_minutes: i64,
}

impl Parts {
    /// The year, where one is told.
    fn full_year(&self) -> Option<i64> {
        let bc = self.before_christ != 0;
        let century = if bc { -self.century } else { self.century };
        if self.year == 0 {
            return match century {
                0 => None,
                century if century > 0 => Some((century - 1) * 100 + 1),
                century => Some(century * 100 + 1),
            };
        }
        if century != 0 && self.year_width <= 2 {
            return Some(match (self.year % 100, century > 0) {
                (0, true) => century * 100,
                (0, false) => century * 100 + 1,
                (low, true) => (century - 1) * 100 + low,
                (low, false) => (century + 1) * 100 + low,
            });
        }
        Some(match if bc { -self.year } else { self.year } {
            year if year < 0 => year + 1,
            year => year,
        })
    }

    /// Days since 2000-01-01; `source` is what was read, for errors.
    pub(super) fn days(&self, source: &str) -> Result<i64, ValueError> {
        // PostgreSQL looks at the clock first.
        self.clock()?;
        let told = self.full_year();
        let mut day = Told {
            year: told.unwrap_or(0),
            month: 1,
            day: 1,
            known: [told.is_some(), false, false],
        };
        let iso = self.convention == Some(Convention::IsoWeek);
        if self.julian != 0 {
            day = Told::of(self.julian - JULIAN_EPOCH);
        }
        let mut day_of_year = self.day_of_year;
        if self.week != 0 && iso {
            let monday = first_monday(day.year) + (self.week - 1) * 7;
            day = Told::of(match self.weekday {
                0 => monday,
                1 => monday + 6,
                weekday => monday + weekday - 2,
            });
        } else if self.week != 0 {
            day_of_year = (self.week - 1) * 7 + 1;
        }
        let day_of_month = match self.week_of_month {
            0 => self.day,
            week => (week - 1) * 7 + 1,
        };
        if day_of_month != 0 {
            day.day = day_of_month;
            day.known[2] = true;
        }
        if self.month != 0 {
            day.month = self.month;
            day.known[1] = true;
        }
        if day_of_year != 0 && (day.month <= 1 || day.day <= 1) {
            if day.year == 0 && self.before_christ == 0 {
                return fail(
                    SqlState::INVALID_DATETIME_FORMAT,
                    "cannot calculate day of year without year information",
                );
            }
            if iso {
                return Ok(first_monday(day.year) + day_of_year - 1);
            }
            day.fill(day_of_year);
        }
        day.number().map_or_else(|| out_of_range(source), Ok)
    }

    /// Hours, minutes and seconds.
    fn clock(&self) -> Result<[i64; 3], ValueError> {
        let of_day = self.of_day;
        let mut clock = [of_day / 3600, of_day % 3600 / 60, of_day % 60];
        for (part, own) in clock.iter_mut().zip([self.hour, self.minute, self.second]) {
            if own != 0 {
                *part = own;
            }
        }
        let [hour, ..] = &mut clock;
        if self.twelve {
            if !(1..=12).contains(hour) {
                return bad(
                    format!("hour \"{hour}\" is invalid for the 12-hour clock"),
                    "Use the 24-hour clock, or give an hour between 1 and 12.",
                );
            }
            *hour = *hour % 12 + if self.afternoon != 0 { 12 } else { 0 };
        }
        Ok(clock)
    }

    /// Microseconds since midnight.
    pub(super) fn micros(&self, source: &str) -> Result<i64, ValueError> {
        let [hour, minute, second] = self.clock()?;
        let micros = self.millis * 1_000 + self.micros;
        let good = (0..24).contains(&hour)
            && (0..60).contains(&minute)
            && (0..60).contains(&second)
            && (0..SECOND).contains(&micros);
        if !good {
            return out_of_range(source);
        }
        Ok(hour * HOUR + minute * MINUTE + second * SECOND + micros)
    }

    /// The moment, in microseconds, with as many digits as the template has.
    pub(super) fn rounded(&self, micros: i64) -> i64 {
        let Some(precision) = self.precision else {
            return micros;
        };
        let unit = 10_i64.pow(6_u32.saturating_sub(precision));
        let half = if micros < 0 { -(unit / 2) } else { unit / 2 };
        (micros + half) / unit * unit
    }

    /// Seconds east of Greenwich, where a template has them.
    pub(super) fn zone(&self, source: &str) -> Result<Option<i64>, ValueError> {
        let good = (0..=15).contains(&self.zone_hours) && (0..60).contains(&self.zone_minutes);
        match self.zone_sign {
            0 => Ok(None),
            _ if !good => fail(
                SqlState::INVALID_TIME_ZONE_DISPLACEMENT_VALUE,
                format!("time zone displacement out of range: \"{source}\""),
            ),
            sign => Ok(Some(
                sign * (self.zone_hours * 3600 + self.zone_minutes * 60),
            )),
        }
    }
}

/// The Monday of the week that has the fourth of January.
fn first_monday(year: i64) -> i64 {
    let fourth = day_number(year, 1, 4);
    fourth - iso_weekday(fourth) + 1
}

/// The month that has a day of the year, and how many days are before it; 13 behind the year.
fn month_of(year: i64, day_of_year: i64) -> (i64, i64) {
    let mut before = 0;
    for month in 1..=12 {
        let days = days_in_month(year, month).map_or(31, i64::from);
        if day_of_year <= before + days {
            return (month.into(), before);
        }
        before += days;
    }
    (13, before)
}

/// A day in the making.
struct Told {
    year: i64,
    month: i64,
    day: i64,
    /// Which of the three are told.
    known: [bool; 3],
}

impl Told {
    fn of(days: i64) -> Self {
        let Civil { year, month, day } = Civil::of(days);
        Self {
            year,
            month: month.into(),
            day: day.into(),
            known: [true; 3],
        }
    }

    /// Takes a month and a day that are not told from the day of the year.
    fn fill(&mut self, day_of_year: i64) {
        let (month, before) = month_of(self.year, day_of_year);
        if self.month <= 1 {
            self.month = month;
        }
        if self.day <= 1 {
            self.day = day_of_year - before;
        }
        self.known = [self.known[0], true, true];
    }

    /// None where the month or the day can't be. A day beyond its month is one of the next, where not all three are told.
    fn number(&self) -> Option<i64> {
        let month = u8::try_from(self.month).ok()?;
        let most = days_in_month(self.year, month)?;
        let most = if self.known == [true; 3] { most } else { 31 };
        (1..=i64::from(most))
            .contains(&self.day)
            .then(|| day_number(self.year, month, 1) + self.day - 1)
    }
}

fn day_number(year: i64, month: u8, day: u8) -> i64 {
    Civil { year, month, day }.clamped_days()
}

/// 22007 with a detail.
pub(super) fn bad<T>(
    message: impl Into<String>,
    detail: impl Into<String>,
) -> Result<T, ValueError> {
    Err(ValueError::new(SqlState::INVALID_DATETIME_FORMAT, message).with_detail(detail))
}

fn out_of_range<T>(source: &str) -> Result<T, ValueError> {
    fail(
        SqlState::DATETIME_FIELD_OVERFLOW,
        format!("date/time field value out of range: \"{source}\""),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_the_digits_of_its_template() {
        let parts = Parts {
            precision: Some(1),
            ..Parts::default()
        };
        assert_eq!(parts.rounded(1_310_000), 1_300_000);
        assert_eq!(parts.rounded(-1_350_000), -1_400_000);
        assert_eq!(Parts::default().rounded(1_310_000), 1_310_000);
    }

    #[test]
    fn a_day_beyond_its_month_is_refused_where_the_year_is_told() {
        let days = |year, month, day| {
            let parts = Parts {
                year,
                month,
                day,
                ..Parts::default()
            };
            parts.days("it").map_err(|fault| fault.to_string())
        };
        let message = "date/time field value out of range: \"it\"".to_owned();
        assert_eq!(days(2023, 2, 30), Err(message));
        assert_eq!(days(0, 2, 30), days(0, 3, 1));
    }
}
