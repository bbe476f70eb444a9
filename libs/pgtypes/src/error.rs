//! Errors as a client sees them: SQLSTATE, message, detail and hint.

use crate::SqlState;

/// Longest piece of a client's own value that an error repeats, in characters.
pub(crate) const EXCERPT_CHARS: usize = 200;

/// A value that does not fit its type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ValueError {
    /// What kind of error, for programs.
    pub sqlstate: SqlState,
    /// What is wrong, in PostgreSQL's words.
    pub message: String,
    /// More about it, when there is more to say.
    pub detail: Option<String>,
    /// What may help.
    pub hint: Option<String>,
}

impl ValueError {
    /// An error without detail.
    pub fn new(sqlstate: SqlState, message: impl Into<String>) -> Self {
        Self {
            sqlstate,
            message: message.into(),
            detail: None,
            hint: None,
        }
    }

    /// The same error with a detail line.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The same error with a hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// `invalid input syntax for type …`, 22P02.
    pub(crate) fn syntax(type_name: &str, input: &str) -> Self {
        Self::new(
            SqlState::INVALID_TEXT_REPRESENTATION,
            format!(
                "invalid input syntax for type {type_name}: \"{}\"",
                excerpt(input, EXCERPT_CHARS)
            ),
        )
    }

    /// `value … is out of range for type …`, 22003.
    pub(crate) fn range(type_name: &str, input: &str) -> Self {
        Self::new(
            SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
            format!(
                "value \"{}\" is out of range for type {type_name}",
                excerpt(input, EXCERPT_CHARS)
            ),
        )
    }

    /// Binary input of a length or content that its type does not have, 22P03.
    pub(crate) fn binary(message: impl Into<String>) -> Self {
        Self::new(SqlState::INVALID_BINARY_REPRESENTATION, message)
    }
}

/// The beginning of a value, short enough to stand in a message.
pub(crate) fn excerpt(input: &str, limit_chars: usize) -> String {
    match input.char_indices().nth(limit_chars) {
        None => input.to_owned(),
        Some((end, _)) => format!("{}...", input.get(..end).unwrap_or_default()),
    }
}
