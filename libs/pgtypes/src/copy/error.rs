//! What can be wrong with a COPY stream.

use crate::SqlState;
use crate::error::{ValueError, excerpt};

/// Longest piece of a line that an error repeats, in characters.
const EXCERPT_CHARS: usize = 100;

/// An error in a COPY stream, with the place where it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CopyError {
    /// What kind of error, for programs; mostly 22P04.
    pub sqlstate: SqlState,
    /// What is wrong, in PostgreSQL's words.
    pub message: String,
    /// More about it.
    pub detail: Option<String>,
    /// What to do.
    pub hint: Option<&'static str>,
    /// The line, counted from 1; a header counts, and so does each line inside quotes.
    pub line: u64,
    /// The column's name, where one column is to blame.
    pub column: Option<Box<str>>,
    /// The line, or the value where a column is named, shortened.
    pub excerpt: Option<Box<str>>,
}

impl CopyError {
    pub(super) fn format(message: impl Into<String>) -> Self {
        Self {
            sqlstate: SqlState::BAD_COPY_FILE_FORMAT,
            message: message.into(),
            detail: None,
            hint: None,
            line: 0,
            column: None,
            excerpt: None,
        }
    }

    pub(super) fn with_hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }

    /// The same error at a line.
    pub(super) fn at(mut self, line: u64, raw: Option<&[u8]>) -> Self {
        self.line = line;
        self.excerpt = raw.map(shortened);
        self
    }

    /// A field that is no value of its column's type.
    pub fn value(error: ValueError, line: u64, column: &str, field: Option<&[u8]>) -> Self {
        Self {
            sqlstate: error.sqlstate,
            message: error.message,
            detail: error.detail,
            hint: None,
            line,
            column: Some(column.into()),
            excerpt: field.map(shortened),
        }
    }

    /// The context line for the client: `COPY t, line 3, column price: "x"`.
    pub fn context(&self, table: &str) -> String {
        let column = self.column.as_ref().map(|name| format!(", column {name}"));
        let excerpt = self.excerpt.as_ref().map(|text| format!(": \"{text}\""));
        format!(
            "COPY {table}, line {}{}{}",
            self.line,
            column.unwrap_or_default(),
            excerpt.unwrap_or_default()
        )
    }
}

/// As much of some bytes as a message can take.
fn shortened(bytes: &[u8]) -> Box<str> {
    // A character has four bytes at most.
    let enough = bytes.get(..4 * EXCERPT_CHARS + 4).unwrap_or(bytes);
    excerpt(&String::from_utf8_lossy(enough), EXCERPT_CHARS).into()
}
