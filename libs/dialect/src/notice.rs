//! Messages to the client that are no errors.

use pgtypes::SqlState;

/// A message beside the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// `NOTICE` or `WARNING`.
    pub severity: &'static str,
    /// SQLSTATE, `00000` for a plain notice.
    pub sqlstate: SqlState,
    /// The text.
    pub message: String,
    /// More about it.
    pub detail: Option<String>,
}

impl Notice {
    /// A plain notice.
    pub fn plain(message: impl Into<String>) -> Self {
        Self::coded(SqlState::SUCCESSFUL_COMPLETION, message)
    }

    /// A notice with an SQLSTATE of its own.
    pub fn coded(sqlstate: SqlState, message: impl Into<String>) -> Self {
        Self {
            severity: "NOTICE",
            sqlstate,
            message: message.into(),
            detail: None,
        }
    }

    /// A warning.
    pub fn warning(sqlstate: SqlState, message: impl Into<String>) -> Self {
        Self {
            severity: "WARNING",
            ..Self::coded(sqlstate, message)
        }
    }
}
