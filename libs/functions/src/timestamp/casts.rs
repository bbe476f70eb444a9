//! Dates and timestamps into each other, and to their digits.

use pgtypes::{Date, SqlState, SqlValueRef, Time, Timestamp, Timetz, ValueError};

use crate::arguments::{
    Answer, boolean, date, double, integer, interval, real, text, timestamp, whole, written,
};
use crate::error::{fail, invalid};
use crate::registry::Scalar;
use crate::session::Session;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_date_timestamp", 1, |a| {
        whole(midnight(date(a, 0)?)?.micros())
    }),
    Scalar::session("pg_date_timestamptz", 1, |s, a| {
        whole(midnight(date(a, 0)?)?.to_utc(s.time_zone())?.micros())
    }),
    Scalar::pure("pg_timestamp_date", 1, |a| {
        whole(timestamp(a, 0)?.date().days().into())
    }),
    Scalar::session("pg_timestamptz_date", 1, |s, a| {
        whole(local(s, a)?.date().days().into())
    }),
    Scalar::session("pg_timestamp_timestamptz", 1, |s, a| {
        whole(timestamp(a, 0)?.to_utc(s.time_zone())?.micros())
    }),
    Scalar::session("pg_timestamptz_timestamp", 1, |s, a| {
        whole(local(s, a)?.micros())
    }),
    Scalar::pure("pg_timestamp_scale", 2, |a| {
        whole(Timestamp::new(integer(a, 0)?, digits(a, "timestamp")?)?.micros())
    }),
    Scalar::pure("pg_timestamptz_scale", 2, |a| {
        whole(Timestamp::new(integer(a, 0)?, digits(a, "timestamp")?)?.micros())
    }),
    Scalar::pure("pg_time_scale", 2, |a| {
        whole(Time::new(integer(a, 0)?, digits(a, "time")?)?.micros())
    }),
    Scalar::pure("pg_timetz_scale", 2, |a| {
        written(Timetz::parse(text(a, 0)?, digits(a, "time")?)?)
    }),
    Scalar::pure("pg_interval_scale", 2, |a| {
        written(interval(a, 0)?.kept(integer(a, 1)?)?)
    }),
    Scalar::pure("pg_date_finite", 1, |a| boolean(!date(a, 0)?.is_infinite())),
    Scalar::pure("pg_timestamp_finite", 1, |a| {
        boolean(!timestamp(a, 0)?.is_infinite())
    }),
    Scalar::pure("pg_interval_finite", 1, |_| boolean(true)),
    Scalar::pure("pg_float8_timestamptz", 1, of_seconds),
    Scalar::pure("pg_datetime_timestamp", 2, |a| {
        whole(at_time(date(a, 0)?, integer(a, 1)?)?.micros())
    }),
    Scalar::pure("pg_timedate_pl", 2, |a| {
        whole(at_time(date(a, 1)?, integer(a, 0)?)?.micros())
    }),
    Scalar::session("pg_timestamptz_date_time", 2, |s, a| {
        let local = at_time(date(a, 0)?, integer(a, 1)?)?;
        whole(local.to_utc(s.time_zone())?.micros())
    }),
    Scalar::pure("pg_datetimetz_timestamptz", 2, |a| {
        at_timetz(date(a, 0)?, text(a, 1)?)
    }),
    Scalar::pure("pg_timetzdate_pl", 2, |a| {
        at_timetz(date(a, 1)?, text(a, 0)?)
    }),
    Scalar::pure("pg_date_part_text_date", 2, |a| {
        crate::timestamp::extract::of_date_as_double(a)
            .and_then(|value| value.map_or(Ok(pgtypes::SqlValue::Null), double))
    }),
];

/// What clocks of the session show at a moment.
fn local(session: &dyn Session, arguments: &[SqlValueRef<'_>]) -> Result<Timestamp, ValueError> {
    timestamp(arguments, 0)?.to_local(session.time_zone())
}

/// The moment when a day begins; 22008 for one that no timestamp reaches.
pub(crate) fn midnight(date: Date) -> Result<Timestamp, ValueError> {
    date.midnight().map_err(|_| {
        ValueError::new(
            SqlState::DATETIME_FIELD_OVERFLOW,
            "date out of range for timestamp",
        )
    })
}

fn at_time(date: Date, micros: i64) -> Result<Timestamp, ValueError> {
    let midnight = midnight(date)?;
    if midnight.is_infinite() {
        return Ok(midnight);
    }
    Timestamp::finite(midnight.micros().saturating_add(micros))
}

fn at_timetz(date: Date, time: &str) -> Answer {
    let time = Timetz::parse(time, None)?;
    let east = i64::from(time.offset_seconds) * 1_000_000;
    whole(at_time(date, time.time.micros() - east)?.micros())
}

/// Digits of a second; -1 leaves all.
fn digits(arguments: &[SqlValueRef<'_>], type_name: &str) -> Result<Option<u8>, ValueError> {
    match integer(arguments, 1)? {
        -1 | 6 => Ok(None),
        digits @ 0..=5 => Ok(u8::try_from(digits).ok()),
        digits => invalid(format!(
            "{type_name}({digits}) precision must be between 0 and 6"
        )),
    }
}

/// `to_timestamp` of seconds since 1970.
fn of_seconds(arguments: &[SqlValueRef<'_>]) -> Answer {
    const EPOCH: f64 = 946_684_800.0;
    let seconds = real(arguments, 0)?;
    if seconds.is_nan() {
        return fail(SqlState::DATETIME_FIELD_OVERFLOW, "timestamp cannot be NaN");
    }
    if seconds.is_infinite() {
        return whole(if seconds > 0.0 { i64::MAX } else { i64::MIN });
    }
    let micros = ((seconds - EPOCH) * 1e6).round_ties_even();
    let found =
        pgtypes::float::exact_integer(micros).and_then(|micros| Timestamp::finite(micros).ok());
    match found {
        Some(moment) => whole(moment.micros()),
        None => fail(
            SqlState::DATETIME_FIELD_OVERFLOW,
            format!("timestamp out of range: \"{}\"", short(seconds)),
        ),
    }
}

/// As C's `%g` writes a number.
pub(crate) fn short(value: f64) -> String {
    if !value.is_finite() {
        return pgtypes::float::double_text(value);
    }
    let scientific = format!("{value:.5e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trim = |text: &str| {
        if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text.to_owned()
        }
    };
    if (-4..6).contains(&exponent) {
        let digits = usize::try_from(5 - exponent).unwrap_or(0);
        return trim(&format!("{value:.digits$}"));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", trim(mantissa), exponent.unsigned_abs())
}
