//! `to_char` of timestamps and intervals.

use pgtypes::calendar::{Civil, DAY, HOUR, MINUTE, MONTHS, SECOND, WEEKDAYS};
use pgtypes::{Interval, SqlState, SqlValue, SqlValueRef, Timestamp, ValueError};

use crate::arguments::{Answer, interval, text, timestamp, written};
use crate::registry::Scalar;
use crate::session::Session;
use crate::template::words::{Case, Piece, Template, Word};
use crate::timestamp::{day_of_year, iso_week, iso_weekday};

const ROMAN: [&str; 12] = [
    "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII",
];
const JULIAN_EPOCH: i64 = 2_451_545;
/// The length of the longest name of a month or a day.
const NAME_WIDTH: usize = 9;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_timestamp_to_char", 2, |arguments| {
        let moment = timestamp(arguments, 0)?;
        shown(arguments, moment, |_| Ok(Fields::of(moment)))
    }),
    Scalar::session("pg_timestamptz_to_char", 2, of_timestamptz),
    Scalar::pure("pg_interval_to_char", 2, |arguments| {
        let span = interval(arguments, 0)?;
        shown(arguments, Timestamp::finite(0)?, |_| {
            Ok(Fields::of_span(span))
        })
    }),
];

/// What the words stand for.
#[derive(Debug)]
struct Fields {
    is_span: bool,
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    micros: i64,
    /// The number of the day, for what follows from it.
    days: i64,
    zone: Option<(String, i64)>,
}

impl Fields {
    fn of(local: Timestamp) -> Self {
        let (days, time) = (local.micros().div_euclid(DAY), local.micros_of_day());
        let civil = Civil::of(days);
        Self {
            is_span: false,
            year: civil.year,
            month: civil.month.into(),
            day: civil.day.into(),
            hour: time / HOUR,
            minute: time % HOUR / MINUTE,
            second: time % MINUTE / SECOND,
            micros: time % SECOND,
            days,
            zone: None,
        }
    }

    fn of_span(span: Interval) -> Self {
        Self {
            is_span: true,
            year: i64::from(span.months / 12),
            month: i64::from(span.months % 12),
            day: span.days.into(),
            hour: span.micros / HOUR,
            minute: span.micros % HOUR / MINUTE,
            second: span.micros % MINUTE / SECOND,
            micros: span.micros % SECOND,
            days: 0,
            zone: None,
        }
    }
}

/// An infinity, or an empty template, gives NULL.
fn shown(
    arguments: &[SqlValueRef<'_>],
    moment: Timestamp,
    fields: impl FnOnce(Timestamp) -> Result<Fields, ValueError>,
) -> Answer {
    let template = text(arguments, 1)?;
    if moment.is_infinite() || template.is_empty() {
        return Ok(SqlValue::Null);
    }
    written(Template::parse(template).put(&fields(moment)?)?)
}

fn of_timestamptz(session: &dyn Session, arguments: &[SqlValueRef<'_>]) -> Answer {
    let zone = session.time_zone();
    shown(arguments, timestamp(arguments, 0)?, |moment| {
        let offset = zone.offset_at(moment.micros());
        let name = zone
            .abbreviation_at(moment.micros())
            .unwrap_or_else(|| crate::timestamp::offset_text(offset));
        let mut fields = Fields::of(moment.to_local(zone)?);
        fields.zone = Some((name, offset));
        Ok(fields)
    })
}

impl Template {
    /// A timestamp without time zone.
    pub(crate) fn of_timestamp(&self, local: Timestamp) -> Result<String, ValueError> {
        self.put(&Fields::of(local))
    }

    fn put(&self, fields: &Fields) -> Result<String, ValueError> {
        let mut out = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(c) | Piece::Separator(c) => out.push(*c),
                Piece::Field(word) => {
                    let text = field(fields, *word)?;
                    if let Some(case) = word.ordinal.filter(|_| ends_in_digit(&text)) {
                        out.push_str(&text);
                        out.push_str(&cased(ordinal(&text), case));
                    } else {
                        out.push_str(&text);
                    }
                }
            }
        }
        Ok(out)
    }
}

fn ends_in_digit(text: &str) -> bool {
    text.ends_with(|c: char| c.is_ascii_digit())
}

/// `ST`, `ND`, `RD` or `TH`, by the last digits of a number.
pub(super) fn ordinal(number: &str) -> &'static str {
    let digits = number.as_bytes();
    let teens = digits.len() > 1 && digits.get(digits.len() - 2) == Some(&b'1');
    match digits.last() {
        Some(b'1') if !teens => "ST",
        Some(b'2') if !teens => "ND",
        Some(b'3') if !teens => "RD",
        _ => "TH",
    }
}

fn cased(text: &str, case: Case) -> String {
    match case {
        Case::Upper => text.to_uppercase(),
        Case::Lower => text.to_lowercase(),
        Case::Capital => text.to_owned(),
    }
}

/// A number with zeros in front, one more place for a sign.
fn padded(number: i64, width: usize, word: Word) -> String {
    if word.bare {
        return number.to_string();
    }
    let width = width + usize::from(number < 0);
    format!("{number:0width$}")
}

/// The Julian day; of a span, what its parts would be the date of.
fn julian(fields: &Fields) -> i64 {
    if !fields.is_span {
        return fields.days + JULIAN_EPOCH;
    }
    let (year, month) = if fields.month > 2 {
        (fields.year + 4800, fields.month + 1)
    } else {
        (fields.year + 4799, fields.month + 13)
    };
    let century = year / 100;
    year * 365 - 32_167 + year / 4 - century + century / 4 + 7_834 * month / 256 + fields.day
}

/// The name of a day or month, which a span has not.
fn name(names: &[&'static str], at: i64, word: Word, short: bool) -> String {
    let full = usize::try_from(at)
        .ok()
        .and_then(|at| names.get(at).copied())
        .unwrap_or_default();
    let name = if short {
        full.get(..3).unwrap_or(full)
    } else {
        full
    };
    let name = cased(name, word.case);
    if word.bare || short {
        return name;
    }
    format!("{name:<NAME_WIDTH$}")
}

fn field(fields: &Fields, word: Word) -> Result<String, ValueError> {
    if let Some(text) = of_clock(fields, word) {
        return Ok(text);
    }
    if let Some(text) = of_year(fields, word) {
        return Ok(text);
    }
    let text = match word.name {
        "MONTH" | "MON" if !fields.is_span => {
            name(&MONTHS, fields.month - 1, word, word.name == "MON")
        }
        "MM" => padded(fields.month, 2, word),
        "DD" if word.bare => fields.day.to_string(),
        "DD" => format!("{:02}", fields.day),
        "J" => julian(fields).to_string(),
        "Q" if fields.month == 0 => String::new(),
        "Q" => ((fields.month - 1) / 3 + 1).to_string(),
        "W" => ((fields.day - 1) / 7 + 1).to_string(),
        "RM" => {
            let at = match fields.month {
                month if month < 0 => month + 12,
                0 if fields.year < 0 => 0,
                month => (month + 11) % 12,
            };
            let at = usize::try_from(at).unwrap_or(0);
            let roman = ROMAN
                .get(at)
                .filter(|_| fields.month != 0 || fields.year != 0);
            let roman = cased(roman.copied().unwrap_or_default(), word.case);
            if word.bare || roman.is_empty() {
                roman
            } else {
                format!("{roman:<4}")
            }
        }
        "FX" => String::new(),
        // The rest needs a day of the calendar.
        _ if fields.is_span => {
            return Err(ValueError::new(
                SqlState::INVALID_DATETIME_FORMAT,
                "invalid format specification for an interval value",
            )
            .with_detail("Intervals are not tied to specific calendar dates."));
        }
        "DAY" | "DY" => name(
            &WEEKDAYS,
            iso_weekday(fields.days) - 1,
            word,
            word.name == "DY",
        ),
        "DDD" => padded(day_of_year(fields.days), 3, word),
        "IDDD" => {
            let (_, week) = iso_week(fields.days);
            padded((week - 1) * 7 + iso_weekday(fields.days), 3, word)
        }
        "D" => (iso_weekday(fields.days) % 7 + 1).to_string(),
        "ID" => iso_weekday(fields.days).to_string(),
        "WW" => padded((day_of_year(fields.days) - 1) / 7 + 1, 2, word),
        "IW" => padded(iso_week(fields.days).1, 2, word),
        "AD" | "BC" => cased(if fields.year <= 0 { "BC" } else { "AD" }, word.case),
        "A.D." | "B.C." => cased(if fields.year <= 0 { "B.C." } else { "A.D." }, word.case),
        _ => of_zone(fields, word),
    };
    Ok(text)
}

fn of_clock(fields: &Fields, word: Word) -> Option<String> {
    let afternoon = fields.hour % 24 >= 12;
    Some(match word.name {
        "HH" | "HH12" => {
            let hour = fields.hour % 12;
            padded(if hour == 0 { 12 } else { hour }, 2, word)
        }
        "HH24" => padded(fields.hour, 2, word),
        "MI" => padded(fields.minute, 2, word),
        "SS" => padded(fields.second, 2, word),
        "MS" | "FF3" => format!("{:03}", fields.micros / 1_000),
        "US" | "FF6" => format!("{:06}", fields.micros),
        "FF1" => format!("{:01}", fields.micros / 100_000),
        "FF2" => format!("{:02}", fields.micros / 10_000),
        "FF4" => format!("{:04}", fields.micros / 100),
        "FF5" => format!("{:05}", fields.micros / 10),
        "SSSS" | "SSSSS" => (fields.hour * 3600 + fields.minute * 60 + fields.second).to_string(),
        "AM" | "PM" => cased(if afternoon { "PM" } else { "AM" }, word.case),
        "A.M." | "P.M." => cased(if afternoon { "P.M." } else { "A.M." }, word.case),
        _ => return None,
    })
}

fn of_year(fields: &Fields, word: Word) -> Option<String> {
    let iso = word.name.starts_with('I');
    let year = if iso && !fields.is_span {
        iso_week(fields.days).0
    } else {
        fields.year
    };
    // There is no year 0: 1 BC is written as 1.
    let shown = if !fields.is_span && year <= 0 {
        1 - year
    } else {
        year
    };
    Some(match word.name {
        "YYYY" | "IYYY" => padded(shown, 4, word),
        "YYY" | "IYY" => padded(shown % 1000, 3, word),
        "YY" | "IY" => padded(shown % 100, 2, word),
        "Y" | "I" => padded(shown % 10, 1, word),
        "Y,YYY" => format!("{},{:03}", shown / 1000, shown % 1000),
        "CC" => {
            let century = match fields.year {
                year if fields.is_span => year / 100,
                year if year > 0 => (year - 1) / 100 + 1,
                year => year / 100 - 1,
            };
            if century.abs() <= 99 {
                padded(century, 2, word)
            } else {
                century.to_string()
            }
        }
        _ => return None,
    })
}

fn of_zone(fields: &Fields, word: Word) -> String {
    let (name, seconds) = match &fields.zone {
        Some((name, seconds)) => (name.as_str(), *seconds),
        None => ("", 0),
    };
    let sign = if seconds < 0 { '-' } else { '+' };
    let (hours, minutes) = (seconds.abs() / 3600, seconds.abs() / 60 % 60);
    match word.name {
        "TZ" => cased(name, word.case),
        "TZH" => format!("{sign}{hours:02}"),
        "TZM" => format!("{minutes:02}"),
        _ => {
            let minutes = if minutes == 0 {
                String::new()
            } else {
                format!(":{minutes:02}")
            };
            if word.bare {
                format!("{sign}{hours}{minutes}")
            } else {
                format!("{sign}{hours:02}{minutes}")
            }
        }
    }
}
