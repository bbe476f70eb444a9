//! Dates and timestamps moved by spans, and the spans between them.

use pgtypes::{Interval, SqlState, SqlValueRef, Timestamp, ValueError};

use crate::arguments::{Answer, date, integer, interval, timestamp, whole, written};
use crate::error::fail;
use crate::registry::Scalar;
use crate::session::Session;
use crate::timestamp::casts::midnight;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_date_pli", 2, |a| moved_date(a, 0, 1, 1)),
    Scalar::pure("pg_integer_pl_date", 2, |a| moved_date(a, 1, 0, 1)),
    Scalar::pure("pg_date_mii", 2, |a| moved_date(a, 0, 1, -1)),
    Scalar::pure("pg_date_mi", 2, |a| whole(date(a, 0)?.minus(date(a, 1)?)?)),
    Scalar::pure("pg_date_pl_interval", 2, |a| {
        whole(midnight(date(a, 0)?)?.plus(interval(a, 1)?)?.micros())
    }),
    Scalar::pure("pg_interval_pl_date", 2, |a| {
        whole(midnight(date(a, 1)?)?.plus(interval(a, 0)?)?.micros())
    }),
    Scalar::pure("pg_date_mi_interval", 2, |a| {
        let span = interval(a, 1)?.negated()?;
        whole(midnight(date(a, 0)?)?.plus(span)?.micros())
    }),
    Scalar::pure("pg_timestamp_pl_interval", 2, |a| {
        whole(timestamp(a, 0)?.plus(interval(a, 1)?)?.micros())
    }),
    Scalar::pure("pg_interval_pl_timestamp", 2, |a| {
        whole(timestamp(a, 1)?.plus(interval(a, 0)?)?.micros())
    }),
    Scalar::pure("pg_timestamp_mi_interval", 2, |a| {
        whole(timestamp(a, 0)?.plus(interval(a, 1)?.negated()?)?.micros())
    }),
    Scalar::session("pg_timestamptz_pl_interval", 2, |s, a| {
        whole(moved(s, timestamp(a, 0)?, interval(a, 1)?)?.micros())
    }),
    Scalar::session("pg_interval_pl_timestamptz", 2, |s, a| {
        whole(moved(s, timestamp(a, 1)?, interval(a, 0)?)?.micros())
    }),
    Scalar::session("pg_timestamptz_mi_interval", 2, |s, a| {
        whole(moved(s, timestamp(a, 0)?, interval(a, 1)?.negated()?)?.micros())
    }),
    Scalar::pure("pg_timestamp_mi", 2, |a| {
        written(timestamp(a, 0)?.minus(timestamp(a, 1)?)?)
    }),
    Scalar::pure("pg_timestamp_age", 2, |a| {
        written(timestamp(a, 0)?.age(timestamp(a, 1)?)?)
    }),
    Scalar::session("pg_timestamptz_age", 2, |s, a| {
        let zone = s.time_zone();
        let [late, early] = [timestamp(a, 0)?, timestamp(a, 1)?].map(|at| at.to_local(zone));
        written(late?.age(early?)?)
    }),
    Scalar::session("pg_age_timestamp", 1, |s, a| {
        written(today(s)?.age(timestamp(a, 0)?)?)
    }),
    Scalar::session("pg_age_timestamptz", 1, |s, a| {
        let local = timestamp(a, 0)?.to_local(s.time_zone())?;
        written(today(s)?.age(local)?)
    }),
    Scalar::pure("pg_timestamp_bin", 3, binned),
    Scalar::pure("pg_timestamptz_bin", 3, binned),
];

/// The midnight with which the day of the transaction began.
fn today(session: &dyn Session) -> Result<Timestamp, ValueError> {
    let now = session.transaction_timestamp().0;
    now.to_local(session.time_zone())?.date().midnight()
}

fn moved_date(arguments: &[SqlValueRef<'_>], day: usize, count: usize, sign: i64) -> Answer {
    let days = integer(arguments, count)? * sign;
    whole(date(arguments, day)?.plus_days(days)?.days().into())
}

/// Months and days are those of the session's calendar, where a day may have 23 hours.
pub(crate) fn moved(
    session: &dyn Session,
    moment: Timestamp,
    span: Interval,
) -> Result<Timestamp, ValueError> {
    let zone = session.time_zone();
    let mut moment = moment;
    if span.months != 0 {
        let months = Interval {
            months: span.months,
            ..Interval::default()
        };
        moment = moment.to_local(zone)?.plus(months)?.to_utc(zone)?;
    }
    if span.days != 0 {
        let days = Interval {
            days: span.days,
            ..Interval::default()
        };
        moment = moment.to_local(zone)?.plus(days)?.to_utc(zone)?;
    }
    moment.plus(Interval {
        micros: span.micros,
        ..Interval::default()
    })
}

/// `date_bin(stride, source, origin)`
fn binned(arguments: &[SqlValueRef<'_>]) -> Answer {
    let stride = interval(arguments, 0)?;
    let (source, origin) = (timestamp(arguments, 1)?, timestamp(arguments, 2)?);
    if source.is_infinite() {
        return whole(source.micros());
    }
    if origin.is_infinite() {
        return fail(SqlState::DATETIME_FIELD_OVERFLOW, "origin out of range");
    }
    if stride.months != 0 {
        return fail(
            SqlState::FEATURE_NOT_SUPPORTED,
            "timestamps cannot be binned into intervals containing months or years",
        );
    }
    let interval_overflow =
        || ValueError::new(SqlState::DATETIME_FIELD_OVERFLOW, "interval out of range");
    let length = i64::try_from(crate::collation::interval_length(stride))
        .map_err(|_| interval_overflow())?;
    if length <= 0 {
        return fail(
            SqlState::DATETIME_FIELD_OVERFLOW,
            "stride must be greater than zero",
        );
    }
    let distance = source
        .micros()
        .checked_sub(origin.micros())
        .ok_or_else(interval_overflow)?;
    let micros = origin.micros() + distance.div_euclid(length) * length;
    whole(Timestamp::finite(micros)?.micros())
}
