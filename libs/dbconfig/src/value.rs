//! What a value can say: the readings of sizes, times, switches and words.

use std::time::Duration;

/// Longest value that is taken, in characters. Longer ones are mistakes, and everything that is
/// made of a value stays bounded.
pub const MAX_VALUE_CHARS: usize = 4096;

const SIZE_UNITS: [(&str, u64); 5] = [
    ("", 1),
    ("k", 1 << 10),
    ("m", 1 << 20),
    ("g", 1 << 30),
    ("t", 1 << 40),
];

/// Milliseconds of each unit of time.
const TIME_UNITS: [(&str, u64); 6] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("min", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

const BANDWIDTH_UNITS: [(&str, u64); 3] = [("", 1), ("k", 1_000), ("m", 1_000_000)];

/// Bytes: a whole number with k, m, g or t in steps of 1024.
pub fn size(text: &str) -> Result<u64, String> {
    scaled(text, &SIZE_UNITS)
        .ok_or_else(|| format!("`{text}` is not a size; write for example 512k, 256m or 10g"))
}

/// A time: a whole number with ms, s, m (or min), h or d; 0 needs no unit.
pub fn duration(text: &str) -> Result<Duration, String> {
    if text.trim() == "0" {
        return Ok(Duration::ZERO);
    }
    scaled(text, &TIME_UNITS)
        .map(Duration::from_millis)
        .ok_or_else(|| {
            format!(
                "`{text}` is not a time; write it with its unit, for example 500ms, 30s, 5m or 2h"
            )
        })
}

/// Bits per second: a whole number with k or m in steps of 1000.
pub fn bandwidth(text: &str) -> Result<u64, String> {
    scaled(text, &BANDWIDTH_UNITS).ok_or_else(|| {
        format!("`{text}` is not a bandwidth; write bits per second, for example 512k or 10m")
    })
}

/// 0 or 1, also off and on, no and yes, false and true.
pub fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "0" | "off" | "no" | "false" => Ok(false),
        "1" | "on" | "yes" | "true" => Ok(true),
        _ => Err(format!("`{text}` is not a switch; write 0 or 1")),
    }
}

/// A whole number.
pub fn number(text: &str) -> Result<u32, String> {
    text.parse()
        .map_err(|_| format!("`{text}` is not a whole number up to {}", u32::MAX))
}

/// One of the words, whatever its case: its index.
pub(crate) fn word(text: &str, words: &[&str]) -> Result<usize, String> {
    words
        .iter()
        .position(|word| word.eq_ignore_ascii_case(text))
        .ok_or_else(|| format!("`{text}` is not one of {}", words.join(", ")))
}

/// Number times unit; none when it is no number, the unit is unknown or the product too large.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let unit = unit.trim_start().to_ascii_lowercase();
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_take_their_units_in_steps_of_1024() {
        assert_eq!(size("0"), Ok(0));
        assert_eq!(size("17"), Ok(17));
        assert_eq!(size("4k"), Ok(4096));
        assert_eq!(size("256M"), Ok(256 << 20));
        assert_eq!(size("64 g"), Ok(64 << 30));
        assert_eq!(size("2t"), Ok(2 << 40));
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in [
            "",
            "k",
            "-1",
            "1.5g",
            "1x",
            "99999999999999999999",
            "99999999999999t",
            "٣k",
        ] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_without_unit_is_refused_except_zero() {
        assert_eq!(duration("0"), Ok(Duration::ZERO));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("5m"), duration("5min"));
        assert_eq!(duration("2h"), Ok(Duration::from_hours(2)));
        assert_eq!(duration("1d"), Ok(Duration::from_hours(24)));
        assert!(duration("30").unwrap_err().contains("with its unit"));
        assert!(duration("1y").is_err());
    }

    #[test]
    fn bandwidth_counts_in_steps_of_1000() {
        assert_eq!(bandwidth("512k"), Ok(512_000));
        assert_eq!(bandwidth("10M"), Ok(10_000_000));
        assert!(bandwidth("1g").is_err());
    }

    #[test]
    fn switches_and_words_ignore_case() {
        assert_eq!(switch("ON"), Ok(true));
        assert_eq!(switch("0"), Ok(false));
        assert!(switch("2").is_err());
        assert_eq!(word("SLAVE", &["Master", "Slave"]), Ok(1));
        assert_eq!(
            word("x", &["Master", "Slave"]).unwrap_err(),
            "`x` is not one of Master, Slave"
        );
    }
}
