//! Points in time, in microseconds since 1970-01-01 00:00:00 UTC.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use pgtypes::calendar::{Civil, Clock, UNIX_EPOCH_DAYS};

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

/// `YYYY-MM-DD HH:MM:SS.mmmZ`: a time that is read years later, elsewhere, says that it is UTC.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0 / MICROS_PER_SECOND;
        let millis = self.0 % MICROS_PER_SECOND / 1000;
        let days = i64::try_from(seconds / SECONDS_PER_DAY).unwrap_or(i64::MAX);
        let civil = Civil::of(days.saturating_add(UNIX_EPOCH_DAYS));
        let clock = Clock(seconds % SECONDS_PER_DAY * MICROS_PER_SECOND);
        write!(f, "{civil} {clock}.{millis:03}Z")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_print_as_dates_of_the_gregorian_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00.123Z"),
            (951_782_400, "2000-02-29 00:00:00.123Z"),
            (1_145_386_457, "2006-04-18 18:54:17.123Z"),
            (4_107_542_399, "2100-02-28 23:59:59.123Z"),
            (4_107_542_400, "2100-03-01 00:00:00.123Z"),
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
