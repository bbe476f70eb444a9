//! `AT TIME ZONE`

use pgtypes::{SqlState, SqlValueRef, Timestamp, Timetz, ValueError, Zone};

use crate::arguments::{Answer, interval, text, timestamp, whole, written};
use crate::error::fail;
use crate::registry::Scalar;
use crate::timestamp::time::timetz;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_timestamp_zone", 2, |a| {
        if timestamp(a, 1)?.is_infinite() {
            return whole(timestamp(a, 1)?.micros());
        }
        let zone = Zone::by_name(text(a, 0)?)?;
        whole(timestamp(a, 1)?.to_utc(&zone)?.micros())
    }),
    Scalar::pure("pg_timestamptz_zone", 2, |a| {
        if timestamp(a, 1)?.is_infinite() {
            return whole(timestamp(a, 1)?.micros());
        }
        let zone = Zone::by_name(text(a, 0)?)?;
        whole(timestamp(a, 1)?.to_local(&zone)?.micros())
    }),
    Scalar::pure("pg_timestamp_izone", 2, |a| {
        if timestamp(a, 1)?.is_infinite() {
            return whole(timestamp(a, 1)?.micros());
        }
        whole(timestamp(a, 1)?.to_utc(&fixed(a)?)?.micros())
    }),
    Scalar::pure("pg_timestamptz_izone", 2, |a| {
        if timestamp(a, 1)?.is_infinite() {
            return whole(timestamp(a, 1)?.micros());
        }
        whole(timestamp(a, 1)?.to_local(&fixed(a)?)?.micros())
    }),
    Scalar::session("pg_timetz_zone", 2, |session, a| {
        let zone = Zone::by_name(text(a, 0)?)?;
        moved(a, &zone, session.transaction_timestamp().0)
    }),
    Scalar::pure("pg_timetz_izone", 2, |a| {
        moved(a, &fixed(a)?, Timestamp::finite(0)?)
    }),
];

/// A zone by its distance from UTC.
fn fixed(arguments: &[SqlValueRef<'_>]) -> Result<Zone, ValueError> {
    let span = interval(arguments, 0)?;
    if span.months != 0 || span.days != 0 {
        return fail(
            SqlState::INVALID_PARAMETER_VALUE,
            format!("interval time zone \"{span}\" must not include months or days"),
        );
    }
    Ok(Zone::Fixed(span.micros / 1_000_000))
}

/// The same time by the clocks of another zone.
fn moved(arguments: &[SqlValueRef<'_>], zone: &Zone, now: Timestamp) -> Answer {
    let value = timetz(arguments, 1)?;
    let offset = i32::try_from(zone.offset_at(now.micros())).unwrap_or(0);
    let later = i64::from(offset - value.offset_seconds) * 1_000_000;
    written(Timetz {
        time: value.time.plus(later),
        offset_seconds: offset,
    })
}
