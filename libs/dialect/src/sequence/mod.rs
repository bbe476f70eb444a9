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

use crate::stored_name::{self, PUBLIC};

pub(crate) use options::Options;
pub(crate) use settle::{altered, created};
pub(crate) use statement::{alter, create, drop};
pub(crate) use uses::{NEXTVAL, of as uses_of};

/// The stored name of what a text names as SQL writes it; without a schema it is in `public`.
pub fn bare(text: &str) -> String {
    let parts = crate::pg_catalog::name_parts(text).unwrap_or_default();
    match parts.as_slice() {
        [.., schema, name] => stored_name::join(schema, name),
        [name] => stored_name::join(PUBLIC, name),
        [] => text.to_owned(),
    }
}
