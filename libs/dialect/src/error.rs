//! What a refused statement answers with.

use std::fmt;

/// SQLSTATE 42601: the text is not SQL.
pub(crate) const SYNTAX_ERROR: &str = "42601";
/// SQLSTATE 0A000: known, but not offered.
pub(crate) const FEATURE_NOT_SUPPORTED: &str = "0A000";
/// SQLSTATE 54001: nested too deeply or too long.
pub(crate) const STATEMENT_TOO_COMPLEX: &str = "54001";
/// SQLSTATE 42501: server-side files are out of reach for every client.
pub(crate) const INSUFFICIENT_PRIVILEGE: &str = "42501";
/// SQLSTATE 42P01: no such table.
pub(crate) const UNDEFINED_TABLE: &str = "42P01";
/// SQLSTATE 42703: no such column.
pub(crate) const UNDEFINED_COLUMN: &str = "42703";
/// SQLSTATE 42704: no such object of another kind.
pub(crate) const UNDEFINED_OBJECT: &str = "42704";
/// SQLSTATE 42P16: a table definition that contradicts itself.
pub(crate) const INVALID_TABLE_DEFINITION: &str = "42P16";

/// Why a statement was refused, in the fields of PostgreSQL's `ErrorResponse`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialectError {
    /// Five characters of the SQL standard and PostgreSQL's appendix A.
    pub sqlstate: &'static str,
    /// One line that names the feature or the offending text.
    pub message: String,
    /// 1-based position in characters (not bytes) of the statement text.
    pub position: Option<usize>,
    /// What to do instead, where there is something.
    pub hint: Option<String>,
}

impl DialectError {
    /// An error without a position.
    pub fn new(sqlstate: &'static str, message: impl Into<String>) -> Self {
        Self {
            sqlstate,
            message: message.into(),
            position: None,
            hint: None,
        }
    }

    /// 0A000 for a feature, named as the user spelled it.
    pub fn unsupported(feature: impl fmt::Display) -> Self {
        Self::new(FEATURE_NOT_SUPPORTED, format!("{feature} is not supported"))
    }

    /// 42601 in PostgreSQL's words; an empty token means the end of the input.
    pub fn syntax(near: &str) -> Self {
        let message = if near.is_empty() {
            "syntax error at end of input".to_owned()
        } else {
            format!("syntax error at or near \"{near}\"")
        };
        Self::new(SYNTAX_ERROR, message)
    }

    /// Adds the position of byte `offset` of `sql`.
    #[must_use]
    pub fn at(mut self, sql: &str, offset: usize) -> Self {
        let before = sql.get(..offset).unwrap_or(sql);
        self.position = Some(before.chars().count() + 1);
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
