//! Refusals: why one side won't go on, in words for the operator of the other.

use std::fmt;

use pgtypes::SqlState;

use crate::wire::{FieldReader, FieldWriter};
use crate::{ProtocolError, state};

/// One side ends the conversation and says why.
///
/// Sent by either side as its last message; the fields are those of an SQL error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refuse {
    /// Five characters; see [`crate::state`] for those that this protocol gives a meaning.
    pub sqlstate: String,
    /// One sentence: what.
    pub message: String,
    /// Facts: where, which values. May be empty.
    pub detail: String,
    /// What to do about it. May be empty.
    pub hint: String,
}

impl Refuse {
    /// A refusal without detail and hint.
    pub fn new(sqlstate: SqlState, message: impl Into<String>) -> Self {
        Self {
            sqlstate: sqlstate.to_string(),
            message: message.into(),
            detail: String::new(),
            hint: String::new(),
        }
    }

    /// Adds facts.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// What, where, and what to do about it, in one line.
    pub fn in_full(&self) -> String {
        if self.hint.is_empty() {
            self.to_string()
        } else {
            format!("{self}; {}", self.hint)
        }
    }

    /// The same refusal may not come again when it is tried later: the other side is busy, starting
    /// or short of something.
    pub fn is_transient(&self) -> bool {
        state::is_transient(&self.sqlstate)
    }

    pub(crate) fn write(&self, out: &mut FieldWriter<'_>) {
        out.text(&self.sqlstate);
        out.text(&self.message);
        out.text(&self.detail);
        out.text(&self.hint);
    }

    pub(crate) fn read(from: &mut FieldReader) -> Result<Self, ProtocolError> {
        Ok(Self {
            sqlstate: from.text()?,
            message: from.text()?,
            detail: from.text()?,
            hint: from.text()?,
        })
    }
}

impl From<&ProtocolError> for Refuse {
    fn from(error: &ProtocolError) -> Self {
        match error {
            ProtocolError::Version { .. } => Self::new(state::NOT_SUPPORTED, error.to_string())
                .hint("use dbrepl and dbserver of the same release"),
            _ => Self::new(state::PROTOCOL_VIOLATION, error.to_string()),
        }
    }
}

impl fmt::Display for Refuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        Ok(())
    }
}
