//! `date_trunc`

use pgtypes::calendar::{Civil, DAY};
use pgtypes::{Interval, SqlState, SqlValueRef, Timestamp, Unit, ValueError, Zone};

use crate::arguments::{Answer, interval, text, timestamp, whole, written};
use crate::registry::Scalar;
use crate::timestamp::extract::iso_weekday;
use crate::timestamp::field::{Field, unknown, unsupported};

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_timestamp_trunc", 2, of_timestamp),
    Scalar::session("pg_timestamptz_trunc", 2, |session, arguments| {
        in_zone(arguments, session.time_zone())
    }),
    Scalar::pure("pg_timestamptz_trunc_zone", 3, |arguments| {
        if timestamp(arguments, 1)?.is_infinite() {
            return whole(timestamp(arguments, 1)?.micros());
        }
        let zone = Zone::by_name(text(arguments, 2)?)?;
        in_zone(arguments, &zone)
    }),
    Scalar::pure("pg_interval_trunc", 2, of_interval),
];

fn unit(name: &str, type_name: &str) -> Result<Unit, ValueError> {
    match Field::parse(name, type_name)? {
        Field::Unit(unit) => Ok(unit),
        Field::Zone | Field::ZoneHour | Field::ZoneMinute => Err(unsupported(name, type_name)),
        _ => Err(unknown(name, type_name)),
    }
}

/// The first year of a number of years that are counted from 1, or in decades from 0.
fn first_year(year: i64, years: i64) -> i64 {
    if years == 10 {
        return year.div_euclid(10) * 10;
    }
    (year - 1).div_euclid(years) * years + 1
}

/// The beginning of the unit that a moment is in.
fn truncated(moment: Timestamp, unit: Unit) -> Result<Timestamp, ValueError> {
    if let Some(micros) = unit.micros() {
        return Timestamp::finite(moment.micros().div_euclid(micros) * micros);
    }
    let days = moment.micros().div_euclid(DAY);
    let Civil { year, month, .. } = Civil::of(days);
    let first = |year, month| {
        let civil = Civil {
            year,
            month,
            day: 1,
        };
        civil.clamped_days()
    };
    let days = match unit {
        Unit::Week => days - iso_weekday(days) + 1,
        Unit::Month => first(year, month),
        Unit::Quarter => first(year, (month - 1) / 3 * 3 + 1),
        Unit::Year => first(year, 1),
        Unit::Decade => first(first_year(year, 10), 1),
        Unit::Century => first(first_year(year, 100), 1),
        Unit::Millennium => first(first_year(year, 1000), 1),
        _ => days,
    };
    Timestamp::finite(days * DAY)
}

fn of_timestamp(arguments: &[SqlValueRef<'_>]) -> Answer {
    let moment = timestamp(arguments, 1)?;
    if moment.is_infinite() {
        return whole(moment.micros());
    }
    let unit = unit(text(arguments, 0)?, "timestamp without time zone")?;
    whole(truncated(moment, unit)?.micros())
}

/// Within a day, the distance from UTC stays what it is.
fn in_zone(arguments: &[SqlValueRef<'_>], zone: &Zone) -> Answer {
    let moment = timestamp(arguments, 1)?;
    if moment.is_infinite() {
        return whole(moment.micros());
    }
    let unit = unit(text(arguments, 0)?, "timestamp with time zone")?;
    let local = truncated(moment.to_local(zone)?, unit)?;
    let utc = if unit < Unit::Day {
        let east = zone.offset_at(moment.micros());
        Timestamp::finite(local.micros() - east * 1_000_000)?
    } else {
        local.to_utc(zone)?
    };
    whole(utc.micros())
}

fn of_interval(arguments: &[SqlValueRef<'_>]) -> Answer {
    let name = text(arguments, 0)?;
    let span = interval(arguments, 1)?;
    let unit = unit(name, "interval")?;
    if unit == Unit::Week {
        return Err(ValueError::new(
            SqlState::FEATURE_NOT_SUPPORTED,
            format!(
                "unit \"{}\" not supported for type interval",
                name.to_ascii_lowercase()
            ),
        )
        .with_detail("Months usually have fractional weeks."));
    }
    if let Some(micros) = unit.micros() {
        return written(Interval {
            micros: span.micros / micros * micros,
            ..span
        });
    }
    written(match unit.months() {
        Some(months) => Interval {
            months: span.months / months * months,
            ..Interval::default()
        },
        None => Interval { micros: 0, ..span },
    })
}
