//! Types `date`, `time`, `timetz`, `timestamp` and `timestamptz`.
//!
//! A date is a number of days since 2000-01-01, a timestamp a number of microseconds since that
//! day began (in UTC, if it has a zone); the least and the greatest number are the infinities.

use bytes::{BufMut, BytesMut};

use crate::calendar::{DAY, HOUR, MINUTE, SECOND, civil_of};
use crate::clock_text::{Moment, parse_moment, parse_time};
use crate::error::{EXCERPT_CHARS, excerpt};
use crate::integer::put_padded;
use crate::{SqlState, ValueError};

/// 4714-11-24 BC, the first day that PostgreSQL's dates and timestamps know.
const FIRST_DAY: i64 = -2_451_545;
/// 5874897-12-31, the last day of type date.
const LAST_DATE: i64 = 2_145_031_948;
/// 294276-12-31, the last day of a timestamp.
const LAST_TIMESTAMP_DAY: i64 = 106_751_982;

/// Whether a timestamp has a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zone {
    /// `timestamp`: a written zone means nothing.
    Without,
    /// `timestamptz`: a written zone is converted to UTC.
    Utc,
}

impl Zone {
    const fn type_name(self) -> &'static str {
        match self {
            Self::Without => "timestamp",
            Self::Utc => "timestamp with time zone",
        }
    }
}

/// Reads a date; a time behind it is left out.
pub(crate) fn parse_date(text: &str) -> Result<i32, ValueError> {
    match parse_moment(text, "date")? {
        Moment::Infinity => Ok(i32::MAX),
        Moment::MinusInfinity => Ok(i32::MIN),
        Moment::At { days, .. } => date_of_days(days).ok_or_else(|| out_of_range("date", text)),
    }
}

fn date_of_days(days: i64) -> Option<i32> {
    i32::try_from(days)
        .ok()
        .filter(|_| (FIRST_DAY..=LAST_DATE).contains(&days))
}

/// Reads a timestamp, rounded to `digits` of a second.
pub(crate) fn parse_timestamp(
    text: &str,
    zone: Zone,
    digits: Option<u8>,
) -> Result<i64, ValueError> {
    let (days, micros, offset_seconds) = match parse_moment(text, zone.type_name())? {
        Moment::Infinity => return Ok(i64::MAX),
        Moment::MinusInfinity => return Ok(i64::MIN),
        Moment::At {
            days,
            micros,
            offset_seconds,
        } => (days, micros, offset_seconds),
    };
    let offset = match zone {
        Zone::Without => 0,
        Zone::Utc => offset_seconds.unwrap_or(0) * SECOND,
    };
    days.checked_mul(DAY)
        .and_then(|midnight| midnight.checked_add(micros - offset))
        .map(|timestamp| rounded(timestamp, digits))
        .filter(|timestamp| is_timestamp(*timestamp))
        .ok_or_else(|| out_of_range("timestamp", text))
}

/// Whether a number is a timestamp that is not infinite.
fn is_timestamp(timestamp: i64) -> bool {
    (FIRST_DAY..=LAST_TIMESTAMP_DAY).contains(&timestamp.div_euclid(DAY))
}

/// Rounded to `digits` of a second, half away from zero.
pub(crate) fn rounded(micros: i64, digits: Option<u8>) -> i64 {
    let Some(digits) = digits.filter(|digits| *digits < 6) else {
        return micros;
    };
    let unit = 10_i64.pow(6 - u32::from(digits));
    let half = if micros < 0 { -unit / 2 } else { unit / 2 };
    micros.saturating_add(half) / unit * unit
}

fn out_of_range(what: &str, text: &str) -> ValueError {
    ValueError::new(
        SqlState::DATETIME_FIELD_OVERFLOW,
        format!("{what} out of range: \"{}\"", excerpt(text, EXCERPT_CHARS)),
    )
}

/// Reads a time of day, rounded to `digits` of a second; a zone means nothing.
pub(crate) fn parse_time_of_day(text: &str, digits: Option<u8>) -> Result<i64, ValueError> {
    parse_time(text, "time").map(|(micros, _)| rounded(micros, digits))
}

/// Reads a time of day with its zone in seconds east of Greenwich; UTC when none is written.
pub(crate) fn parse_timetz(text: &str, digits: Option<u8>) -> Result<(i64, i64), ValueError> {
    let (micros, zone) = parse_time(text, "time with time zone")?;
    Ok((rounded(micros, digits), zone.unwrap_or(0)))
}

/// A date from its binary form.
pub(crate) fn checked_date(days: i32) -> Result<i32, ValueError> {
    let infinite = days == i32::MIN || days == i32::MAX;
    if infinite || date_of_days(i64::from(days)).is_some() {
        return Ok(days);
    }
    Err(ValueError::new(
        SqlState::DATETIME_FIELD_OVERFLOW,
        "date out of range",
    ))
}

/// A timestamp from its binary form.
pub(crate) fn checked_timestamp(micros: i64, digits: Option<u8>) -> Result<i64, ValueError> {
    let infinite = micros == i64::MIN || micros == i64::MAX;
    if infinite || is_timestamp(micros) {
        return Ok(if infinite {
            micros
        } else {
            rounded(micros, digits)
        });
    }
    Err(ValueError::new(
        SqlState::DATETIME_FIELD_OVERFLOW,
        "timestamp out of range",
    ))
}

/// A time of day from its binary form.
pub(crate) fn checked_time(micros: i64, digits: Option<u8>) -> Result<i64, ValueError> {
    if (0..=DAY).contains(&micros) {
        return Ok(rounded(micros, digits));
    }
    Err(ValueError::new(
        SqlState::DATETIME_FIELD_OVERFLOW,
        "time out of range",
    ))
}

/// Appends a date.
pub(crate) fn put_date(days: i32, out: &mut BytesMut) {
    if !put_infinity(days == i32::MAX, days == i32::MIN, out) {
        let before_christ = put_day(i64::from(days), out);
        put_era(before_christ, out);
    }
}

/// Appends a timestamp.
pub(crate) fn put_timestamp(timestamp: i64, zone: Zone, out: &mut BytesMut) {
    if put_infinity(timestamp == i64::MAX, timestamp == i64::MIN, out) {
        return;
    }
    let before_christ = put_day(timestamp.div_euclid(DAY), out);
    out.put_u8(b' ');
    put_time(timestamp.rem_euclid(DAY), out);
    if zone == Zone::Utc {
        out.extend_from_slice(b"+00");
    }
    put_era(before_christ, out);
}

fn put_infinity(positive: bool, negative: bool, out: &mut BytesMut) -> bool {
    if positive {
        out.extend_from_slice(b"infinity");
    } else if negative {
        out.extend_from_slice(b"-infinity");
    }
    positive || negative
}

/// Appends year, month and day; `true` for a year before Christ.
fn put_day(days: i64, out: &mut BytesMut) -> bool {
    let civil = civil_of(days);
    let before_christ = civil.year <= 0;
    let year = if before_christ {
        1 - civil.year
    } else {
        civil.year
    };
    put_padded(year.unsigned_abs(), 4, out);
    out.put_u8(b'-');
    put_padded(u64::from(civil.month), 2, out);
    out.put_u8(b'-');
    put_padded(u64::from(civil.day), 2, out);
    before_christ
}

fn put_era(before_christ: bool, out: &mut BytesMut) {
    if before_christ {
        out.extend_from_slice(b" BC");
    }
}

/// Appends hours, minutes and seconds, with a fraction if there is one.
pub(crate) fn put_time(micros: i64, out: &mut BytesMut) {
    let micros = micros.unsigned_abs();
    let [hour, minute, second] = [HOUR, MINUTE, SECOND].map(i64::unsigned_abs);
    put_padded(micros / hour, 2, out);
    out.put_u8(b':');
    put_padded(micros % hour / minute, 2, out);
    out.put_u8(b':');
    put_padded(micros % minute / second, 2, out);
    put_fraction(micros % second, out);
}

/// Appends microseconds as digits behind a point, without zeros at the end.
pub(crate) fn put_fraction(micros: u64, out: &mut BytesMut) {
    if micros == 0 {
        return;
    }
    out.put_u8(b'.');
    put_padded(micros, 6, out);
    let zeros = out.iter().rev().take_while(|b| **b == b'0').count();
    out.truncate(out.len() - zeros);
}

/// Appends a time of day with its zone.
pub(crate) fn put_timetz(micros: i64, zone_seconds: i64, out: &mut BytesMut) {
    put_time(micros, out);
    out.put_u8(if zone_seconds < 0 { b'-' } else { b'+' });
    let seconds = zone_seconds.unsigned_abs();
    put_padded(seconds / 3600, 2, out);
    if !seconds.is_multiple_of(3600) {
        out.put_u8(b':');
        put_padded(seconds / 60 % 60, 2, out);
    }
    if !seconds.is_multiple_of(60) {
        out.put_u8(b':');
        put_padded(seconds % 60, 2, out);
    }
}

/// Whether a text is already as [`put_date`] writes it.
pub(crate) fn is_plain_date(text: &str) -> bool {
    text.len() == 10 && day_part(text.as_bytes()).is_some_and(<[u8]>::is_empty)
}

/// Whether a text is already as [`put_timestamp`] writes it, but for the zone, which is returned.
pub(crate) fn plain_timestamp(text: &str) -> Option<&str> {
    let rest = day_part(text.as_bytes())?.strip_prefix(b" ")?;
    let [h1, h2, b':', m1, m2, b':', s1, s2, rest @ ..] = rest else {
        return None;
    };
    if ![h1, h2, m1, m2, s1, s2].into_iter().all(u8::is_ascii_digit) {
        return None;
    }
    let Some(fraction) = rest.strip_prefix(b".") else {
        return text.get(text.len() - rest.len()..);
    };
    let digits = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
    let (digits, zone) = fraction.split_at(digits);
    if digits.is_empty() || digits.len() > 6 || digits.ends_with(b"0") {
        return None;
    }
    text.get(text.len() - zone.len()..)
}

/// What follows `YYYY-MM-DD`.
fn day_part(text: &[u8]) -> Option<&[u8]> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, rest @ ..] = text else {
        return None;
    };
    let digits = [y1, y2, y3, y4, m1, m2, d1, d2];
    digits.into_iter().all(u8::is_ascii_digit).then_some(rest)
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use proptest::prelude::*;

    use super::{
        Zone, checked_date, checked_time, checked_timestamp, is_plain_date, parse_date,
        parse_timestamp, parse_timetz, plain_timestamp, put_date, put_timestamp, put_timetz,
        rounded,
    };
    use crate::calendar::{DAY, SECOND};

    fn date(days: i32) -> String {
        let mut out = BytesMut::new();
        put_date(days, &mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    fn timestamp(micros: i64, zone: Zone) -> String {
        let mut out = BytesMut::new();
        put_timestamp(micros, zone, &mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn dates_are_days_since_the_year_2000() {
        for (days, text) in [
            (0, "2000-01-01"),
            (9_516, "2026-01-20"),
            (-730_120, "0001-12-31 BC"),
            (-2_451_545, "4714-11-24 BC"),
            (2_145_031_948, "5874897-12-31"),
            (i32::MAX, "infinity"),
            (i32::MIN, "-infinity"),
        ] {
            assert_eq!(date(days), text);
            assert_eq!(parse_date(text).unwrap(), days);
        }
        assert_eq!(parse_date("2000-01-02 13:00:00").unwrap(), 1);
        assert_eq!(
            parse_date("5874898-01-01").unwrap_err().message,
            "date out of range: \"5874898-01-01\""
        );
    }

    #[test]
    fn timestamps_are_microseconds_since_the_year_2000() {
        for (micros, text) in [
            (0, "2000-01-01 00:00:00"),
            (1, "2000-01-01 00:00:00.000001"),
            (-500_000, "1999-12-31 23:59:59.5"),
            (i64::MAX, "infinity"),
            (i64::MIN, "-infinity"),
            (-211_813_488_000_000_000, "4714-11-24 00:00:00 BC"),
            (9_223_371_331_199_999_999, "294276-12-31 23:59:59.999999"),
        ] {
            assert_eq!(timestamp(micros, Zone::Without), text);
            assert_eq!(parse_timestamp(text, Zone::Without, None).unwrap(), micros);
        }
        assert_eq!(timestamp(0, Zone::Utc), "2000-01-01 00:00:00+00");
        assert_eq!(
            timestamp(-DAY * 730_120, Zone::Utc),
            "0001-12-31 00:00:00+00 BC"
        );
        for text in ["294277-01-01", "4714-11-23 BC"] {
            assert!(
                parse_timestamp(text, Zone::Without, None).is_err(),
                "{text}"
            );
        }
    }

    #[test]
    fn a_zone_moves_only_a_timestamp_that_has_one() {
        let text = "2000-01-01 02:00:00+02";
        assert_eq!(parse_timestamp(text, Zone::Utc, None).unwrap(), 0);
        assert_eq!(
            parse_timestamp(text, Zone::Without, None).unwrap(),
            7200 * SECOND
        );
        assert_eq!(parse_timestamp("2000-01-01", Zone::Utc, None).unwrap(), 0);
    }

    #[test]
    fn seconds_are_rounded_half_away_from_zero() {
        assert_eq!(rounded(1_500_000, Some(0)), 2_000_000);
        assert_eq!(rounded(-1_500_000, Some(0)), -2_000_000);
        assert_eq!(rounded(1_234_567, Some(3)), 1_235_000);
        assert_eq!(rounded(1_234_567, Some(6)), 1_234_567);
        assert_eq!(rounded(1_234_567, None), 1_234_567);
    }

    #[test]
    fn a_time_with_zone_shows_no_more_of_the_zone_than_needed() {
        for text in [
            "04:05:06+00",
            "04:05:06.5-08",
            "04:05:06+05:30",
            "04:05:06-00:19:32",
        ] {
            let (micros, zone) = parse_timetz(text, None).unwrap();
            let mut out = BytesMut::new();
            put_timetz(micros, zone, &mut out);
            assert_eq!(out, text.as_bytes());
        }
    }

    #[test]
    fn numbers_from_the_wire_that_are_no_time_are_refused() {
        assert!(checked_date(2_145_031_949).is_err());
        assert!(checked_date(i32::MAX).is_ok());
        assert!(checked_timestamp(i64::MAX - 1, None).is_err());
        assert!(checked_timestamp(i64::MIN + 1, None).is_err());
        assert!(checked_time(-1, None).is_err());
        assert!(checked_time(DAY, None).is_ok());
    }

    #[test]
    fn text_that_needs_no_change_is_recognised() {
        assert!(is_plain_date("2026-01-31"));
        assert!(!is_plain_date("2026-1-31") && !is_plain_date("2026-01-31 "));
        assert_eq!(plain_timestamp("2026-01-31 04:05:06"), Some(""));
        assert_eq!(plain_timestamp("2026-01-31 04:05:06.25+00"), Some("+00"));
        for other in [
            "2026-01-31",
            "2026-01-31T04:05:06",
            "2026-01-31 04:05",
            "2026-01-31 04:05:06.250",
        ] {
            assert_eq!(plain_timestamp(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn a_timestamp_and_its_text_belong_to_each_other(
            micros in -211_813_488_000_000_000_i64..9_223_371_331_200_000_000
        ) {
            for zone in [Zone::Without, Zone::Utc] {
                let text = timestamp(micros, zone);
                prop_assert_eq!(parse_timestamp(&text, zone, None).unwrap(), micros);
            }
        }

        #[test]
        fn a_date_and_its_text_belong_to_each_other(days in -2_451_545_i32..=2_145_031_948) {
            prop_assert_eq!(parse_date(&date(days)).unwrap(), days);
        }
    }
}
