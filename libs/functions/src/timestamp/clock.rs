//! The time at present: of the transaction, of the statement, and of the clock.

use pgtypes::{SqlValueRef, Time, Timestamp, Timetz, ValueError};

use crate::arguments::{Answer, integer, value, whole, written};
use crate::registry::Scalar;
use crate::session::Session;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::session("pg_now", 0, |s, _| {
        whole(s.transaction_timestamp().0.micros())
    }),
    Scalar::session("pg_statement_timestamp", 0, |s, _| {
        whole(s.statement_timestamp().0.micros())
    }),
    Scalar::session("pg_clock_timestamp", 0, |s, _| whole(s.clock().0.micros())).volatile(),
    Scalar::session("pg_timeofday", 0, time_of_day).volatile(),
    Scalar::session("pg_current_date", 0, |s, _| {
        whole(now(s)?.date().days().into())
    }),
    // Each takes the digits of a second, or nothing.
    Scalar::session("pg_current_timestamp", -1, |s, a| {
        let now = s.transaction_timestamp().0.micros();
        whole(Timestamp::new(now, digits(a)?)?.micros())
    }),
    Scalar::session("pg_localtimestamp", -1, |s, a| {
        whole(Timestamp::new(now(s)?.micros(), digits(a)?)?.micros())
    }),
    Scalar::session("pg_localtime", -1, |s, a| {
        whole(Time::new(now(s)?.micros_of_day(), digits(a)?)?.micros())
    }),
    Scalar::session("pg_current_time", -1, |s, a| {
        let time = Time::new(now(s)?.micros_of_day(), digits(a)?)?;
        let moment = s.transaction_timestamp().0.micros();
        let offset = s.time_zone().offset_at(moment);
        written(Timetz::new(time, i32::try_from(offset).unwrap_or(0))?)
    }),
];

/// What clocks of the session showed when the transaction began.
fn now(session: &dyn Session) -> Result<Timestamp, ValueError> {
    session
        .transaction_timestamp()
        .0
        .to_local(session.time_zone())
}

fn digits(arguments: &[SqlValueRef<'_>]) -> Result<Option<u8>, ValueError> {
    if value(arguments, 0).is_null() {
        return Ok(None);
    }
    Ok(Some(
        u8::try_from(integer(arguments, 0)?.clamp(0, 6)).unwrap_or(6),
    ))
}

/// `Sun Nov 29 12:30:00.123456 2026 CET`
fn time_of_day(session: &dyn Session, _: &[SqlValueRef<'_>]) -> Answer {
    let moment = session.clock().0;
    let local = moment.to_local(session.time_zone())?;
    let zone = session.time_zone().abbreviation_at(moment.micros());
    let zone =
        zone.unwrap_or_else(|| super::offset_text(session.time_zone().offset_at(moment.micros())));
    let format = crate::template::Template::parse("Dy Mon DD HH24:MI:SS.US YYYY");
    written(format!("{} {zone}", format.of_timestamp(local)?))
}
