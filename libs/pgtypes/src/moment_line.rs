//! Dates and times as they are printed: written digit by digit into room on the stack, for a
//! result has many of them.

use std::fmt;

use crate::calendar::{Civil, DAY, HOUR, MINUTE, MONTHS, SECOND, WEEKDAYS};
use crate::{Context, Date, DateOrder, DateStyle, Time, Timestamp, Timetz, Zone};

/// More than the longest form needs, `Wed Dec 31 23:59:59.999999 294276 ` and a zone's name.
const MAX_BYTES: usize = 96;
/// Every number of two digits.
const PAIRS: &[u8; 200] = b"0001020304050607080910111213141516171819\
    2021222324252627282930313233343536373839\
    4041424344454647484950515253545556575859\
    6061626364656667686970717273747576777879\
    8081828384858687888990919293949596979899";

/// A line of text that is being written.
pub(crate) struct Line {
    bytes: [u8; MAX_BYTES],
    used: usize,
}

impl Line {
    const fn new() -> Self {
        Self {
            bytes: [0; MAX_BYTES],
            used: 0,
        }
    }

    /// What was written.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.used).unwrap_or_default()
    }

    fn put(&mut self, text: &[u8]) {
        // No form is longer than the line.
        if let Some(room) = self.bytes.get_mut(self.used..self.used + text.len()) {
            room.copy_from_slice(text);
            self.used += text.len();
        }
    }

    fn put_byte(&mut self, byte: u8) {
        self.put(&[byte]);
    }

    /// Two digits of a number below 100.
    fn put_pair(&mut self, number: u64) {
        let at = usize::try_from(number % 100).unwrap_or(0) * 2;
        self.put(PAIRS.get(at..at + 2).unwrap_or(b"00"));
    }

    /// At least two digits.
    fn put_two(&mut self, number: u64) {
        self.put_at_least(number, 2);
    }

    /// At least so many digits, an even number.
    fn put_at_least(&mut self, number: u64, width: usize) {
        if number >= 100 || width > 2 {
            let rest = number / 100;
            if rest >= 10 || width > 2 {
                self.put_at_least(rest, width.saturating_sub(2));
            } else {
                self.put_byte(
                    PAIRS
                        .get(usize::try_from(rest).unwrap_or(0) * 2 + 1)
                        .copied()
                        .unwrap_or(b'0'),
                );
            }
        }
        self.put_pair(number);
    }

    /// `YYYY-MM-DD` and the like, without the era.
    fn put_day(&mut self, civil: Civil, style: DateStyle, order: DateOrder) {
        let year = if civil.year > 0 {
            civil.year
        } else {
            1 - civil.year
        };
        let year = year.unsigned_abs();
        let (month, day) = (u64::from(civil.month), u64::from(civil.day));
        if style == DateStyle::Iso {
            self.put_at_least(year, 4);
            self.put_byte(b'-');
            self.put_pair(month);
            self.put_byte(b'-');
            self.put_pair(day);
            return;
        }
        let (separator, day_first) = match style {
            DateStyle::German => (b'.', true),
            DateStyle::Sql => (b'/', order == DateOrder::Dmy),
            DateStyle::Iso | DateStyle::Postgres => (b'-', order == DateOrder::Dmy),
        };
        let (first, second) = if day_first {
            (day, month)
        } else {
            (month, day)
        };
        self.put_pair(first);
        self.put_byte(separator);
        self.put_pair(second);
        self.put_byte(separator);
        self.put_at_least(year, 4);
    }

    /// `HH:MM:SS`, and a fraction without zeros at its end if there is one.
    fn put_clock(&mut self, micros: u64) {
        let [hour, minute, second] = [HOUR, MINUTE, SECOND].map(i64::unsigned_abs);
        self.put_two(micros / hour);
        self.put_byte(b':');
        self.put_pair(micros / minute % 60);
        self.put_byte(b':');
        self.put_pair(micros / second % 60);
        let fraction = micros % second;
        if fraction == 0 {
            return;
        }
        self.put_byte(b'.');
        self.put_pair(fraction / 10_000);
        self.put_pair(fraction / 100 % 100);
        self.put_pair(fraction % 100);
        while self.bytes().ends_with(b"0") {
            self.used -= 1;
        }
    }

    /// `+01`, `-03:30`, `+00:19:32`.
    fn put_offset(&mut self, seconds: i64, with_minutes: bool) {
        self.put_byte(if seconds < 0 { b'-' } else { b'+' });
        let seconds = seconds.unsigned_abs();
        self.put_two(seconds / 3600);
        if with_minutes || !seconds.is_multiple_of(3600) {
            self.put_byte(b':');
            self.put_pair(seconds / 60 % 60);
        }
        if !seconds.is_multiple_of(60) {
            self.put_byte(b':');
            self.put_pair(seconds % 60);
        }
    }

    fn put_infinity(&mut self, is_late: bool) {
        self.put(if is_late { b"infinity" } else { b"-infinity" });
    }

    fn put_era(&mut self, civil: Civil) {
        if civil.year <= 0 {
            self.put(b" BC");
        }
    }

    /// The first three letters of a name.
    fn put_short(&mut self, name: Option<&&str>) {
        let name = name.and_then(|name| name.get(..3)).unwrap_or_default();
        self.put(name.as_bytes());
    }

    /// `Wed Jan 31 10:00:00 2024`
    fn put_in_words(&mut self, days: i64, civil: Civil, clock: u64, order: DateOrder) {
        // 2000-01-01 was a Saturday.
        let weekday = usize::try_from((days + 5).rem_euclid(7)).unwrap_or(0);
        self.put_short(WEEKDAYS.get(weekday));
        self.put_byte(b' ');
        let month = MONTHS.get(usize::from(civil.month.saturating_sub(1)));
        if order == DateOrder::Dmy {
            self.put_pair(civil.day.into());
            self.put_byte(b' ');
            self.put_short(month);
        } else {
            self.put_short(month);
            self.put_byte(b' ');
            self.put_pair(civil.day.into());
        }
        self.put_byte(b' ');
        self.put_clock(clock);
        self.put_byte(b' ');
        let year = if civil.year > 0 {
            civil.year
        } else {
            1 - civil.year
        };
        self.put_at_least(year.unsigned_abs(), 4);
    }

    /// A zone behind a moment: its distance from Greenwich, or in the older styles its name.
    fn put_zone(&mut self, zone: &Zone, moment: i64, offset: i64, style: DateStyle) {
        if style == DateStyle::Iso {
            return self.put_offset(offset, false);
        }
        self.put_byte(b' ');
        match (zone, zone.abbreviation_at(moment)) {
            (_, Some(name)) => self.put(name.as_bytes()),
            (Zone::Fixed(0), None) => self.put(b"UTC"),
            _ => self.put_offset(offset, false),
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(self.bytes()).unwrap_or_default())
    }
}

/// A date in a style.
pub(crate) fn date(date: Date, style: DateStyle, order: DateOrder) -> Line {
    let mut line = Line::new();
    if date.is_infinite() {
        line.put_infinity(date == Date::INFINITY);
    } else {
        let civil = Civil::of(i64::from(date.days()));
        line.put_day(civil, style, order);
        line.put_era(civil);
    }
    line
}

/// A time of day.
pub(crate) fn time(time: Time) -> Line {
    let mut line = Line::new();
    line.put_clock(time.micros().unsigned_abs());
    line
}

/// A time of day with its zone.
pub(crate) fn timetz(timetz: Timetz) -> Line {
    let mut line = time(timetz.time);
    line.put_offset(timetz.offset_seconds.into(), false);
    line
}

/// A timestamp without a zone in a style.
pub(crate) fn timestamp(moment: Timestamp, style: DateStyle, order: DateOrder) -> Line {
    let mut line = Line::new();
    if moment.is_infinite() {
        line.put_infinity(moment == Timestamp::INFINITY);
        return line;
    }
    let civil = put_moment(&mut line, moment.micros(), style, order);
    line.put_era(civil);
    line
}

/// A timestamp with zone, as clocks in the context's zone show it.
pub(crate) fn timestamptz(moment: Timestamp, context: &Context) -> Line {
    let mut line = Line::new();
    if moment.is_infinite() {
        line.put_infinity(moment == Timestamp::INFINITY);
        return line;
    }
    let (style, order) = (context.date_style, context.date_order);
    let offset = context.zone.offset_at(moment.micros());
    let local = moment.micros().saturating_add(offset * SECOND);
    let civil = put_moment(&mut line, local, style, order);
    line.put_zone(&context.zone, moment.micros(), offset, style);
    line.put_era(civil);
    line
}

/// A timestamp as JSON has it, with a T and, where there is one, the zone's hours and minutes.
pub(crate) fn json(moment: Timestamp, zone: Option<&Zone>) -> Line {
    let mut line = Line::new();
    if moment.is_infinite() {
        line.put_infinity(moment == Timestamp::INFINITY);
        return line;
    }
    let offset = zone.map_or(0, |zone| zone.offset_at(moment.micros()));
    let local = moment.micros().saturating_add(offset * SECOND);
    let civil = Civil::of(local.div_euclid(DAY));
    line.put_day(civil, DateStyle::Iso, DateOrder::Ymd);
    line.put_byte(b'T');
    line.put_clock(local.rem_euclid(DAY).unsigned_abs());
    if zone.is_some() {
        line.put_offset(offset, true);
    }
    line.put_era(civil);
    line
}

fn put_moment(line: &mut Line, local: i64, style: DateStyle, order: DateOrder) -> Civil {
    let days = local.div_euclid(DAY);
    let clock = local.rem_euclid(DAY).unsigned_abs();
    let civil = Civil::of(days);
    if style == DateStyle::Postgres {
        line.put_in_words(days, civil, clock, order);
    } else {
        line.put_day(civil, style, order);
        line.put_byte(b' ');
        line.put_clock(clock);
    }
    civil
}
