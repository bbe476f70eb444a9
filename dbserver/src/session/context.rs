//! The settings on which the text of values depends: what they accept, and what they mean.

use pgtypes::{
    ByteaOutput, Context, DateOrder, DateStyle, IntervalStyle, SqlState, ValueError, Zone,
};

use crate::failure::Failure;
use crate::session::settings::Settings;

/// What the settings mean for values.
pub(super) fn of(settings: &Settings) -> Context {
    let value = |name| settings.get(name).unwrap_or_default();
    let (date_style, date_order) = dates(value("DateStyle"));
    Context {
        zone: zone(value("TimeZone")).unwrap_or(Zone::UTC),
        date_style,
        date_order,
        interval_style: match value("IntervalStyle") {
            "postgres_verbose" => IntervalStyle::PostgresVerbose,
            "sql_standard" => IntervalStyle::SqlStandard,
            "iso_8601" => IntervalStyle::Iso8601,
            _ => IntervalStyle::Postgres,
        },
        bytea_output: match value("bytea_output") {
            "escape" => ByteaOutput::Escape,
            _ => ByteaOutput::Hex,
        },
        extra_float_digits: value("extra_float_digits").parse().unwrap_or(1),
        transaction_start: None,
    }
}

/// A `TimeZone`, which may be a distance with its name before it: `<+05:30>-05:30`.
fn zone(value: &str) -> Result<Zone, ValueError> {
    let distance = value.trim().strip_prefix('<');
    match distance.and_then(|rest| rest.split_once('>')) {
        Some((_, west)) if west.starts_with(['+', '-']) => Zone::by_name(west),
        _ => Zone::of_setting(value),
    }
}

/// A `DateStyle` as it is kept.
fn dates(kept: &str) -> (DateStyle, DateOrder) {
    let (style, order) = kept.split_once(", ").unwrap_or((kept, ""));
    let style = match style {
        "SQL" => DateStyle::Sql,
        "Postgres" => DateStyle::Postgres,
        "German" => DateStyle::German,
        _ => DateStyle::Iso,
    };
    let order = match order {
        "DMY" => DateOrder::Dmy,
        "YMD" => DateOrder::Ymd,
        _ => DateOrder::Mdy,
    };
    (style, order)
}

/// A value of `DateStyle` in the form that is kept; what it leaves open stays as it is at `present`.
pub(super) fn date_style(value: &str, present: &str) -> Result<String, Failure> {
    let refuse = |detail: String| {
        let message = format!("invalid value for parameter \"DateStyle\": \"{value}\"");
        Failure::new(SqlState::INVALID_PARAMETER_VALUE, message).detail(detail)
    };
    let (kept_style, kept_order) = present.split_once(", ").unwrap_or(("ISO", "MDY"));
    let (mut style, mut order) = (None, None);
    for word in value.split(',').map(str::trim) {
        let lower = word.to_ascii_lowercase();
        let (slot, said) = match lower.as_str() {
            "iso" => (&mut style, "ISO"),
            "sql" => (&mut style, "SQL"),
            "german" => (&mut style, "German"),
            _ if lower.starts_with("postgres") => (&mut style, "Postgres"),
            "ymd" => (&mut order, "YMD"),
            "dmy" => (&mut order, "DMY"),
            _ if lower.starts_with("euro") => (&mut order, "DMY"),
            "mdy" | "us" => (&mut order, "MDY"),
            _ if lower.starts_with("noneuro") => (&mut order, "MDY"),
            "default" => {
                style.get_or_insert("ISO");
                order.get_or_insert("MDY");
                continue;
            }
            _ => return Err(refuse(format!("Unrecognized key word: \"{word}\"."))),
        };
        if slot.is_some_and(|other| other != said) {
            return Err(refuse(
                "Conflicting \"datestyle\" specifications.".to_owned(),
            ));
        }
        *slot = Some(said);
    }
    // Germans write the day first.
    let order = order.or((style == Some("German")).then_some("DMY"));
    Ok(format!(
        "{}, {}",
        style.unwrap_or(kept_style),
        order.unwrap_or(kept_order)
    ))
}

/// A value of `TimeZone` in the form that is kept.
pub(super) fn time_zone(value: &str) -> Result<String, Failure> {
    let zone = zone(value).map_err(|_| {
        let message = format!("invalid value for parameter \"TimeZone\": \"{value}\"");
        Failure::new(SqlState::INVALID_PARAMETER_VALUE, message)
    })?;
    match zone {
        Zone::Fixed(seconds) if value.trim().parse::<f64>().is_ok() => Ok(posix(seconds)),
        Zone::Named(zone) => Ok(zone
            .iana_name()
            .map_or_else(|| value.trim().to_owned(), str::to_owned)),
        Zone::Fixed(_) | Zone::Abbreviated(..) => Ok(value.trim().to_owned()),
    }
}

/// A number of seconds east of Greenwich as a POSIX string: `<+05:30>-05:30`.
fn posix(seconds: i64) -> String {
    let text = |sign: char| {
        let (hours, minutes) = (seconds.abs() / 3600, seconds.abs() % 3600 / 60);
        if minutes == 0 {
            format!("{sign}{hours:02}")
        } else {
            format!("{sign}{hours:02}:{minutes:02}")
        }
    };
    let (own, opposite) = if seconds < 0 { ('-', '+') } else { ('+', '-') };
    format!("<{}>{}", text(own), text(opposite))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_style_keeps_what_it_does_not_say() {
        assert_eq!(date_style("sql", "ISO, DMY").unwrap(), "SQL, DMY");
        assert_eq!(date_style("ymd", "SQL, DMY").unwrap(), "SQL, YMD");
        assert_eq!(date_style("German", "ISO, MDY").unwrap(), "German, DMY");
        assert!(date_style("ISO, SQL", "ISO, MDY").is_err());
        assert!(date_style("Roman", "ISO, MDY").is_err());
    }

    #[test]
    fn a_time_zone_is_kept_by_its_own_name() {
        assert_eq!(time_zone("europe/paris").unwrap(), "Europe/Paris");
        assert_eq!(time_zone("-5").unwrap(), "<-05>+05");
        assert!(time_zone("Nowhere/Town").is_err());
        let kept = time_zone("5.5").unwrap();
        assert_eq!(kept, "<+05:30>-05:30");
        assert_eq!(zone(&kept).unwrap().offset_at(0), 19_800);
    }
}
