//! Times of day, and intervals.

use pgtypes::calendar::DAY;
use pgtypes::{Interval, SqlValueRef, Time, Timetz, ValueError};

use crate::arguments::{Answer, integer, interval, real, text, timestamp, whole, written};
use crate::registry::Scalar;
use crate::session::Session;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_time_pl_interval", 2, |a| {
        whole(time(a, 0)?.plus(interval(a, 1)?.micros).micros())
    }),
    Scalar::pure("pg_interval_pl_time", 2, |a| {
        whole(time(a, 1)?.plus(interval(a, 0)?.micros).micros())
    }),
    Scalar::pure("pg_time_mi_interval", 2, |a| {
        whole(time(a, 0)?.plus(-(interval(a, 1)?.micros % DAY)).micros())
    }),
    Scalar::pure("pg_time_mi_time", 2, |a| {
        written(of_micros(time(a, 0)?.micros() - time(a, 1)?.micros()))
    }),
    Scalar::pure("pg_time_interval", 1, |a| {
        written(of_micros(integer(a, 0)?))
    }),
    Scalar::pure("pg_interval_time", 1, |a| {
        whole(interval(a, 0)?.micros.rem_euclid(DAY))
    }),
    Scalar::pure("pg_timestamp_time", 1, |a| time_of(timestamp(a, 0)?)),
    Scalar::session("pg_timestamptz_time", 1, |s, a| {
        time_of(timestamp(a, 0)?.to_local(s.time_zone())?)
    }),
    Scalar::session("pg_timestamptz_timetz", 1, timetz_of),
    Scalar::session("pg_time_timetz", 1, |s, a| {
        let offset = offset_now(s);
        written(Timetz::new(time(a, 0)?, offset)?)
    }),
    Scalar::pure("pg_timetz_time", 1, |a| whole(timetz(a, 0)?.time.micros())),
    Scalar::pure("pg_timetz_pl_interval", 2, |a| {
        moved(timetz(a, 0)?, interval(a, 1)?.micros)
    }),
    Scalar::pure("pg_interval_pl_timetz", 2, |a| {
        moved(timetz(a, 1)?, interval(a, 0)?.micros)
    }),
    Scalar::pure("pg_timetz_mi_interval", 2, |a| {
        moved(timetz(a, 0)?, -(interval(a, 1)?.micros % DAY))
    }),
    Scalar::pure("pg_interval_pl", 2, |a| {
        written(interval(a, 0)?.plus(interval(a, 1)?)?)
    }),
    Scalar::pure("pg_interval_mi", 2, |a| written(difference(a)?)),
    Scalar::pure("pg_interval_um", 1, |a| written(interval(a, 0)?.negated()?)),
    Scalar::pure("pg_interval_mul", 2, |a| {
        written(interval(a, 0)?.times(real(a, 1)?)?)
    }),
    Scalar::pure("pg_mul_d_interval", 2, |a| {
        written(interval(a, 1)?.times(real(a, 0)?)?)
    }),
    Scalar::pure("pg_interval_div", 2, |a| {
        written(interval(a, 0)?.over(real(a, 1)?)?)
    }),
    Scalar::pure("pg_interval_justify_hours", 1, |a| {
        written(interval(a, 0)?.justified_hours()?)
    }),
    Scalar::pure("pg_interval_justify_days", 1, |a| {
        written(interval(a, 0)?.justified_days()?)
    }),
    Scalar::pure("pg_interval_justify_interval", 1, |a| {
        written(interval(a, 0)?.justified()?)
    }),
];

fn time(arguments: &[SqlValueRef<'_>], at: usize) -> Result<Time, ValueError> {
    Time::new(integer(arguments, at)?, None)
}

pub(super) fn timetz(arguments: &[SqlValueRef<'_>], at: usize) -> Result<Timetz, ValueError> {
    Timetz::parse(text(arguments, at)?, None)
}

fn of_micros(micros: i64) -> Interval {
    Interval {
        micros,
        ..Interval::default()
    }
}

fn difference(arguments: &[SqlValueRef<'_>]) -> Result<Interval, ValueError> {
    interval(arguments, 0)?.plus(interval(arguments, 1)?.negated()?)
}

/// An infinity has no time of day.
fn time_of(local: pgtypes::Timestamp) -> Answer {
    if local.is_infinite() {
        return Ok(pgtypes::SqlValue::Null);
    }
    whole(local.micros_of_day())
}

fn timetz_of(session: &dyn Session, arguments: &[SqlValueRef<'_>]) -> Answer {
    let moment = timestamp(arguments, 0)?;
    if moment.is_infinite() {
        return Ok(pgtypes::SqlValue::Null);
    }
    let local = moment.to_local(session.time_zone())?;
    let offset = session.time_zone().offset_at(moment.micros());
    let time = Time::new(local.micros_of_day(), None)?;
    written(Timetz::new(time, i32::try_from(offset).unwrap_or(0))?)
}

/// The session's distance from UTC in this transaction.
fn offset_now(session: &dyn Session) -> i32 {
    let now = session.transaction_timestamp().0.micros();
    i32::try_from(session.time_zone().offset_at(now)).unwrap_or(0)
}

fn moved(value: Timetz, micros: i64) -> Answer {
    written(Timetz {
        time: value.time.plus(micros),
        ..value
    })
}
