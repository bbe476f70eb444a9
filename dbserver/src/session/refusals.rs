//! What a transaction is refused.

use pgtypes::SqlState;

use crate::failure::Failure;

/// The refusal of what may not stand in a transaction block.
pub fn in_block(what: &str) -> Failure {
    Failure::new(
        SqlState::ACTIVE_SQL_TRANSACTION,
        format!("{what} cannot run inside a transaction block"),
    )
}

/// The refusal of what means nothing outside of a transaction block.
pub fn outside_block(what: &str) -> Failure {
    Failure::new(
        SqlState::NO_ACTIVE_SQL_TRANSACTION,
        format!("{what} can only be used in transaction blocks"),
    )
}

/// The refusal of everything else after a failure.
pub fn aborted() -> Failure {
    Failure::new(
        SqlState::IN_FAILED_SQL_TRANSACTION,
        "current transaction is aborted, commands ignored until end of transaction block",
    )
}

/// The refusal of a transaction that came too late.
pub(super) fn conflict() -> Failure {
    Failure::new(
        SqlState::SERIALIZATION_FAILURE,
        "could not serialize access due to concurrent update",
    )
    .hint("Run the transaction again.")
}

/// The refusal of a lock that is not free, where nobody wants to wait.
pub(super) fn locked(table: &str) -> Failure {
    let message = format!("could not obtain lock on relation \"{table}\"");
    Failure::new(SqlState::LOCK_NOT_AVAILABLE, message)
}
