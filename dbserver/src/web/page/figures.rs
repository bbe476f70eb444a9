//! Figures as people read them.

use std::time::Duration;

use crate::environment::status::{Micros, PointStatus, Time};

/// Digits in groups of three, by a narrow blank that does not break.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A span in its two largest units: `3 h 5 min`.
pub(super) fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    let (large, small) = match seconds {
        0..60 => return format!("{seconds} s"),
        60..3600 => ((seconds / 60, "min"), (seconds % 60, "s")),
        3600..86_400 => ((seconds / 3600, "h"), (seconds % 3600 / 60, "min")),
        _ => ((seconds / 86_400, "d"), (seconds % 86_400 / 3600, "h")),
    };
    if small.0 == 0 {
        return format!("{} {}", large.0, large.1);
    }
    format!("{} {} {} {}", large.0, large.1, small.0, small.1)
}

/// A time to the second.
pub(super) fn moment(time: Time) -> String {
    let text = time.to_string();
    match text.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => text,
    }
}

/// A point of the log.
pub(super) fn point(point: &PointStatus) -> String {
    let commit = grouped(point.commit);
    format!(
        "{}, commit {commit}, {}",
        point.position,
        moment(point.time)
    )
}

/// How long something has been so.
pub(super) fn age(since: Time, now: Time) -> String {
    let micros = now.0.micros().saturating_sub(since.0.micros());
    span(Duration::from_micros(micros))
}

/// A lag: milliseconds as long as it is short.
pub(super) fn lag(lag: Micros) -> String {
    let micros = lag.0;
    match micros {
        0 => "0 s".to_owned(),
        1..1_000_000 => format!("{} ms", micros.div_ceil(1000)),
        1_000_000..60_000_000 => {
            let tenths = micros / 100_000;
            match tenths % 10 {
                0 => format!("{} s", tenths / 10),
                rest => format!("{}.{rest} s", tenths / 10),
            }
        }
        _ => span(Duration::from_micros(micros)),
    }
}

/// `1 session`, `2 sessions`.
pub(super) fn counted(number: usize, one: &str, many: &str) -> String {
    let noun = if number == 1 { one } else { many };
    format!("{} {noun}", grouped(number as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_well() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1\u{202f}234\u{202f}567");
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (61, "1 min 1 s"),
            (11_100, "3 h 5 min"),
            (7_200, "2 h"),
            (90_000, "1 d 1 h"),
        ] {
            assert_eq!(span(Duration::from_secs(seconds)), text);
        }
        for (micros, text) in [
            (0, "0 s"),
            (1, "1 ms"),
            (250_000, "250 ms"),
            (1_250_000, "1.2 s"),
            (30_000_000, "30 s"),
            (125_000_000, "2 min 5 s"),
        ] {
            assert_eq!(lag(Micros(micros)), text);
        }
        let time = Time(fwlog::Timestamp::from_micros(1_145_386_457_123_456));
        assert_eq!(moment(time), "2006-04-18 18:54:17Z");
        assert_eq!(counted(1, "session", "sessions"), "1 session");
    }
}
