//! SQLite's errors in a PostgreSQL client's language.

use crate::SqlState;

/// An error of SQLite, as a client sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What kind of error, for programs.
    pub sqlstate: SqlState,
    /// What is wrong, in PostgreSQL's words where PostgreSQL has the same error.
    pub message: String,
    /// More about it.
    pub detail: Option<String>,
    /// What to do.
    pub hint: Option<String>,
    /// The table, where SQLite names it.
    pub table: Option<String>,
    /// The columns, where SQLite names them.
    pub columns: Vec<String>,
    /// The constraint; where SQLite does not name it, the name PostgreSQL would have given it.
    pub constraint: Option<String>,
}

/// Translates an error: result code, extended result code, and the message.
pub fn failure(code: i32, extended_code: i32, message: &str) -> Failure {
    let _ = (code, extended_code);
    Failure {
        sqlstate: SqlState::INTERNAL_ERROR,
        message: message.to_owned(),
        detail: None,
        hint: None,
        table: None,
        columns: Vec::new(),
        constraint: None,
    }
}
