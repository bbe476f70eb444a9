//! Intervals: months, days and microseconds, as PostgreSQL keeps and prints them.

use crate::error::DialectError;
use crate::functions::time::{
    DAY, Moment, SECOND, date_of, days_in_month, days_of, fraction, invalid,
};

/// A span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Interval {
    pub(crate) months: i64,
    pub(crate) days: i64,
    pub(crate) micros: i64,
}

/// Microseconds of a number of seconds.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the cast saturates, and no interval is that long"
)]
pub(crate) fn micros_of(seconds: f64) -> i64 {
    (seconds * 1_000_000.0).round() as i64
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the value is whole and small"
)]
fn whole(value: f64) -> i64 {
    value.trunc() as i64
}

#[expect(
    clippy::cast_precision_loss,
    reason = "fields of an interval are far below 2^53"
)]
pub(crate) fn float(value: i64) -> f64 {
    value as f64
}

impl Interval {
    /// `1 year 2 mons`, `3 days 04:05:06`, `P1Y2M3DT4H5M6S`, `@ 1 hour ago`.
    pub(crate) fn parse(text: &str) -> Result<Self, DialectError> {
        let fail = || invalid("interval", text);
        let trimmed = text.trim().trim_start_matches('@').trim();
        if trimmed.is_empty() {
            return Err(fail());
        }
        if let Some(iso) = trimmed.strip_prefix('P') {
            return Self::parse_iso(iso).ok_or_else(fail);
        }
        let mut total = Self::default();
        let (body, ago) = match trimmed.strip_suffix("ago") {
            Some(body) => (body, true),
            None => (trimmed, false),
        };
        let spaced = separate(body);
        let mut words = spaced.split_ascii_whitespace().peekable();
        while let Some(word) = words.next() {
            if word.contains(':') {
                total.micros = total
                    .micros
                    .checked_add(clock(word).ok_or_else(fail)?)
                    .ok_or_else(fail)?;
                continue;
            }
            let value: f64 = word.parse().map_err(|_| fail())?;
            let unit = words.next().unwrap_or("seconds");
            total = total
                .plus(Self::unit(value, unit).ok_or_else(fail)?)
                .ok_or_else(fail)?;
        }
        Ok(if ago { total.times(-1.0) } else { total })
    }

    /// A number of units. Fractions go down: of months to days (30 each), of days to time.
    pub(crate) fn unit(value: f64, unit: &str) -> Option<Self> {
        if !value.is_finite() || value.abs() > 1e12 {
            return None;
        }
        let lower = unit.to_ascii_lowercase();
        let months = |factor: f64| {
            let all = value * factor;
            let rest = Self::unit((all - all.trunc()) * 30.0, "day")?;
            Some(Self {
                months: whole(all),
                ..rest
            })
        };
        let days = |factor: f64| {
            let all = value * factor;
            Some(Self {
                days: whole(all),
                micros: micros_of((all - all.trunc()) * 86_400.0),
                months: 0,
            })
        };
        let time = |seconds: f64| {
            Some(Self {
                micros: micros_of(value * seconds),
                ..Self::default()
            })
        };
        match lower.as_str() {
            "millennium" | "millennia" | "mil" => months(12_000.0),
            "century" | "centuries" | "c" | "cent" => months(1_200.0),
            "decade" | "decades" | "dec" => months(120.0),
            "year" | "years" | "y" | "yr" | "yrs" => months(12.0),
            "quarter" | "quarters" => months(3.0),
            "month" | "months" | "mon" | "mons" => months(1.0),
            "week" | "weeks" | "w" => days(7.0),
            "day" | "days" | "d" => days(1.0),
            "hour" | "hours" | "h" | "hr" | "hrs" => time(3600.0),
            "minute" | "minutes" | "m" | "min" | "mins" => time(60.0),
            "second" | "seconds" | "s" | "sec" | "secs" => time(1.0),
            "millisecond" | "milliseconds" | "ms" | "msec" => time(0.001),
            "microsecond" | "microseconds" | "us" | "usec" => time(0.000_001),
            _ => None,
        }
    }

    fn parse_iso(text: &str) -> Option<Self> {
        let mut total = Self::default();
        let mut time = false;
        let mut digits = String::new();
        for c in text.chars() {
            match c {
                'T' => time = true,
                '0'..='9' | '.' | '-' | '+' => digits.push(c),
                _ => {
                    let value: f64 = digits.parse().ok()?;
                    digits.clear();
                    let unit = match (c, time) {
                        ('Y', false) => "year",
                        ('M', false) => "month",
                        ('W', false) => "week",
                        ('D', false) => "day",
                        ('H', true) => "hour",
                        ('M', true) => "minute",
                        ('S', true) => "second",
                        _ => return None,
                    };
                    total = total.plus(Self::unit(value, unit)?)?;
                }
            }
        }
        digits.is_empty().then_some(total)
    }

    pub(crate) fn plus(self, other: Self) -> Option<Self> {
        Some(Self {
            months: self.months.checked_add(other.months)?,
            days: self.days.checked_add(other.days)?,
            micros: self.micros.checked_add(other.micros)?,
        })
    }

    pub(crate) fn times(self, factor: f64) -> Self {
        let months = float(self.months) * factor;
        let days = float(self.days) * factor + (months - months.trunc()) * 30.0;
        let micros = float(self.micros) * factor + (days - days.trunc()) * float(DAY);
        Self {
            months: whole(months),
            days: whole(days),
            micros: whole(micros.round()),
        }
    }

    /// A moment moved by this: months first (the day is cut to the month's last), then days, then time.
    pub(crate) fn add_to(self, moment: Moment) -> Option<Moment> {
        let (year, month, day) = date_of(moment.days);
        let month = year
            .checked_mul(12)?
            .checked_add(month - 1)?
            .checked_add(self.months)?;
        let (year, month) = (month.div_euclid(12), month.rem_euclid(12) + 1);
        if !(-4712..=294_276).contains(&year) || self.days.abs() > 400_000_000 {
            return None;
        }
        let days = days_of(year, month, day.min(days_in_month(year, month))) + self.days;
        let total = days
            .checked_mul(DAY)?
            .checked_add(moment.micros)?
            .checked_add(self.micros)?;
        Some(Moment {
            offset: moment.offset,
            ..Moment::from_total(total)
        })
    }

    /// Seconds, a month being 30 days.
    pub(crate) fn seconds(self) -> f64 {
        float(self.months) * 30.0 * 86_400.0
            + float(self.days) * 86_400.0
            + float(self.micros) / float(SECOND)
    }

    /// As PostgreSQL prints it: `1 year 2 mons 3 days 04:05:06`.
    pub(crate) fn text(self) -> String {
        let mut parts = Vec::new();
        let mut push = |value: i64, name: &str| {
            if value != 0 {
                parts.push(format!(
                    "{value} {name}{}",
                    if value == 1 { "" } else { "s" }
                ));
            }
        };
        push(self.months / 12, "year");
        push(self.months % 12, "mon");
        push(self.days, "day");
        if self.micros != 0 || parts.is_empty() {
            let sign = if self.micros < 0 { "-" } else { "" };
            let micros = self.micros.saturating_abs();
            let seconds = micros / SECOND;
            let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
            parts.push(format!(
                "{sign}{hour:02}:{minute:02}:{second:02}{}",
                fraction(micros % SECOND)
            ));
        }
        parts.join(" ")
    }
}

/// A blank between numbers and the words that touch them: `1day` is `1 day`.
fn separate(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut last = ' ';
    for c in text.chars() {
        if last.is_ascii_digit() && c.is_ascii_alphabetic() {
            out.push(' ');
        }
        out.push(if c == ',' { ' ' } else { c });
        last = c;
    }
    out
}

/// `[-]HH:MM[:SS.ffffff]` in microseconds.
fn clock(text: &str) -> Option<i64> {
    let (sign, body) = match text.strip_prefix('-') {
        Some(body) => (-1, body),
        None => (1, text.trim_start_matches('+')),
    };
    let mut parts = body.split(':');
    let hours: i64 = parts
        .next()?
        .parse()
        .ok()
        .filter(|hours: &i64| hours.abs() < 1_000_000_000)?;
    let minutes: i64 = parts
        .next()?
        .parse()
        .ok()
        .filter(|minutes| (0..60).contains(minutes))?;
    let seconds: f64 = parts
        .next()
        .map_or(Some(0.0), |seconds| seconds.parse().ok())?;
    if !(0.0..61.0).contains(&seconds) || parts.next().is_some() {
        return None;
    }
    Some(sign * ((hours * 3600 + minutes * 60) * SECOND + micros_of(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_print_as_postgresql_does() {
        for (text, form) in [
            ("1 day", "1 day"),
            ("2 hours 30 min", "02:30:00"),
            (
                "1 year 2 months 3 days 4:05:06.5",
                "1 year 2 mons 3 days 04:05:06.5",
            ),
            ("P1Y2M3DT4H5M6S", "1 year 2 mons 3 days 04:05:06"),
            ("-1 day", "-1 days"),
            ("1.5 days", "1 day 12:00:00"),
            ("3 days ago", "-3 days"),
            ("90 seconds", "00:01:30"),
            ("1week", "7 days"),
            ("0", "00:00:00"),
        ] {
            assert_eq!(Interval::parse(text).unwrap().text(), form, "{text}");
        }
        assert!(Interval::parse("1 moon").is_err());
        assert!(Interval::parse("").is_err());
        assert!(Interval::parse("99999999999999999999 years").is_err());
    }

    #[test]
    fn a_months_last_day_is_kept() {
        let start = crate::functions::time::parse("2024-01-31", "date").unwrap();
        let later = Interval::parse("1 month").unwrap().add_to(start).unwrap();
        assert_eq!(later.date(), "2024-02-29");
    }
}
