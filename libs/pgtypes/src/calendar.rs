//! The proleptic Gregorian calendar, counted from PostgreSQL's day 0, 2000-01-01.
//!
//! Method: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". Years are cut into eras
//! of 400 years and begin in March, so that the leap day is the last of its year.

use std::fmt;

/// Days of an era of 400 years.
pub const DAYS_PER_ERA: i64 = 146_097;
/// Days from 0000-03-01 to 2000-01-01.
const EPOCH_FROM_MARCH: i64 = 730_425;

/// The number of 1970-01-01.
pub const UNIX_EPOCH_DAYS: i64 = -10_957;

/// Microseconds of a second.
pub const SECOND: i64 = 1_000_000;
/// Microseconds of a minute.
pub const MINUTE: i64 = 60 * SECOND;
/// Microseconds of an hour.
pub const HOUR: i64 = 60 * MINUTE;
/// Microseconds of a day.
pub const DAY: i64 = 24 * HOUR;

/// The names of the months.
pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// The names of the days of the week.
pub const WEEKDAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

/// A day of the calendar. Year 0 is 1 BC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// The year, as astronomers count: 0 is 1 BC.
    pub year: i64,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

impl Civil {
    /// The day of a number.
    pub fn of(days: i64) -> Self {
        let from_march = days.saturating_add(EPOCH_FROM_MARCH);
        let era = from_march.div_euclid(DAYS_PER_ERA);
        // Within an era small numbers do, which are divided faster.
        let day_of_era = u32::try_from(from_march - era * DAYS_PER_ERA).unwrap_or(0);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * march_month + 2) / 5 + 1;
        let month = if march_month < 10 {
            march_month + 3
        } else {
            march_month - 9
        };
        let year = i64::from(year_of_era) + era * 400 + i64::from(month <= 2);
        Self {
            year,
            month: u8::try_from(month).unwrap_or(1),
            day: u8::try_from(day).unwrap_or(1),
        }
    }

    /// The number of this day; `None` for a day that the month has not.
    pub fn days(self) -> Option<i64> {
        let Self { year, month, day } = self;
        if day == 0 || day > days_in_month(year, month)? {
            return None;
        }
        Some(day_number(year, month, day))
    }

    /// The number of this day, or of the month's last day where the month is shorter.
    pub fn clamped_days(self) -> i64 {
        let last = days_in_month(self.year, self.month).unwrap_or(31);
        day_number(self.year, self.month, self.day.min(last))
    }
}

fn day_number(year: i64, month: u8, day: u8) -> i64 {
    let march_year = year - i64::from(month <= 2);
    let era = march_year.div_euclid(400);
    let year_of_era = march_year.rem_euclid(400);
    let march_month = (i64::from(month) + 9) % 12;
    let day_of_year = (153 * march_month + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * DAYS_PER_ERA + day_of_era - EPOCH_FROM_MARCH
}

/// `YYYY-MM-DD`; a year before Christ is written without its era, which stands at the very end.
impl fmt::Display for Civil {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let year = if self.year > 0 {
            self.year
        } else {
            1 - self.year
        };
        write!(f, "{year:04}-{:02}-{:02}", self.month, self.day)
    }
}

/// How many days a month has; `None` for a month that no year has.
pub fn days_in_month(year: i64, month: u8) -> Option<u8> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 => Some(if leap { 29 } else { 28 }),
        _ => None,
    }
}

/// Microseconds of a day, or of any span, as `HH:MM:SS` and a fraction if there is one.
#[derive(Clone, Copy, Debug)]
pub struct Clock(pub u64);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [hour, minute, second] = [HOUR, MINUTE, SECOND].map(i64::unsigned_abs);
        write!(
            f,
            "{:02}:{:02}:{:02}",
            self.0 / hour,
            self.0 % hour / minute,
            self.0 % minute / second
        )?;
        let (mut fraction, mut width) = (self.0 % second, 6);
        if fraction == 0 {
            return Ok(());
        }
        while fraction.is_multiple_of(10) {
            fraction /= 10;
            width -= 1;
        }
        write!(f, ".{fraction:0width$}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Civil, Clock, DAY};

    #[test]
    fn known_days_have_their_numbers() {
        for (year, month, day, number) in [
            (2000, 1, 1, 0),
            (1999, 12, 31, -1),
            (2000, 2, 29, 59),
            (2000, 3, 1, 60),
            (1970, 1, 1, -10_957),
            (2024, 2, 29, 8_825),
            (1, 1, 1, -730_119),
            (0, 12, 31, -730_120),
            (5_874_897, 12, 31, 2_145_031_948),
        ] {
            let civil = Civil { year, month, day };
            assert_eq!(civil.days(), Some(number), "{civil:?}");
            assert_eq!(Civil::of(number), civil);
        }
    }

    #[test]
    fn days_that_do_not_exist_have_none() {
        for (year, month, day) in [
            (2023, 2, 29),
            (1900, 2, 29),
            (2024, 2, 30),
            (2024, 0, 1),
            (2024, 13, 1),
            (2024, 4, 31),
            (2024, 1, 0),
        ] {
            assert_eq!(Civil { year, month, day }.days(), None);
        }
    }

    #[test]
    fn a_clock_shows_no_zeros_behind_its_last_digit() {
        for (micros, text) in [
            (0, "00:00:00"),
            (500_000, "00:00:00.5"),
            (1, "00:00:00.000001"),
            (DAY.unsigned_abs(), "24:00:00"),
            (u64::MAX / 2, "2562047788:00:54.775807"),
        ] {
            assert_eq!(Clock(micros).to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn a_number_and_its_day_belong_to_each_other(days in -3_000_000_i64..2_200_000_000) {
            let civil = Civil::of(days);
            prop_assert_eq!(civil.days(), Some(days));
        }

        #[test]
        fn any_number_has_a_day(days: i64) {
            let civil = Civil::of(days);
            prop_assert!((1..=12).contains(&civil.month) && (1..=31).contains(&civil.day));
        }
    }
}
