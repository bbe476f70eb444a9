//! Points in time as users write them, for `-T`.

use crate::timestamp::Timestamp;
use pgtypes::calendar::{Civil, UNIX_EPOCH_DAYS};

const MICROS: u64 = 1_000_000;

/// Understands `YYYY-MM-DD`, `MM/DD/YYYY` or `DD.MM.YYYY`, any one character, `HH:MM:SS`. Without a time it
/// is 00:00:00. The time may have a fraction, and a zone behind it: `Z`, `UTC`, `+02:00`; else it is UTC.
///
/// Gives the last microsecond that is meant: a whole second is meant to its end, as times are
/// shown in whole seconds.
pub fn parse(text: &str) -> Result<Timestamp, String> {
    let wrong = || {
        format!(
            "`{text}` is not a point in time: write YYYY-MM-DD HH:MM:SS, MM/DD/YYYY HH:MM:SS or DD.MM.YYYY HH:MM:SS"
        )
    };
    let text = text.trim();
    let (date, rest) = split_date(text).ok_or_else(wrong)?;
    let days = days_since_1970(date).ok_or_else(wrong)?;
    let (time, east) = split_zone(rest).ok_or_else(wrong)?;
    let (seconds, fraction) = match time {
        "" if rest.is_empty() => (0, MICROS - 1),
        time => time_of_day(time).ok_or_else(wrong)?,
    };
    // East of Greenwich it is later than there.
    let seconds = (days * 86_400 + seconds).checked_add_signed(-east);
    let seconds = seconds.ok_or_else(wrong)?;
    Ok(Timestamp::from_micros(seconds * MICROS + fraction))
}

/// A time of day and the seconds that its zone lies east of Greenwich.
fn split_zone(text: &str) -> Option<(&str, i64)> {
    for name in ["Z", "z", "UTC", "utc"] {
        if let Some(time) = text.strip_suffix(name) {
            return Some((time.trim_end(), 0));
        }
    }
    let Some(at) = text.find(['+', '-']) else {
        return Some((text, 0));
    };
    let (time, zone) = text.split_at(at);
    let (sign, zone) = zone.split_at(1);
    let (hours, minutes) = match zone.split_once(':') {
        Some(both) => both,
        None => zone.split_at_checked(2)?,
    };
    let number = |text: &str, limit: i64| -> Option<i64> {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        let value = text.parse().ok().filter(|_| digits)?;
        (value < limit).then_some(value)
    };
    let minutes = if minutes.is_empty() { "00" } else { minutes };
    let east = number(hours, 24)? * 3600 + number(minutes, 60)? * 60;
    Some((time.trim_end(), if sign == "-" { -east } else { east }))
}

/// Year, month, day, and what follows the character after the date.
fn split_date(text: &str) -> Option<([u64; 3], &str)> {
    let separator = text.chars().find(|c| !c.is_ascii_digit())?;
    let mut parts = text.splitn(3, separator);
    let (first, second, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (third, rest) = rest.split_at_checked(digits)?;
    let number = |text: &str, longest: usize| {
        let fits = (1..=longest).contains(&text.len());
        if fits { text.parse::<u64>().ok() } else { None }
    };
    let date = match separator {
        '-' => [number(first, 4)?, number(second, 2)?, number(third, 2)?],
        '/' => [number(third, 4)?, number(first, 2)?, number(second, 2)?],
        '.' => [number(third, 4)?, number(second, 2)?, number(first, 2)?],
        _ => return None,
    };
    let mut after = rest.chars();
    let time = match after.next() {
        None => "",
        Some(_) if after.as_str().is_empty() => return None,
        Some(_) => after.as_str().trim_start(),
    };
    Some((date, time))
}

/// Seconds, and the last microsecond of what was written.
fn time_of_day(text: &str) -> Option<(u64, u64)> {
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (text, None),
    };
    let mut fields = [0_u64; 3];
    let mut parts = clock.split(':');
    for (field, limit) in fields.iter_mut().zip([24, 60, 60]) {
        let part = parts.next()?;
        if !(1..=2).contains(&part.len()) || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *field = part.parse().ok().filter(|value| *value < limit)?;
    }
    if parts.next().is_some() {
        return None;
    }
    let [hour, minute, second] = fields;
    Some((hour * 3600 + minute * 60 + second, last_micros(fraction)?))
}

/// `.123` is meant to the end of that millisecond.
fn last_micros(fraction: Option<&str>) -> Option<u64> {
    let Some(fraction) = fraction else {
        return Some(MICROS - 1);
    };
    if !(1..=6).contains(&fraction.len()) || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{fraction:9<6}").parse().ok()
}

fn days_since_1970([year, month, day]: [u64; 3]) -> Option<u64> {
    let civil = Civil {
        year: i64::try_from(year).ok()?,
        month: u8::try_from(month).ok()?,
        day: u8::try_from(day).ok()?,
    };
    u64::try_from(civil.days()? - UNIX_EPOCH_DAYS).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        parse(text).unwrap().to_string()
    }

    #[test]
    fn all_forms_name_the_same_second_to_its_end() {
        for text in [
            "2006-04-18 18:54:17",
            "04/18/2006 18:54:17",
            "18.04.2006 18:54:17",
            "2006-04-18T18:54:17",
            "4/18/2006_18:54:17",
            "2006-04-18 18:54:17.999999",
            "2006-04-18 18:54:17Z",
            "2006-04-18 18:54:17 UTC",
            "2006-04-18T20:54:17+02:00",
            "2006-04-18 20:54:17 +02",
            "2006-04-19 00:24:17+0530",
            "2006-04-18 09:54:17-09",
        ] {
            assert_eq!(
                parse(text).unwrap().micros(),
                1_145_386_457_999_999,
                "{text}"
            );
        }
    }

    #[test]
    fn without_a_time_it_is_the_start_of_the_day() {
        assert_eq!(shown("2010-07-23"), "2010-07-23 00:00:00.999Z");
        assert_eq!(shown("07/23/2010"), "2010-07-23 00:00:00.999Z");
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for day in [
            "1970-01-01",
            "2000-02-29",
            "2024-12-31",
            "2100-03-01",
            "2399-12-31",
        ] {
            assert!(shown(day).starts_with(day), "{day}");
        }
    }

    #[test]
    fn a_fraction_is_meant_to_its_own_end() {
        assert_eq!(parse("1970-01-01 00:00:00.5").unwrap().micros(), 599_999);
    }

    #[test]
    fn what_is_no_point_in_time_is_refused() {
        for text in [
            "",
            "now",
            "2006",
            "2006-04",
            "2006-02-29",
            "2006-13-01",
            "13/13/2006",
            "1969-12-31",
            "2006-04-18 24:00:00",
            "2006-04-18 1:2",
            "2006-04-18 1:2:3:4",
            "20060-04-18",
            "2006-04-18 +1:00:00",
            "2006-04-18 1:00:00.1234567",
            "2006-04-18x",
            "2006-04-18 Z",
            "2006-04-18 1:00:00 CET",
            "2006-04-18 1:00:00+2",
            "2006-04-18 1:00:00+24:00",
            "2006-04-18 1:00:00+02:00:00",
            "1970-01-01 00:00:00+01:00",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
