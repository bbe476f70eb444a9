//! Type `interval`: months, days and microseconds, which do not convert into each other.

use std::fmt;

use crate::calendar::{Clock, DAY, SECOND};
use crate::float::{double_of_integer, exact_integer};
use crate::{SqlState, ValueError};

/// Days of a month, where one has to be spread.
pub(crate) const DAYS_PER_MONTH: i32 = 30;
const SECONDS_PER_DAY: f64 = 86_400.0;
/// Where seconds are counted, a year has a quarter of a day more.
const DAYS_PER_YEAR: f64 = 365.25;

/// A span of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interval {
    /// Months, 12 for a year.
    pub months: i32,
    /// Days, which may be longer or shorter where clocks are changed.
    pub days: i32,
    /// Microseconds, more than a day's too.
    pub micros: i64,
}

fn out_of_range() -> ValueError {
    ValueError::new(SqlState::DATETIME_FIELD_OVERFLOW, "interval out of range")
}

impl Interval {
    /// The sum, part by part; 22008 when one is too large.
    pub fn plus(self, other: Self) -> Result<Self, ValueError> {
        let sum = || {
            Some(Self {
                months: self.months.checked_add(other.months)?,
                days: self.days.checked_add(other.days)?,
                micros: self.micros.checked_add(other.micros)?,
            })
        };
        sum().ok_or_else(out_of_range)
    }

    /// The same span the other way; 22008 for the least number of a part.
    pub fn negated(self) -> Result<Self, ValueError> {
        let negated = || {
            Some(Self {
                months: self.months.checked_neg()?,
                days: self.days.checked_neg()?,
                micros: self.micros.checked_neg()?,
            })
        };
        negated().ok_or_else(out_of_range)
    }

    /// So many times the span. Fractions go down: of a month to days, of a day to time.
    pub fn times(self, factor: f64) -> Result<Self, ValueError> {
        self.scaled(|part| part * factor)
    }

    /// The span divided; 22012 by zero.
    pub fn over(self, divisor: f64) -> Result<Self, ValueError> {
        if divisor == 0.0 {
            return Err(ValueError::new(
                SqlState::DIVISION_BY_ZERO,
                "division by zero",
            ));
        }
        self.scaled(|part| part / divisor)
    }

    fn scaled(self, scale: impl Fn(f64) -> f64) -> Result<Self, ValueError> {
        let to_micros = |value: f64| (value * 1e6).round_ties_even() / 1e6;
        let (months, days) = (scale(self.months.into()), scale(self.days.into()));
        let of_months = to_micros(months.fract() * f64::from(DAYS_PER_MONTH));
        let seconds = to_micros((days.fract() + of_months.fract()) * SECONDS_PER_DAY);
        let carried = (seconds / SECONDS_PER_DAY).trunc();
        let seconds = seconds - carried * SECONDS_PER_DAY;
        let micros = scale(double_of_integer(self.micros)) + seconds * double_of_integer(SECOND);
        let small = |value: f64| exact_integer(value).and_then(|value| i32::try_from(value).ok());
        let scaled = || {
            Some(Self {
                months: small(months.trunc())?,
                days: small(days.trunc() + of_months.trunc() + carried)?,
                micros: exact_integer(micros.round_ties_even())?,
            })
        };
        scaled().ok_or_else(out_of_range)
    }

    /// 24 hours as a day each; the time then has the sign of the days.
    pub fn justified_hours(self) -> Result<Self, ValueError> {
        let days = i64::from(self.days) + self.micros / DAY;
        let (days, micros) = same_sign(days, self.micros % DAY, DAY);
        Ok(Self {
            days: i32::try_from(days).map_err(|_| out_of_range())?,
            micros,
            ..self
        })
    }

    /// 30 days as a month each; the days then have the sign of the months.
    pub fn justified_days(self) -> Result<Self, ValueError> {
        let months = i64::from(self.months) + i64::from(self.days / DAYS_PER_MONTH);
        let days = i64::from(self.days % DAYS_PER_MONTH);
        let (months, days) = same_sign(months, days, DAYS_PER_MONTH.into());
        Ok(Self {
            months: i32::try_from(months).map_err(|_| out_of_range())?,
            days: i32::try_from(days).map_err(|_| out_of_range())?,
            ..self
        })
    }

    /// Both, and all parts then have one sign.
    pub fn justified(self) -> Result<Self, ValueError> {
        let mut span = self;
        // Full months first where the time would make the days too many.
        if i64::from(span.days.signum()) == span.micros.signum() {
            span = span.with_whole_months()?;
        }
        let of_time = i32::try_from(span.micros / DAY).map_err(|_| out_of_range())?;
        span.days = span.days.checked_add(of_time).ok_or_else(out_of_range)?;
        span.micros %= DAY;
        span = span.with_whole_months()?;
        // Days that are 0 do not tell the months' sign from the time's.
        let sign = span.months.signum();
        let below = match span.days.signum() {
            0 => span.micros.signum(),
            days => days.into(),
        };
        if i64::from(sign) * below < 0 {
            span.months -= sign;
            span.days += DAYS_PER_MONTH * sign;
        }
        span.justified_hours()
    }

    /// 30 days as a month each; the days keep their sign.
    fn with_whole_months(self) -> Result<Self, ValueError> {
        let months = self.months.checked_add(self.days / DAYS_PER_MONTH);
        Ok(Self {
            months: months.ok_or_else(out_of_range)?,
            days: self.days % DAYS_PER_MONTH,
            ..self
        })
    }

    /// Its length in seconds, a month being 30 days and a year 365¼.
    pub fn seconds(self) -> f64 {
        // In PostgreSQL's order, which tells the last digit.
        double_of_integer(self.micros) / double_of_integer(SECOND)
            + DAYS_PER_YEAR * SECONDS_PER_DAY * f64::from(self.months / 12)
            + f64::from(DAYS_PER_MONTH) * SECONDS_PER_DAY * f64::from(self.months % 12)
            + SECONDS_PER_DAY * f64::from(self.days)
    }
}

/// Two parts, of which the larger counts so many of the smaller, with one sign.
fn same_sign(large: i64, small: i64, ratio: i64) -> (i64, i64) {
    if large > 0 && small < 0 {
        (large - 1, small + ratio)
    } else if large < 0 && small > 0 {
        (large + 1, small - ratio)
    } else {
        (large, small)
    }
}

/// As PostgreSQL's style `postgres` has it: `1 year 2 mons 3 days 04:05:06`.
impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut blank = "";
        let mut after_minus = false;
        let parts = [
            (self.months / 12, "year"),
            (self.months % 12, "mon"),
            (self.days, "day"),
        ];
        for (value, unit) in parts.into_iter().filter(|(value, _)| *value != 0) {
            let plus = if after_minus && value > 0 { "+" } else { "" };
            let plural = if value == 1 { "" } else { "s" };
            write!(f, "{blank}{plus}{value} {unit}{plural}")?;
            blank = " ";
            after_minus = value < 0;
        }
        if self.micros == 0 && !blank.is_empty() {
            return Ok(());
        }
        let sign = match self.micros {
            ..0 => "-",
            _ if after_minus => "+",
            _ => "",
        };
        write!(f, "{blank}{sign}{}", Clock(self.micros.unsigned_abs()))
    }
}

#[cfg(test)]
mod tests {
    use super::Interval;
    use crate::calendar::{HOUR, MINUTE, SECOND};

    fn span(text: &str) -> Interval {
        Interval::parse(text).unwrap()
    }

    #[test]
    fn hours_are_not_carried_into_days() {
        let interval = Interval {
            months: 0,
            days: 1,
            micros: 30 * HOUR + MINUTE + SECOND,
        };
        assert_eq!(interval.to_string(), "1 day 30:01:01");
        let least = Interval {
            micros: i64::MIN,
            ..Interval::default()
        };
        assert_eq!(least.to_string(), "-2562047788:00:54.775808");
    }

    #[test]
    fn fractions_of_a_product_go_down_to_smaller_parts() {
        for (text, factor, product) in [
            ("1 month", 1.5, "1 mon 15 days"),
            ("1 mon 1 day", 0.33, "10 days 05:31:12"),
            ("-1 mon", 1.7, "-1 mons -21 days"),
            ("1 day 12:00", 2.0, "2 days 24:00:00"),
        ] {
            assert_eq!(span(text).times(factor).unwrap().to_string(), product);
        }
        let third = span("1 day").over(3.0).unwrap();
        assert_eq!(third.to_string(), "08:00:00");
        let seventh = span("1 year").over(7.0).unwrap();
        assert_eq!(seventh.to_string(), "1 mon 21 days 10:17:08.5344");
        assert!(span("1 day").over(0.0).is_err());
        assert!(span("1 day").times(1e30).is_err());
        assert!(span("1 day").times(f64::NAN).is_err());
    }

    #[test]
    fn larger_units_take_up_smaller_ones() {
        for (text, hours, days, both) in [
            ("27 hours", "1 day 03:00:00", "27:00:00", "1 day 03:00:00"),
            ("35 days", "35 days", "1 mon 5 days", "1 mon 5 days"),
            (
                "1 mon -1 hour",
                "1 mon -01:00:00",
                "1 mon -01:00:00",
                "29 days 23:00:00",
            ),
            (
                "-1 day 25 hours",
                "01:00:00",
                "-1 days +25:00:00",
                "01:00:00",
            ),
            ("1 mon -35 days", "1 mon -35 days", "-5 days", "-5 days"),
        ] {
            let span = span(text);
            assert_eq!(span.justified_hours().unwrap().to_string(), hours, "{text}");
            assert_eq!(span.justified_days().unwrap().to_string(), days, "{text}");
            assert_eq!(span.justified().unwrap().to_string(), both, "{text}");
        }
    }

    #[test]
    fn days_that_time_would_make_too_many_become_months_first() {
        for (text, both) in [
            ("2147483647 days 24 hrs", "5965232 years 4 mons 8 days"),
            ("-2147483648 days -24 hrs", "-5965232 years -4 mons -9 days"),
        ] {
            assert_eq!(span(text).justified().unwrap().to_string(), both, "{text}");
        }
        assert!(span("2147483647 days 24 hrs").justified_hours().is_err());
        assert!(span("2147483647 months 30 days").justified().is_err());
    }

    #[test]
    fn sums_beyond_the_limits_are_refused() {
        let largest = span("178956970 years 7 mons");
        assert_eq!(largest.months, i32::MAX);
        let error = largest.plus(span("1 mon")).unwrap_err();
        assert_eq!(error.message, "interval out of range");
        assert!(
            Interval {
                days: i32::MIN,
                ..Interval::default()
            }
            .negated()
            .is_err()
        );
        assert_eq!(
            span("1 year 1 mon").seconds().to_bits(),
            34_149_600_f64.to_bits()
        );
    }
}
