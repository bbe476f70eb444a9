//! The proleptic Gregorian calendar, counted from PostgreSQL's day 0, 2000-01-01.
//!
//! Method: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". Years are cut into eras
//! of 400 years and begin in March, so that the leap day is the last of its year.

/// Days of an era of 400 years.
const DAYS_PER_ERA: i64 = 146_097;
/// Days from 0000-03-01 to 2000-01-01.
const EPOCH_FROM_MARCH: i64 = 730_425;

/// Microseconds of a second.
pub(crate) const SECOND: i64 = 1_000_000;
/// Microseconds of a minute.
pub(crate) const MINUTE: i64 = 60 * SECOND;
/// Microseconds of an hour.
pub(crate) const HOUR: i64 = 60 * MINUTE;
/// Microseconds of a day.
pub(crate) const DAY: i64 = 24 * HOUR;

/// A day of the calendar. Year 0 is 1 BC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    pub(crate) month: u8,
    pub(crate) day: u8,
}

/// The number of a day; `None` for a day that the month has not.
pub(crate) fn days_of(civil: Civil) -> Option<i64> {
    let Civil { year, month, day } = civil;
    if day == 0 || day > days_in_month(year, month)? {
        return None;
    }
    let march_year = year - i64::from(month <= 2);
    let era = march_year.div_euclid(400);
    let year_of_era = march_year.rem_euclid(400);
    let march_month = (i64::from(month) + 9) % 12;
    let day_of_year = (153 * march_month + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * DAYS_PER_ERA + day_of_era - EPOCH_FROM_MARCH)
}

/// The day of a number.
pub(crate) fn civil_of(days: i64) -> Civil {
    let from_march = days.saturating_add(EPOCH_FROM_MARCH);
    let era = from_march.div_euclid(DAYS_PER_ERA);
    let day_of_era = from_march.rem_euclid(DAYS_PER_ERA);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524
        - day_of_era / (DAYS_PER_ERA - 1))
        / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Civil {
        year,
        month: u8::try_from(month).unwrap_or(1),
        day: u8::try_from(day).unwrap_or(1),
    }
}

/// `None` for a month that no year has.
fn days_in_month(year: i64, month: u8) -> Option<u8> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 => Some(if leap { 29 } else { 28 }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Civil, civil_of, days_of};

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
            assert_eq!(days_of(civil), Some(number), "{civil:?}");
            assert_eq!(civil_of(number), civil);
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
            assert_eq!(days_of(Civil { year, month, day }), None);
        }
    }

    proptest! {
        #[test]
        fn a_number_and_its_day_belong_to_each_other(days in -3_000_000_i64..2_200_000_000) {
            let civil = civil_of(days);
            prop_assert_eq!(days_of(civil), Some(days));
        }

        #[test]
        fn any_number_has_a_day(days: i64) {
            let civil = civil_of(days);
            prop_assert!((1..=12).contains(&civil.month) && (1..=31).contains(&civil.day));
        }
    }
}
