//! Intervals in the styles other than `postgres`.

use pgtypes::Interval;
use pgtypes::calendar::{HOUR, MINUTE, SECOND};

use crate::session::IntervalStyle;

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

/// The interval in a style.
pub(crate) fn styled(span: Interval, style: IntervalStyle) -> String {
    match style {
        IntervalStyle::Postgres => span.to_string(),
        IntervalStyle::PostgresVerbose => verbose(span),
        IntervalStyle::SqlStandard => standard(span),
        IntervalStyle::Iso8601 => iso(span),
    }
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
    let mut ago = false;
    let mut none = true;
    let mut put = |number: i64, unit: &str| {
        if number == 0 {
            return;
        }
        if none {
            ago = number < 0;
            none = false;
        }
        let number = if ago { -number } else { number };
        let plural = if number == 1 { "" } else { "s" };
        out.push_str(&format!(" {number} {unit}{plural}"));
    };
    put(parts.years.into(), "year");
    put(parts.months.into(), "mon");
    put(parts.days.into(), "day");
    put(parts.hours, "hour");
    put(parts.minutes, "min");
    if parts.seconds != 0 {
        if none {
            ago = parts.seconds < 0;
            none = false;
        }
        let sign = if (parts.seconds < 0) == ago { "" } else { "-" };
        let text = seconds(parts.seconds.unsigned_abs(), 1);
        let plural = if parts.seconds.abs() == SECOND {
            ""
        } else {
            "s"
        };
        out.push_str(&format!(" {sign}{text} sec{plural}"));
    }
    if none {
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
            out.push_str(&format!("{number}{unit}"));
        }
    }
    if span.micros != 0 {
        out.push('T');
        for (number, unit) in [(parts.hours, 'H'), (parts.minutes, 'M')] {
            if number != 0 {
                out.push_str(&format!("{number}{unit}"));
            }
        }
        if parts.seconds != 0 {
            let sign = if parts.seconds < 0 { "-" } else { "" };
            let text = seconds(parts.seconds.unsigned_abs(), 1);
            out.push_str(&format!("{sign}{text}S"));
        }
    }
    if out.len() == 1 {
        out.push_str("T0S");
    }
    out
}
