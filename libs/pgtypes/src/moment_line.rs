//! Dates and times as they are printed.

use crate::calendar::{Civil, DAY, MONTHS, SECOND, WEEKDAYS};
use crate::line::{Line, pair};
use crate::{Context, Date, DateOrder, DateStyle, Time, Timestamp, Timetz, Zone};

impl Line {
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
            self.put_year(year);
            let ([m1, m2], [d1, d2]) = (pair(month), pair(day));
            self.put([b'-', m1, m2, b'-', d1, d2]);
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
        self.put([separator]);
        self.put_pair(second);
        self.put([separator]);
        self.put_year(year);
    }

    fn put_era(&mut self, civil: Civil) {
        if civil.year <= 0 {
            self.put(*b" BC");
        }
    }

    /// The first three letters of a name.
    fn put_short(&mut self, name: Option<&&str>) {
        let name = name.and_then(|name| name.get(..3)).unwrap_or_default();
        self.put_text(name.as_bytes());
    }

    /// `Wed Jan 31 10:00:00 2024`
    fn put_in_words(&mut self, days: i64, civil: Civil, clock: u64, order: DateOrder) {
        // 2000-01-01 was a Saturday.
        let weekday = usize::try_from((days + 5).rem_euclid(7)).unwrap_or(0);
        self.put_short(WEEKDAYS.get(weekday));
        self.put([b' ']);
        let month = MONTHS.get(usize::from(civil.month.saturating_sub(1)));
        if order == DateOrder::Dmy {
            self.put_pair(civil.day.into());
            self.put([b' ']);
            self.put_short(month);
        } else {
            self.put_short(month);
            self.put([b' ']);
            self.put_pair(civil.day.into());
        }
        self.put([b' ']);
        self.put_clock(clock);
        self.put([b' ']);
        let year = if civil.year > 0 {
            civil.year
        } else {
            1 - civil.year
        };
        self.put_year(year.unsigned_abs());
    }

    /// A zone behind a moment: its distance from Greenwich, or in the older styles its name.
    fn put_zone(&mut self, zone: &Zone, moment: i64, offset: i64, style: DateStyle) {
        if style == DateStyle::Iso {
            return self.put_offset(offset, false);
        }
        self.put([b' ']);
        match (zone, zone.abbreviation_at(moment)) {
            (_, Some(name)) => self.put_text(name.as_bytes()),
            (Zone::Fixed(0), None) => self.put(*b"UTC"),
            _ => self.put_offset(offset, false),
        }
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
    line.put([b'T']);
    line.put_clock(local.rem_euclid(DAY).unsigned_abs());
    if zone.is_some() {
        line.put_offset(offset, true);
    }
    line.put_era(civil);
    line
}

fn put_moment(line: &mut Line, local: i64, style: DateStyle, order: DateOrder) -> Civil {
    let days = local.div_euclid(DAY);
    let clock = (local - days * DAY).unsigned_abs();
    let civil = Civil::of(days);
    if style == DateStyle::Postgres {
        line.put_in_words(days, civil, clock, order);
    } else {
        line.put_day(civil, style, order);
        line.put([b' ']);
        line.put_clock(clock);
    }
    civil
}

#[cfg(test)]
mod tests {
    use crate::{Context, Date, DateOrder, DateStyle, Timestamp, Timestamptz, Zone};

    fn context(style: DateStyle, order: DateOrder, zone: &str) -> Context {
        Context {
            date_style: style,
            date_order: order,
            zone: Zone::of_setting(zone).unwrap(),
            ..Context::default()
        }
    }

    /// Texts of PostgreSQL 15.
    #[test]
    fn dates_are_printed_in_every_style_and_order() {
        use DateOrder::{Dmy, Mdy, Ymd};
        use DateStyle::{German, Iso, Postgres, Sql};
        for (style, order, date, timestamp, timestamptz) in [
            (
                Iso,
                Dmy,
                "2024-01-31",
                "2024-01-31 10:00:00.5",
                "2024-07-31 12:00:00.5+02",
            ),
            (
                Sql,
                Mdy,
                "01/31/2024",
                "01/31/2024 10:00:00.5",
                "07/31/2024 12:00:00.5 CEST",
            ),
            (
                Sql,
                Dmy,
                "31/01/2024",
                "31/01/2024 10:00:00.5",
                "31/07/2024 12:00:00.5 CEST",
            ),
            (
                Postgres,
                Ymd,
                "01-31-2024",
                "Wed Jan 31 10:00:00.5 2024",
                "Wed Jul 31 12:00:00.5 2024 CEST",
            ),
            (
                Postgres,
                Dmy,
                "31-01-2024",
                "Wed 31 Jan 10:00:00.5 2024",
                "Wed 31 Jul 12:00:00.5 2024 CEST",
            ),
            (
                German,
                Dmy,
                "31.01.2024",
                "31.01.2024 10:00:00.5",
                "31.07.2024 12:00:00.5 CEST",
            ),
        ] {
            let context = context(style, order, "Europe/Berlin");
            let of_date = Date::parse("2024-01-31").unwrap();
            let plain = Timestamp::parse("2024-01-31 10:00:00.5", None).unwrap();
            let zoned = Timestamptz::parse("2024-07-31 10:00:00.5+00", None).unwrap();
            assert_eq!(of_date.text_in(&context), date);
            assert_eq!(plain.text_in(&context), timestamp);
            assert_eq!(zoned.text_in(&context), timestamptz);
            // What PostgreSQL writes in the order YMD it does not read again itself.
            for text in [date, timestamp].iter().filter(|_| order != Ymd) {
                let read = Date::parse_in(text, &context);
                assert_eq!(read, Ok(of_date), "{text}");
            }
            let read = Timestamptz::parse_in(timestamptz, None, &context);
            assert_eq!(read, Ok(zoned), "{timestamptz}");
        }
    }

    #[test]
    fn the_era_stands_at_the_very_end() {
        let moment = "0044-03-15 10:00 BC";
        for (style, date, zoned) in [
            (
                DateStyle::Sql,
                "03/15/0044 BC",
                "03/15/0044 10:00:00 LMT BC",
            ),
            (
                DateStyle::Postgres,
                "03-15-0044 BC",
                "Fri Mar 15 10:00:00 0044 LMT BC",
            ),
        ] {
            let context = context(style, DateOrder::Mdy, "Europe/Berlin");
            let of_date = Date::parse(moment).unwrap();
            assert_eq!(of_date.text_in(&context), date);
            let at = Timestamptz::parse_in(moment, None, &context).unwrap();
            assert_eq!(at.text_in(&context), zoned);
        }
    }

    #[test]
    fn a_zone_without_a_name_is_printed_as_its_distance() {
        let at = Timestamptz::parse("2024-07-31 10:00:00.5+00", None).unwrap();
        for (zone, printed) in [
            ("5.5", "31.07.2024 15:30:00.5 +05:30"),
            ("-3", "31.07.2024 07:00:00.5 -03"),
            ("UTC", "31.07.2024 10:00:00.5 UTC"),
            ("America/Sao_Paulo", "31.07.2024 07:00:00.5 -03"),
        ] {
            let context = context(DateStyle::German, DateOrder::Dmy, zone);
            assert_eq!(at.text_in(&context), printed);
        }
    }

    #[test]
    fn years_have_as_many_digits_as_they_need_and_at_least_four() {
        for text in [
            "0001-01-01 00:00:00",
            "0999-12-31 00:00:00",
            "9999-12-31 00:00:00",
            "10000-01-01 00:00:00",
            "100000-01-01 00:00:00",
            "294276-12-31 23:59:59.999999",
        ] {
            assert_eq!(Timestamp::parse(text, None).unwrap().to_string(), text);
        }
        let longest = Timestamp::parse("294276-12-31 23:59:59.999999", None).unwrap();
        let context = context(DateStyle::Postgres, DateOrder::Mdy, "America/New_York");
        assert_eq!(
            Timestamptz(longest).text_in(&context),
            "Sun Dec 31 18:59:59.999999 294276 EST"
        );
    }
}
