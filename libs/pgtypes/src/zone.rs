//! Time zones: a fixed distance from UTC, or the clocks of a place.

use jiff::Timestamp as Instant;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use crate::calendar::{Civil, DAY, DAYS_PER_ERA, SECOND, UNIX_EPOCH_DAYS};
use crate::error::{EXCERPT_CHARS, excerpt};
use crate::float::exact_integer;
use crate::zone_names::{FIXED, PLACES};
use crate::{SqlState, ValueError};

/// Years that the clocks of a place are known for.
const LAST_KNOWN_YEAR: i64 = 9_999;
/// About the last second of it, since 1970.
const LAST_KNOWN_SECOND: i64 = 253_370_000_000;
const SECONDS_PER_DAY: i64 = DAY / SECOND;
/// An offset is less than 16 hours.
const HOURS_LIMIT: i64 = 16;
/// The most hours that the setting takes.
const WEEK_HOURS: i64 = 168;

/// A time zone.
#[derive(Clone, Debug)]
pub enum Zone {
    /// Seconds east of Greenwich.
    Fixed(i64),
    /// The rules of a place, or of a POSIX string such as `EST5EDT`.
    Named(TimeZone),
    /// An abbreviation whose distance has changed over the years, with the place whose it is.
    Abbreviated(&'static str, TimeZone),
}

impl Zone {
    /// Greenwich's clocks, without summer time.
    pub const UTC: Self = Self::Fixed(0);

    /// The zone that the setting `TimeZone` means: a number of hours east of Greenwich, else a name
    /// or a POSIX string. 22023 for what is none.
    pub fn of_setting(value: &str) -> Result<Self, ValueError> {
        let trimmed = value.trim();
        let hours = trimmed
            .parse::<f64>()
            .ok()
            .filter(|hours| hours.is_finite());
        let Some(hours) = hours else {
            return Self::full(trimmed)
                .filter(|_| !trimmed.is_empty())
                .ok_or_else(|| unknown_setting(value));
        };
        exact_integer((hours * 3600.0).trunc())
            .filter(|seconds| seconds.abs() <= WEEK_HOURS * 3600)
            .map(Self::Fixed)
            .ok_or_else(|| unknown_setting(value))
    }

    /// A zone by its abbreviation, its name in the time zone database, or a POSIX string, in any case.
    ///
    /// A POSIX string counts to the west: `UTC+2` and `+2` are two hours behind Greenwich.
    /// 22023 for a name that is none.
    pub fn by_name(name: &str) -> Result<Self, ValueError> {
        let trimmed = name.trim();
        Self::abbreviated(&trimmed.to_ascii_lowercase())
            .or_else(|| Self::full(trimmed))
            .ok_or_else(|| unknown(name))
    }

    /// A zone by an abbreviation in lower case, as PostgreSQL's default set knows it.
    pub(crate) fn abbreviated(name: &str) -> Option<Self> {
        let listed = |names: &str| names.split(' ').any(|known| known == name);
        if let Some((seconds, _)) = FIXED.iter().find(|(_, names)| listed(names)) {
            return Some(Self::Fixed(*seconds));
        }
        let (name, place) = PLACES.iter().find(|(known, _)| *known == name)?;
        let zone = TimeZone::get(place).ok()?;
        Some(Self::Abbreviated(name, zone))
    }

    /// A zone by its full name or as a POSIX string.
    pub(crate) fn full(name: &str) -> Option<Self> {
        if name.starts_with(['+', '-']) {
            return westwards(name);
        }
        if name.starts_with(|c: char| c.is_ascii_digit()) {
            return westwards(&format!("+{name}"));
        }
        TimeZone::get(name)
            .or_else(|_| TimeZone::posix(&long_name(&name.to_ascii_uppercase())))
            .ok()
            .map(Self::Named)
    }

    /// A zone by a sign and a distance to the east of Greenwich: `+2`, `-03:30`, `-1:`. `None` for what is none.
    pub fn eastwards(text: &str) -> Option<Self> {
        text.starts_with(['+', '-'])
            .then(|| offset(text).ok().map(Self::Fixed))?
    }

    /// Seconds east of Greenwich at a moment in UTC, in microseconds since 2000-01-01.
    pub fn offset_at(&self, micros: i64) -> i64 {
        match self {
            Self::Fixed(seconds) => *seconds,
            Self::Named(zone) => {
                instant(micros).map_or(0, |at| i64::from(zone.to_offset(at).seconds()))
            }
            Self::Abbreviated(name, zone) => {
                instant(micros).map_or(0, |at| offset_of_abbreviation(name, zone, at))
            }
        }
    }

    /// The abbreviation that is in use at a moment in UTC, `CEST`; `None` where only the distance
    /// from Greenwich is known.
    pub fn abbreviation_at(&self, micros: i64) -> Option<String> {
        let zone = match self {
            Self::Fixed(_) => return None,
            Self::Abbreviated(name, _) => return Some(name.to_ascii_uppercase()),
            Self::Named(zone) => zone,
        };
        let at = instant(micros)?;
        Some(zone.to_offset_info(at).abbreviation().to_owned())
    }

    /// Seconds east of Greenwich where the clocks show this day (of 2000-01-01) and time.
    ///
    /// A time that is left out in spring counts from before, one that occurs twice in autumn from
    /// after the change.
    pub fn offset_of_local(&self, days: i64, micros: i64) -> i64 {
        let zone = match self {
            Self::Fixed(seconds) => return *seconds,
            Self::Named(zone) | Self::Abbreviated(_, zone) => zone,
        };
        let time = days.saturating_mul(DAY).saturating_add(micros);
        let days = days.saturating_add(micros.div_euclid(DAY));
        let Some(local) = local(days, micros.rem_euclid(DAY)) else {
            return 0;
        };
        let offset = match zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset,
            AmbiguousOffset::Gap { before, .. } => before,
            AmbiguousOffset::Fold { after, .. } => after,
        };
        let seconds = i64::from(offset.seconds());
        match self {
            Self::Abbreviated(..) => self.offset_at(time.saturating_sub(seconds * SECOND)),
            _ => seconds,
        }
    }
}

/// A POSIX string that is a distance alone, which counts to the west and whose parts are all written.
fn westwards(posix: &str) -> Option<Zone> {
    let written = !posix.ends_with(':') && !posix.contains("::");
    let east = written.then(|| offset(posix).ok())??;
    Some(Zone::Fixed(-east))
}

/// A POSIX string whose abbreviation has three letters, which shorter ones lack.
fn long_name(posix: &str) -> String {
    let letters = posix.bytes().take_while(u8::is_ascii_alphabetic).count();
    match letters {
        1 | 2 if posix.len() > letters => format!("{}{posix}", "X".repeat(3 - letters)),
        _ => posix.to_owned(),
    }
}

/// What the abbreviation means at a moment: what it meant last before, else what it meant first.
fn offset_of_abbreviation(name: &str, zone: &TimeZone, at: Instant) -> i64 {
    let now = zone.to_offset_info(at);
    if now.abbreviation().eq_ignore_ascii_case(name) {
        return now.offset().seconds().into();
    }
    let mut changes = zone.preceding(at).chain(zone.following(at));
    let found = changes.find(|change| change.abbreviation().eq_ignore_ascii_case(name));
    let offset = found.map_or(now.offset(), |change| change.offset());
    offset.seconds().into()
}

/// The moment for the database, whole eras earlier where it knows no such year.
fn instant(micros: i64) -> Option<Instant> {
    let seconds = micros.div_euclid(SECOND) - UNIX_EPOCH_DAYS * SECONDS_PER_DAY;
    let beyond = seconds - LAST_KNOWN_SECOND;
    if beyond <= 0 {
        return Instant::from_second(seconds).ok();
    }
    let era = DAYS_PER_ERA * SECONDS_PER_DAY;
    let eras = (beyond + era - 1) / era;
    Instant::from_second(seconds - eras * era).ok()
}

/// The day and time for the database, whole eras earlier where it knows no such year.
fn local(days: i64, micros: i64) -> Option<DateTime> {
    let beyond = (Civil::of(days).year - LAST_KNOWN_YEAR).max(0);
    let eras = (beyond + 399) / 400;
    let civil = Civil::of(days - eras * DAYS_PER_ERA);
    let seconds = micros / SECOND;
    DateTime::new(
        i16::try_from(civil.year).ok()?,
        i8::try_from(civil.month).ok()?,
        i8::try_from(civil.day).ok()?,
        i8::try_from(seconds / 3600).ok()?,
        i8::try_from(seconds / 60 % 60).ok()?,
        i8::try_from(seconds % 60).ok()?,
        0,
    )
    .ok()
}

/// `time zone … not recognized`, 22023.
pub(crate) fn unknown(name: &str) -> ValueError {
    ValueError::new(
        SqlState::INVALID_PARAMETER_VALUE,
        format!(
            "time zone \"{}\" not recognized",
            excerpt(name, EXCERPT_CHARS)
        ),
    )
}

/// `invalid value for parameter "TimeZone"`, 22023.
fn unknown_setting(value: &str) -> ValueError {
    ValueError::new(
        SqlState::INVALID_PARAMETER_VALUE,
        format!(
            "invalid value for parameter \"TimeZone\": \"{}\"",
            excerpt(value, EXCERPT_CHARS)
        ),
    )
}

/// Why an offset is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadOffset {
    Syntax,
    Range,
}

/// `+02`, `-0330`, `+05:30`, `+00:19:32` in seconds east of Greenwich; of `+1:` the minutes are 0.
pub(crate) fn offset(text: &str) -> Result<i64, BadOffset> {
    let digits = text.get(1..).unwrap_or_default().trim_start();
    let number = |text: &str| match text.parse::<i64>() {
        Ok(number) if text.bytes().all(|b| b.is_ascii_digit()) && text.len() <= 6 => Ok(number),
        _ => Err(BadOffset::Syntax),
    };
    let mut parts = digits.split(':');
    let first = parts.next().unwrap_or_default();
    let (mut hours, mut minutes, mut seconds) = (number(first)?, 0, 0);
    if digits == first && first.len() > 2 {
        (hours, minutes) = (hours / 100, hours % 100);
    }
    for unit in [&mut minutes, &mut seconds] {
        if let Some(part) = parts.next() {
            *unit = number(if part.is_empty() { "0" } else { part })?;
        }
    }
    if parts.next().is_some() {
        return Err(BadOffset::Syntax);
    }
    if hours >= HOURS_LIMIT || minutes > 59 || seconds > 59 {
        return Err(BadOffset::Range);
    }
    let east = hours * 3600 + minutes * 60 + seconds;
    Ok(if text.starts_with('-') { -east } else { east })
}

/// Microseconds from 2000-01-01 to this moment by the clock of the machine.
pub(crate) fn now() -> i64 {
    let since_1970 = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since_1970.as_micros()).unwrap_or(0) + UNIX_EPOCH_DAYS * DAY
}

#[cfg(test)]
mod tests {
    use super::{BadOffset, Zone, offset};
    use crate::calendar::{Civil, DAY, HOUR, MINUTE};

    fn days(year: i64, month: u8, day: u8) -> i64 {
        Civil { year, month, day }.days().unwrap()
    }

    #[test]
    fn zones_have_abbreviations_names_and_rules() {
        let july = days(2024, 7, 1) * DAY;
        for (name, seconds) in [
            ("utc", 0),
            ("Z", 0),
            ("EST", -18_000),
            ("cest", 7_200),
            ("nst", -12_600),
            ("msk", 10_800),
            ("America/New_York", -14_400),
            ("europe/berlin", 7_200),
            ("Japan", 32_400),
            ("EST5EDT", -14_400),
            ("UTC+2", -7_200),
            ("+02", -7_200),
            ("-05:30", 19_800),
        ] {
            let zone = Zone::by_name(name).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(zone.offset_at(july), seconds, "{name}");
        }
        for none in ["Mars", "Mars/X", "", "+17", "+x", "+1:", "-1:0:", "1:"] {
            assert!(Zone::by_name(none).is_err(), "{none}");
        }
    }

    #[test]
    fn the_setting_counts_numbers_to_the_east_and_posix_strings_to_the_west() {
        for (setting, seconds) in [
            ("UTC", 0),
            ("2", 7_200),
            ("+02", 7_200),
            ("-5.5", -19_800),
            ("UTC+2", -7_200),
            ("Europe/Berlin", 3_600),
        ] {
            let zone = Zone::of_setting(setting).unwrap();
            assert_eq!(zone.offset_at(0), seconds, "{setting}");
        }
        for none in ["", "Mars", "169", "inf"] {
            let error = Zone::of_setting(none).unwrap_err();
            assert_eq!(
                error.message,
                format!("invalid value for parameter \"TimeZone\": \"{none}\"")
            );
        }
    }

    #[test]
    fn the_clocks_of_far_years_go_like_those_of_near_ones() {
        let zone = Zone::by_name("America/New_York").unwrap();
        for (year, offset) in [
            (2024, -14_400),
            (12_024, -14_400),
            (290_024, -14_400),
            (-4_700, -17_762),
        ] {
            assert_eq!(zone.offset_at(days(year, 7, 1) * DAY), offset, "{year}");
        }
    }

    #[test]
    fn a_change_of_the_clocks_is_read_as_postgresql_reads_it() {
        let zone = Zone::by_name("America/New_York").unwrap();
        for (year, month, day, offset) in [
            (2024, 11, 3, -18_000), // 01:30 occurs twice
            (2024, 7, 1, -14_400),
            (2024, 1, 1, -18_000),
            (20_024, 7, 1, -14_400),
            (-4_000, 7, 1, -17_762), // by the sun
        ] {
            let local = days(year, month, day);
            assert_eq!(zone.offset_of_local(local, HOUR + 30 * MINUTE), offset);
        }
        // 02:30 does not occur.
        let spring = zone.offset_of_local(days(2024, 3, 10), 2 * HOUR + 30 * MINUTE);
        assert_eq!(spring, -18_000);
    }

    #[test]
    fn offsets_have_several_spellings() {
        for (text, seconds) in [
            ("+2", 7_200),
            ("-0330", -12_600),
            ("+530", 19_800),
            ("+05:30", 19_800),
            ("+00:19:32", 1_172),
            ("- 8", -28_800),
        ] {
            assert_eq!(offset(text), Ok(seconds), "{text}");
        }
        for (text, problem) in [
            ("+", BadOffset::Syntax),
            ("+1-2", BadOffset::Syntax),
            ("+1:2:3:4", BadOffset::Syntax),
            ("+16", BadOffset::Range),
            ("+15:60", BadOffset::Range),
        ] {
            assert_eq!(offset(text), Err(problem), "{text}");
        }
    }
}
