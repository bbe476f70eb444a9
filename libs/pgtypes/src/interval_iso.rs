//! Intervals in the forms of ISO 8601: with designators, `P1DT2H`, and in the alternative format, `P0002-10-15T10:30:20`
//! or run together `P00021015T103020`.

use crate::Unit;
use crate::float::{double_of_integer, exact_integer};
use crate::interval_text::{Quantity, Sum};
use crate::moment_text::Problem;

/// What a number may at most be.
const LARGEST: f64 = 1.0e15;
/// The digits of `YYYYMMDD` and of `HHMMSS`.
const DATE_DIGITS: usize = 8;
const TIME_DIGITS: usize = 6;

/// Adds what stands behind the `P`.
pub(crate) fn read(text: &str, sum: &mut Sum) -> Result<(), Problem> {
    if text.is_empty() {
        return Err(Problem::Syntax);
    }
    let mut reader = Reader {
        rest: text,
        sum,
        in_time: false,
        has_field: false,
    };
    while !reader.rest.is_empty() {
        if reader.take('T') {
            reader.begin_time();
        } else {
            reader.field()?;
        }
    }
    Ok(())
}

struct Reader<'a> {
    rest: &'a str,
    sum: &'a mut Sum,
    in_time: bool,
    /// A field with a designator came before, after which the alternative format may not follow.
    has_field: bool,
}

impl Reader<'_> {
    fn take(&mut self, letter: char) -> bool {
        match self.rest.strip_prefix(letter) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn begin_time(&mut self) {
        self.in_time = true;
        self.has_field = false;
    }

    /// A number with its designator, or a date or time in the alternative format.
    fn field(&mut self) -> Result<(), Problem> {
        let digits = width(self.rest);
        let number = self.number()?;
        let unit = match (self.rest.chars().next(), self.in_time) {
            (Some('Y'), false) => Unit::Year,
            (Some('M'), false) => Unit::Month,
            (Some('W'), false) => Unit::Week,
            (Some('D'), false) => Unit::Day,
            (Some('H'), true) => Unit::Hour,
            (Some('M'), true) => Unit::Minute,
            (Some('S'), true) => Unit::Second,
            (None | Some('T' | '-'), false) => return self.date(number, digits),
            (None | Some(':'), true) => return self.time(number, digits),
            _ => return Err(Problem::Syntax),
        };
        self.rest = self.rest.get(1..).unwrap_or_default();
        self.has_field = true;
        self.sum.count(number, unit)
    }

    /// A date whose first number is read: `00021015`, `0002`, `0002-10`, `0002-10-15`.
    fn date(&mut self, first: Quantity, digits: usize) -> Result<(), Problem> {
        if self.has_field {
            return Err(Problem::Syntax);
        }
        if digits == DATE_DIGITS && !self.rest.starts_with('-') {
            let [years, months, days] = pairs(first.whole);
            self.sum.count(whole(years), Unit::Year)?;
            self.sum.count(whole(months), Unit::Month)?;
            let days = Quantity {
                whole: days,
                ..first
            };
            self.sum.count(days, Unit::Day)?;
        } else {
            self.sum.count(first, Unit::Year)?;
            for unit in [Unit::Month, Unit::Day] {
                if !self.take('-') {
                    break;
                }
                let number = self.number()?;
                self.sum.count(number, unit)?;
            }
        }
        match self.take('T') {
            true => self.begin_time(),
            false if !self.rest.is_empty() => return Err(Problem::Syntax),
            false => {}
        }
        Ok(())
    }

    /// A time whose first number is read: `103020`, `10`, `10:30`, `10:30:20`. Nothing follows it.
    fn time(&mut self, first: Quantity, digits: usize) -> Result<(), Problem> {
        if self.has_field {
            return Err(Problem::Syntax);
        }
        if digits == TIME_DIGITS && self.rest.is_empty() {
            let [hours, minutes, seconds] = pairs(first.whole);
            self.sum.count(whole(hours), Unit::Hour)?;
            self.sum.count(whole(minutes), Unit::Minute)?;
            self.sum.count(whole(seconds), Unit::Second)?;
            // As PostgreSQL has it: this fraction counts microseconds.
            let fraction = Quantity { whole: 0, ..first };
            return self.sum.count(fraction, Unit::Microsecond);
        }
        self.sum.count(first, Unit::Hour)?;
        for unit in [Unit::Minute, Unit::Second] {
            if !self.take(':') {
                break;
            }
            let number = self.number()?;
            self.sum.count(number, unit)?;
        }
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Problem::Syntax)
        }
    }

    /// A decimal number, which may have an exponent.
    fn number(&mut self) -> Result<Quantity, Problem> {
        let (number, rest) = self.rest.split_at(number_length(self.rest));
        let value: f64 = number.parse().map_err(|_| Problem::Syntax)?;
        if value.abs() > LARGEST {
            return Err(Problem::Range);
        }
        self.rest = rest;
        let whole = exact_integer(value.trunc()).ok_or(Problem::Range)?;
        Ok(Quantity {
            whole,
            fraction: value - double_of_integer(whole),
        })
    }
}

/// How long the number is with which a text begins; 0 if it begins with none.
fn number_length(text: &str) -> usize {
    let digits = |from: usize| {
        let behind = text.as_bytes().get(from..).unwrap_or_default();
        behind.iter().take_while(|b| b.is_ascii_digit()).count()
    };
    let begins = |from: usize, with: &[char]| {
        let behind = text.get(from..).unwrap_or_default();
        usize::from(behind.starts_with(with))
    };
    let sign = begins(0, &['-']);
    let mut end = sign + digits(sign);
    let point = begins(end, &['.']);
    let fraction = digits(end + point);
    if end - sign + fraction * point == 0 {
        return 0;
    }
    end += point + fraction * point;
    let letter = begins(end, &['e', 'E']);
    let behind = end + letter + begins(end + letter, &['-', '+']);
    match digits(behind) {
        exponent if letter == 1 && exponent > 0 => behind + exponent,
        _ => end,
    }
}

/// The digits in front of the point.
fn width(text: &str) -> usize {
    let text = text.strip_prefix('-').unwrap_or(text);
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// A number of digits run together: what is before the last four, the two after, the last two.
fn pairs(number: i64) -> [i64; 3] {
    [number / 10_000, number / 100 % 100, number % 100]
}

fn whole(whole: i64) -> Quantity {
    Quantity {
        whole,
        fraction: 0.0,
    }
}

#[cfg(test)]
mod tests {
    use crate::{Interval, SqlState};

    /// As PostgreSQL 15 reads them.
    #[test]
    fn both_formats_are_read() {
        for (input, output) in [
            ("P1", "1 year"),
            ("PT", "00:00:00"),
            ("P1Y1Y", "2 years"),
            ("P1YTT1H", "1 year 01:00:00"),
            ("P1e3D", "1000 days"),
            ("P1W2D", "9 days"),
            ("P0002", "2 years"),
            ("P0002-10", "2 years 10 mons"),
            ("P0002-10-15", "2 years 10 mons 15 days"),
            ("P0002T10:30", "2 years 10:30:00"),
            ("P0002-10T10:30", "2 years 10 mons 10:30:00"),
            ("P0002-10-15T10:30:20", "2 years 10 mons 15 days 10:30:20"),
            ("P0002-10-15T103020", "2 years 10 mons 15 days 10:30:20"),
            ("P00021015T103020", "2 years 10 mons 15 days 10:30:20"),
            ("P00021015T", "2 years 10 mons 15 days"),
            ("P00021015.5", "2 years 10 mons 15 days 12:00:00"),
            ("PT103020.5", "10:30:20"),
            ("P-1-2-3T-1:2:3", "-10 mons +3 days -00:57:57"),
            ("PT1:60", "02:00:00"),
            ("PT2562047788.0152155019444", "2562047788:00:54.775429"),
            ("PT2562047788:00:54.775807", "2562047788:00:54.775807"),
        ] {
            let interval = Interval::parse(input).map(|span| span.to_string());
            assert_eq!(interval.as_deref(), Ok(output), "{input}");
        }
    }

    #[test]
    fn neither_format_is_told_from_too_much() {
        for (input, state) in [
            ("P1M2", SqlState::INVALID_DATETIME_FORMAT),
            ("PT1H2", SqlState::INVALID_DATETIME_FORMAT),
            ("P+1D", SqlState::INVALID_DATETIME_FORMAT),
            ("P.D", SqlState::INVALID_DATETIME_FORMAT),
            ("P-D", SqlState::INVALID_DATETIME_FORMAT),
            ("P1_", SqlState::INVALID_DATETIME_FORMAT),
            (" P1D", SqlState::INVALID_DATETIME_FORMAT),
            ("P1D ", SqlState::INVALID_DATETIME_FORMAT),
            ("PT10:30:20:1", SqlState::INVALID_DATETIME_FORMAT),
            ("PT1e16S", SqlState::INTERVAL_FIELD_OVERFLOW),
            ("P3000000000D", SqlState::INTERVAL_FIELD_OVERFLOW),
        ] {
            let error = Interval::parse(input).unwrap_err();
            assert_eq!(error.sqlstate, state, "{input}");
        }
    }
}
