//! Fields of intervals, and intervals brought to larger units.

use pgtypes::calendar::{HOUR, MINUTE, SECOND};
use pgtypes::float::double_of_integer as float;
use pgtypes::{Interval, SqlState, Unit, ValueError};

use crate::error::DialectError;
use crate::functions::Value;
use crate::functions::text::{argument, text};

type Result = std::result::Result<Value, DialectError>;

fn changed(
    arguments: &[Value],
    change: fn(Interval) -> std::result::Result<Interval, ValueError>,
) -> Result {
    text(change(Interval::parse(&argument(arguments, 0))?)?.to_string())
}

pub(crate) fn justify_days(arguments: &[Value]) -> Result {
    changed(arguments, Interval::justified_days)
}

pub(crate) fn justify_hours(arguments: &[Value]) -> Result {
    changed(arguments, Interval::justified_hours)
}

pub(crate) fn justify_interval(arguments: &[Value]) -> Result {
    changed(arguments, Interval::justified)
}

/// The unit of the first argument; none for the words that are no units.
fn unit(name: &str) -> std::result::Result<Unit, DialectError> {
    match Unit::parse(name) {
        Some(Unit::Week) => Err(DialectError::new(
            SqlState::FEATURE_NOT_SUPPORTED,
            format!("unit \"{name}\" not supported for type interval"),
        )),
        Some(unit) => Ok(unit),
        None => Err(DialectError::new(
            SqlState::INVALID_PARAMETER_VALUE,
            format!("unit \"{name}\" not recognized for type interval"),
        )),
    }
}

pub(crate) fn interval_part(arguments: &[Value]) -> Result {
    let span = Interval::parse(&argument(arguments, 1))?;
    let name = argument(arguments, 0).to_ascii_lowercase();
    if name == "epoch" {
        return Ok(Value::Real(span.seconds()));
    }
    let of_minute = span.micros % MINUTE;
    let years = i64::from(span.months / 12);
    Ok(Value::Integer(match unit(&name)? {
        Unit::Millennium => years / 1000,
        Unit::Century => years / 100,
        Unit::Decade => years / 10,
        Unit::Year => years,
        Unit::Quarter => i64::from(span.months % 12 / 3 + 1),
        Unit::Month => i64::from(span.months % 12),
        Unit::Week | Unit::Day => span.days.into(),
        Unit::Hour => span.micros / HOUR,
        Unit::Minute => span.micros % HOUR / MINUTE,
        Unit::Second => return Ok(Value::Real(float(of_minute) / float(SECOND))),
        Unit::Millisecond => return Ok(Value::Real(float(of_minute) / 1e3)),
        Unit::Microsecond => of_minute,
    }))
}

/// `date_trunc(unit, interval)`
pub(crate) fn interval_trunc(arguments: &[Value]) -> Result {
    let mut span = Interval::parse(&argument(arguments, 1))?;
    let unit = unit(&argument(arguments, 0).to_ascii_lowercase())?;
    span.micros = unit
        .micros()
        .map_or(0, |micros| span.micros - span.micros % micros);
    if let Some(months) = unit.months() {
        span.days = 0;
        span.months -= span.months % months;
    }
    text(span.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(function: fn(&[Value]) -> Result, unit: &str, span: &str) -> Value {
        let arguments = [unit, span].map(|text| Value::Text(text.to_owned()));
        function(&arguments).unwrap_or_else(|error| panic!("{unit} {span}: {error}"))
    }

    #[test]
    fn intervals_have_fields_and_can_be_cut() {
        let span = "25 years 3 mons 4 days 27:47:33.5";
        for (unit, field) in [
            ("decade", 2),
            ("years", 25),
            ("quarter", 2),
            ("mon", 3),
            ("day", 4),
            ("hour", 27),
            ("minutes", 47),
            ("us", 33_500_000),
        ] {
            assert_eq!(
                call(interval_part, unit, span),
                Value::Integer(field),
                "{unit}"
            );
        }
        assert_eq!(call(interval_part, "second", span), Value::Real(33.5));
        for (unit, cut) in [
            ("hour", "25 years 3 mons 4 days 27:00:00"),
            ("day", "25 years 3 mons 4 days"),
            ("quarters", "25 years 3 mons"),
            ("decade", "20 years"),
        ] {
            assert_eq!(
                call(interval_trunc, unit, span),
                Value::Text(cut.to_owned()),
                "{unit}"
            );
        }
        let week = ["week", span].map(|text| Value::Text(text.to_owned()));
        let error = interval_trunc(&week).unwrap_err();
        assert_eq!(error.sqlstate, SqlState::FEATURE_NOT_SUPPORTED);
    }
}
