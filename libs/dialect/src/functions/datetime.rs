//! Functions over dates, timestamps and intervals.

use pgtypes::calendar::{Civil, DAY, HOUR, MINUTE, SECOND, UNIX_EPOCH_DAYS};
use pgtypes::float::double_of_integer as float;
use pgtypes::{Date, Interval, SqlState, Time, Timestamp, Unit, Zone};

use crate::error::DialectError;
use crate::functions::Value;
use crate::functions::text::{argument, integer, text};

type Result<T = Value> = std::result::Result<T, DialectError>;

/// Days before 2000-01-01 where Julian days begin.
pub(crate) const JULIAN_EPOCH_DAYS: i64 = 2_451_545;

/// A timestamp of either type, and whether it has a zone.
fn zoned(arguments: &[Value], at: usize) -> Result<(Timestamp, bool)> {
    Ok(Timestamp::parse_any(&argument(arguments, at))?)
}

fn stamp(arguments: &[Value], at: usize) -> Result<Timestamp> {
    zoned(arguments, at).map(|(stamp, _)| stamp)
}

fn span(arguments: &[Value], at: usize) -> Result<Interval> {
    Ok(Interval::parse(&argument(arguments, at))?)
}

fn overflow() -> DialectError {
    DialectError::new(SqlState::DATETIME_FIELD_OVERFLOW, "timestamp out of range")
}

/// In the form that the argument had: with a zone, or without.
fn like(stamp: Timestamp, zoned: bool) -> Result {
    text(if zoned {
        stamp.with_zone().to_string()
    } else {
        stamp.to_string()
    })
}

/// date ± days, either way round.
fn moved_date(arguments: &[Value], sign: i64) -> Result {
    let (date, days) = match arguments.first() {
        Some(Value::Integer(days)) => (argument(arguments, 1), *days),
        _ => (argument(arguments, 0), integer(arguments, 1)),
    };
    let date = Date::parse(&date)?.plus_days(days.saturating_mul(sign))?;
    text(date.to_string())
}

pub(crate) fn date_add(arguments: &[Value]) -> Result {
    moved_date(arguments, 1)
}

pub(crate) fn date_subtract(arguments: &[Value]) -> Result {
    moved_date(arguments, -1)
}

pub(crate) fn date_difference(arguments: &[Value]) -> Result {
    let [a, b] = [0, 1].map(|at| Date::parse(&argument(arguments, at)));
    Ok(Value::Integer(a?.minus(b?)?))
}

/// timestamp + interval, either way round.
pub(crate) fn timestamp_add(arguments: &[Value]) -> Result {
    let ((stamp, with_zone), other) = match zoned(arguments, 0) {
        Ok(stamp) => (stamp, 1),
        Err(error) => (zoned(arguments, 1).map_err(|_| error)?, 0),
    };
    like(stamp.plus(span(arguments, other)?)?, with_zone)
}

pub(crate) fn timestamp_subtract(arguments: &[Value]) -> Result {
    let (stamp, with_zone) = zoned(arguments, 0)?;
    like(stamp.plus(span(arguments, 1)?.negated()?)?, with_zone)
}

pub(crate) fn timestamp_difference(arguments: &[Value]) -> Result {
    let between = stamp(arguments, 0)?.minus(stamp(arguments, 1)?)?;
    text(between.to_string())
}

fn moved_time(arguments: &[Value], sign: i64) -> Result {
    let time = Time::parse(&argument(arguments, 0), None)?;
    let micros = span(arguments, 1)?.micros % DAY;
    text(time.plus(micros * sign).to_string())
}

pub(crate) fn time_add(arguments: &[Value]) -> Result {
    moved_time(arguments, 1)
}

pub(crate) fn time_subtract(arguments: &[Value]) -> Result {
    moved_time(arguments, -1)
}

pub(crate) fn interval_add(arguments: &[Value]) -> Result {
    let sum = span(arguments, 0)?.plus(span(arguments, 1)?)?;
    text(sum.to_string())
}

pub(crate) fn interval_subtract(arguments: &[Value]) -> Result {
    let difference = span(arguments, 0)?.plus(span(arguments, 1)?.negated()?)?;
    text(difference.to_string())
}

/// The interval and the number among two arguments, whichever comes first.
fn span_and_number(arguments: &[Value]) -> Result<(Interval, f64)> {
    let number = |value: Option<&Value>| match value {
        Some(Value::Integer(value)) => Some(float(*value)),
        Some(Value::Real(value)) => Some(*value),
        _ => None,
    };
    Ok(match number(arguments.first()) {
        Some(factor) => (span(arguments, 1)?, factor),
        None => (span(arguments, 0)?, number(arguments.get(1)).unwrap_or(1.0)),
    })
}

pub(crate) fn interval_multiply(arguments: &[Value]) -> Result {
    let (span, factor) = span_and_number(arguments)?;
    text(span.times(factor)?.to_string())
}

pub(crate) fn interval_divide(arguments: &[Value]) -> Result {
    let (span, divisor) = span_and_number(arguments)?;
    text(span.over(divisor)?.to_string())
}

/// age(a, b): years, months and days between, as a person counts.
pub(crate) fn age(arguments: &[Value]) -> Result {
    let age = stamp(arguments, 0)?.age(stamp(arguments, 1)?)?;
    text(age.to_string())
}

fn unknown_unit(name: &str) -> DialectError {
    DialectError::new(
        SqlState::INVALID_PARAMETER_VALUE,
        format!("unit \"{name}\" not recognized for type timestamp without time zone"),
    )
}

/// `date_part(unit, …)` of a date, a timestamp or a time.
pub(crate) fn date_part(arguments: &[Value]) -> Result {
    let name = argument(arguments, 0).to_ascii_lowercase();
    let source = argument(arguments, 1);
    let (at, epoch) = match Timestamp::parse_any(&source) {
        Ok((at, _)) => (at, UNIX_EPOCH_DAYS * DAY),
        Err(error) => {
            let time = Time::parse(&source, None).map_err(|_| error)?;
            (Timestamp::finite(time.micros())?, 0)
        }
    };
    if at.is_infinite() {
        return infinite_part(&name, at);
    }
    let since_epoch = at.micros() - epoch;
    Ok(match name.as_str() {
        "epoch" if since_epoch % SECOND == 0 => Value::Integer(since_epoch / SECOND),
        "epoch" => Value::Real(float(since_epoch) / float(SECOND)),
        "julian" => julian(at),
        _ => part(&name, at)?,
    })
}

/// What grows with time is infinite, too; the rest has no value.
fn infinite_part(name: &str, at: Timestamp) -> Result {
    let grows = matches!(name, "epoch" | "julian" | "isoyear")
        || Unit::parse(name).is_some_and(|unit| unit >= Unit::Year);
    if !grows {
        // An unknown name is one here, too.
        return part(name, Timestamp::finite(0)?).map(|_| Value::Null);
    }
    Ok(Value::Real(if at == Timestamp::INFINITY {
        f64::INFINITY
    } else {
        f64::NEG_INFINITY
    }))
}

fn julian(at: Timestamp) -> Value {
    let days = at.micros().div_euclid(DAY) + JULIAN_EPOCH_DAYS;
    match at.micros_of_day() {
        0 => Value::Integer(days),
        micros => Value::Real(float(days) + float(micros) / float(DAY)),
    }
}

fn part(name: &str, at: Timestamp) -> Result {
    let days = at.micros().div_euclid(DAY);
    let Civil { year, month, day } = Civil::of(days);
    let (of_day, of_minute) = (at.micros_of_day(), at.micros_of_day() % MINUTE);
    // Centuries are counted from 1, and from -1 before Christ.
    let from_one = |years: i64| {
        if year > 0 {
            (year + years - 1) / years
        } else {
            (year - years) / years
        }
    };
    let weekday = weekday(days);
    Ok(Value::Integer(match name {
        "dow" => weekday % 7,
        "isodow" => weekday,
        "doy" => day_of_year(days),
        "isoyear" => iso_week(days).0,
        "timezone" | "timezone_hour" | "timezone_minute" => 0,
        _ => match Unit::parse(name).ok_or_else(|| unknown_unit(name))? {
            Unit::Millennium => from_one(1000),
            Unit::Century => from_one(100),
            Unit::Decade => year.div_euclid(10),
            Unit::Year => year - i64::from(year <= 0),
            Unit::Quarter => i64::from((month - 1) / 3 + 1),
            Unit::Month => month.into(),
            Unit::Week => iso_week(days).1,
            Unit::Day => day.into(),
            Unit::Hour => of_day / HOUR,
            Unit::Minute => of_day % HOUR / MINUTE,
            Unit::Second if of_minute % SECOND == 0 => of_minute / SECOND,
            Unit::Second => return Ok(Value::Real(float(of_minute) / float(SECOND))),
            Unit::Millisecond => return Ok(Value::Real(float(of_minute) / 1e3)),
            Unit::Microsecond => of_minute,
        },
    }))
}

/// 1 for Monday to 7 for Sunday.
pub(crate) fn weekday(days: i64) -> i64 {
    // 2000-01-01 was a Saturday.
    (days + 5).rem_euclid(7) + 1
}

/// 1 for the first of January.
pub(crate) fn day_of_year(days: i64) -> i64 {
    let year = Civil::of(days).year;
    days - first_day(year, 1) + 1
}

fn first_day(year: i64, month: u8) -> i64 {
    Civil {
        year,
        month,
        day: 1,
    }
    .clamped_days()
}

/// ISO 8601 year and week.
pub(crate) fn iso_week(days: i64) -> (i64, i64) {
    let thursday = days - weekday(days) + 4;
    let year = Civil::of(thursday).year;
    (year, (thursday - first_day(year, 1)) / 7 + 1)
}

pub(crate) fn date_trunc(arguments: &[Value]) -> Result {
    let (at, with_zone) = zoned(arguments, 1)?;
    let name = argument(arguments, 0).to_ascii_lowercase();
    let unit = Unit::parse(&name).ok_or_else(|| unknown_unit(&name))?;
    if at.is_infinite() {
        return like(at, with_zone);
    }
    if let Some(micros) = unit.micros() {
        let cut = at.micros() - at.micros().rem_euclid(micros);
        return like(Timestamp::finite(cut)?, with_zone);
    }
    let days = at.micros().div_euclid(DAY);
    let Civil { year, month, .. } = Civil::of(days);
    let from_one = |years: i64| first_day((year - 1).div_euclid(years) * years + 1, 1);
    let cut = match unit {
        Unit::Millennium => from_one(1000),
        Unit::Century => from_one(100),
        Unit::Decade => first_day(year.div_euclid(10) * 10, 1),
        Unit::Year => first_day(year, 1),
        Unit::Quarter => first_day(year, (month - 1) / 3 * 3 + 1),
        Unit::Month => first_day(year, month),
        Unit::Week => days - weekday(days) + 1,
        _ => days,
    };
    like(Timestamp::finite(cut.saturating_mul(DAY))?, with_zone)
}

/// `to_timestamp(seconds)`
pub(crate) fn from_epoch(arguments: &[Value]) -> Result {
    let seconds = match arguments.first() {
        Some(Value::Integer(seconds)) => float(*seconds),
        Some(Value::Real(seconds)) => *seconds,
        _ => argument(arguments, 0)
            .trim()
            .parse()
            .map_err(|_| overflow())?,
    };
    let stamp = if seconds == f64::INFINITY {
        Timestamp::INFINITY
    } else if seconds == f64::NEG_INFINITY {
        Timestamp::MINUS_INFINITY
    } else {
        let micros = pgtypes::float::exact_integer((seconds * 1e6).round());
        let micros = micros.and_then(|micros| micros.checked_add(UNIX_EPOCH_DAYS * DAY));
        Timestamp::finite(micros.ok_or_else(overflow)?)?
    };
    text(stamp.with_zone().to_string())
}

pub(crate) fn make_date(arguments: &[Value]) -> Result {
    let [year, month, day] = [0, 1, 2].map(|at| integer(arguments, at));
    let civil = || {
        Some(Civil {
            // Years before Christ are negative here; there is no year 0.
            year: if year < 0 { year.checked_add(1)? } else { year },
            month: u8::try_from(month).ok()?,
            day: u8::try_from(day).ok()?,
        })
    };
    let days = civil()
        .filter(|_| year != 0 && year.unsigned_abs() < 10_000_000)
        .and_then(Civil::days);
    let days = days.ok_or_else(|| {
        DialectError::new(
            SqlState::DATETIME_FIELD_OVERFLOW,
            format!("date field value out of range: {year}-{month:02}-{day:02}"),
        )
    })?;
    text(Date::new(days)?.to_string())
}

/// timestamptz AT TIME ZONE zone
pub(crate) fn zone_local(arguments: &[Value]) -> Result {
    let zone = Zone::by_name(&argument(arguments, 1))?;
    text(stamp(arguments, 0)?.to_local(&zone)?.to_string())
}

/// timestamp AT TIME ZONE zone
pub(crate) fn zone_utc(arguments: &[Value]) -> Result {
    let zone = Zone::by_name(&argument(arguments, 1))?;
    let local = Timestamp::parse(&argument(arguments, 0), None)?;
    text(local.to_utc(&zone)?.with_zone().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::convert::text_of;

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
            call(zone_utc, &["2024-01-01 00:00:00", "Europe/Berlin"]),
            "2023-12-31 23:00:00+00"
        );
        assert_eq!(
            call(zone_local, &["2024-07-01 00:00:00+00", "EST5EDT"]),
            "2024-06-30 20:00:00"
        );
        assert_eq!(call(date_part, &["century", "0001-01-01 BC"]), "-1");
        assert_eq!(call(date_part, &["year", "0001-01-01 BC"]), "-1");
        assert_eq!(call(date_part, &["millennium", "2001-01-01"]), "3");
        assert_eq!(
            call(date_part, &["julian", "2024-01-01 12:00"]),
            "2460311.5"
        );
        assert_eq!(call(date_part, &["epoch", "10:00:01.5"]), "36001.5");
        assert_eq!(call(date_part, &["epoch", "infinity"]), "Infinity");
        assert_eq!(call(date_part, &["hour", "infinity"]), "");
        for (unit, cut) in [
            ("week", "2025-12-27 00:00:00 BC"),
            ("millennium", "3000-01-01 00:00:00 BC"),
            ("decade", "2031-01-01 00:00:00 BC"),
        ] {
            assert_eq!(call(date_trunc, &[unit, "2024-01-01 BC"]), cut);
        }
        assert_eq!(call(make_date, &["-44", "3", "15"]), "0044-03-15 BC");
        assert!(make_date(&[2023, 2, 29].map(Value::Integer)).is_err());
        assert_eq!(
            call(from_epoch, &["1000000000000"]),
            "33658-09-27 01:46:40+00"
        );
        assert_eq!(
            date_part(&[Value::Text("x".into()), Value::Text("2024-01-01".into())])
                .unwrap_err()
                .sqlstate,
            SqlState::INVALID_PARAMETER_VALUE
        );
    }
}
