//! Fields of intervals, and intervals brought to larger units.

use pgtypes::SqlState;

use crate::error::DialectError;
use crate::functions::Value;
use crate::functions::interval::{Interval, float};
use crate::functions::text::{argument, text};
use crate::functions::time::{DAY, SECOND};

type Result = std::result::Result<Value, DialectError>;

/// `justify_days`, `justify_hours`, `justify_interval`: 30 days are a month, 24 hours a day.
fn justified(arguments: &[Value], hours: bool, days: bool) -> Result {
    let mut span = Interval::parse(&argument(arguments, 0))?;
    if hours {
        span.days = span.days.saturating_add(span.micros / DAY);
        span.micros %= DAY;
    }
    if days {
        span.months = span.months.saturating_add(span.days / 30);
        span.days %= 30;
    }
    text(span.text())
}

pub(crate) fn justify_days(arguments: &[Value]) -> Result {
    justified(arguments, false, true)
}

pub(crate) fn justify_hours(arguments: &[Value]) -> Result {
    justified(arguments, true, false)
}

pub(crate) fn justify_interval(arguments: &[Value]) -> Result {
    justified(arguments, true, true)
}

pub(crate) fn interval_part(arguments: &[Value]) -> Result {
    let span = Interval::parse(&argument(arguments, 1))?;
    let seconds = span.micros / SECOND;
    Ok(match argument(arguments, 0).to_ascii_lowercase().as_str() {
        "year" | "years" => Value::Integer(span.months / 12),
        "month" | "months" => Value::Integer(span.months % 12),
        "day" | "days" => Value::Integer(span.days),
        "hour" | "hours" => Value::Integer(seconds / 3600),
        "minute" | "minutes" => Value::Integer(seconds / 60 % 60),
        "second" | "seconds" => Value::Real(float(span.micros % (60 * SECOND)) / float(SECOND)),
        "milliseconds" => Value::Real(float(span.micros % (60 * SECOND)) / 1e3),
        "microseconds" => Value::Integer(span.micros % (60 * SECOND)),
        "epoch" => Value::Real(span.seconds()),
        other => {
            return Err(DialectError::new(
                SqlState::INVALID_PARAMETER_VALUE,
                format!("unit \"{other}\" not recognized for type interval"),
            ));
        }
    })
}
