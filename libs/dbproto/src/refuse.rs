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
        in_one_line(&self.to_string(), &self.hint)
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

/// A message, and a hint that may be a sentence of its own, as one line.
pub fn in_one_line(message: &str, hint: &str) -> String {
    let hint = hint.trim_end_matches('.');
    let mut rest = hint.chars();
    let (Some(first), second) = (rest.next(), rest.clone().next()) else {
        return message.to_owned();
    };
    // A name such as FwLog keeps its capitals; a word does not.
    if second.is_some_and(char::is_lowercase) && !is_name(hint) {
        return format!("{message}; {}{}", first.to_lowercase(), rest.as_str());
    }
    format!("{message}; {hint}")
}

/// Whether the first word has a capital inside.
fn is_name(hint: &str) -> bool {
    let word = hint.split(' ').next().unwrap_or_default();
    word.chars().skip(1).any(char::is_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_becomes_the_end_of_the_line() {
        assert_eq!(in_one_line("it is gone", ""), "it is gone");
        assert_eq!(in_one_line("it is gone", "Mend it."), "it is gone; mend it");
        assert_eq!(in_one_line("a", "FwLog is where."), "a; FwLog is where");
        assert_eq!(in_one_line("a", "'dbctl' helps"), "a; 'dbctl' helps");
    }
}
