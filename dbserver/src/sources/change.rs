//! What has become of a source when the configuration was read again.

use std::fmt;

use serde::Serialize;

use crate::sources::definition::{Definition, Wish};

/// One source, and what has become of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Change {
    /// Name of the slave's instance.
    pub(crate) source: String,
    what: What,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum What {
    /// It stands in `Sources` now.
    Added { address: String, ships: bool },
    /// It does not any more.
    Removed,
    /// Its slave is elsewhere.
    Moved { from: String, to: String },
    /// It had been given up for this reason.
    TriedAgain { after: String },
}

impl Change {
    pub(super) fn new(definition: &Definition) -> Self {
        let added = What::Added {
            address: definition.address.clone(),
            ships: definition.wish == Wish::Ship,
        };
        Self::of(&definition.name, added)
    }

    pub(super) fn removed(name: &str) -> Self {
        Self::of(name, What::Removed)
    }

    pub(super) fn moved(name: &str, from: &str, to: &str) -> Self {
        let (from, to) = (from.to_owned(), to.to_owned());
        Self::of(name, What::Moved { from, to })
    }

    pub(super) fn tried_again(name: &str, after: String) -> Self {
        Self::of(name, What::TriedAgain { after })
    }

    fn of(name: &str, what: What) -> Self {
        let source = name.to_owned();
        Self { source, what }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the source for {} ", self.source)?;
        match &self.what {
            What::Added { address, ships } => {
                let what = if *ships { "is started" } else { "is known" };
                write!(out, "{what}: {address}")
            }
            What::Removed => write!(out, "ends: it is not in Sources any more"),
            What::Moved { from, to } => write!(out, "goes to {to} now, not to {from}"),
            What::TriedAgain { after } => write!(out, "is tried again; it was refused: {after}"),
        }
    }
}
