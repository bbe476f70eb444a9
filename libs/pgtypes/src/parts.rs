//! What the fields of a date or time mean. As in PostgreSQL's `DecodeDateTime` that follows from a
//! field's look and from what is known before it.

use crate::calendar::{Civil, DAY, MINUTE, MONTHS, SECOND, UNIX_EPOCH_DAYS, WEEKDAYS};
use crate::fields::{Field, Kind, fields};
use crate::float::exact_integer;
use crate::moment_text::Problem;
use crate::zone::{self, BadOffset, Zone};
use crate::{Context, DateOrder};

/// The Julian day 2000-01-01.
const JULIAN_EPOCH_DAY: i64 = 2_451_545;
/// Further short forms of days of the week.
const SHORT_WEEKDAYS: [&str; 5] = ["tues", "wed", "weds", "thur", "thurs"];

/// The number of a month by its name or the first three letters of it.
fn month(word: &str) -> Option<i64> {
    let at = MONTHS.iter().position(|name| is_name(word, name));
    let at = at.or_else(|| (word == "sept").then_some(8))?;
    i64::try_from(at + 1).ok()
}

fn is_name(word: &str, name: &str) -> bool {
    let short = name.get(..3).unwrap_or(name);
    word.eq_ignore_ascii_case(name) || word.eq_ignore_ascii_case(short)
}

fn is_weekday(word: &str) -> bool {
    SHORT_WEEKDAYS.contains(&word) || WEEKDAYS.iter().any(|name| is_name(word, name))
}

/// Words that digits may follow at once.
fn is_word(word: &str) -> bool {
    let known = [
        "t", "j", "am", "pm", "ad", "bc", "at", "on", "z", "allballs",
    ];
    known.contains(&word) || month(word).is_some() || is_weekday(word)
}

/// What the fields read so far say.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says one thing about the text, and they do not exclude each other"
)]
pub(crate) struct Parts<'a> {
    context: &'a Context,
    year: Option<i64>,
    /// A year of two digits means one near 2000.
    short_year: bool,
    month: Option<i64>,
    month_is_word: bool,
    day: Option<i64>,
    /// The day of the year, in place of month and day.
    day_of_year: Option<i64>,
    /// Hours, and microseconds of the rest.
    time: Option<(i64, i64)>,
    afternoon: Option<bool>,
    before_christ: Option<bool>,
    zone: Option<Zone>,
    /// A `t` came before: a time must follow.
    time_follows: bool,
    /// A `j` came before: the number of a Julian day must follow.
    julian_follows: bool,
    /// Only a time of day is asked for, and a date may be missing.
    time_only: bool,
}

/// Fills a part; nothing may be said twice.
fn set<T>(part: &mut Option<T>, value: T) -> Result<(), Problem> {
    match part.replace(value) {
        None => Ok(()),
        Some(_) => Err(Problem::Syntax),
    }
}

fn digits(text: &str) -> Result<i64, Problem> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Problem::Syntax);
    }
    text.parse()
        .ok()
        .filter(|number| *number <= i64::from(i32::MAX))
        .ok_or(Problem::Range)
}

impl<'a> Parts<'a> {
    fn new(time_only: bool, context: &'a Context) -> Self {
        Self {
            context,
            year: None,
            short_year: false,
            month: None,
            month_is_word: false,
            day: None,
            day_of_year: None,
            time: None,
            afternoon: None,
            before_christ: None,
            zone: None,
            time_follows: false,
            julian_follows: false,
            time_only,
        }
    }

    pub(crate) fn read(
        lower: &str,
        time_only: bool,
        context: &'a Context,
    ) -> Result<Self, Problem> {
        let mut parts = Self::new(time_only, context);
        let fields = fields(lower, is_word).ok_or(Problem::Syntax)?;
        for field in &fields {
            if parts.time_follows && !matches!(field.kind, Kind::Number | Kind::Time | Kind::Date) {
                return Err(Problem::Syntax);
            }
            match field.kind {
                Kind::Number => parts.number(field.text)?,
                Kind::Date => parts.date(*field)?,
                Kind::Time => {
                    set(&mut parts.time, clock(field.text)?)?;
                    parts.time_follows = false;
                }
                Kind::Signed => parts.signed(field.text)?,
                Kind::Word => parts.word(field.text)?,
                Kind::SignedWord => return Err(Problem::Syntax),
            }
        }
        if parts.time_follows || parts.julian_follows {
            return Err(Problem::Syntax);
        }
        Ok(parts)
    }

    fn has_date(&self) -> bool {
        self.year.is_some() && self.has_month_and_day()
    }

    fn has_month_and_day(&self) -> bool {
        self.day_of_year.is_some() || self.month.is_some() && self.day.is_some()
    }

    /// Nothing of a date is known.
    pub(crate) fn has_no_date(&self) -> bool {
        self.year.is_none() && self.month.is_none() && self.day.is_none()
    }

    fn number(&mut self, text: &str) -> Result<(), Problem> {
        if std::mem::take(&mut self.time_follows) {
            return self.run_together_time(text);
        }
        if std::mem::take(&mut self.julian_follows) {
            return self.at(digits(text)? - JULIAN_EPOCH_DAY, None);
        }
        let whole = text.find('.');
        if self.time_only && self.has_no_date() && whole != Some(0) {
            return self.run_together(text);
        }
        match whole {
            Some(_) if self.has_no_date() => self.date_pieces(text),
            Some(length) if length > 2 => self.run_together(text),
            Some(_) => Err(Problem::Syntax),
            // Behind a part of a date and a time, so many digits are a year.
            None if text.len() >= 6 && (self.has_no_date() || self.time.is_none()) => {
                self.run_together(text)
            }
            None => self.date_part(text),
        }
    }

    /// A number of a date: year, month or day, by what is known and by its length.
    fn date_part(&mut self, text: &str) -> Result<(), Problem> {
        let value = digits(text)?;
        let order = self.context.date_order;
        let long = text.len() >= 3;
        let year_first = long || order == DateOrder::Ymd;
        let known = (
            self.year.is_some(),
            self.month.is_some(),
            self.day.is_some(),
        );
        if text.len() == 3 && known == (true, false, false) && (1..=366).contains(&value) {
            return set(&mut self.day_of_year, value);
        }
        match known {
            _ if self.has_date() => return self.run_together(text),
            (false, false, false) if year_first => self.set_year(text, value),
            (false, true, false) if year_first && self.month_is_word => {
                self.set_year(text, value);
            }
            (false, false, false) if order == DateOrder::Dmy => self.day = Some(value),
            (_, false, false) | (false, false, true) => {
                self.month = Some(value);
            }
            // 31-Jan-2024: the first number was the day.
            (true, true, false) if self.month_is_word && long && self.short_year => {
                self.day = self.year;
                self.set_year(text, value);
            }
            (false | true, true, false) => self.day = Some(value),
            (false, true, true) => self.set_year(text, value),
            (true, _, true) => return Err(Problem::Syntax),
        }
        Ok(())
    }

    fn set_year(&mut self, text: &str, value: i64) {
        self.year = Some(value);
        self.short_year = text.len() <= 2;
    }

    /// `20240131`, `240131`, or with a date before it `101112`, `1011`, `101112.5`.
    fn run_together(&mut self, text: &str) -> Result<(), Problem> {
        let is_date = !self.time_only && !self.has_date() && !text.contains('.');
        if !is_date {
            return self.run_together_time(text);
        }
        let (rest, day) = text
            .split_at_checked(text.len().saturating_sub(2))
            .ok_or(Problem::Syntax)?;
        let (year, month) = rest
            .split_at_checked(rest.len().saturating_sub(2))
            .ok_or(Problem::Syntax)?;
        if year.len() < 2 {
            return Err(Problem::Syntax);
        }
        set(&mut self.day, digits(day)?)?;
        set(&mut self.month, digits(month)?)?;
        let value = digits(year)?;
        if self.year.is_some() {
            return Err(Problem::Syntax);
        }
        self.set_year(year, value);
        Ok(())
    }

    fn run_together_time(&mut self, text: &str) -> Result<(), Problem> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let two = |at: usize| whole.get(at..at + 2).map_or(Err(Problem::Syntax), digits);
        let second = match whole.len() {
            6 => two(4)?,
            4 => 0,
            _ => return Err(Problem::Syntax),
        };
        let rest = rest_of_hour(two(2)?, second, fraction)?;
        set(&mut self.time, (two(0)?, rest))
    }

    /// A date, or what looks like one: the name of a zone, or a time run together with a zone.
    fn date(&mut self, field: Field<'_>) -> Result<(), Problem> {
        // `101112-08` is a time where no date is asked for.
        let is_time = self.time_only
            && self.has_no_date()
            && field.text.split_once('-').is_some_and(|(time, zone)| {
                time.len() >= 6 && digits(time).is_ok() && digits(zone).is_ok()
            });
        let after_t = std::mem::take(&mut self.time_follows) || is_time;
        if !after_t && !self.has_month_and_day() {
            return self.date_pieces(field.text);
        }
        if after_t || field.starts_with_digit() {
            let at = field.text.find('-').ok_or(Problem::Syntax)?;
            let (time, zone) = field.text.split_at(at);
            self.run_together_time(time)?;
            return self.signed(zone);
        }
        let zone = Zone::full(field.text);
        let zone = zone.ok_or_else(|| Problem::UnknownZone(field.text.to_owned()))?;
        set(&mut self.zone, zone)
    }

    /// `2024-01-31`, `1/31/2024`, `31-jan-2024`: the names first, as they can't be mistaken.
    fn date_pieces(&mut self, text: &str) -> Result<(), Problem> {
        let pieces = || {
            text.split(['-', '/', '.', '_', ':', '+'])
                .filter(|piece| !piece.is_empty())
        };
        let is_name = |piece: &&str| piece.starts_with(|c: char| c.is_ascii_alphabetic());
        for name in pieces().filter(is_name) {
            set(&mut self.month, month(name).ok_or(Problem::Syntax)?)?;
            self.month_is_word = true;
        }
        for number in pieces().filter(|piece| !is_name(piece)) {
            self.date_part(number)?;
        }
        // Such a date comes before the time.
        if self.has_date() && self.time.is_none() {
            Ok(())
        } else {
            Err(Problem::Syntax)
        }
    }

    fn signed(&mut self, text: &str) -> Result<(), Problem> {
        let offset = zone::offset(text).map_err(|problem| match problem {
            BadOffset::Syntax => Problem::Syntax,
            BadOffset::Range => Problem::Displacement,
        })?;
        set(&mut self.zone, Zone::Fixed(offset))
    }

    fn word(&mut self, word: &str) -> Result<(), Problem> {
        if let Some(zone) = Zone::abbreviated(word) {
            return set(&mut self.zone, zone);
        }
        if let Some(month) = month(word) {
            return self.month_word(month);
        }
        match word {
            "t" if self.has_date() => {
                self.time_follows = true;
                Ok(())
            }
            "j" if !self.has_date() => {
                self.julian_follows = true;
                Ok(())
            }
            "at" | "on" => Ok(()),
            "am" => set(&mut self.afternoon, false),
            "pm" => set(&mut self.afternoon, true),
            "ad" => set(&mut self.before_christ, false),
            "bc" => set(&mut self.before_christ, true),
            "allballs" => {
                set(&mut self.time, (0, 0))?;
                set(&mut self.zone, Zone::Fixed(0))
            }
            "epoch" => self.at(UNIX_EPOCH_DAYS, Some((0, 0))),
            "now" => {
                let (local, offset) = self.context.local_now();
                self.at(local.div_euclid(DAY), Some((local.rem_euclid(DAY), offset)))
            }
            "today" => self.at(self.today(), None),
            "tomorrow" => self.at(self.today() + 1, None),
            "yesterday" => self.at(self.today() - 1, None),
            _ if is_weekday(word) => Ok(()),
            _ => set(&mut self.zone, Zone::full(word).ok_or(Problem::Syntax)?),
        }
    }

    fn month_word(&mut self, month: i64) -> Result<(), Problem> {
        // 31 Jan 2024: the number before was the day.
        if let Some(number) = self
            .month
            .filter(|_| !self.month_is_word && self.day.is_none())
        {
            self.day = Some(number);
            self.month = None;
        }
        self.month_is_word = true;
        set(&mut self.month, month)
    }

    fn today(&self) -> i64 {
        self.context.local_now().0.div_euclid(DAY)
    }

    /// A whole moment from a word, or the day alone; with a time goes its distance from Greenwich.
    fn at(&mut self, days: i64, time: Option<(i64, i64)>) -> Result<(), Problem> {
        let civil = Civil::of(days);
        set(&mut self.year, civil.year)?;
        set(&mut self.month, i64::from(civil.month))?;
        set(&mut self.day, i64::from(civil.day))?;
        if let Some((micros, offset)) = time {
            set(&mut self.time, (0, micros))?;
            set(&mut self.zone, Zone::Fixed(offset))?;
        }
        Ok(())
    }

    /// The number of the day that is said.
    pub(crate) fn days(&self) -> Result<i64, Problem> {
        if !self.has_date() {
            return Err(Problem::Syntax);
        }
        // There is no year 0: 1 BC is written as such.
        let year = match self.year {
            Some(year) if self.before_christ == Some(true) && year > 0 => 1 - year,
            Some(year @ 0..70) if self.short_year => 2000 + year,
            Some(year) if self.short_year => 1900 + year,
            Some(year) if year > 0 => year,
            _ => return Err(Problem::Range),
        };
        let day = |month, day| Civil { year, month, day }.days().ok_or(Problem::Range);
        if let Some(of_year) = self.day_of_year {
            return Ok(day(1, 1)? + of_year - 1);
        }
        let within = |part: Option<i64>, last: u8| {
            let part = part.and_then(|part| u8::try_from(part).ok());
            part.filter(|part| (1..=last).contains(part))
                .ok_or(Problem::MonthOrDay)
        };
        day(within(self.month, 12)?, within(self.day, 31)?)
    }

    /// The time of day that is said, if one is.
    pub(crate) fn micros(&self) -> Result<Option<i64>, Problem> {
        let Some((hour, rest)) = self
            .time
            .or(self.afternoon.filter(|_| !self.time_only).map(|_| (0, 0)))
        else {
            return Ok(None);
        };
        let hour = match self.afternoon {
            Some(_) if hour > 12 => return Err(Problem::Range),
            Some(afternoon) => hour % 12 + if afternoon { 12 } else { 0 },
            None => hour,
        };
        // 23:59:60 is a leap second, 24:00:00 the end of the day.
        let micros = hour * 60 * MINUTE + rest;
        if micros > DAY {
            return Err(Problem::Range);
        }
        Ok(Some(micros))
    }

    /// The distance from Greenwich that is said; that of a place only where the day is known.
    pub(crate) fn offset(&self, days: Option<i64>, micros: i64) -> Result<Option<i64>, Problem> {
        Ok(match (&self.zone, days) {
            (None, _) => None,
            (Some(Zone::Fixed(seconds)), _) => Some(*seconds),
            (Some(zone), Some(days)) => Some(zone.offset_of_local(days, micros)),
            (Some(_), None) => return Err(Problem::Syntax),
        })
    }
}

/// `10:00`, `10:00:00`, `10:00:00.5`, and `10:00.5`, which is minutes and seconds: the hours, and
/// microseconds of the rest.
pub(crate) fn clock(text: &str) -> Result<(i64, i64), Problem> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let mut numbers = whole.split(':').map(|part| {
        // `10:` is ten o'clock.
        let part = if part.is_empty() { "0" } else { part };
        if !part.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Problem::Syntax);
        }
        part.parse::<i64>().map_err(|_| Problem::Range)
    });
    let mut next = || numbers.next().transpose();
    let (first, second, third) = (next()?, next()?, next()?);
    let (Some(first), Some(second), None) = (first, second, next()?) else {
        return Err(Problem::Syntax);
    };
    let (hour, minute, second) = match third {
        None if fraction.is_some() => (0, first, second),
        third => (first, second, third.unwrap_or(0)),
    };
    Ok((
        hour,
        rest_of_hour(minute, second, fraction.unwrap_or_default())?,
    ))
}

fn rest_of_hour(minute: i64, second: i64, fraction: &str) -> Result<i64, Problem> {
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Problem::Syntax);
    }
    if minute > 59 || second > 60 {
        return Err(Problem::Range);
    }
    Ok(minute * MINUTE + second * SECOND + micros_of_fraction(fraction))
}

/// Digits behind the point of a second, rounded to microseconds; what is between two of them as a double is.
fn micros_of_fraction(fraction: &str) -> i64 {
    let seconds: f64 = ["0.", fraction, "0"].concat().parse().unwrap_or(0.0);
    exact_integer((seconds * 1e6).round_ties_even()).unwrap_or(0)
}
