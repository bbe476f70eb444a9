//! The lines of `lost.jsonl`.

use serde::{Deserialize, Serialize};

use crate::transaction::Transaction;

/// A line.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// A transaction.
    Transaction(Box<Transaction>),
    /// Something that was done to a database as a whole.
    Event(Event),
}

/// What was done to a database as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EventKind {
    /// It was made.
    Create,
    /// It was removed, with all that was in it.
    Drop,
    /// It got another name.
    Rename,
    /// It was replaced as a whole; the transactions behind it have its new rows.
    Restore,
}

/// Something that was done to a database as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// What.
    pub event: EventKind,
    /// The database, by the name that it has afterwards, or had.
    pub database: String,
    /// The name that a renamed one had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formerly: Option<String>,
    /// Where its block begins in the log.
    pub block: String,
}

/// The last line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct End {
    /// So many transactions stand before it.
    pub(crate) end: u64,
    /// BLAKE3 of all bytes before this line, in hex.
    pub(crate) blake3: String,
}

/// What a line may be, by the member that only its kind has.
pub(crate) enum Read {
    Line(Line),
    End(End),
}

impl Read {
    pub(crate) fn parse(text: &str) -> Result<Self, serde_json::Error> {
        if text.starts_with("{\"end\"") {
            return serde_json::from_str(text).map(Self::End);
        }
        if text.starts_with("{\"event\"") {
            return serde_json::from_str(text).map(|event| Self::Line(Line::Event(event)));
        }
        let transaction = serde_json::from_str(text)?;
        Ok(Self::Line(Line::Transaction(Box::new(transaction))))
    }
}
