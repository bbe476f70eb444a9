//! What functions need to know of the session that calls them.

use pgtypes::{Timestamptz, Zone};

/// How dates are written: the first part of the setting `DateStyle`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DateStyle {
    /// `2024-01-31`
    #[default]
    Iso,
    /// `01/31/2024`
    Sql,
    /// `Wed Jan 31 2024`
    Postgres,
    /// `31.01.2024`
    German,
}

/// In which order a date with slashes is read: the second part of `DateStyle`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DateOrder {
    /// Month, day, year.
    #[default]
    Mdy,
    /// Day, month, year.
    Dmy,
    /// Year, month, day.
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

/// The session on whose behalf a function runs.
pub trait Session {
    /// The setting `TimeZone`.
    fn time_zone(&self) -> &Zone;

    /// The first part of the setting `DateStyle`.
    fn date_style(&self) -> DateStyle {
        DateStyle::Iso
    }

    /// The second part of the setting `DateStyle`.
    fn date_order(&self) -> DateOrder {
        DateOrder::Mdy
    }

    /// The setting `IntervalStyle`.
    fn interval_style(&self) -> IntervalStyle {
        IntervalStyle::Postgres
    }

    /// When the transaction began: `now()`.
    fn transaction_timestamp(&self) -> Timestamptz;

    /// When the statement came: `statement_timestamp()`.
    fn statement_timestamp(&self) -> Timestamptz;

    /// The time at this moment: `clock_timestamp()`.
    fn clock(&self) -> Timestamptz;
}
