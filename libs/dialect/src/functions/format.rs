//! `to_char`, `to_date`, `to_timestamp` and `to_number` with the templates that are in common use.

use pgtypes::calendar::{Civil, DAY, HOUR, MINUTE, MONTHS, SECOND, WEEKDAYS};
use pgtypes::{Decimal, SqlState, Timestamp, numeric};

use crate::error::DialectError;
use crate::functions::Value;
use crate::functions::convert::text_of;
use crate::functions::datetime::{JULIAN_EPOCH_DAYS, day_of_year, iso_week, weekday};
use crate::functions::text::{argument, text};

type Result = std::result::Result<Value, DialectError>;

/// Template words, longest first where one begins another.
const WORDS: &[&str] = &[
    "YYYY", "Y,YYY", "IYYY", "MONTH", "Month", "month", "HH24", "HH12", "IYY", "YYY", "DDD", "DAY",
    "Day", "day", "MON", "Mon", "mon", "YY", "MM", "DD", "DY", "Dy", "dy", "HH", "MI", "SS", "MS",
    "US", "AM", "PM", "am", "pm", "IW", "WW", "TZ", "OF", "Q", "D", "J", "FM",
];

/// The next template word at the start of `rest`, upper-case words matched in either case for digits.
fn word(rest: &str) -> Option<&'static str> {
    let exact = WORDS.iter().find(|word| rest.starts_with(**word));
    let upper = rest
        .get(..rest.len().min(6))
        .unwrap_or("")
        .to_ascii_uppercase();
    exact
        .or_else(|| WORDS.iter().find(|word| upper.starts_with(**word)))
        .copied()
}

/// `to_char(timestamp | number, template)`
pub(crate) fn to_char(arguments: &[Value]) -> Result {
    let template = argument(arguments, 1);
    let Some(value) = arguments.first() else {
        return Ok(Value::Null);
    };
    // No date is a number: one has its hyphens.
    if let Ok(number) = numeric::decimal(value.as_ref()) {
        return text(number_text(&number, &template));
    }
    let (at, _) = Timestamp::parse_any(&text_of(value))?;
    text(stamp_text(at, &template))
}

fn stamp_text(at: Timestamp, template: &str) -> String {
    let mut out = String::new();
    let mut rest = template;
    let mut fill = true;
    while let Some(first) = rest.chars().next() {
        if first == '"' {
            let body = rest.get(1..).unwrap_or("");
            let (quoted, tail) = body.split_once('"').unwrap_or((body, ""));
            out.push_str(quoted);
            rest = tail;
            continue;
        }
        match word(rest) {
            Some("FM") => {
                fill = false;
                rest = rest.get(2..).unwrap_or("");
            }
            Some(found) => {
                out.push_str(&field(at, found, fill));
                fill = true;
                rest = rest.get(found.len()..).unwrap_or("");
            }
            None => {
                out.push(first);
                rest = rest.get(first.len_utf8()..).unwrap_or("");
            }
        }
    }
    out
}

fn field(at: Timestamp, word: &str, fill: bool) -> String {
    let days = at.micros().div_euclid(DAY);
    let of_day = at.micros_of_day();
    let Civil { year, month, day } = Civil::of(days);
    let (hour, weekday) = (of_day / HOUR, weekday(days));
    let name = |names: &[&'static str], number: i64| {
        let at = usize::try_from(number - 1).unwrap_or(0);
        names.get(at).copied().unwrap_or("")
    };
    let month_name = name(&MONTHS, month.into());
    let day_name = name(&WEEKDAYS, weekday);
    let digits = |value: i64, width: usize| {
        if fill {
            format!("{value:0width$}")
        } else {
            value.to_string()
        }
    };
    let padded = |name: &str| {
        if fill {
            format!("{name:<9}")
        } else {
            name.to_owned()
        }
    };
    match word {
        "YYYY" => digits(year, 4),
        "Y,YYY" => format!("{},{:03}", year / 1000, year % 1000),
        "YYY" => digits(year % 1000, 3),
        "YY" => digits(year % 100, 2),
        "IYYY" => digits(iso_week(days).0, 4),
        "IYY" => digits(iso_week(days).0 % 1000, 3),
        "MM" => digits(month.into(), 2),
        "DD" => digits(day.into(), 2),
        "DDD" => digits(day_of_year(days), 3),
        "D" => (weekday % 7 + 1).to_string(),
        "HH24" => digits(hour, 2),
        "HH12" | "HH" => digits((hour + 11) % 12 + 1, 2),
        "MI" => digits(of_day % HOUR / MINUTE, 2),
        "SS" => digits(of_day % MINUTE / SECOND, 2),
        "MS" => format!("{:03}", of_day % SECOND / 1000),
        "US" => format!("{:06}", of_day % SECOND),
        "AM" | "PM" => if hour < 12 { "AM" } else { "PM" }.to_owned(),
        "am" | "pm" => if hour < 12 { "am" } else { "pm" }.to_owned(),
        "IW" => digits(iso_week(days).1, 2),
        "WW" => digits((day_of_year(days) - 1) / 7 + 1, 2),
        "Q" => ((month - 1) / 3 + 1).to_string(),
        "J" => (days + JULIAN_EPOCH_DAYS).to_string(),
        "TZ" => "UTC".to_owned(),
        "OF" => "+00".to_owned(),
        "MONTH" => padded(&month_name.to_uppercase()),
        "Month" => padded(month_name),
        "month" => padded(&month_name.to_lowercase()),
        "MON" => month_name.get(..3).unwrap_or("").to_uppercase(),
        "Mon" => month_name.get(..3).unwrap_or("").to_owned(),
        "mon" => month_name.get(..3).unwrap_or("").to_lowercase(),
        "DAY" => padded(&day_name.to_uppercase()),
        "Day" => padded(day_name),
        "day" => padded(&day_name.to_lowercase()),
        "DY" => day_name.get(..3).unwrap_or("").to_uppercase(),
        "Dy" => day_name.get(..3).unwrap_or("").to_owned(),
        _ => day_name.get(..3).unwrap_or("").to_lowercase(),
    }
}

/// Numbers: 9 and 0 for digits, `.` or D, `,` or G, FM, leading and trailing text.
fn number_text(number: &Decimal, template: &str) -> String {
    let (template, fill) = match template.strip_prefix("FM") {
        Some(rest) => (rest, false),
        None => (template, true),
    };
    let upper = template.replace('D', ".").replace('G', ",");
    let (whole, fraction) = upper
        .split_once('.')
        .map_or((upper.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let is_digit = |c: &char| matches!(c, '9' | '0');
    let places = fraction.map_or(0, |text| text.chars().filter(is_digit).count());
    let rounded = number
        .clone()
        .rounded(i16::try_from(places).unwrap_or(i16::MAX));
    let shown = rounded.to_string();
    let negative = shown.starts_with('-');
    let shown = shown.trim_start_matches('-');
    let (mut digits, decimals) = shown.split_once('.').unwrap_or((shown, ""));
    let room = whole.chars().filter(is_digit).count();
    if digits.len() > room {
        return upper
            .chars()
            .map(|c| if is_digit(&c) { '#' } else { c })
            .collect();
    }
    if digits == "0" && fraction.is_some() && !whole.contains('0') {
        digits = "";
    }
    let first_zero = whole
        .chars()
        .filter(is_digit)
        .position(|c| c == '0')
        .map_or(0, |at| room - at);
    let width = digits.len().max(first_zero);
    let mut source = format!("{digits:0>width$}").into_bytes();
    let mut body = Vec::new();
    for c in whole.chars().rev() {
        match c {
            '9' | '0' => body.push(source.pop().map_or(' ', char::from)),
            ',' => body.push(if source.is_empty() { ' ' } else { ',' }),
            other => body.push(other),
        }
    }
    let sign = if negative {
        "-"
    } else if fill {
        " "
    } else {
        ""
    };
    let whole: String = body.into_iter().rev().collect();
    let trimmed = whole.trim_start();
    let blanks = if fill {
        " ".repeat(whole.len() - trimmed.len())
    } else {
        String::new()
    };
    let tail = match fraction {
        Some(fraction) if !fill => {
            // 0 keeps its digit, 9 only while something follows.
            let digits: String = fraction.chars().filter(is_digit).collect();
            let least = digits.rfind('0').map_or(0, |at| at + 1);
            let shown = decimals.trim_end_matches('0').len().max(least);
            format!(".{}", decimals.get(..shown).unwrap_or(decimals))
        }
        Some(_) => format!(".{decimals}"),
        None => String::new(),
    };
    format!("{blanks}{sign}{trimmed}{tail}")
}

/// What a template reads out of a text.
struct Fields {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    micros: i64,
    afternoon: Option<bool>,
}

impl Fields {
    /// Takes the field of a template word from the start of `text`; gives what is left.
    fn take<'t>(&mut self, word: &str, text: &'t str) -> Option<&'t str> {
        let upper = word.to_ascii_uppercase();
        match upper.as_str() {
            "FM" | "TZ" | "OF" => return Some(text),
            "MON" | "MONTH" => {
                let end = text
                    .find(|c: char| !c.is_alphabetic())
                    .unwrap_or(text.len());
                let (name, rest) = text.split_at_checked(end)?;
                let short = name.get(..3)?.to_lowercase();
                let known = MONTHS
                    .iter()
                    .position(|month| month.to_lowercase().starts_with(&short))?;
                self.month = i64::try_from(known + 1).ok()?;
                return Some(rest);
            }
            "AM" | "PM" => {
                self.afternoon = Some(text.to_lowercase().starts_with('p'));
                return text.get(2..);
            }
            _ => {}
        }
        let width = match upper.as_str() {
            "YYYY" => 4,
            "MS" => 3,
            "US" => 6,
            _ => 2,
        };
        let digits = text
            .bytes()
            .take(width)
            .take_while(u8::is_ascii_digit)
            .count();
        let (number, rest) = text.split_at_checked(digits)?;
        let number: i64 = number.parse().ok()?;
        match upper.as_str() {
            "YYYY" => self.year = number,
            "YY" => {
                self.year = if number < 70 {
                    2000 + number
                } else {
                    1900 + number
                }
            }
            "MM" => self.month = number,
            "DD" => self.day = number,
            "HH24" | "HH12" | "HH" => self.hour = number,
            "MI" => self.minute = number,
            "SS" => self.second = number,
            "MS" => self.micros = number * 1000,
            "US" => self.micros = number,
            _ => return None,
        }
        Some(rest)
    }

    fn moment(self) -> Option<Timestamp> {
        let hour = self.afternoon.map_or(self.hour, |afternoon| {
            self.hour % 12 + if afternoon { 12 } else { 0 }
        });
        if hour > 23 || self.minute > 59 || self.second > 59 {
            return None;
        }
        let civil = Civil {
            year: self.year,
            month: u8::try_from(self.month).ok()?,
            day: u8::try_from(self.day).ok()?,
        };
        let micros = hour * HOUR + self.minute * MINUTE + self.second * SECOND + self.micros;
        Timestamp::finite(civil.days()? * DAY + micros).ok()
    }
}

/// Reads a text by a template.
fn read(value: &str, template: &str) -> std::result::Result<Timestamp, DialectError> {
    let message = || format!("invalid value \"{value}\" for \"{template}\"");
    let mut fields = Fields {
        year: 1,
        month: 1,
        day: 1,
        hour: 0,
        minute: 0,
        second: 0,
        micros: 0,
        afternoon: None,
    };
    let mut text = value.trim_start();
    let mut rest = template;
    while let Some(first) = rest.chars().next() {
        if let Some(found) = word(rest) {
            rest = rest.get(found.len()..).unwrap_or("");
            text = fields
                .take(found, text)
                .ok_or_else(|| DialectError::new(SqlState::INVALID_DATETIME_FORMAT, message()))?;
            continue;
        }
        rest = rest.get(first.len_utf8()..).unwrap_or("");
        let next = text
            .chars()
            .next()
            .filter(|c| !c.is_alphanumeric() || *c == first);
        text = text.get(next.map_or(0, char::len_utf8)..).unwrap_or("");
    }
    let range = || format!("date/time field value out of range: \"{value}\"");
    fields
        .moment()
        .ok_or_else(|| DialectError::new(SqlState::DATETIME_FIELD_OVERFLOW, range()))
}

pub(crate) fn to_date(arguments: &[Value]) -> Result {
    let at = read(&argument(arguments, 0), &argument(arguments, 1))?;
    text(at.date().to_string())
}

pub(crate) fn to_timestamp(arguments: &[Value]) -> Result {
    let at = read(&argument(arguments, 0), &argument(arguments, 1))?;
    text(at.with_zone().to_string())
}

/// `to_number(text, template)`: the digits, sign and point of the text.
pub(crate) fn to_number(arguments: &[Value]) -> Result {
    let value = argument(arguments, 0);
    let kept: String = value
        .chars()
        .filter(|c| c.is_ascii_digit() || matches!(c, '.' | '-'))
        .collect();
    let number = Decimal::parse(&kept).map_err(|error| {
        DialectError::new(
            error.sqlstate,
            format!("invalid input syntax for type numeric: \"{value}\""),
        )
    })?;
    Ok(Value::Text(number.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: Value, template: &str) -> String {
        text_of(&to_char(&[value, Value::Text(template.to_owned())]).unwrap())
    }

    #[test]
    fn timestamps_are_shown_by_templates() {
        let at = || Value::Text("2024-06-09 15:04:05.678".to_owned());
        assert_eq!(
            shown(at(), "YYYY-MM-DD HH24:MI:SS.MS"),
            "2024-06-09 15:04:05.678"
        );
        assert_eq!(
            shown(at(), "FMDD. FMMonth YY, HH12:MI am"),
            "9. June 24, 03:04 pm"
        );
        assert_eq!(shown(at(), "\"Week\" IW Dy"), "Week 23 Sun");
        assert_eq!(shown(at(), "yyyymmdd"), "20240609");
    }

    #[test]
    fn numbers_are_shown_by_templates() {
        assert_eq!(shown(Value::Real(1234.5), "9,999.99"), " 1,234.50");
        assert_eq!(shown(Value::Integer(7), "000"), " 007");
        assert_eq!(shown(Value::Integer(-12), "FM999"), "-12");
        assert_eq!(shown(Value::Real(0.5), "FM990.00"), "0.50");
        assert_eq!(shown(Value::Real(1.5), "FM990.0999"), "1.5");
        assert_eq!(shown(Value::Integer(3), "FM990.99"), "3.");
        assert_eq!(shown(Value::Integer(12345), "999"), "###");
    }
}
