//! Points in time, in microseconds since 1970-01-01 00:00:00 UTC.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

const MICROS_PER_SECOND: u64 = 1_000_000;
const SECONDS_PER_DAY: u64 = 86_400;

/// A point in time, in microseconds since 1970-01-01 00:00:00 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// No time: what stands where nothing was committed yet.
    pub const ZERO: Self = Self(0);

    /// The time so many microseconds after 1970-01-01 00:00:00 UTC.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970-01-01 00:00:00 UTC.
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// What the clock of this machine says; a clock set before 1970 reads as zero.
    pub fn now() -> Self {
        let elapsed = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self(u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX))
    }
}

/// `YYYY-MM-DD HH:MM:SS.mmm`, UTC.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0 / MICROS_PER_SECOND;
        let millis = self.0 % MICROS_PER_SECOND / 1000;
        let (year, month, day) = civil(seconds / SECONDS_PER_DAY);
        let of_day = seconds % SECONDS_PER_DAY;
        let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{millis:03}"
        )
    }
}

/// Year, month and day of the day so many days after 1970-01-01, in the Gregorian calendar.
///
/// Counts in years that begin on the first of March, so that the leap day is the last of its year.
fn civil(days: u64) -> (u64, u64, u64) {
    const DAYS_TO_1970: u64 = 719_468; // from 0000-03-01
    const DAYS_PER_ERA: u64 = 146_097; // 400 years
    let days = days + DAYS_TO_1970;
    let era = days / DAYS_PER_ERA;
    let day_of_era = days % DAYS_PER_ERA;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let (month, carry) = if month_from_march < 10 {
        (month_from_march + 3, 0)
    } else {
        (month_from_march - 9, 1)
    };
    (400 * era + year_of_era + carry, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_print_as_dates_of_the_gregorian_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00.123"),
            (951_782_400, "2000-02-29 00:00:00.123"),
            (1_145_386_457, "2006-04-18 18:54:17.123"),
            (4_107_542_399, "2100-02-28 23:59:59.123"),
            (4_107_542_400, "2100-03-01 00:00:00.123"),
        ] {
            assert_eq!(
                Timestamp::from_micros(seconds * 1_000_000 + 123_456).to_string(),
                text
            );
        }
    }

    #[test]
    fn the_largest_time_prints() {
        assert!(
            Timestamp::from_micros(u64::MAX)
                .to_string()
                .starts_with("586524-")
        );
    }
}
