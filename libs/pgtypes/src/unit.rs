//! Units of time by their names, in intervals and in functions such as `date_trunc`.

use crate::calendar::{HOUR, MINUTE, SECOND};

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Unit {
    Microsecond,
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
    Decade,
    Century,
    Millennium,
}

impl Unit {
    /// The unit of a name, in any case, in the singular or plural, or shortened as PostgreSQL does.
    pub fn parse(name: &str) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        let singular = lower
            .strip_suffix('s')
            .filter(|stem| stem.len() > 1)
            .unwrap_or(&lower);
        Some(match singular {
            "microsecond" | "microsecon" | "us" | "usec" | "usecond" => Self::Microsecond,
            "millisecond" | "millisecon" | "ms" | "msec" | "msecond" => Self::Millisecond,
            "second" | "sec" | "s" => Self::Second,
            "minute" | "min" | "m" => Self::Minute,
            "hour" | "hr" | "h" => Self::Hour,
            "day" | "d" => Self::Day,
            "week" | "w" => Self::Week,
            "month" | "mon" => Self::Month,
            "quarter" | "qtr" => Self::Quarter,
            "year" | "yr" | "y" => Self::Year,
            "decade" | "dec" => Self::Decade,
            "century" | "centurie" | "cent" | "c" => Self::Century,
            "millennium" | "millennia" | "mil" => Self::Millennium,
            _ => return None,
        })
    }

    /// Its microseconds; `None` from a day on, which may be longer or shorter.
    pub const fn micros(self) -> Option<i64> {
        match self {
            Self::Microsecond => Some(1),
            Self::Millisecond => Some(1_000),
            Self::Second => Some(SECOND),
            Self::Minute => Some(MINUTE),
            Self::Hour => Some(HOUR),
            _ => None,
        }
    }

    /// Its months; `None` for what is shorter than one.
    pub const fn months(self) -> Option<i32> {
        match self {
            Self::Month => Some(1),
            Self::Quarter => Some(3),
            Self::Year => Some(12),
            Self::Decade => Some(120),
            Self::Century => Some(1_200),
            Self::Millennium => Some(12_000),
            _ => None,
        }
    }
}
