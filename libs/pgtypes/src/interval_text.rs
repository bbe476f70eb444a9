//! Reading intervals: PostgreSQL's own form, quantities with units (`1.5 days ago`), the years and
//! months of the SQL standard (`1-2`), and ISO 8601 (`P1DT2H`).

use crate::calendar::{DAY, HOUR};
use crate::error::{EXCERPT_CHARS, excerpt};
use crate::float::{double_of_integer, exact_integer};
use crate::interval::DAYS_PER_MONTH;
use crate::moment_text::Problem;
use crate::parts::clock;
use crate::{Context, Interval, IntervalStyle, SqlState, Unit, ValueError, interval_iso};

/// What the months of `1-2` are less than.
const MONTHS_PER_YEAR: i64 = 12;

impl Interval {
    /// Reads an interval; 22007 for what is none, 22015 for one that is too long.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        Self::parse_in(text, Context::standard())
    }

    /// Reads an interval with the settings of a session: in the SQL standard's style a sign in front
    /// counts for every part, unless there are other signs.
    pub fn parse_in(text: &str, context: &Context) -> Result<Self, ValueError> {
        let trimmed = text.trim_ascii();
        let mut sum = Sum {
            one_sign: context.interval_style == IntervalStyle::SqlStandard && has_one_sign(trimmed),
            ..Sum::default()
        };
        let read = match text.strip_prefix('P') {
            Some(iso) => interval_iso::read(iso, &mut sum),
            // Other marks only stand between fields.
            None if trimmed.contains(is_mark) => {
                sum.quantities(trimmed.replace(is_mark, " ").trim_ascii())
            }
            None => sum.quantities(trimmed),
        };
        read.and_then(|()| sum.interval()).map_err(|problem| {
            let shown = excerpt(text, EXCERPT_CHARS);
            match problem {
                Problem::Range => ValueError::new(
                    SqlState::INTERVAL_FIELD_OVERFLOW,
                    format!("interval field value out of range: \"{shown}\""),
                ),
                _ => ValueError::new(
                    SqlState::INVALID_DATETIME_FORMAT,
                    format!("invalid input syntax for type interval: \"{shown}\""),
                ),
            }
        })
    }
}

fn is_mark(c: char) -> bool {
    c.is_ascii_punctuation() && !matches!(c, '+' | '-' | '.' | ':' | '/' | '_')
}

/// A number taken apart; both parts have its sign.
#[derive(Clone, Copy)]
pub(crate) struct Quantity {
    pub(crate) whole: i64,
    pub(crate) fraction: f64,
}

/// What has been read so far.
#[derive(Debug, Default)]
pub(crate) struct Sum {
    months: i64,
    days: i64,
    micros: i64,
    /// The units that occurred, a bit each.
    seen: u32,
    /// A sign in front counts for every part.
    one_sign: bool,
}

impl Sum {
    fn interval(&self) -> Result<Interval, Problem> {
        Ok(Interval {
            months: i32::try_from(self.months).map_err(|_| Problem::Range)?,
            days: i32::try_from(self.days).map_err(|_| Problem::Range)?,
            micros: self.micros,
        })
    }

    /// No unit may occur twice.
    fn see(&mut self, units: &[Unit]) -> Result<(), Problem> {
        let bits = units.iter().fold(0, |bits, unit| bits | 1 << *unit as u32);
        if self.seen & bits != 0 {
            return Err(Problem::Syntax);
        }
        self.seen |= bits;
        Ok(())
    }

    /// Adds a number of units, none of which has occurred yet.
    fn add(&mut self, number: Quantity, unit: Unit) -> Result<(), Problem> {
        // A fraction of a second says milliseconds and microseconds as well.
        if unit == Unit::Second && number.fraction != 0.0 {
            self.see(&[unit, Unit::Millisecond, Unit::Microsecond])?;
        } else {
            self.see(&[unit])?;
        }
        self.count(number, unit)
    }

    /// Adds a number of units. A fraction of a month becomes days, of a day microseconds; of a
    /// year, whole months.
    pub(crate) fn count(&mut self, number: Quantity, unit: Unit) -> Result<(), Problem> {
        if let Some(micros) = unit.micros() {
            return self.add_micros(number, micros);
        }
        match unit {
            Unit::Quarter => Err(Problem::Syntax),
            Unit::Week => self.add_days(number, 7),
            Unit::Month => {
                add(&mut self.months, number.whole, 1)?;
                let days = Quantity { whole: 0, ..number };
                self.add_days(days, DAYS_PER_MONTH.into())
            }
            _ => match unit.months() {
                Some(months) => self.add_months(number, months.into()),
                None => self.add_days(number, 1),
            },
        }
    }

    fn add_micros(&mut self, number: Quantity, micros: i64) -> Result<(), Problem> {
        add(&mut self.micros, number.whole, micros)?;
        let rest = number.fraction * double_of_integer(micros);
        // A half goes towards zero.
        let rounded = (rest.abs() - 0.5).ceil().max(0.0).copysign(rest);
        add(
            &mut self.micros,
            exact_integer(rounded).ok_or(Problem::Range)?,
            1,
        )
    }

    fn add_days(&mut self, number: Quantity, days: i64) -> Result<(), Problem> {
        add(&mut self.days, number.whole, days)?;
        let rest = number.fraction * double_of_integer(days);
        add(
            &mut self.days,
            exact_integer(rest.trunc()).ok_or(Problem::Range)?,
            1,
        )?;
        let fraction = rest.fract();
        self.add_micros(Quantity { whole: 0, fraction }, DAY)
    }

    fn add_months(&mut self, number: Quantity, months: i64) -> Result<(), Problem> {
        add(&mut self.months, number.whole, months)?;
        let rest = (number.fraction * double_of_integer(months)).round_ties_even();
        add(
            &mut self.months,
            exact_integer(rest).ok_or(Problem::Range)?,
            1,
        )
    }

    fn quantities(&mut self, text: &str) -> Result<(), Problem> {
        let mut words = text
            .split(|c: char| c.is_ascii_whitespace() || c == ',')
            .flat_map(pieces)
            .peekable();
        let is_ago = |word: &&str| word.eq_ignore_ascii_case("ago");
        if words.peek().is_none_or(is_ago) {
            return Err(Problem::Syntax);
        }
        while let Some(word) = words.next() {
            if is_ago(&word) && words.peek().is_none() {
                return self.negate();
            }
            let (sign, number) = signed(word);
            let sign = if self.one_sign { -1 } else { sign };
            if number.contains(':') {
                self.clock(sign, number)?;
            } else if let Some((years, months)) = number.split_once('-') {
                let months = quantity(sign, months)?;
                if months.whole.abs() >= MONTHS_PER_YEAR {
                    return Err(Problem::Range);
                }
                self.add(quantity(sign, years)?, Unit::Year)?;
                self.add(months, Unit::Month)?;
            } else {
                let unit = match words.next_if(|next| !next.contains(':')) {
                    Some(name) => Unit::parse(name).ok_or(Problem::Syntax)?,
                    None if words.peek().is_some() => Unit::Day,
                    None => Unit::Second,
                };
                self.add(quantity(sign, number)?, unit)?;
            }
        }
        Ok(())
    }

    fn clock(&mut self, sign: i64, text: &str) -> Result<(), Problem> {
        self.see(&[
            Unit::Hour,
            Unit::Minute,
            Unit::Second,
            Unit::Millisecond,
            Unit::Microsecond,
        ])?;
        let (hours, rest) = clock(text)?;
        add(&mut self.micros, sign * rest, 1)?;
        add(&mut self.micros, sign * hours, HOUR)
    }

    fn negate(&mut self) -> Result<(), Problem> {
        for part in [&mut self.months, &mut self.days, &mut self.micros] {
            *part = part.checked_neg().ok_or(Problem::Range)?;
        }
        Ok(())
    }
}

/// Whether the first word has a minus and no other word a sign.
fn has_one_sign(text: &str) -> bool {
    let mut others = text
        .split(|c: char| c.is_ascii_whitespace() || c == ',')
        .skip(1);
    text.starts_with('-') && !others.any(|word| word.starts_with(['-', '+']))
}

fn add(sum: &mut i64, count: i64, size: i64) -> Result<(), Problem> {
    let added = i128::from(*sum) + i128::from(count) * i128::from(size);
    *sum = i64::try_from(added).map_err(|_| Problem::Range)?;
    Ok(())
}

/// The numbers and units of a word: `3h20m` is four pieces. Clock times stay whole.
fn pieces(word: &str) -> impl Iterator<Item = &str> {
    let whole = word.contains(':');
    let mut rest = word;
    std::iter::from_fn(move || {
        let letters = rest.starts_with(|c: char| c.is_ascii_alphabetic());
        let end = rest.find(|c: char| c.is_ascii_alphabetic() != letters);
        let (piece, behind) = rest.split_at(end.filter(|_| !whole).unwrap_or(rest.len()));
        rest = behind;
        (!piece.is_empty()).then_some(piece)
    })
}

fn signed(text: &str) -> (i64, &str) {
    match text.strip_prefix('-') {
        Some(number) => (-1, number),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// A decimal number without a sign of its own.
fn quantity(sign: i64, number: &str) -> Result<Quantity, Problem> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
        return Err(Problem::Syntax);
    }
    let whole = if whole.is_empty() { "0" } else { whole };
    // With its sign, as the least number has no positive one.
    let minus = if sign < 0 { "-" } else { "" };
    let whole: i64 = format!("{minus}{whole}")
        .parse()
        .map_err(|_| Problem::Range)?;
    let fraction: f64 = format!("0.{fraction}0")
        .parse()
        .map_err(|_| Problem::Range)?;
    Ok(Quantity {
        whole,
        fraction: double_of_integer(sign) * fraction,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::{Interval, SqlState};

    #[test]
    fn every_spelling_is_written_in_one_form() {
        for (input, output) in [
            (
                "1 year 2 mons 3 days 04:05:06",
                "1 year 2 mons 3 days 04:05:06",
            ),
            ("0", "00:00:00"),
            ("90 minutes", "01:30:00"),
            ("1.5 days", "1 day 12:00:00"),
            ("1.5 months", "1 mon 15 days"),
            ("2 weeks", "14 days"),
            ("1 day ago", "-1 days"),
            ("1 day -00:00:01", "1 day -00:00:01"),
            ("-1 month +1 day", "-1 mons +1 day"),
            ("-1 day 02:03", "-1 days +02:03:00"),
            ("1 02:03:04", "1 day 02:03:04"),
            ("5", "00:00:05"),
            ("1.25s", "00:00:01.25"),
            ("3h20m", "03:20:00"),
            ("250 ms", "00:00:00.25"),
            ("P1Y2M3DT4H5M6.7S", "1 year 2 mons 3 days 04:05:06.7"),
            ("PT36H", "36:00:00"),
            ("@ 1 century", "100 years"),
            ("14 mons", "1 year 2 mons"),
            ("1.04 years", "1 year"),
            ("1.05 years", "1 year 1 mon"),
            ("1.5 weeks", "10 days 12:00:00"),
            ("1-2", "1 year 2 mons"),
            ("-1-2", "-1 years -2 mons"),
            ("1-2 3 4:05:06", "1 year 2 mons 3 days 04:05:06"),
            ("1:2.5", "00:01:02.5"),
            ("1.9999999 sec", "00:00:02"),
            ("0.0000005 s", "00:00:00"),
            ("1 day, 2 hours", "1 day 02:00:00"),
            ("1.5 12:00", "1 day 24:00:00"),
            ("-.5 day", "-12:00:00"),
            ("1:", "01:00:00"),
            ("PT", "00:00:00"),
            ("P-1DT1.5H", "-1 days +01:30:00"),
            ("12 microsecon 2 cent 1 yrs", "201 years 00:00:00.000012"),
            ("9223372036854775807 us", "2562047788:00:54.775807"),
            ("-9223372036854775808 us", "-2562047788:00:54.775808"),
            ("@ 1 hour @ 42 minutes @ 20 seconds", "01:42:20"),
            ("1@ hour", "01:00:00"),
            (
                "1.5 year 3.5 mon 2.5 day 1.5 hour 30.5 min 10.5 sec",
                "1 year 9 mons 17 days 14:00:40.5",
            ),
        ] {
            let interval = match Interval::parse(input) {
                Ok(interval) => interval,
                Err(error) => panic!("{input}: {error}"),
            };
            assert_eq!(interval.to_string(), output, "{input}");
        }
    }

    #[test]
    fn what_is_no_interval_is_told_from_one_that_is_too_long() {
        for bad in [
            "",
            "abc",
            "1 fortnight",
            "ago",
            "P",
            "PT1D",
            "1:2:3:4",
            "-",
            "1 day day",
            "1 day 1 day",
            "1:00 2 hours",
            "5 us 1:00",
            "5 1 day",
            "1-2-3",
            "1 quarter",
            "1e3 s",
            "1,5 days",
            "infinity",
            // The fraction of a second is said twice.
            "1.5 sec 2 ms",
            "2 us 1.5 sec",
        ] {
            let error = Interval::parse(bad).unwrap_err();
            assert_eq!(error.sqlstate, SqlState::INVALID_DATETIME_FORMAT, "{bad}");
        }
        for long in [
            "99999999999999999999 days",
            "3000000000 days",
            "1000000000 years",
            "1:60",
            "1-12",
            "9223372036854775808 us",
            "-9223372036854775809 us",
            "9223372036854775808 us ago",
        ] {
            let error = Interval::parse(long).unwrap_err();
            assert_eq!(error.sqlstate, SqlState::INTERVAL_FIELD_OVERFLOW, "{long}");
        }
    }

    proptest! {
        #[test]
        fn any_interval_survives_its_text(
            months: i32, days: i32, micros in -9_223_372_036_000_000_000_i64..9_223_372_036_000_000_000
        ) {
            let interval = Interval { months, days, micros };
            prop_assert_eq!(Interval::parse(&interval.to_string()).unwrap(), interval);
        }

        #[test]
        fn reading_never_panics(text in "[0-9PTYMWDHS:.+@ adgo-]{0,24}") {
            if let Err(error) = Interval::parse(&text) {
                prop_assert!(!error.message.is_empty());
            }
        }
    }
}
