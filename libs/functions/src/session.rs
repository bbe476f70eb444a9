//! What functions need to know of the session that calls them.

use pgtypes::{ByteaOutput, Context, Timestamptz, Zone};
pub use pgtypes::{DateOrder, DateStyle, IntervalStyle};

/// The session on whose behalf a function runs.
pub trait Session {
    /// The settings that values are read and written by.
    fn context(&self) -> &Context;

    /// When the transaction began: `now()`.
    fn transaction_timestamp(&self) -> Timestamptz;

    /// When the statement came: `statement_timestamp()`.
    fn statement_timestamp(&self) -> Timestamptz;

    /// The time at this moment: `clock_timestamp()`.
    fn clock(&self) -> Timestamptz;

    /// The setting `TimeZone`.
    fn time_zone(&self) -> &Zone {
        &self.context().zone
    }

    /// The first part of the setting `DateStyle`.
    fn date_style(&self) -> DateStyle {
        self.context().date_style
    }

    /// The second part of the setting `DateStyle`.
    fn date_order(&self) -> DateOrder {
        self.context().date_order
    }

    /// The setting `IntervalStyle`.
    fn interval_style(&self) -> IntervalStyle {
        self.context().interval_style
    }

    /// The setting `bytea_output`.
    fn bytea_output(&self) -> ByteaOutput {
        self.context().bytea_output
    }

    /// The setting `extra_float_digits`.
    fn extra_float_digits(&self) -> i8 {
        self.context().extra_float_digits
    }
}
