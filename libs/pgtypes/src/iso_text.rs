//! Dates and times in the one form in which most are written, `2024-01-31 10:00:00.5+02`, read
//! without the detours that all other forms need.

use crate::calendar::{Civil, DAY, HOUR, MINUTE, SECOND};
use crate::moment_text::Moment;

/// A moment in that form; `None` for every other text, be it right or wrong.
pub(crate) fn moment(text: &[u8]) -> Option<Moment> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, rest @ ..] = text else {
        return None;
    };
    let year = pair(*y1, *y2)? * 100 + pair(*y3, *y4)?;
    if year == 0 {
        return None;
    }
    let days = Civil {
        year,
        month: u8::try_from(pair(*m1, *m2)?).ok()?,
        day: u8::try_from(pair(*d1, *d2)?).ok()?,
    }
    .days()?;
    let (micros, zone) = match rest {
        [] => (0, rest),
        [b' ' | b'T', time @ ..] => clock(time)?,
        _ => return None,
    };
    let offset_seconds = match zone {
        [] => None,
        b"Z" => Some(0),
        _ => Some(offset(zone)?),
    };
    Some(Moment::At {
        days,
        micros,
        offset_seconds,
    })
}

/// `HH:MM:SS` with up to six digits of a fraction: microseconds, and what follows.
pub(crate) fn clock(text: &[u8]) -> Option<(i64, &[u8])> {
    let [h1, h2, b':', m1, m2, b':', s1, s2, rest @ ..] = text else {
        return None;
    };
    let (hour, minute, second) = (pair(*h1, *h2)?, pair(*m1, *m2)?, pair(*s1, *s2)?);
    let (fraction, rest) = match rest {
        [b'.', rest @ ..] => fraction(rest)?,
        _ => (0, rest),
    };
    let micros = hour * HOUR + minute * MINUTE + second * SECOND + fraction;
    (minute < 60 && second < 60 && micros <= DAY).then_some((micros, rest))
}

fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let count = text.iter().take_while(|b| b.is_ascii_digit()).count();
    if count == 0 || count > 6 {
        return None;
    }
    let (digits, rest) = text.split_at_checked(count)?;
    let number = digits
        .iter()
        .fold(0, |number, digit| number * 10 + i64::from(digit - b'0'));
    let unit = (count..6).fold(1, |unit, _| unit * 10);
    Some((number * unit, rest))
}

/// `+02`, `-03:30`
fn offset(text: &[u8]) -> Option<i64> {
    let (sign, hours, minutes) = match text {
        [sign, h1, h2] => (sign, pair(*h1, *h2)?, 0),
        [sign, h1, h2, b':', m1, m2] => (sign, pair(*h1, *h2)?, pair(*m1, *m2)?),
        _ => return None,
    };
    if hours >= 15 || minutes > 59 {
        return None;
    }
    let seconds = hours * 3600 + minutes * 60;
    match sign {
        b'+' => Some(seconds),
        b'-' => Some(-seconds),
        _ => None,
    }
}

/// The number of two digits.
fn pair(high: u8, low: u8) -> Option<i64> {
    (high.is_ascii_digit() && low.is_ascii_digit())
        .then(|| i64::from(high - b'0') * 10 + i64::from(low - b'0'))
}

#[cfg(test)]
mod tests {
    use super::moment;
    use crate::moment_text::Moment;

    #[test]
    fn what_is_not_in_that_form_is_left_to_others() {
        for other in [
            "",
            "0000-01-01",
            "2024-02-30",
            "2024-1-01",
            "2024-01-01 10:00",
            "2024-01-01 24:00:01",
            "2024-01-01 23:59:60",
            "2024-01-01 10:00:00.",
            "2024-01-01 10:00:00.1234567",
            "2024-01-01 10:00:00+17",
            "2024-01-01 10:00:00 BC",
            "2024-01-01Z",
            "2024-01-01 10:00:00+1",
        ] {
            assert_eq!(moment(other.as_bytes()), None, "{other}");
        }
        assert_eq!(
            moment(b"2000-01-02T01:00:00.25-03:30"),
            Some(Moment::At {
                days: 1,
                micros: 3_600_250_000,
                offset_seconds: Some(-12_600)
            })
        );
    }
}
