//! How an SQL function says no.

use pgtypes::SqlState;
use rusqlite::Error;

/// An error of a function: SQLSTATE and message.
pub(super) struct Refusal {
    sqlstate: SqlState,
    message: String,
}

impl Refusal {
    pub(super) fn new(sqlstate: SqlState, message: impl Into<String>) -> Self {
        Self {
            sqlstate,
            message: message.into(),
        }
    }

    /// The error as SQLite takes it: the SQLSTATE stays in the message.
    pub(super) fn into_error(self) -> Error {
        let tagged = pgtypes::sqlite::tagged(self.sqlstate, &self.message);
        Error::UserFunctionError(tagged.into())
    }
}
