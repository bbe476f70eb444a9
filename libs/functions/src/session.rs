//! What functions need to know of the session that calls them.

use pgtypes::{ByteaOutput, Timestamptz, Zone};
pub use pgtypes::{DateOrder, DateStyle, IntervalStyle};

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

    /// The setting `bytea_output`.
    fn bytea_output(&self) -> ByteaOutput {
        ByteaOutput::Hex
    }

    /// The setting `extra_float_digits`.
    fn extra_float_digits(&self) -> i8 {
        1
    }

    /// When the transaction began: `now()`.
    fn transaction_timestamp(&self) -> Timestamptz;

    /// When the statement came: `statement_timestamp()`.
    fn statement_timestamp(&self) -> Timestamptz;

    /// The time at this moment: `clock_timestamp()`.
    fn clock(&self) -> Timestamptz;
}
