//! `to_date` and `to_timestamp`

use pgtypes::calendar::{DAY, MONTHS, SECOND, WEEKDAYS};
use pgtypes::{Date, SqlState, SqlValueRef, Timestamp, ValueError};

use crate::arguments::{text, whole};
use crate::error::fail;
use crate::registry::Scalar;
use crate::template::date_parts::{Convention, Parts, bad};
use crate::template::words::{Piece, Template, Word};

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_to_date", 2, |a| {
        let parts = read(a)?;
        let days = parts.days(text(a, 0)?)?;
        // The time is left out, and still has to be one.
        parts.micros(text(a, 0)?)?;
        match Date::new(days) {
            Ok(date) if !date.is_infinite() => whole(date.days().into()),
            _ => fail(
                SqlState::DATETIME_FIELD_OVERFLOW,
                format!("date out of range: \"{}\"", text(a, 0)?),
            ),
        }
    }),
    Scalar::session("pg_to_timestamp", 2, |session, a| {
        let parts = read(a)?;
        let source = text(a, 0)?;
        let micros = parts
            .days(source)?
            .saturating_mul(DAY)
            .saturating_add(parts.micros(source)?);
        if let Some(east) = parts.zone(source)? {
            let micros = parts.rounded(micros - east * SECOND);
            return whole(Timestamp::finite(micros)?.micros());
        }
        let moment = Timestamp::finite(micros)?.to_utc(session.time_zone())?;
        whole(Timestamp::finite(parts.rounded(moment.micros()))?.micros())
    }),
];

const ROMAN: [&str; 12] = [
    "XII", "XI", "X", "IX", "VIII", "VII", "VI", "V", "IV", "III", "II", "I",
];

struct Reader<'a> {
    whole: &'a str,
    rest: &'a str,
    exact: bool,
    /// Blanks that were skipped beyond those of the template.
    extra: i64,
}

fn read(arguments: &[SqlValueRef<'_>]) -> Result<Parts, ValueError> {
    let template = Template::parse(text(arguments, 1)?);
    let exact = template
        .pieces
        .iter()
        .any(|piece| matches!(piece, Piece::Field(word) if word.name == "FX"));
    let mut reader = Reader {
        whole: text(arguments, 0)?,
        rest: text(arguments, 0)?,
        exact,
        extra: 0,
    };
    let mut parts = Parts::default();
    for (at, piece) in template.pieces.iter().enumerate() {
        if reader.rest.is_empty() {
            break;
        }
        if !exact && (matches!(piece, Piece::Field(_)) || at == 0) {
            reader.skip_blanks();
        }
        match piece {
            Piece::Separator(_) => reader.separator(),
            Piece::Text(_) => reader.text(),
            Piece::Field(word) => {
                let greedy = word.bare || follows_no_digit(*word, template.pieces.get(at + 1));
                reader.field(*word, greedy, &mut parts)?;
                if word.ordinal.is_some() {
                    reader.advance(2);
                }
                if !exact {
                    reader.extra = 0;
                    reader.skip_blanks();
                }
            }
        }
    }
    Ok(parts)
}

/// Whether a number may have any length, as what follows begins with no digit.
fn follows_no_digit(word: Word, next: Option<&Piece>) -> bool {
    word.ordinal.is_some()
        || match next {
            None | Some(Piece::Separator(_)) => true,
            Some(Piece::Text(c)) => !c.is_ascii_digit(),
            Some(Piece::Field(next)) => matches!(
                next.name,
                "A.D."
                    | "A.M."
                    | "AD"
                    | "AM"
                    | "B.C."
                    | "BC"
                    | "DAY"
                    | "DY"
                    | "FX"
                    | "MONTH"
                    | "MON"
                    | "OF"
                    | "P.M."
                    | "PM"
                    | "RM"
                    | "TZ"
                    | "TZH"
            ),
        }
}

impl Reader<'_> {
    fn advance(&mut self, characters: usize) {
        let mut chars = self.rest.chars();
        for _ in 0..characters {
            chars.next();
        }
        self.rest = chars.as_str();
    }

    fn skip_blanks(&mut self) {
        while self.rest.starts_with(|c: char| c.is_ascii_whitespace()) {
            self.advance(1);
            self.extra += 1;
        }
    }

    fn separator(&mut self) {
        if self.exact {
            self.advance(1);
            return;
        }
        self.extra -= 1;
        if self
            .rest
            .starts_with(|c: char| c.is_ascii_whitespace() || c.is_ascii_punctuation())
        {
            self.advance(1);
            self.extra += 1;
        }
    }

    fn text(&mut self) {
        if !self.exact && self.extra > 0 {
            self.extra -= 1;
        } else {
            self.advance(1);
        }
    }

    /// A number of so many digits, and how many characters it took.
    fn number(
        &mut self,
        width: usize,
        word: Word,
        greedy: bool,
    ) -> Result<(i64, usize), ValueError> {
        self.rest = self
            .rest
            .trim_start_matches(|c: char| c.is_ascii_whitespace());
        let limit = if greedy { usize::MAX } else { width };
        let signed = usize::from(self.rest.starts_with(['-', '+']));
        let digits = self
            .rest
            .bytes()
            .skip(signed)
            .take_while(u8::is_ascii_digit)
            .take(limit.saturating_sub(signed))
            .count();
        let name = word.spelling();
        // As many bytes as the field has, of whole characters.
        let ends = self.rest.char_indices().map(|(at, c)| at + c.len_utf8());
        let end = ends.take_while(|end| *end <= width).last().unwrap_or(0);
        let shown = self.rest.get(..end).unwrap_or_default().to_owned();
        if !greedy && self.rest.chars().count() < width {
            return bad(
                format!("source string too short for \"{name}\" formatting field"),
                format!(
                    "Field requires {width} characters, but only {} remain.",
                    self.rest.chars().count()
                ),
            );
        }
        if digits == 0 {
            return bad(
                format!("invalid value \"{shown}\" for \"{name}\""),
                "Value must be an integer.",
            );
        }
        let used = signed + digits;
        if !greedy && used < width {
            return bad(
                format!("invalid value \"{shown}\" for \"{name}\""),
                format!("Field requires {width} characters, but only {used} could be parsed."),
            );
        }
        let (head, tail) = self.rest.split_at(used);
        self.rest = tail;
        match head.parse::<i32>() {
            Ok(number) => Ok((number.into(), used)),
            Err(_) => fail(
                SqlState::DATETIME_FIELD_OVERFLOW,
                format!("value for \"{name}\" in source string is out of range"),
            ),
        }
    }

    /// One of several names, in any case; which of them.
    fn name(&mut self, names: &[&str], word: Word) -> Result<usize, ValueError> {
        let longest = names
            .iter()
            .enumerate()
            .filter(|(_, name)| {
                self.rest
                    .get(..name.len())
                    .is_some_and(|head| head.eq_ignore_ascii_case(name))
            })
            .max_by_key(|(_, name)| name.len());
        match longest {
            Some((at, name)) => {
                self.rest = self.rest.get(name.len()..).unwrap_or_default();
                Ok(at)
            }
            None => {
                let shown: String = self.rest.split_whitespace().next().unwrap_or("").into();
                bad(
                    format!("invalid value \"{shown}\" for \"{}\"", word.spelling()),
                    "The given value did not match any of the allowed values for this field.",
                )
            }
        }
    }

    fn field(&mut self, word: Word, greedy: bool, parts: &mut Parts) -> Result<(), ValueError> {
        let width = word.name.len();
        keep_convention(word, parts)?;
        match word.name {
            "FX" => {}
            "AD" | "BC" => self.either(&["AD", "BC"], word, &mut parts.before_christ)?,
            "A.D." | "B.C." => self.either(&["A.D.", "B.C."], word, &mut parts.before_christ)?,
            "MM" => set(&mut parts.month, self.number(2, word, greedy)?.0, word)?,
            "DD" => set(&mut parts.day, self.number(2, word, greedy)?.0, word)?,
            "MONTH" | "MON" => {
                let short = MONTHS.map(|name| name.get(..3).unwrap_or(name));
                let names: &[&str] = if width == 3 { &short } else { &MONTHS };
                set(&mut parts.month, position(self.name(names, word)?), word)?;
            }
            "DAY" | "DY" => {
                let short = WEEKDAYS.map(|name| name.get(..3).unwrap_or(name));
                let names: &[&str] = if width == 2 { &short } else { &WEEKDAYS };
                // From Monday on; in the parts from 0, Sunday, and one more once it is read.
                let weekday = position(self.name(names, word)?) % 7;
                set(&mut parts.weekday, weekday, word)?;
                parts.weekday += 1;
            }
            "RM" => set(
                &mut parts.month,
                13 - position(self.name(&ROMAN, word)?),
                word,
            )?,
            "DDD" | "IDDD" => set(
                &mut parts.day_of_year,
                self.number(3, word, greedy)?.0,
                word,
            )?,
            "D" => set(&mut parts.weekday, self.number(1, word, greedy)?.0, word)?,
            "ID" => {
                set(&mut parts.weekday, self.number(1, word, greedy)?.0, word)?;
                parts.weekday += 1;
                if parts.weekday > 7 {
                    parts.weekday = 1;
                }
            }
            "WW" | "IW" => set(&mut parts.week, self.number(2, word, greedy)?.0, word)?,
            "W" => set(
                &mut parts.week_of_month,
                self.number(1, word, greedy)?.0,
                word,
            )?,
            "J" => set(&mut parts.julian, self.number(1, word, greedy)?.0, word)?,
            "CC" => set(&mut parts.century, self.number(2, word, greedy)?.0, word)?,
            "Q" => drop(self.number(1, word, greedy)?),
            "TZH" | "TZM" => self.offset(word, greedy, parts)?,
            "TZ" | "OF" => {
                return fail(
                    SqlState::FEATURE_NOT_SUPPORTED,
                    format!(
                        "formatting field \"{}\" is only supported in to_char",
                        word.spelling()
                    ),
                );
            }
            _ if self.clock(word, greedy, parts)? => {}
            _ => self.year(word, greedy, parts)?,
        }
        Ok(())
    }

    /// Reads a field of the time of day; false for another one.
    fn clock(&mut self, word: Word, greedy: bool, parts: &mut Parts) -> Result<bool, ValueError> {
        if word.name.starts_with("FF") {
            parts.precision = word.name.get(2..).and_then(|digits| digits.parse().ok());
        }
        match word.name {
            "HH" | "HH12" | "HH24" => {
                set(&mut parts.hour, self.number(2, word, greedy)?.0, word)?;
                parts.twelve |= word.name != "HH24";
            }
            "MI" => set(&mut parts.minute, self.number(2, word, greedy)?.0, word)?,
            "SS" => set(&mut parts.second, self.number(2, word, greedy)?.0, word)?,
            "SSSS" | "SSSSS" => set(
                &mut parts.of_day,
                self.number(word.name.len(), word, greedy)?.0,
                word,
            )?,
            "MS" => self.fraction(3, word, greedy, &mut parts.millis)?,
            "FF3" => self.fraction(3, word, greedy, &mut parts.micros)?,
            "US" | "FF6" => self.fraction(6, word, greedy, &mut parts.micros)?,
            "FF1" => self.fraction(1, word, greedy, &mut parts.micros)?,
            "FF2" => self.fraction(2, word, greedy, &mut parts.micros)?,
            "FF4" => self.fraction(4, word, greedy, &mut parts.micros)?,
            "FF5" => self.fraction(5, word, greedy, &mut parts.micros)?,
            "AM" | "PM" | "A.M." | "P.M." => {
                let names = if word.name.contains('.') {
                    &["A.M.", "P.M."]
                } else {
                    &["AM", "PM"]
                };
                self.either(names, word, &mut parts.afternoon)?;
                parts.twelve = true;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// One of two names: the second sets the part.
    fn either(&mut self, names: &[&str; 2], word: Word, part: &mut i64) -> Result<(), ValueError> {
        let found = self.name(names, word)?;
        set(part, i64::from(found == 1), word)
    }

    /// A part of a second, which fewer digits tell from the left.
    fn fraction(
        &mut self,
        width: usize,
        word: Word,
        greedy: bool,
        part: &mut i64,
    ) -> Result<(), ValueError> {
        let (number, used) = self.number(width, word, greedy)?;
        set(part, number, word)?;
        let whole = if word.name == "MS" { 3_usize } else { 6 };
        let places = u32::try_from(whole.saturating_sub(used)).unwrap_or(0);
        *part *= 10_i64.pow(places);
        Ok(())
    }

    fn offset(&mut self, word: Word, greedy: bool, parts: &mut Parts) -> Result<(), ValueError> {
        if word.name == "TZM" {
            if parts.zone_sign == 0 {
                parts.zone_sign = 1;
            }
            let minutes = self.number(2, word, greedy)?.0;
            return set(&mut parts.zone_minutes, minutes, word);
        }
        // A sign may have been taken for a separator.
        let before = self.whole.len() - self.rest.len();
        let taken = self.extra > 0
            && !self.rest.starts_with(['-', '+', ' '])
            && self
                .whole
                .get(..before)
                .is_some_and(|text| text.ends_with('-'));
        let negative = taken || self.rest.starts_with('-');
        if self.rest.starts_with(['-', '+', ' ']) {
            self.advance(1);
        }
        parts.zone_sign = if negative { -1 } else { 1 };
        let hours = self.number(2, word, greedy)?.0;
        set(&mut parts.zone_hours, hours, word)
    }

    fn year(&mut self, word: Word, greedy: bool, parts: &mut Parts) -> Result<(), ValueError> {
        if word.name == "Y,YYY" {
            let (thousands, _) = self.number(1, word, true)?;
            self.rest = self.rest.strip_prefix(',').unwrap_or(self.rest);
            let (rest, _) = self.number(3, word, false)?;
            parts.year_width = 4;
            return set(&mut parts.year, thousands * 1000 + rest, word);
        }
        let width = word.name.len();
        let (year, used) = self.number(width, word, greedy)?;
        set(&mut parts.year, year, word)?;
        // Behind this, the same short year contradicts itself.
        if width < 4 && used < 4 {
            parts.year = near_2020(year);
        }
        parts.year_width = width;
        Ok(())
    }
}

/// 22007 for a template that counts days in both ways.
fn keep_convention(word: Word, parts: &mut Parts) -> Result<(), ValueError> {
    let own = match word.name {
        "IDDD" | "ID" | "IW" | "IYYY" | "IYY" | "IY" | "I" => Convention::IsoWeek,
        "DDD" | "DD" | "D" | "MM" | "MONTH" | "MON" | "RM" | "WW" | "W" | "Y,YYY" | "YYYY"
        | "YYY" | "YY" | "Y" => Convention::Gregorian,
        _ => return Ok(()),
    };
    if *parts.convention.get_or_insert(own) == own {
        return Ok(());
    }
    Err(ValueError::new(
        SqlState::INVALID_DATETIME_FORMAT,
        "invalid combination of date conventions",
    )
    .with_hint("Do not mix Gregorian and ISO week date conventions in a formatting template."))
}

fn position(at: usize) -> i64 {
    i64::try_from(at).unwrap_or(0) + 1
}

fn conflict<T>(word: Word) -> Result<T, ValueError> {
    bad(
        format!(
            "conflicting values for \"{}\" field in formatting string",
            word.spelling()
        ),
        "This value contradicts a previous setting for the same field type.",
    )
}

fn set(field: &mut i64, value: i64, word: Word) -> Result<(), ValueError> {
    if *field != 0 && *field != value {
        return conflict(word);
    }
    *field = value;
    Ok(())
}

/// The year that a shorter number means: the one that is nearest to 2020.
const fn near_2020(year: i64) -> i64 {
    match year {
        ..70 | 100..520 => year + 2000,
        70..100 => year + 1900,
        520..1000 => year + 1000,
        _ => year,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Days since 2000-01-01 and seconds of the day, or the message.
    fn moment(source: &str, template: &str) -> Result<(i64, i64), String> {
        let parts = read(&[SqlValueRef::Text(source), SqlValueRef::Text(template)]);
        let moment = parts.and_then(|parts| Ok((parts.days(source)?, parts.micros(source)?)));
        let (days, micros) = moment.map_err(|fault| fault.to_string())?;
        Ok((days, micros / SECOND))
    }

    #[test]
    fn a_field_that_comes_twice_says_the_same() {
        let of_years = |year: i64| Ok(((year - 2000) * 366, 0));
        assert_eq!(moment("2001 2001", "yyyy y"), of_years(2001));
        assert_eq!(moment("01 2001", "yy yyyy"), of_years(2001));
        for (source, template, field) in [
            ("1 1 1", "infinity", "i"),
            ("01 01", "yy yy", "yy"),
            ("mon mon 5", "dy dy dd", "dy"),
            ("12 12 1", "ms ms dd", "ms"),
            ("1 1 1", "id id iyyy", "id"),
            ("pm am 3", "am am hh", "am"),
        ] {
            let message = format!("conflicting values for \"{field}\" field in formatting string");
            assert_eq!(moment(source, template), Err(message), "{template}");
        }
        let mixed = "invalid combination of date conventions".to_owned();
        assert_eq!(moment("2024 7", "IYYY MM"), Err(mixed));
    }
}
