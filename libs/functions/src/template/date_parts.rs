//! A date and time in the parts that a template names.

use pgtypes::calendar::{Civil, HOUR, MINUTE, SECOND};
use pgtypes::{SqlState, ValueError};

use crate::error::fail;
use crate::timestamp::iso_weekday;

const JULIAN_EPOCH: i64 = 2_451_545;

/// What was read, in the words of the template; 0 where nothing was.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) year: Option<i64>,
    /// Digits of the year that the template has.
    pub(super) year_width: usize,
    pub(super) iso: bool,
    pub(super) century: i64,
    pub(super) before_christ: bool,
    pub(super) month: i64,
    pub(super) day: i64,
    pub(super) day_of_year: i64,
    pub(super) weekday: i64,
    pub(super) week: i64,
    pub(super) week_of_month: i64,
    pub(super) julian: i64,
    pub(super) hour: i64,
    pub(super) twelve: bool,
    pub(super) afternoon: Option<bool>,
    pub(super) minute: i64,
    pub(super) second: i64,
    pub(super) of_day: i64,
    pub(super) micros: i64,
    pub(super) offset: Option<i64>,
}

impl Parts {
    fn full_year(&self) -> i64 {
        let Some(year) = self.year else {
            return match self.century {
                0 => 0,
                century if self.before_christ => 1 - century * 100,
                century => (century - 1) * 100 + 1,
            };
        };
        if self.century != 0 && self.year_width <= 2 {
            let low = year % 100;
            return match low {
                0 => self.century * 100,
                low => (self.century - 1) * 100 + low,
            };
        }
        match if self.before_christ { -year } else { year } {
            year if year < 0 => year + 1,
            year => year,
        }
    }

    /// Days since 2000-01-01; `source` is what was read, for errors.
    pub(super) fn days(&self, source: &str) -> Result<i64, ValueError> {
        if self.julian != 0 {
            return Ok(self.julian - JULIAN_EPOCH);
        }
        let year = self.full_year();
        let first = |year, month| {
            let civil = Civil {
                year,
                month,
                day: 1,
            };
            civil.clamped_days()
        };
        if self.iso && (self.week != 0 || self.day_of_year != 0) {
            // The first week is that of the fourth of January.
            let fourth = first(year, 1) + 3;
            let monday = fourth - iso_weekday(fourth) + 1;
            if self.day_of_year != 0 {
                return Ok(monday + self.day_of_year - 1);
            }
            let weekday = self.weekday.max(1);
            return Ok(monday + (self.week - 1) * 7 + weekday - 1);
        }
        let mut day_of_year = self.day_of_year;
        if self.week != 0 {
            day_of_year = (self.week - 1) * 7 + 1;
        }
        if day_of_year != 0 && (self.month <= 1 || self.day <= 1) {
            if self.year.is_none() && self.century == 0 {
                return fail(
                    SqlState::INVALID_DATETIME_FORMAT,
                    "cannot calculate day of year without year information",
                );
            }
            let last = first(year + 1, 1) - first(year, 1);
            if !(1..=last).contains(&day_of_year) {
                return out_of_range(source);
            }
            return Ok(first(year, 1) + day_of_year - 1);
        }
        let mut day = self.day;
        if self.week_of_month != 0 {
            day = (self.week_of_month - 1) * 7 + 1;
        }
        let small = |value: i64| u8::try_from(if value == 0 { 1 } else { value }).unwrap_or(0);
        let civil = Civil {
            year,
            month: small(self.month),
            day: small(day),
        };
        match civil.days() {
            Some(days) => Ok(days),
            None => out_of_range(source),
        }
    }

    /// Microseconds since midnight.
    pub(super) fn micros(&self, source: &str) -> Result<i64, ValueError> {
        let mut hour = self.hour;
        if self.twelve || self.afternoon.is_some() {
            if hour != 0 && !(1..=12).contains(&hour) || self.twelve && hour == 0 {
                return bad(
                    format!("hour \"{hour}\" is invalid for the 12-hour clock"),
                    "Use the 24-hour clock, or give an hour between 1 and 12.",
                );
            }
            match self.afternoon {
                Some(true) if hour < 12 => hour += 12,
                Some(false) if hour == 12 => hour = 0,
                _ => {}
            }
        }
        let (mut minute, mut second) = (self.minute, self.second);
        if self.of_day != 0 {
            hour = self.of_day / 3600;
            minute = self.of_day % 3600 / 60;
            second = self.of_day % 60;
        }
        let good =
            (0..24).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
        if !good {
            return out_of_range(source);
        }
        Ok(hour * HOUR + minute * MINUTE + second * SECOND + self.micros)
    }
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
