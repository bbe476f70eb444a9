//! Comparisons of dates and timestamps of different types. Where a date lies beyond all
//! timestamps, it is greater than they are.

use std::cmp::Ordering;

use pgtypes::calendar::DAY;
use pgtypes::{Date, SqlValueRef, Timestamp, ValueError, Zone};

use crate::arguments::{boolean, date, timestamp, whole};
use crate::registry::Scalar;

/// A date in microseconds, which an `i64` has not enough of.
fn micros_of_date(date: Date) -> i128 {
    match date {
        Date::INFINITY => i128::MAX,
        Date::MINUS_INFINITY => i128::MIN,
        date => i128::from(date.days()) * i128::from(DAY),
    }
}

fn micros(moment: Timestamp) -> i128 {
    match moment {
        Timestamp::INFINITY => i128::MAX,
        Timestamp::MINUS_INFINITY => i128::MIN,
        moment => moment.micros().into(),
    }
}

/// What clocks in a zone show, as a moment in UTC.
fn in_zone(local: i128, zone: &Zone) -> i128 {
    let day = i128::from(DAY);
    match (
        i64::try_from(local.div_euclid(day)),
        i64::try_from(local.rem_euclid(day)),
    ) {
        (Ok(days), Ok(of_day)) if local != i128::MAX && local != i128::MIN => {
            local - i128::from(zone.offset_of_local(days, of_day)) * 1_000_000
        }
        _ => local,
    }
}

/// Which types the operands have; with a zone, the first without is read in it.
#[derive(Clone, Copy)]
enum Operands {
    DateAndTimestamp,
    TimestampAndDate,
    TimestampAndTimestamp,
}

fn order(
    arguments: &[SqlValueRef<'_>],
    operands: Operands,
    zone: Option<(&Zone, bool)>,
) -> Result<Ordering, ValueError> {
    let (a, b) = match operands {
        Operands::DateAndTimestamp => (
            micros_of_date(date(arguments, 0)?),
            micros(timestamp(arguments, 1)?),
        ),
        Operands::TimestampAndDate => (
            micros(timestamp(arguments, 0)?),
            micros_of_date(date(arguments, 1)?),
        ),
        Operands::TimestampAndTimestamp => (
            micros(timestamp(arguments, 0)?),
            micros(timestamp(arguments, 1)?),
        ),
    };
    Ok(match zone {
        None => a.cmp(&b),
        Some((zone, true)) => in_zone(a, zone).cmp(&b),
        Some((zone, false)) => a.cmp(&in_zone(b, zone)),
    })
}

macro_rules! across {
    ($($operands:ident $zoned:literal $first:literal: $($name:literal $test:expr),*;)*) => {
        &[$($(Scalar::session($name, 2, |session, arguments| {
            let zone = $zoned.then_some((session.time_zone(), $first));
            let order = order(arguments, Operands::$operands, zone)?;
            let test: fn(Ordering) -> crate::arguments::Answer = $test;
            test(order)
        })),*),*]
    };
}

pub(crate) const FUNCTIONS: &[Scalar] = across! {
    DateAndTimestamp false false:
        "pg_date_eq_timestamp" |o| boolean(o.is_eq()),
        "pg_date_ne_timestamp" |o| boolean(o.is_ne()),
        "pg_date_lt_timestamp" |o| boolean(o.is_lt()),
        "pg_date_le_timestamp" |o| boolean(o.is_le()),
        "pg_date_gt_timestamp" |o| boolean(o.is_gt()),
        "pg_date_ge_timestamp" |o| boolean(o.is_ge()),
        "pg_date_cmp_timestamp" |o| whole(o as i64);
    TimestampAndDate false false:
        "pg_timestamp_eq_date" |o| boolean(o.is_eq()),
        "pg_timestamp_ne_date" |o| boolean(o.is_ne()),
        "pg_timestamp_lt_date" |o| boolean(o.is_lt()),
        "pg_timestamp_le_date" |o| boolean(o.is_le()),
        "pg_timestamp_gt_date" |o| boolean(o.is_gt()),
        "pg_timestamp_ge_date" |o| boolean(o.is_ge()),
        "pg_timestamp_cmp_date" |o| whole(o as i64);
    DateAndTimestamp true true:
        "pg_date_eq_timestamptz" |o| boolean(o.is_eq()),
        "pg_date_ne_timestamptz" |o| boolean(o.is_ne()),
        "pg_date_lt_timestamptz" |o| boolean(o.is_lt()),
        "pg_date_le_timestamptz" |o| boolean(o.is_le()),
        "pg_date_gt_timestamptz" |o| boolean(o.is_gt()),
        "pg_date_ge_timestamptz" |o| boolean(o.is_ge()),
        "pg_date_cmp_timestamptz" |o| whole(o as i64);
    TimestampAndDate true false:
        "pg_timestamptz_eq_date" |o| boolean(o.is_eq()),
        "pg_timestamptz_ne_date" |o| boolean(o.is_ne()),
        "pg_timestamptz_lt_date" |o| boolean(o.is_lt()),
        "pg_timestamptz_le_date" |o| boolean(o.is_le()),
        "pg_timestamptz_gt_date" |o| boolean(o.is_gt()),
        "pg_timestamptz_ge_date" |o| boolean(o.is_ge()),
        "pg_timestamptz_cmp_date" |o| whole(o as i64);
    TimestampAndTimestamp true true:
        "pg_timestamp_eq_timestamptz" |o| boolean(o.is_eq()),
        "pg_timestamp_ne_timestamptz" |o| boolean(o.is_ne()),
        "pg_timestamp_lt_timestamptz" |o| boolean(o.is_lt()),
        "pg_timestamp_le_timestamptz" |o| boolean(o.is_le()),
        "pg_timestamp_gt_timestamptz" |o| boolean(o.is_gt()),
        "pg_timestamp_ge_timestamptz" |o| boolean(o.is_ge()),
        "pg_timestamp_cmp_timestamptz" |o| whole(o as i64);
    TimestampAndTimestamp true false:
        "pg_timestamptz_eq_timestamp" |o| boolean(o.is_eq()),
        "pg_timestamptz_ne_timestamp" |o| boolean(o.is_ne()),
        "pg_timestamptz_lt_timestamp" |o| boolean(o.is_lt()),
        "pg_timestamptz_le_timestamp" |o| boolean(o.is_le()),
        "pg_timestamptz_gt_timestamp" |o| boolean(o.is_gt()),
        "pg_timestamptz_ge_timestamp" |o| boolean(o.is_ge()),
        "pg_timestamptz_cmp_timestamp" |o| whole(o as i64);
};
