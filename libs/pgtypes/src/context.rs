//! What the text of a value depends on besides the value: the settings of a session.

use crate::{Timestamp, Zone, zone};

/// How dates are written: the first part of the setting `DateStyle`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DateStyle {
    /// `2024-01-31 10:00:00+01`
    #[default]
    Iso,
    /// `01/31/2024 10:00:00 CET`
    Sql,
    /// `Wed Jan 31 10:00:00 2024 CET`
    Postgres,
    /// `31.01.2024 10:00:00 CET`
    German,
}

/// In which order the numbers of a date are read and, except in ISO and German style, written: the
/// second part of `DateStyle`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DateOrder {
    /// Month, day, year.
    #[default]
    Mdy,
    /// Day, month, year.
    Dmy,
    /// Year, month, day; written like month, day, year.
    Ymd,
}

/// How intervals are written: the setting `IntervalStyle`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IntervalStyle {
    /// `1 day 02:03:04`
    #[default]
    Postgres,
    /// `@ 1 day 2 hours 3 mins 4 secs`
    PostgresVerbose,
    /// `1 2:03:04`
    SqlStandard,
    /// `P1DT2H3M4S`
    Iso8601,
}

/// How bytes are written: the setting `bytea_output`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ByteaOutput {
    /// `\x00ff`
    #[default]
    Hex,
    /// `\000\377`
    Escape,
}

/// The settings of a session on which input and output of values depend.
#[derive(Clone, Debug)]
pub struct Context {
    /// `TimeZone`: where a `timestamptz` is read and written.
    pub zone: Zone,
    /// `DateStyle`, its first part.
    pub date_style: DateStyle,
    /// `DateStyle`, its second part.
    pub date_order: DateOrder,
    /// `IntervalStyle`.
    pub interval_style: IntervalStyle,
    /// `bytea_output`.
    pub bytea_output: ByteaOutput,
    /// `extra_float_digits`, -15 to 3: above 0 the shortest digits that give the number back, else
    /// so many digits fewer than every number of the type keeps.
    pub extra_float_digits: i8,
    /// When the transaction began, which is `now` in a date or time; `None`: the machine's clock.
    pub transaction_start: Option<Timestamp>,
}

static STANDARD: Context = Context {
    zone: Zone::UTC,
    date_style: DateStyle::Iso,
    date_order: DateOrder::Mdy,
    interval_style: IntervalStyle::Postgres,
    bytea_output: ByteaOutput::Hex,
    extra_float_digits: 1,
    transaction_start: None,
};

impl Context {
    /// PostgreSQL's defaults, in UTC.
    pub fn standard() -> &'static Self {
        &STANDARD
    }

    /// The moment in UTC, in microseconds since 2000-01-01, that the word `now` means.
    pub(crate) fn now(&self) -> i64 {
        self.transaction_start
            .map_or_else(zone::now, Timestamp::micros)
    }

    /// What clocks in the session's zone show `now`, and their distance from Greenwich in seconds.
    pub(crate) fn local_now(&self) -> (i64, i64) {
        let now = self.now();
        let offset = self.zone.offset_at(now);
        (now + offset * crate::calendar::SECOND, offset)
    }
}

impl Default for Context {
    fn default() -> Self {
        Self::standard().clone()
    }
}
