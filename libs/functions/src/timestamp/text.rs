//! Dates and timestamps in the styles of the setting `DateStyle`.

use pgtypes::calendar::{Civil, Clock, DAY, MONTHS, WEEKDAYS};
use pgtypes::{Date, Timestamp, ValueError};

use crate::session::{DateOrder, DateStyle, Session};

/// A date in the session's style.
pub(crate) fn date_text(session: &dyn Session, date: Date) -> String {
    if session.date_style() == DateStyle::Iso || date.is_infinite() {
        return date.to_string();
    }
    let civil = Civil::of(date.days().into());
    let era = era(civil);
    let separator = match session.date_style() {
        DateStyle::German => '.',
        DateStyle::Postgres => '-',
        DateStyle::Iso | DateStyle::Sql => '/',
    };
    format!("{}{era}", numbers(session, civil, separator))
}

fn era(civil: Civil) -> &'static str {
    if civil.year <= 0 { " BC" } else { "" }
}

fn shown_year(civil: Civil) -> i64 {
    if civil.year > 0 {
        civil.year
    } else {
        1 - civil.year
    }
}

/// Day, month and year as numbers.
fn numbers(session: &dyn Session, civil: Civil, separator: char) -> String {
    let day_first =
        session.date_style() == DateStyle::German || session.date_order() == DateOrder::Dmy;
    let (first, second) = if day_first {
        (civil.day, civil.month)
    } else {
        (civil.month, civil.day)
    };
    let year = shown_year(civil);
    format!("{first:02}{separator}{second:02}{separator}{year:04}")
}

/// A timestamp in the session's style.
pub(crate) fn text(session: &dyn Session, moment: Timestamp) -> String {
    if session.date_style() == DateStyle::Iso || moment.is_infinite() {
        return moment.to_string();
    }
    styled(session, moment, "")
}

/// A timestamp with time zone in the session's style and zone.
pub(crate) fn zoned_text(session: &dyn Session, moment: Timestamp) -> Result<String, ValueError> {
    if moment.is_infinite() {
        return Ok(moment.to_string());
    }
    let zone = session.time_zone();
    let local = moment.to_local(zone)?;
    let offset = zone.offset_at(moment.micros());
    if session.date_style() == DateStyle::Iso {
        let text = local.to_string();
        let (text, era) = match text.strip_suffix(" BC") {
            Some(text) => (text, " BC"),
            None => (text.as_str(), ""),
        };
        return Ok(format!("{text}{}{era}", offset_text(offset)));
    }
    let name = zone
        .abbreviation_at(moment.micros())
        .filter(|name| !name.starts_with(['+', '-']));
    let zone = match name {
        Some(name) => format!(" {name}"),
        None if session.date_style() == DateStyle::Postgres => format!(" {}", offset_text(offset)),
        None => offset_text(offset),
    };
    Ok(styled(session, local, &zone))
}

/// `+02`, `-03:30`
pub(crate) fn offset_text(seconds: i64) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let seconds = seconds.unsigned_abs();
    let mut out = format!("{sign}{:02}", seconds / 3600);
    if !seconds.is_multiple_of(3600) {
        out.push_str(&format!(":{:02}", seconds / 60 % 60));
    }
    if !seconds.is_multiple_of(60) {
        out.push_str(&format!(":{:02}", seconds % 60));
    }
    out
}

/// The name at a place, as far as its first three letters.
fn short(names: &[&'static str], at: i64) -> &'static str {
    let name = usize::try_from(at)
        .ok()
        .and_then(|at| names.get(at).copied());
    name.and_then(|name| name.get(..3)).unwrap_or_default()
}

fn styled(session: &dyn Session, local: Timestamp, zone: &str) -> String {
    let days = local.micros().div_euclid(DAY);
    let civil = Civil::of(days);
    let clock = Clock(local.micros_of_day().unsigned_abs());
    let era = era(civil);
    match session.date_style() {
        DateStyle::Postgres => {
            // 2000-01-01 was a Saturday.
            let weekday = short(&WEEKDAYS, (days + 5).rem_euclid(7));
            let month = short(&MONTHS, i64::from(civil.month) - 1);
            let day = civil.day;
            let date = if session.date_order() == DateOrder::Dmy {
                format!("{day:02} {month}")
            } else {
                format!("{month} {day:02}")
            };
            format!(
                "{weekday} {date} {clock} {:04}{zone}{era}",
                shown_year(civil)
            )
        }
        DateStyle::German => format!("{} {clock}{zone}{era}", numbers(session, civil, '.')),
        DateStyle::Iso | DateStyle::Sql => {
            format!("{} {clock}{zone}{era}", numbers(session, civil, '/'))
        }
    }
}
