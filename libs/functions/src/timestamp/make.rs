//! Dates, times, timestamps and intervals of their parts.

use pgtypes::calendar::{Civil, DAY, HOUR, MINUTE};
use pgtypes::{Date, Interval, SqlState, SqlValueRef, Timestamp, ValueError, Zone};

use crate::arguments::{Answer, integer, real, text, whole, written};
use crate::error::fail;
use crate::registry::Scalar;
use crate::timestamp::casts::short;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_make_date", 3, |a| whole(day(a, true)?.days().into())),
    Scalar::pure("pg_make_time", 3, |a| whole(clock(a, 0)?)),
    Scalar::pure("pg_make_timestamp", 6, |a| whole(moment(a)?.micros())),
    Scalar::session("pg_make_timestamptz", 6, |s, a| {
        whole(moment(a)?.to_utc(s.time_zone())?.micros())
    }),
    Scalar::pure("pg_make_timestamptz_at_timezone", 7, |a| {
        let moment = moment(a)?;
        let zone = zone(text(a, 6)?)?;
        whole(moment.to_utc(&zone)?.micros())
    }),
    Scalar::pure("pg_make_interval", 7, span),
];

/// A zone whose numbers count to the east.
fn zone(name: &str) -> Result<Zone, ValueError> {
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(ValueError::new(
            SqlState::INVALID_PARAMETER_VALUE,
            format!("invalid input syntax for type numeric time zone: \"{name}\""),
        )
        .with_hint("Numeric time zones must have \"-\" or \"+\" as first character."));
    }
    if let Some(zone) = Zone::eastwards(name) {
        return Ok(zone);
    }
    let turned = match name.strip_prefix('+') {
        Some(rest) => format!("-{rest}"),
        None => match name.strip_prefix('-') {
            Some(rest) => format!("+{rest}"),
            None => return Zone::by_name(name),
        },
    };
    Zone::by_name(&turned)
}

fn overflow<T>(message: impl Into<String>) -> Result<T, ValueError> {
    fail(SqlState::DATETIME_FIELD_OVERFLOW, message)
}

/// Of year, month and day; a negative year is one before Christ, which is told with or without a year 0.
fn day(arguments: &[SqlValueRef<'_>], counts_zero: bool) -> Result<Date, ValueError> {
    let [year, month, day] = [0, 1, 2].map(|at| integer(arguments, at));
    let (year, month, day) = (year?, month?, day?);
    let small = |value: i64| u8::try_from(value).ok();
    if year == i64::from(i32::MIN) {
        return overflow(format!(
            "date field value out of range: {year}-{month:02}-{day:02}"
        ));
    }
    let counted = if year < 0 { year + 1 } else { year };
    let told = if counts_zero { counted } else { year };
    let civil = || {
        let civil = Civil {
            year: counted,
            month: small(month)?,
            day: small(day)?,
        };
        civil.days().filter(|_| year != 0)
    };
    match civil() {
        Some(days) => match Date::new(days) {
            Ok(date) if !date.is_infinite() => Ok(date),
            _ => overflow(format!("date out of range: {told}-{month:02}-{day:02}")),
        },
        None => overflow(format!(
            "date field value out of range: {told}-{month:02}-{day:02}"
        )),
    }
}

/// Of hour, minute and seconds.
fn clock(arguments: &[SqlValueRef<'_>], at: usize) -> Result<i64, ValueError> {
    let (hour, minute) = (integer(arguments, at)?, integer(arguments, at + 1)?);
    let seconds = real(arguments, at + 2)?;
    let micros = pgtypes::float::exact_integer((seconds * 1e6).round_ties_even());
    let whole = micros
        .filter(|micros| (0..=MINUTE).contains(micros))
        .filter(|_| (0..=24).contains(&hour) && (0..60).contains(&minute))
        .map(|micros| hour * HOUR + minute * MINUTE + micros)
        .filter(|micros| *micros <= DAY);
    match whole {
        Some(micros) => Ok(micros),
        None => overflow(format!(
            "time field value out of range: {hour}:{minute:02}:{:0>2}",
            short(seconds)
        )),
    }
}

fn moment(arguments: &[SqlValueRef<'_>]) -> Result<Timestamp, ValueError> {
    let [year, month, day_of_month] = [0, 1, 2].map(|at| integer(arguments, at));
    let day = day(arguments, false)?;
    let micros = clock(arguments, 3)?;
    let found = i64::from(day.days())
        .checked_mul(DAY)
        .and_then(|midnight| midnight.checked_add(micros))
        .and_then(|micros| Timestamp::finite(micros).ok());
    match found {
        Some(moment) => Ok(moment),
        None => overflow(format!(
            "timestamp out of range: {}-{:02}-{:02} {}:{:02}:{:0>2}",
            year?,
            month?,
            day_of_month?,
            integer(arguments, 3)?,
            integer(arguments, 4)?,
            short(real(arguments, 5)?)
        )),
    }
}

/// Of years, months, weeks, days, hours, minutes and seconds.
fn span(arguments: &[SqlValueRef<'_>]) -> Answer {
    let mut parts = [0_i64; 6];
    for (at, part) in parts.iter_mut().enumerate() {
        *part = integer(arguments, at)?;
    }
    let [years, months, weeks, days, hours, minutes] = parts;
    let seconds = (real(arguments, 6)? * 1e6).round_ties_even();
    let span = || {
        let micros = i128::from(hours) * i128::from(HOUR)
            + i128::from(minutes) * i128::from(MINUTE)
            + i128::from(pgtypes::float::exact_integer(seconds)?);
        Some(Interval {
            months: i32::try_from(years * 12 + months).ok()?,
            days: i32::try_from(weeks * 7 + days).ok()?,
            micros: i64::try_from(micros).ok()?,
        })
    };
    match span() {
        Some(span) => written(span),
        None => overflow("interval out of range"),
    }
}
