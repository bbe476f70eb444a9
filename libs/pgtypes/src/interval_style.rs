//! Intervals in the styles other than `postgres`.

use std::fmt::Write;

use crate::calendar::{HOUR, MINUTE, SECOND};
use crate::{Interval, IntervalStyle};

/// The parts of an interval, each with its sign.
struct Parts {
    years: i32,
    months: i32,
    days: i32,
    hours: i64,
    minutes: i64,
    /// Microseconds.
    seconds: i64,
}

impl Parts {
    fn of(span: Interval) -> Self {
        Self {
            years: span.months / 12,
            months: span.months % 12,
            days: span.days,
            hours: span.micros / HOUR,
            minutes: span.micros % HOUR / MINUTE,
            seconds: span.micros % MINUTE,
        }
    }
}

impl Interval {
    /// As it is printed in a style.
    pub fn text_in(self, style: IntervalStyle) -> String {
        match style {
            IntervalStyle::Postgres => self.to_string(),
            IntervalStyle::PostgresVerbose => verbose(self),
            IntervalStyle::SqlStandard => standard(self),
            IntervalStyle::Iso8601 => iso(self),
        }
    }
}

/// Appends; a string takes whatever is written to it.
fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    let written = out.write_fmt(text);
    debug_assert!(written.is_ok());
}

/// Seconds with the digits of a fraction that are needed, and at least so many before the point.
fn seconds(micros: u64, width: usize) -> String {
    let (whole, fraction) = (
        micros / SECOND.unsigned_abs(),
        micros % SECOND.unsigned_abs(),
    );
    if fraction == 0 {
        return format!("{whole:0width$}");
    }
    let fraction = format!("{fraction:06}");
    format!("{whole:0width$}.{}", fraction.trim_end_matches('0'))
}

fn verbose(span: Interval) -> String {
    let parts = Parts::of(span);
    let mut out = "@".to_owned();
    // The first part that is not 0 says whether all is written as of a time ago.
    let numbers = [
        (i64::from(parts.years), "year"),
        (parts.months.into(), "mon"),
        (parts.days.into(), "day"),
        (parts.hours, "hour"),
        (parts.minutes, "min"),
    ];
    let all = || numbers.iter().map(|(number, _)| *number);
    let first = all().chain([parts.seconds]).find(|number| *number != 0);
    let ago = first.is_some_and(|number| number < 0);
    for (number, unit) in numbers.into_iter().filter(|(number, _)| *number != 0) {
        let number = if ago { -number } else { number };
        let plural = if number == 1 { "" } else { "s" };
        put(&mut out, format_args!(" {number} {unit}{plural}"));
    }
    if parts.seconds != 0 {
        let sign = if (parts.seconds < 0) == ago { "" } else { "-" };
        let text = seconds(parts.seconds.unsigned_abs(), 1);
        let plural = if parts.seconds.abs() == SECOND {
            ""
        } else {
            "s"
        };
        put(&mut out, format_args!(" {sign}{text} sec{plural}"));
    }
    if first.is_none() {
        out.push_str(" 0");
    }
    if ago {
        out.push_str(" ago");
    }
    out
}

fn standard(span: Interval) -> String {
    let parts = Parts::of(span);
    let numbers = [i64::from(span.months), span.days.into(), span.micros];
    if numbers.iter().all(|number| *number == 0) {
        return "0".to_owned();
    }
    let negative = numbers.iter().any(|number| *number < 0);
    let positive = numbers.iter().any(|number| *number > 0);
    let has_months = span.months != 0;
    let has_days = span.days != 0 || span.micros != 0;
    let clock = format!(
        "{}:{:02}:{}",
        parts.hours.abs(),
        parts.minutes.abs(),
        seconds(parts.seconds.unsigned_abs(), 2)
    );
    if (negative && positive) || (has_months && has_days) {
        let sign = |number: i64| if number < 0 { '-' } else { '+' };
        return format!(
            "{}{}-{} {}{} {}{clock}",
            sign(span.months.into()),
            parts.years.abs(),
            parts.months.abs(),
            sign(span.days.into()),
            span.days.unsigned_abs(),
            sign(span.micros),
        );
    }
    let sign = if negative { "-" } else { "" };
    if has_months {
        format!("{sign}{}-{}", parts.years.abs(), parts.months.abs())
    } else if span.days != 0 {
        format!("{sign}{} {clock}", span.days.unsigned_abs())
    } else {
        format!("{sign}{clock}")
    }
}

fn iso(span: Interval) -> String {
    let parts = Parts::of(span);
    let mut out = "P".to_owned();
    for (number, unit) in [
        (i64::from(parts.years), 'Y'),
        (parts.months.into(), 'M'),
        (parts.days.into(), 'D'),
    ] {
        if number != 0 {
            put(&mut out, format_args!("{number}{unit}"));
        }
    }
    if span.micros != 0 {
        out.push('T');
        for (number, unit) in [(parts.hours, 'H'), (parts.minutes, 'M')] {
            if number != 0 {
                put(&mut out, format_args!("{number}{unit}"));
            }
        }
        if parts.seconds != 0 {
            let sign = if parts.seconds < 0 { "-" } else { "" };
            let text = seconds(parts.seconds.unsigned_abs(), 1);
            put(&mut out, format_args!("{sign}{text}S"));
        }
    }
    if out.len() == 1 {
        out.push_str("T0S");
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::{Context, Interval, IntervalStyle};

    /// Texts of PostgreSQL 15: in the four styles, the default one first.
    const TEXTS: &[(&str, &str, &str, &str)] = &[
        ("0", "@ 0", "0", "PT0S"),
        (
            "1 year 2 mons 3 days 04:05:06.789",
            "@ 1 year 2 mons 3 days 4 hours 5 mins 6.789 secs",
            "+1-2 +3 +4:05:06.789",
            "P1Y2M3DT4H5M6.789S",
        ),
        (
            "-1 year -2 mons -3 days -04:05:06",
            "@ 1 year 2 mons 3 days 4 hours 5 mins 6 secs ago",
            "-1-2 -3 -4:05:06",
            "P-1Y-2M-3DT-4H-5M-6S",
        ),
        (
            "1 mon -1 day",
            "@ 1 mon -1 days",
            "+0-1 -1 +0:00:00",
            "P1M-1D",
        ),
        (
            "-1 day +02:03:04",
            "@ 1 day -2 hours -3 mins -4 secs ago",
            "+0-0 -1 +2:03:04",
            "P-1DT2H3M4S",
        ),
        ("1 sec", "@ 1 sec", "0:00:01", "PT1S"),
        ("-1 sec", "@ 1 sec ago", "-0:00:01", "PT-1S"),
        ("-0.5 sec", "@ 0.5 secs ago", "-0:00:00.5", "PT-0.5S"),
        (
            "1.000001 sec",
            "@ 1.000001 secs",
            "0:00:01.000001",
            "PT1.000001S",
        ),
        ("3 days", "@ 3 days", "3 0:00:00", "P3D"),
        ("-14 mons", "@ 1 year 2 mons ago", "-1-2", "P-1Y-2M"),
        ("2 hours", "@ 2 hours", "2:00:00", "PT2H"),
        (
            "26:03:04.5",
            "@ 26 hours 3 mins 4.5 secs",
            "26:03:04.5",
            "PT26H3M4.5S",
        ),
        (
            "-1 mon +1 sec",
            "@ 1 mon -1 sec ago",
            "-0-1 +0 +0:00:01",
            "P-1MT1S",
        ),
        ("1 year 1 mon", "@ 1 year 1 mon", "1-1", "P1Y1M"),
        ("1 min -0.25 sec", "@ 59.75 secs", "0:00:59.75", "PT59.75S"),
        ("-1 day", "@ 1 day ago", "-1 0:00:00", "P-1D"),
        ("1 day 00:00:01", "@ 1 day 1 sec", "1 0:00:01", "P1DT1S"),
    ];

    #[test]
    fn intervals_are_printed_in_four_styles() {
        for (text, verbose, standard, iso) in TEXTS.iter().copied() {
            let span = Interval::parse(text).unwrap();
            let styles = [
                (IntervalStyle::PostgresVerbose, verbose),
                (IntervalStyle::SqlStandard, standard),
                (IntervalStyle::Iso8601, iso),
            ];
            for (style, printed) in styles {
                assert_eq!(span.text_in(style), printed, "{text}");
            }
            for style in [IntervalStyle::PostgresVerbose, IntervalStyle::Iso8601] {
                let context = Context {
                    interval_style: style,
                    ..Context::default()
                };
                let printed = span.text_in(style);
                assert_eq!(
                    Interval::parse_in(&printed, &context),
                    Ok(span),
                    "{printed}"
                );
            }
        }
    }

    #[test]
    fn in_the_standards_style_one_sign_in_front_counts_for_all() {
        let context = Context {
            interval_style: IntervalStyle::SqlStandard,
            ..Context::default()
        };
        for (text, printed) in [
            ("-1 1:00:00", "-1 days -01:00:00"),
            ("-1 +1:00:00", "-1 days +01:00:00"),
            ("-1-2 3 4:05:06", "-1 years -2 mons -3 days -04:05:06"),
            ("1 -1:00:00", "1 day -01:00:00"),
            ("-1 day 2 hours ago", "1 day 02:00:00"),
            ("-1-2", "-1 years -2 mons"),
            ("-3 hours 2 min", "-03:02:00"),
        ] {
            let span = Interval::parse_in(text, &context).unwrap();
            assert_eq!(span.to_string(), printed, "{text}");
        }
    }
}
