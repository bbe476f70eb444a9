//! The fields of moments and spans by their names, as `extract` and `date_trunc` take them.

use pgtypes::{SqlState, Unit, ValueError};

/// A field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// One that is a unit of time.
    Unit(Unit),
    /// `epoch`: seconds since 1970.
    Epoch,
    /// `dow`: 0 is Sunday.
    Weekday,
    /// `isodow`: 7 is Sunday.
    IsoWeekday,
    /// `doy`
    DayOfYear,
    /// `isoyear`
    IsoYear,
    /// `julian`
    Julian,
    /// `timezone`
    Zone,
    /// `timezone_hour`
    ZoneHour,
    /// `timezone_minute`
    ZoneMinute,
}

impl Field {
    /// The field of a name; 22023 for one that is unknown.
    pub(crate) fn parse(name: &str, type_name: &str) -> Result<Self, ValueError> {
        let lower = name.to_ascii_lowercase();
        Ok(match lower.as_str() {
            "epoch" => Self::Epoch,
            "dow" => Self::Weekday,
            "isodow" => Self::IsoWeekday,
            "doy" => Self::DayOfYear,
            "isoyear" => Self::IsoYear,
            "julian" | "j" | "jd" => Self::Julian,
            "timezone" => Self::Zone,
            "timezone_hour" | "timezone_h" => Self::ZoneHour,
            "timezone_minute" | "timezone_m" => Self::ZoneMinute,
            other => match Unit::parse(other) {
                Some(unit) => Self::Unit(unit),
                None => return Err(unknown(name, type_name)),
            },
        })
    }

    /// Whether it grows with time, and so is infinite where time is.
    pub(crate) fn grows(self) -> bool {
        match self {
            Self::Epoch | Self::IsoYear | Self::Julian => true,
            Self::Unit(unit) => unit >= Unit::Year,
            _ => false,
        }
    }
}

/// 22023 for a name that is none.
pub(crate) fn unknown(name: &str, type_name: &str) -> ValueError {
    ValueError::new(
        SqlState::INVALID_PARAMETER_VALUE,
        format!(
            "unit \"{}\" not recognized for type {type_name}",
            name.to_ascii_lowercase()
        ),
    )
}

/// 0A000 for a field that a type has not.
pub(crate) fn unsupported(name: &str, type_name: &str) -> ValueError {
    ValueError::new(
        SqlState::FEATURE_NOT_SUPPORTED,
        format!(
            "unit \"{}\" not supported for type {type_name}",
            name.to_ascii_lowercase()
        ),
    )
}
