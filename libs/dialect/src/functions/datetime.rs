//! Functions over dates, timestamps and intervals.

use pgtypes::SqlState;

use crate::error::DialectError;
use crate::functions::Value;
use crate::functions::convert::{moment, text_of, to_type};
use crate::functions::interval::{Interval, float};
use crate::functions::text::integer;
use crate::functions::time::{
    self, DAY, Moment, SECOND, date_of, days_in_month, days_of, parse_zone,
};

type Result = std::result::Result<Value, DialectError>;

fn argument(arguments: &[Value], at: usize) -> String {
    arguments.get(at).map(text_of).unwrap_or_default()
}

fn stamp(arguments: &[Value], at: usize) -> std::result::Result<Moment, DialectError> {
    moment(arguments.get(at).unwrap_or(&Value::Null), "timestamp")
}

fn text(value: String) -> Value {
    Value::Text(value)
}

fn overflow() -> DialectError {
    DialectError::new(SqlState::DATETIME_FIELD_OVERFLOW, "timestamp out of range")
}

/// In the form that the argument had: with a zone, or without.
fn like(moment: Moment) -> Value {
    text(if moment.offset.is_some() {
        moment.timestamptz()
    } else {
        moment.timestamp()
    })
}

/// date ± days, either way round.
fn moved_date(arguments: &[Value], sign: i64) -> Result {
    let (date, days) = match arguments.first() {
        Some(Value::Integer(days)) => (stamp(arguments, 1)?, *days),
        _ => (stamp(arguments, 0)?, integer(arguments, 1)),
    };
    let days = days
        .checked_mul(sign)
        .and_then(|days| date.days.checked_add(days));
    let days = days
        .filter(|days| days.abs() < 100_000_000)
        .ok_or_else(overflow)?;
    Ok(text(Moment { days, ..date }.date()))
}

pub(crate) fn date_add(arguments: &[Value]) -> Result {
    moved_date(arguments, 1)
}

pub(crate) fn date_subtract(arguments: &[Value]) -> Result {
    moved_date(arguments, -1)
}

pub(crate) fn date_difference(arguments: &[Value]) -> Result {
    Ok(Value::Integer(
        stamp(arguments, 0)?.days - stamp(arguments, 1)?.days,
    ))
}

/// timestamp ± interval, either way round.
fn moved(arguments: &[Value], factor: f64) -> Result {
    let first = argument(arguments, 0);
    let (at, span) = match stamp(arguments, 0) {
        Ok(at) => (at, Interval::parse(&argument(arguments, 1))?),
        Err(error) => match stamp(arguments, 1) {
            Ok(at) => (at, Interval::parse(&first)?),
            Err(_) => return Err(error),
        },
    };
    let span = if factor < 0.0 { span.times(-1.0) } else { span };
    Ok(like(span.add_to(at).ok_or_else(overflow)?))
}

pub(crate) fn timestamp_add(arguments: &[Value]) -> Result {
    moved(arguments, 1.0)
}

pub(crate) fn timestamp_subtract(arguments: &[Value]) -> Result {
    moved(arguments, -1.0)
}

pub(crate) fn timestamp_difference(arguments: &[Value]) -> Result {
    let micros = stamp(arguments, 0)?
        .utc()
        .total()
        .saturating_sub(stamp(arguments, 1)?.utc().total());
    Ok(text(
        Interval {
            months: 0,
            days: micros / DAY,
            micros: micros % DAY,
        }
        .text(),
    ))
}

fn moved_time(arguments: &[Value], sign: i64) -> Result {
    let time = time::parse_time(&argument(arguments, 0), "time")?;
    let span = Interval::parse(&argument(arguments, 1))?;
    let micros = time
        .micros
        .saturating_add(span.micros.saturating_mul(sign))
        .rem_euclid(DAY);
    Ok(text(Moment { micros, ..time }.time()))
}

pub(crate) fn time_add(arguments: &[Value]) -> Result {
    moved_time(arguments, 1)
}

pub(crate) fn time_subtract(arguments: &[Value]) -> Result {
    moved_time(arguments, -1)
}

fn spans(arguments: &[Value]) -> std::result::Result<(Interval, Interval), DialectError> {
    Ok((
        Interval::parse(&argument(arguments, 0))?,
        Interval::parse(&argument(arguments, 1))?,
    ))
}

pub(crate) fn interval_add(arguments: &[Value]) -> Result {
    let (a, b) = spans(arguments)?;
    a.plus(b).map(|sum| text(sum.text())).ok_or_else(overflow)
}

pub(crate) fn interval_subtract(arguments: &[Value]) -> Result {
    let (a, b) = spans(arguments)?;
    a.plus(b.times(-1.0))
        .map(|sum| text(sum.text()))
        .ok_or_else(overflow)
}

fn scaled(arguments: &[Value], divide: bool) -> Result {
    let number = |value: &Value| match value {
        Value::Integer(value) => Some(float(*value)),
        Value::Real(value) => Some(*value),
        _ => None,
    };
    let factor = arguments.iter().find_map(number);
    let span = arguments
        .iter()
        .find(|value| number(value).is_none())
        .map(text_of)
        .unwrap_or_default();
    let factor = factor.unwrap_or(1.0);
    if divide && factor == 0.0 {
        return Err(DialectError::new(
            SqlState::DIVISION_BY_ZERO,
            "division by zero",
        ));
    }
    Ok(text(
        Interval::parse(&span)?
            .times(if divide { 1.0 / factor } else { factor })
            .text(),
    ))
}

pub(crate) fn interval_multiply(arguments: &[Value]) -> Result {
    scaled(arguments, false)
}

pub(crate) fn interval_divide(arguments: &[Value]) -> Result {
    scaled(arguments, true)
}

/// age(a, b): years, months and days between, as a person counts.
pub(crate) fn age(arguments: &[Value]) -> Result {
    let (a, b) = (stamp(arguments, 0)?.utc(), stamp(arguments, 1)?.utc());
    let negative = a < b;
    let (late, early) = if negative { (b, a) } else { (a, b) };
    let ((y1, m1, d1), (y2, m2, d2)) = (date_of(late.days), date_of(early.days));
    let mut months = (y1 - y2) * 12 + m1 - m2;
    let mut days = d1 - d2;
    let mut micros = late.micros - early.micros;
    if micros < 0 {
        micros += DAY;
        days -= 1;
    }
    if days < 0 {
        months -= 1;
        days += days_in_month(y2, m2);
    }
    let span = Interval {
        months,
        days,
        micros,
    };
    Ok(text(if negative { span.times(-1.0) } else { span }.text()))
}

pub(crate) fn date_part(arguments: &[Value]) -> Result {
    let text = argument(arguments, 1);
    let at =
        stamp(arguments, 1).or_else(|error| time::parse_time(&text, "time").map_err(|_| error))?;
    let at = if at.offset.is_some() { at.utc() } else { at };
    let (year, month, day) = date_of(at.days);
    let seconds = at.micros / SECOND;
    let fraction = float(at.micros % (60 * SECOND)) / float(SECOND);
    let of_year = at.days - days_of(year, 1, 1) + 1;
    let (iso_year, week) = iso_week(at.days);
    let weekday = (at.days + 4).rem_euclid(7);
    let number = |value: i64| Ok(Value::Integer(value));
    match argument(arguments, 0).to_ascii_lowercase().as_str() {
        "year" | "years" => number(year),
        "month" | "months" => number(month),
        "day" | "days" => number(day),
        "hour" | "hours" => number(seconds / 3600),
        "minute" | "minutes" => number(seconds / 60 % 60),
        "second" | "seconds" if at.micros % SECOND == 0 => number(seconds % 60),
        "second" | "seconds" => Ok(Value::Real(fraction)),
        "milliseconds" => Ok(Value::Real(fraction * 1e3)),
        "microseconds" => number(at.micros % (60 * SECOND)),
        "dow" => number(weekday),
        "isodow" => number(if weekday == 0 { 7 } else { weekday }),
        "doy" => number(of_year),
        "week" => number(week),
        "isoyear" => number(iso_year),
        "quarter" => number((month - 1) / 3 + 1),
        "decade" => number(year.div_euclid(10)),
        "century" => number((year + 99).div_euclid(100)),
        "millennium" => number((year + 999).div_euclid(1000)),
        "julian" => number(at.days + 2_440_588),
        "timezone" | "timezone_hour" | "timezone_minute" => number(0),
        "epoch" if at.micros % SECOND == 0 => number(at.total() / SECOND),
        "epoch" => Ok(Value::Real(float(at.total()) / float(SECOND))),
        other => Err(DialectError::new(
            SqlState::INVALID_PARAMETER_VALUE,
            format!("unit \"{other}\" not recognized for type timestamp"),
        )),
    }
}

/// ISO 8601 year and week.
pub(crate) fn iso_week(days: i64) -> (i64, i64) {
    let weekday = (days + 3).rem_euclid(7);
    let thursday = days - weekday + 3;
    let (year, ..) = date_of(thursday);
    (year, (thursday - days_of(year, 1, 1)) / 7 + 1)
}

pub(crate) fn date_trunc(arguments: &[Value]) -> Result {
    let at = stamp(arguments, 1)?;
    let zoned = at.offset;
    let at = if zoned.is_some() { at.utc() } else { at };
    let (year, month, _) = date_of(at.days);
    let day = |days: i64| Moment {
        days,
        micros: 0,
        offset: None,
    };
    let part = |unit: i64| Moment {
        micros: at.micros - at.micros % unit,
        ..at
    };
    let year_of = |unit: i64| day(days_of((year - 1).div_euclid(unit) * unit + 1, 1, 1));
    let cut = match argument(arguments, 0).to_ascii_lowercase().as_str() {
        "microseconds" => at,
        "milliseconds" => part(1000),
        "second" => part(SECOND),
        "minute" => part(60 * SECOND),
        "hour" => part(3600 * SECOND),
        "day" => day(at.days),
        "week" => day(at.days - (at.days + 3).rem_euclid(7)),
        "month" => day(days_of(year, month, 1)),
        "quarter" => day(days_of(year, (month - 1) / 3 * 3 + 1, 1)),
        "year" => day(days_of(year, 1, 1)),
        "decade" => day(days_of(year.div_euclid(10) * 10, 1, 1)),
        "century" => year_of(100),
        "millennium" => year_of(1000),
        other => {
            return Err(DialectError::new(
                SqlState::INVALID_PARAMETER_VALUE,
                format!("unit \"{other}\" not recognized for type timestamp"),
            ));
        }
    };
    Ok(like(Moment {
        offset: zoned.map(|_| 0),
        ..cut
    }))
}

pub(crate) fn interval_trunc(arguments: &[Value]) -> Result {
    let mut span = Interval::parse(&argument(arguments, 1))?;
    let unit = argument(arguments, 0).to_ascii_lowercase();
    let micros = match unit.as_str() {
        "second" => SECOND,
        "minute" => 60 * SECOND,
        "hour" => 3600 * SECOND,
        _ => i64::MAX,
    };
    span.micros -= if micros == i64::MAX {
        span.micros
    } else {
        span.micros % micros
    };
    if matches!(unit.as_str(), "month" | "year") {
        span.days = 0;
    }
    if unit == "year" {
        span.months -= span.months % 12;
    }
    Ok(text(span.text()))
}

/// `to_timestamp(seconds)`
pub(crate) fn from_epoch(arguments: &[Value]) -> Result {
    let seconds = match arguments.first() {
        Some(Value::Integer(seconds)) => float(*seconds),
        Some(Value::Real(seconds)) => *seconds,
        other => other
            .map(text_of)
            .unwrap_or_default()
            .trim()
            .parse()
            .map_err(|_| overflow())?,
    };
    if !seconds.is_finite() || seconds.abs() > 9e12 {
        return Err(overflow());
    }
    Ok(text(
        Moment::from_total(crate::functions::interval::micros_of(seconds)).timestamptz(),
    ))
}

pub(crate) fn make_date(arguments: &[Value]) -> Result {
    let (year, month, day) = (
        integer(arguments, 0),
        integer(arguments, 1),
        integer(arguments, 2),
    );
    if !(1..=12).contains(&month)
        || !(-4712..=99_999).contains(&year)
        || day < 1
        || day > days_in_month(year, month)
    {
        return Err(DialectError::new(
            SqlState::DATETIME_FIELD_OVERFLOW,
            format!("date field value out of range: {year}-{month:02}-{day:02}"),
        ));
    }
    Ok(text(
        Moment {
            days: days_of(year, month, day),
            micros: 0,
            offset: None,
        }
        .date(),
    ))
}

/// Seconds east of UTC of a zone that needs no table of zones.
fn zone(name: &str) -> std::result::Result<i64, DialectError> {
    parse_zone(name.trim()).ok_or_else(|| {
        DialectError::new(
            SqlState::INVALID_PARAMETER_VALUE,
            format!("time zone \"{name}\" not recognized"),
        )
    })
}

/// timestamptz AT TIME ZONE zone
pub(crate) fn zone_local(arguments: &[Value]) -> Result {
    let offset = zone(&argument(arguments, 1))?;
    let local = stamp(arguments, 0)?
        .utc()
        .total()
        .saturating_add(offset * SECOND);
    Ok(text(Moment::from_total(local).timestamp()))
}

/// timestamp AT TIME ZONE zone
pub(crate) fn zone_utc(arguments: &[Value]) -> Result {
    let offset = zone(&argument(arguments, 1))?;
    let at = Moment {
        offset: None,
        ..stamp(arguments, 0)?
    };
    Ok(text(
        Moment::from_total(at.total().saturating_sub(offset * SECOND)).timestamptz(),
    ))
}

macro_rules! casts {
    ($($name:ident $ty:literal),* $(,)?) => {$(
        #[doc = concat!("A cast to ", $ty, ".")]
        pub(crate) fn $name(arguments: &[Value]) -> Result {
            to_type(arguments.first().unwrap_or(&Value::Null), $ty)
        }
    )*};
}

casts! {
    to_bool "bool", to_int2 "int2", to_int4 "int4", to_int8 "int8", to_float8 "float8", to_date "date", to_time "time",
    to_timetz "timetz", to_timestamp "timestamp", to_timestamptz "timestamptz", to_interval "interval", to_uuid "uuid",
    to_bytea "bytea",
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(function: fn(&[Value]) -> Result, arguments: &[&str]) -> String {
        let values: Vec<Value> = arguments
            .iter()
            .map(|text| {
                text.parse()
                    .map_or_else(|_| Value::Text((*text).to_owned()), Value::Integer)
            })
            .collect();
        text_of(&function(&values).unwrap())
    }

    #[test]
    fn arithmetic_on_dates_is_postgresqls() {
        assert_eq!(call(date_add, &["2024-02-28", "2"]), "2024-03-01");
        assert_eq!(call(date_difference, &["2024-03-01", "2024-02-28"]), "2");
        assert_eq!(
            call(timestamp_add, &["2024-01-31 10:00:00", "1 month"]),
            "2024-02-29 10:00:00"
        );
        assert_eq!(
            call(timestamp_subtract, &["2024-01-01 00:00:00+00", "1 hour"]),
            "2023-12-31 23:00:00+00"
        );
        assert_eq!(
            call(
                timestamp_difference,
                &["2024-01-02 12:00:00", "2024-01-01 00:00:00"]
            ),
            "1 day 12:00:00"
        );
        assert_eq!(
            call(age, &["2024-03-01", "2023-01-15"]),
            "1 year 1 mon 17 days"
        );
        assert_eq!(call(interval_multiply, &["1 day", "3"]), "3 days");
    }

    #[test]
    fn fields_and_truncation_are_postgresqls() {
        assert_eq!(call(date_part, &["week", "2021-01-03"]), "53");
        assert_eq!(call(date_part, &["isoyear", "2021-01-03"]), "2020");
        assert_eq!(call(date_part, &["dow", "2024-06-09"]), "0");
        assert_eq!(
            call(date_part, &["epoch", "1970-01-02 00:00:00+00"]),
            "86400"
        );
        assert_eq!(
            call(date_trunc, &["week", "2024-06-09 10:00:00"]),
            "2024-06-03 00:00:00"
        );
        assert_eq!(
            call(date_trunc, &["quarter", "2024-06-09 10:00:00+00"]),
            "2024-04-01 00:00:00+00"
        );
        assert_eq!(
            call(zone_utc, &["2024-01-01 00:00:00", "+02:00"]),
            "2023-12-31 22:00:00+00"
        );
        assert_eq!(
            date_part(&[Value::Text("x".into()), Value::Text("2024-01-01".into())])
                .unwrap_err()
                .sqlstate,
            SqlState::INVALID_PARAMETER_VALUE
        );
    }
}
