//! What a refused statement answers with.

use std::fmt;

use pgtypes::{SqlState, ValueError};

/// Why a statement was refused, in the fields of PostgreSQL's `ErrorResponse`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialectError {
    /// What kind of error, for programs.
    pub sqlstate: SqlState,
    /// One line that names the feature or the offending text.
    pub message: String,
    /// 1-based position in characters (not bytes) of the statement text.
    pub position: Option<usize>,
    /// More about it, where there is something.
    pub detail: Option<String>,
    /// What to do instead, where there is something.
    pub hint: Option<String>,
}

impl DialectError {
    /// An error without a position.
    pub fn new(sqlstate: SqlState, message: impl Into<String>) -> Self {
        Self {
            sqlstate,
            message: message.into(),
            position: None,
            detail: None,
            hint: None,
        }
    }

    /// 0A000 for a feature, named as the user spelled it.
    pub fn unsupported(feature: impl fmt::Display) -> Self {
        Self::new(
            SqlState::FEATURE_NOT_SUPPORTED,
            format!("{feature} is not supported"),
        )
    }

    /// 42601 in PostgreSQL's words; an empty token means the end of the input.
    pub fn syntax(near: &str) -> Self {
        let message = if near.is_empty() {
            "syntax error at end of input".to_owned()
        } else {
            format!("syntax error at or near \"{near}\"")
        };
        Self::new(SqlState::SYNTAX_ERROR, message)
    }

    /// Adds the position of byte `offset` of `sql`.
    #[must_use]
    pub fn at(mut self, sql: &str, offset: usize) -> Self {
        let before = sql.get(..offset).unwrap_or(sql);
        self.position = Some(before.chars().count() + 1);
        self
    }

    /// Adds a detail.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for DialectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.sqlstate)
    }
}

impl std::error::Error for DialectError {}

/// A value that its type refuses.
impl From<ValueError> for DialectError {
    fn from(error: ValueError) -> Self {
        Self {
            detail: error.detail,
            ..Self::new(error.sqlstate, error.message)
        }
    }
}
