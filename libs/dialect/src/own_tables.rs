//! The tables in each database that hold what the server itself knows: no client sees or makes one.

use pgtypes::SqlState;

use crate::error::DialectError;
use crate::{Comment, Domain, SequenceInfo, StoredRight, StoredSchema, UserType};

/// Which lost transactions were done again in a database, and what came of the others: written by the transaction that does
/// one again, so that it is there exactly when its rows are.
pub const LOST_TABLE: &str = "eloqdb_lost";

/// All of them.
pub const OWN_TABLES: [&str; 7] = [
    SequenceInfo::TABLE,
    Comment::TABLE,
    StoredRight::TABLE,
    UserType::TABLE,
    Domain::TABLE,
    StoredSchema::TABLE,
    LOST_TABLE,
];

/// Whether SQLite would find one of them by this name: it does in any case.
pub fn is_own_table(name: &str) -> bool {
    OWN_TABLES.iter().any(|own| own.eq_ignore_ascii_case(name))
}

/// Refuses the name of one for a relation of a client's, of whatever kind and wherever it gets it: the server would take it
/// for its own, or could not make its own beside it.
///
/// Errors: 42939.
pub(crate) fn refuse_reserved(name: &str) -> Result<(), DialectError> {
    if !is_own_table(name) {
        return Ok(());
    }
    let message = format!("relation name \"{name}\" is reserved");
    Err(DialectError::new(SqlState::RESERVED_NAME, message))
}
