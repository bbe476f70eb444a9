//! `extract`, which gives numerics, and `date_part`, which gives doubles.

use num_bigint::BigInt;
use pgtypes::calendar::{Civil, DAY, HOUR, MINUTE, SECOND, UNIX_EPOCH_DAYS};
use pgtypes::float::double_of_integer;
use pgtypes::{Decimal, Interval, SqlValue, SqlValueRef, Timestamp, Timetz, Unit, ValueError};

use crate::arguments::{Answer, date, double, integer, interval, text, timestamp, written};
use crate::registry::Scalar;
use crate::session::Session;
use crate::timestamp::field::{Field, unsupported};

const DATE: &str = "date";
const TIME: &str = "time without time zone";
const TIMETZ: &str = "time with time zone";
const TIMESTAMP: &str = "timestamp without time zone";
const TIMESTAMPTZ: &str = "timestamp with time zone";
const INTERVAL: &str = "interval";

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_extract_date", 2, |a| numeric(of_date(a)?)),
    Scalar::pure("pg_extract_timestamp", 2, |a| numeric(of_timestamp(a)?)),
    Scalar::pure("pg_timestamp_part", 2, |a| as_double(of_timestamp(a)?)),
    Scalar::session("pg_extract_timestamptz", 2, |s, a| {
        numeric(of_timestamptz(s, a)?)
    }),
    Scalar::session("pg_timestamptz_part", 2, |s, a| {
        as_double(of_timestamptz(s, a)?)
    }),
    Scalar::pure("pg_extract_time", 2, |a| numeric(of_time(a)?)),
    Scalar::pure("pg_time_part", 2, |a| as_double(of_time(a)?)),
    Scalar::pure("pg_extract_timetz", 2, |a| numeric(of_timetz(a)?)),
    Scalar::pure("pg_timetz_part", 2, |a| as_double(of_timetz(a)?)),
    Scalar::pure("pg_extract_interval", 2, |a| numeric(of_interval(a)?)),
    Scalar::pure("pg_interval_part", 2, |a| {
        match Field::parse(text(a, 0)?, INTERVAL)? {
            // PostgreSQL adds doubles up.
            Field::Epoch => double(interval(a, 1)?.seconds()),
            _ => as_double(of_interval(a)?),
        }
    }),
];

/// What a field is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    /// So many units of `10^-scale`.
    Number(i128, u16),
    /// A Julian day, and the microseconds of that day.
    Julian(i64, Option<i64>),
    /// Of what has no such field: an infinity.
    Nothing,
    /// Beyond all numbers, above them or not.
    Infinite(bool),
}

const fn int(value: i64) -> Part {
    Part::Number(value as i128, 0)
}

fn numeric(part: Part) -> Answer {
    match part {
        Part::Number(number, scale) => {
            written(Decimal::from_unscaled(BigInt::from(number), scale.into())?)
        }
        Part::Julian(day, None) => written(day),
        Part::Julian(day, Some(micros)) => {
            let part = Decimal::from(micros).over(&Decimal::from(DAY))?;
            written(Decimal::from(day).plus(&part)?)
        }
        Part::Nothing => Ok(SqlValue::Null),
        Part::Infinite(above) => written(Decimal::Infinity { negative: !above }),
    }
}

fn as_double(part: Part) -> Answer {
    match number(part) {
        Some(value) => double(value),
        None => Ok(SqlValue::Null),
    }
}

#[expect(clippy::cast_precision_loss, reason = "rounding is what is asked for")]
fn number(part: Part) -> Option<f64> {
    Some(match part {
        Part::Number(number, scale) => number as f64 / 10_f64.powi(scale.into()),
        Part::Julian(day, micros) => {
            let seconds = double_of_integer(micros.unwrap_or(0)) / 1e6;
            double_of_integer(day) + seconds / 86_400.0
        }
        Part::Nothing => return None,
        Part::Infinite(above) => {
            if above {
                f64::INFINITY
            } else {
                f64::NEG_INFINITY
            }
        }
    })
}

/// `date_part` of a date is that of its midnight.
pub(crate) fn of_date_as_double(arguments: &[SqlValueRef<'_>]) -> Result<Option<f64>, ValueError> {
    let midnight =
        SqlValueRef::Integer(crate::timestamp::casts::midnight(date(arguments, 1)?)?.micros());
    let arguments = [crate::arguments::value(arguments, 0), midnight];
    of_timestamp(&arguments).map(number)
}

/// The fields of a day. Years before Christ have no 0 in between.
pub(crate) fn of_day(field: Field, days: i64) -> Option<i64> {
    let civil = Civil::of(days);
    let year = civil.year;
    let from_one = |years: i64| {
        if year > 0 {
            (year + years - 1) / years
        } else {
            -((years - 1 - (year - 1)) / years)
        }
    };
    Some(match field {
        Field::Unit(Unit::Day) => civil.day.into(),
        Field::Unit(Unit::Month) => civil.month.into(),
        Field::Unit(Unit::Quarter) => (i64::from(civil.month) - 1) / 3 + 1,
        Field::Unit(Unit::Week) => iso_week(days).1,
        Field::Unit(Unit::Year) if year > 0 => year,
        Field::Unit(Unit::Year) => year - 1,
        Field::Unit(Unit::Decade) if year >= 0 => year / 10,
        Field::Unit(Unit::Decade) => -((8 - (year - 1)) / 10),
        Field::Unit(Unit::Century) => from_one(100),
        Field::Unit(Unit::Millennium) => from_one(1000),
        Field::Weekday => iso_weekday(days) % 7,
        Field::IsoWeekday => iso_weekday(days),
        Field::DayOfYear => day_of_year(days),
        Field::IsoYear => match iso_week(days).0 {
            year if year > 0 => year,
            year => year - 1,
        },
        _ => return None,
    })
}

/// 1 is Monday.
pub(crate) fn iso_weekday(days: i64) -> i64 {
    (days + 5).rem_euclid(7) + 1
}

/// 1 is the first of January.
pub(crate) fn day_of_year(days: i64) -> i64 {
    let Civil { year, .. } = Civil::of(days);
    let first = Civil {
        year,
        month: 1,
        day: 1,
    };
    days - first.clamped_days() + 1
}

/// The year and the number of the week that a day is in, which are those of its Thursday.
pub(crate) fn iso_week(days: i64) -> (i64, i64) {
    let thursday = days - iso_weekday(days) + 4;
    (
        Civil::of(thursday).year,
        (day_of_year(thursday) - 1) / 7 + 1,
    )
}

/// The fields of a time of day.
fn of_clock(field: Field, micros: i64) -> Option<Part> {
    let of_minute = i128::from(micros % MINUTE);
    Some(match field {
        Field::Unit(Unit::Microsecond) => Part::Number(of_minute, 0),
        Field::Unit(Unit::Millisecond) => Part::Number(of_minute, 3),
        Field::Unit(Unit::Second) => Part::Number(of_minute, 6),
        Field::Unit(Unit::Minute) => int(micros / MINUTE % 60),
        Field::Unit(Unit::Hour) => int(micros / HOUR),
        _ => return None,
    })
}

const JULIAN_EPOCH: i64 = 2_451_545;

fn of_moment(field: Field, local: Timestamp, utc: Timestamp) -> Option<Part> {
    let (days, micros) = (local.micros().div_euclid(DAY), local.micros_of_day());
    Some(match field {
        Field::Epoch => {
            let since = i128::from(utc.micros()) - i128::from(UNIX_EPOCH_DAYS) * i128::from(DAY);
            Part::Number(since, 6)
        }
        Field::Julian => Part::Julian(days + JULIAN_EPOCH, Some(micros)),
        _ => match of_day(field, days) {
            Some(value) => int(value),
            None => return of_clock(field, micros),
        },
    })
}

fn infinite(field: Field, above: bool) -> Part {
    if field.grows() {
        Part::Infinite(above)
    } else {
        Part::Nothing
    }
}

fn of_timestamp(arguments: &[SqlValueRef<'_>]) -> Result<Part, ValueError> {
    let name = text(arguments, 0)?;
    let field = Field::parse(name, TIMESTAMP)?;
    let moment = timestamp(arguments, 1)?;
    if moment.is_infinite() {
        return Ok(infinite(field, moment == Timestamp::INFINITY));
    }
    of_moment(field, moment, moment).ok_or_else(|| unsupported(name, TIMESTAMP))
}

fn of_timestamptz(
    session: &dyn Session,
    arguments: &[SqlValueRef<'_>],
) -> Result<Part, ValueError> {
    let name = text(arguments, 0)?;
    let field = Field::parse(name, TIMESTAMPTZ)?;
    let moment = timestamp(arguments, 1)?;
    if moment.is_infinite() {
        return Ok(infinite(field, moment == Timestamp::INFINITY));
    }
    let zone = session.time_zone();
    if let Some(part) = of_offset(field, zone.offset_at(moment.micros())) {
        return Ok(part);
    }
    of_moment(field, moment.to_local(zone)?, moment).ok_or_else(|| unsupported(name, TIMESTAMPTZ))
}

fn of_offset(field: Field, seconds: i64) -> Option<Part> {
    Some(match field {
        Field::Zone => int(seconds),
        Field::ZoneHour => int(seconds / 3600),
        Field::ZoneMinute => int(seconds / 60 % 60),
        _ => return None,
    })
}

fn of_date(arguments: &[SqlValueRef<'_>]) -> Result<Part, ValueError> {
    let name = text(arguments, 0)?;
    let field = Field::parse(name, DATE)?;
    let date = date(arguments, 1)?;
    let days = i64::from(date.days());
    let part = match field {
        Field::Epoch => Some(int((days - UNIX_EPOCH_DAYS) * (DAY / SECOND))),
        Field::Julian => Some(Part::Julian(days + JULIAN_EPOCH, None)),
        field => of_day(field, days).map(int),
    };
    let part = part.ok_or_else(|| unsupported(name, DATE))?;
    if date.is_infinite() {
        return Ok(infinite(field, days > 0));
    }
    Ok(part)
}

fn of_time(arguments: &[SqlValueRef<'_>]) -> Result<Part, ValueError> {
    let name = text(arguments, 0)?;
    let field = Field::parse(name, TIME)?;
    let micros = integer(arguments, 1)?;
    match field {
        Field::Epoch => Ok(Part::Number(micros.into(), 6)),
        field => of_clock(field, micros).ok_or_else(|| unsupported(name, TIME)),
    }
}

fn of_timetz(arguments: &[SqlValueRef<'_>]) -> Result<Part, ValueError> {
    let name = text(arguments, 0)?;
    let field = Field::parse(name, TIMETZ)?;
    let value = Timetz::parse(text(arguments, 1)?, None)?;
    let (micros, east) = (value.time.micros(), i64::from(value.offset_seconds));
    if field == Field::Epoch {
        return Ok(Part::Number(i128::from(micros - east * SECOND), 6));
    }
    of_offset(field, east)
        .or_else(|| of_clock(field, micros))
        .ok_or_else(|| unsupported(name, TIMETZ))
}

fn of_interval(arguments: &[SqlValueRef<'_>]) -> Result<Part, ValueError> {
    let name = text(arguments, 0)?;
    let field = Field::parse(name, INTERVAL)?;
    let span = interval(arguments, 1)?;
    let years = i64::from(span.months / 12);
    Ok(match field {
        Field::Unit(Unit::Day) => int(span.days.into()),
        Field::Unit(Unit::Month) => int((span.months % 12).into()),
        Field::Unit(Unit::Quarter) => int((span.months % 12 / 3 + 1).into()),
        Field::Unit(Unit::Year) => int(years),
        Field::Unit(Unit::Decade) => int(years / 10),
        Field::Unit(Unit::Century) => int(years / 100),
        Field::Unit(Unit::Millennium) => int(years / 1000),
        Field::Epoch => Part::Number(seconds(span), 6),
        field => of_clock(field, span.micros).ok_or_else(|| unsupported(name, INTERVAL))?,
    })
}

/// The microseconds of a span, a year being 365¼ days.
fn seconds(span: Interval) -> i128 {
    let quarters = 1461 * i128::from(span.months / 12)
        + 120 * i128::from(span.months % 12)
        + 4 * i128::from(span.days);
    quarters * i128::from(DAY / 4) + i128::from(span.micros)
}
