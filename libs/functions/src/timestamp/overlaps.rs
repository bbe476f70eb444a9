//! `OVERLAPS`: of two periods, each with its ends, or with one end and a length. Any of them may be
//! NULL.

use pgtypes::{Interval, SqlValue, SqlValueRef, Timestamp, ValueError};

use crate::arguments::{Answer, boolean, integer, interval, value};
use crate::collation::timetz_order;
use crate::registry::Scalar;
use crate::session::Session;
use crate::timestamp::arithmetic::moved;
use crate::timestamp::time::timetz;

macro_rules! periods {
    ($($name:literal $add:ident $first:literal $second:literal;)*) => {
        &[
            Scalar::pure("pg_overlaps_timestamp", 4, |a| overlap(plain(a)?)).loose(),
            Scalar::pure("pg_overlaps_time", 4, |a| overlap(plain(a)?)).loose(),
            Scalar::pure("pg_overlaps_timetz", 4, of_timetz).loose(),
            $(Scalar::session($name, 4, |session, arguments| {
                let ends = plain_but(arguments, session, $add, [$first, $second])?;
                overlap(ends)
            }).loose()),*
        ]
    };
}

pub(crate) const FUNCTIONS: &[Scalar] = periods! {
    "pg_overlaps_timestamp_timestamp_timestamp_interval" later false true;
    "pg_overlaps_timestamp_interval_timestamp_timestamp" later true false;
    "pg_overlaps_timestamp_interval_timestamp_interval" later true true;
    "pg_overlaps_timestamptz_timestamptz_timestamptz_interval" later_in_zone false true;
    "pg_overlaps_timestamptz_interval_timestamptz_timestamptz" later_in_zone true false;
    "pg_overlaps_timestamptz_interval_timestamptz_interval" later_in_zone true true;
    "pg_overlaps_time_time_time_interval" later_time false true;
    "pg_overlaps_time_interval_time_time" later_time true false;
    "pg_overlaps_time_interval_time_interval" later_time true true;
};

type Add = fn(&dyn Session, i64, Interval) -> Result<i64, ValueError>;

fn later(_: &dyn Session, start: i64, span: Interval) -> Result<i64, ValueError> {
    Ok(Timestamp::new(start, None)?.plus(span)?.micros())
}

fn later_in_zone(session: &dyn Session, start: i64, span: Interval) -> Result<i64, ValueError> {
    Ok(moved(session, Timestamp::new(start, None)?, span)?.micros())
}

fn later_time(_: &dyn Session, start: i64, span: Interval) -> Result<i64, ValueError> {
    Ok(pgtypes::Time::new(start, None)?.plus(span.micros).micros())
}

fn end(arguments: &[SqlValueRef<'_>], at: usize) -> Result<Option<i64>, ValueError> {
    if value(arguments, at).is_null() {
        return Ok(None);
    }
    integer(arguments, at).map(Some)
}

fn plain(arguments: &[SqlValueRef<'_>]) -> Result<[Option<i64>; 4], ValueError> {
    let [a, b, c, d] = [0, 1, 2, 3].map(|at| end(arguments, at));
    Ok([a?, b?, c?, d?])
}

fn plain_but(
    arguments: &[SqlValueRef<'_>],
    session: &dyn Session,
    add: Add,
    spans: [bool; 2],
) -> Result<[Option<i64>; 4], ValueError> {
    let period = |at: usize, is_span: bool| {
        let start = end(arguments, at)?;
        if !is_span {
            return Ok((start, end(arguments, at + 1)?));
        }
        let Some(from) = start.filter(|_| !value(arguments, at + 1).is_null()) else {
            return Ok((start, None));
        };
        let behind = add(session, from, interval(arguments, at + 1)?)?;
        Ok::<_, ValueError>((start, Some(behind)))
    };
    let [first, second] = spans;
    let ((a, b), (c, d)) = (period(0, first)?, period(2, second)?);
    Ok([a, b, c, d])
}

fn of_timetz(arguments: &[SqlValueRef<'_>]) -> Answer {
    let key = |at: usize| {
        if value(arguments, at).is_null() {
            return Ok(None);
        }
        timetz(arguments, at).map(|value| Some(timetz_order(value)))
    };
    overlap([key(0)?, key(1)?, key(2)?, key(3)?])
}

/// The earlier of two ends and the later one; an end that is NULL comes last.
fn ordered<T: Ord>(a: Option<T>, b: Option<T>) -> Option<(T, Option<T>)> {
    match (a, b) {
        (Some(a), Some(b)) if a > b => Some((b, Some(a))),
        (Some(a), b) => Some((a, b)),
        (None, Some(b)) => Some((b, None)),
        (None, None) => None,
    }
}

fn overlap<T: Ord>([a, b, c, d]: [Option<T>; 4]) -> Answer {
    let (Some((start, end)), Some((other_start, other_end))) = (ordered(a, b), ordered(c, d))
    else {
        return Ok(SqlValue::Null);
    };
    // What begins later must begin before the other one ends.
    let (late, early_end, late_end) = match start.cmp(&other_start) {
        std::cmp::Ordering::Greater => (start, other_end, end),
        std::cmp::Ordering::Less => (other_start, end, other_end),
        std::cmp::Ordering::Equal => {
            let known = end.is_some() && other_end.is_some();
            return if known {
                boolean(true)
            } else {
                Ok(SqlValue::Null)
            };
        }
    };
    match early_end {
        None => Ok(SqlValue::Null),
        Some(early_end) if late < early_end => boolean(true),
        Some(_) if late_end.is_none() => Ok(SqlValue::Null),
        Some(_) => boolean(false),
    }
}
