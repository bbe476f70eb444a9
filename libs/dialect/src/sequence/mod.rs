//! Sequences: objects whose definitions are rows of the table `eloqdb_sequence`.
//!
//! A row also has the border: the last number that may have been given out. The server counts in memory and moves the
//! border on in blocks, with the transaction that goes beyond it. A view of the sequence's name answers
//! `SELECT last_value FROM s`, and keeps other relations from taking the name.
//!
//! ```text
//! statement (CREATE, ALTER, DROP) ─ options ─ settle: PostgreSQL's rules for them
//!    └ stored: the statements that keep a definition
//! uses: which sequences a printed statement calls
//! ```

mod info;
mod options;
mod settle;
mod statement;
pub(crate) mod stored;
mod uses;

pub use info::SequenceInfo;
pub use uses::{Sequences, default_name, sequences_of};

pub(crate) use options::Options;
pub(crate) use settle::{altered, created};
pub(crate) use statement::{alter, create, drop};
pub(crate) use uses::{NEXTVAL, default_literal, of as uses_of};

/// A name without its schema and quotes.
pub fn bare(text: &str) -> String {
    let last = if text.ends_with('"') {
        let inner = text.trim_end_matches('"');
        return inner.rsplit('"').next().unwrap_or(inner).to_owned();
    } else {
        text.rsplit('.').next().unwrap_or(text)
    };
    last.trim().to_ascii_lowercase()
}
