//! The answer to a command.

use pgtypes::SqlValue;

use crate::session::prepared::Columns;

/// What a command has to say.
#[derive(Debug, PartialEq)]
pub enum Reply {
    /// Nothing but a tag.
    Tag(String),
    /// Rows that are in memory.
    Rows {
        /// Their columns.
        columns: Columns,
        /// Their values.
        rows: Vec<Vec<SqlValue>>,
        /// The tag behind them.
        tag: String,
    },
}
