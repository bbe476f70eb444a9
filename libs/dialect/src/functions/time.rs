//! Dates, times and timestamps as text in ISO form, counted in microseconds.

use pgtypes::SqlState;

use crate::error::DialectError;

pub(crate) const DAY: i64 = 86_400_000_000;
pub(crate) const SECOND: i64 = 1_000_000;

const MONTHS: &[&str] = &[
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// A point of time: days since 1970-01-01 and microseconds within the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    pub(crate) days: i64,
    pub(crate) micros: i64,
    /// Seconds east of UTC that the text named.
    pub(crate) offset: Option<i64>,
}

pub(crate) fn invalid(ty: &str, text: &str) -> DialectError {
    DialectError::new(
        SqlState::INVALID_DATETIME_FORMAT,
        format!("invalid input syntax for type {ty}: \"{text}\""),
    )
}

fn out_of_range(text: &str) -> DialectError {
    DialectError::new(
        SqlState::DATETIME_FIELD_OVERFLOW,
        format!("date/time field value out of range: \"{text}\""),
    )
}

/// Days since 1970-01-01 of a date of the Gregorian calendar (years from -9999 to 99999).
pub(crate) fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    era * 146_097 + of_era - 719_468
}

/// Year, month and day of a day number.
pub(crate) fn date_of(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

pub(crate) fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl Moment {
    pub(crate) fn total(self) -> i64 {
        self.days.saturating_mul(DAY).saturating_add(self.micros)
    }

    pub(crate) fn from_total(total: i64) -> Self {
        Self {
            days: total.div_euclid(DAY),
            micros: total.rem_euclid(DAY),
            offset: None,
        }
    }

    /// In UTC: what the text's zone says is taken off.
    pub(crate) fn utc(self) -> Self {
        match self.offset {
            Some(offset) => Self::from_total(self.total().saturating_sub(offset * SECOND)),
            None => self,
        }
    }

    pub(crate) fn date(self) -> String {
        let (year, month, day) = date_of(self.days);
        if year <= 0 {
            return format!("{:04}-{month:02}-{day:02} BC", 1 - year);
        }
        format!("{year:04}-{month:02}-{day:02}")
    }

    pub(crate) fn time(self) -> String {
        let seconds = self.micros / SECOND;
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        format!(
            "{hour:02}:{minute:02}:{second:02}{}",
            fraction(self.micros % SECOND)
        )
    }

    pub(crate) fn timestamp(self) -> String {
        format!("{} {}", self.date(), self.time())
    }

    /// The stored form of timestamptz.
    pub(crate) fn timestamptz(self) -> String {
        format!("{}+00", self.utc().timestamp())
    }
}

/// `.5` for half a second; nothing for none.
pub(crate) fn fraction(micros: i64) -> String {
    if micros == 0 {
        return String::new();
    }
    format!(".{micros:06}").trim_end_matches('0').to_owned()
}

/// Reads a date with or without time and zone: ISO with `-`, `/` or `.`, `20240131`, `31.1.2024` is refused as
/// PostgreSQL's default `DateStyle` (ISO, MDY) reads it, `1/31/2024`, `Jan 31 2024`, `31 Jan 2024`.
pub(crate) fn parse(text: &str, ty: &str) -> Result<Moment, DialectError> {
    let fail = || invalid(ty, text);
    let trimmed = text.trim();
    if matches!(trimmed, "epoch") {
        return Ok(Moment {
            days: 0,
            micros: 0,
            offset: Some(0),
        });
    }
    let (date, rest) = split_date(trimmed);
    let (year, month, day) = parse_date(date).ok_or_else(fail)?;
    if !(1..=12).contains(&month)
        || day < 1
        || day > days_in_month(year, month)
        || !(-4712..=99_999).contains(&year)
    {
        return Err(out_of_range(text));
    }
    let rest = rest.trim();
    let (year, rest) = match rest.strip_suffix("BC") {
        Some(rest) => (1 - year, rest.trim()),
        None => (year, rest),
    };
    let mut moment = Moment {
        days: days_of(year, month, day),
        micros: 0,
        offset: None,
    };
    if !rest.is_empty() {
        let (micros, zone) = parse_clock(rest).ok_or_else(fail)?;
        if micros > DAY {
            return Err(out_of_range(text));
        }
        moment.micros = micros;
        moment.offset = named_zone(zone.trim()).map_err(|()| fail())?;
    }
    if moment.micros == DAY {
        moment.days += 1;
        moment.micros = 0;
    }
    Ok(moment)
}

/// Reads a time of day with or without a zone.
pub(crate) fn parse_time(text: &str, ty: &str) -> Result<Moment, DialectError> {
    let (micros, zone) = parse_clock(text.trim()).ok_or_else(|| invalid(ty, text))?;
    let offset = named_zone(zone.trim()).map_err(|()| invalid(ty, text))?;
    if micros > DAY {
        return Err(out_of_range(text));
    }
    Ok(Moment {
        days: 0,
        micros,
        offset,
    })
}

/// The date part ends at `T`, or at the blank before the time.
fn split_date(text: &str) -> (&str, &str) {
    if text.starts_with(|c: char| c.is_ascii_digit())
        && !text.contains(|c: char| c.is_ascii_alphabetic() && c != 'T')
        && let Some((date, rest)) = text.split_once('T')
    {
        return (date, rest);
    }
    let clock = text.find(':').map_or(text.len(), |colon| {
        text.get(..colon)
            .and_then(|before| before.rfind(|c: char| !c.is_ascii_digit()))
            .map_or(0, |at| at)
    });
    if clock < text.len() {
        let (date, rest) = text.split_at_checked(clock).unwrap_or((text, ""));
        return (
            date.trim_end_matches(['T', ' ']),
            rest.trim_start_matches(['T', 't', ' ']),
        );
    }
    match text.split_once(" BC") {
        Some((date, "")) => (date, "BC"),
        _ => (text, ""),
    }
}

fn parse_date(date: &str) -> Option<(i64, i64, i64)> {
    let date = date.trim();
    if date.len() == 8 && date.bytes().all(|c| c.is_ascii_digit()) {
        return Some((
            number(date.get(..4)?)?,
            number(date.get(4..6)?)?,
            number(date.get(6..)?)?,
        ));
    }
    let parts: Vec<&str> = date
        .split(['-', '/', '.', ' ', ','])
        .filter(|part| !part.is_empty())
        .collect();
    let [a, b, c] = parts.as_slice() else {
        return None;
    };
    let month = |name: &str| {
        let short = name.get(..3)?.to_ascii_lowercase();
        MONTHS
            .iter()
            .position(|known| *known == short)
            .and_then(|at| i64::try_from(at + 1).ok())
    };
    if let Some(month) = month(a) {
        return Some((number(c)?, month, number(b)?));
    }
    if let Some(month) = month(b) {
        return Some(if a.len() > 2 {
            (number(a)?, month, number(c)?)
        } else {
            (number(c)?, month, number(a)?)
        });
    }
    if a.len() > 2 {
        return Some((number(a)?, number(b)?, number(c)?));
    }
    Some((number(c)?, number(a)?, number(b)?))
}

fn number(text: &str) -> Option<i64> {
    if text.is_empty() || text.len() > 6 || !text.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// `HH:MM[:SS[.ffffff]] [AM|PM]`; gives microseconds and what follows.
fn parse_clock(text: &str) -> Option<(i64, &str)> {
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || c == ':' || c == '.'))
        .unwrap_or(text.len());
    let (clock, rest) = text.split_at_checked(end)?;
    let mut parts = clock.split(':');
    let mut hour = number(parts.next()?)?;
    let minute = number(parts.next()?)?;
    let (mut second, mut micros) = (0, 0);
    if let Some(seconds) = parts.next() {
        let (whole, part) = seconds.split_once('.').unwrap_or((seconds, ""));
        second = number(whole)?;
        if !part.bytes().all(|c| c.is_ascii_digit()) {
            return None;
        }
        let digits: String = part.chars().chain("000000".chars()).take(6).collect();
        micros = digits.parse::<i64>().ok()?;
        if part.len() > 6 && part.as_bytes().get(6).is_some_and(|digit| *digit >= b'5') {
            micros += 1;
        }
    }
    if parts.next().is_some() {
        return None;
    }
    let mut rest = rest.trim_start();
    let lower = rest.to_ascii_lowercase();
    if lower.starts_with("am") || lower.starts_with("pm") {
        hour = hour % 12 + if lower.starts_with("pm") { 12 } else { 0 };
        rest = rest.get(2..)?;
    }
    if minute > 59 || second > 60 || hour > 24 {
        return None;
    }
    Some((((hour * 60 + minute) * 60 + second) * SECOND + micros, rest))
}

/// The zone behind a time: `None` if there is none, an error if it is not one.
fn named_zone(text: &str) -> Result<Option<i64>, ()> {
    if text.is_empty() {
        Ok(None)
    } else {
        parse_zone(text).map(Some).ok_or(())
    }
}

/// A zone: Z, UTC, GMT, `+02`, `-05:30`, `+0530`; seconds east of UTC.
pub(crate) fn parse_zone(text: &str) -> Option<i64> {
    if matches!(
        text.to_ascii_lowercase().as_str(),
        "z" | "utc" | "gmt" | "etc/utc" | "zulu" | "uct" | "universal"
    ) {
        return Some(0);
    }
    let sign = match text.as_bytes().first() {
        Some(b'+') => 1,
        Some(b'-') => -1,
        _ => return None,
    };
    let body = text.get(1..)?;
    let mut parts: Vec<i64> = Vec::new();
    if body.contains(':') {
        for part in body.split(':') {
            parts.push(number(part)?);
        }
    } else if body.len() == 4 {
        parts.push(number(body.get(..2)?)?);
        parts.push(number(body.get(2..)?)?);
    } else {
        parts.push(number(body)?);
    }
    let seconds = parts
        .iter()
        .zip([3600, 60, 1])
        .map(|(part, unit)| part * unit)
        .sum::<i64>();
    (parts.len() <= 3 && seconds <= 16 * 3600).then_some(sign * seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_are_inverse() {
        for days in (-800_000..800_000).step_by(37) {
            let (year, month, day) = date_of(days);
            assert_eq!(days_of(year, month, day), days);
        }
        assert_eq!(days_of(1970, 1, 1), 0);
        assert_eq!(date_of(11_016), (2000, 2, 29));
    }

    #[test]
    fn usual_spellings_have_one_form() {
        for (text, form) in [
            ("2021/11/7", "2021-11-07 00:00:00"),
            ("2021-11-07T10:20:30.5", "2021-11-07 10:20:30.5"),
            ("20240131", "2024-01-31 00:00:00"),
            ("1/31/2024 5:06 PM", "2024-01-31 17:06:00"),
            ("Jan 31, 2024", "2024-01-31 00:00:00"),
            ("31 January 2024 01:02:03", "2024-01-31 01:02:03"),
            ("0044-03-15 BC", "0044-03-15 BC 00:00:00"),
        ] {
            assert_eq!(
                parse(text, "timestamp").unwrap().timestamp(),
                form,
                "{text}"
            );
        }
        assert_eq!(
            parse("2024-01-01 01:30:00+02", "timestamptz")
                .unwrap()
                .timestamptz(),
            "2023-12-31 23:30:00+00"
        );
        assert_eq!(
            parse("2024-01-01 01:30:00 -05:30", "timestamptz")
                .unwrap()
                .timestamptz(),
            "2024-01-01 07:00:00+00"
        );
        assert_eq!(
            parse("2024-01-01T00:00:00Z", "timestamptz")
                .unwrap()
                .timestamptz(),
            "2024-01-01 00:00:00+00"
        );
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "x",
            "2024-13-01",
            "2024-02-30",
            "2024-01-01 25:00",
            "2024-01-01 10:00 Mars",
            "1-2",
            "10:00",
        ] {
            assert!(parse(text, "date").is_err(), "{text}");
        }
    }
}
