//! The transaction block that a client has opened.

use dialect::StatementKind;
use pgwire::messages::response::TransactionStatus;

use crate::failure::Failure;
use crate::session::refusals::aborted;

/// Where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    /// None: a transaction lasts for one Query, or up to Sync.
    None,
    /// BEGIN.
    Open,
    /// A statement has failed.
    Failed,
    /// A statement has failed, and SQLite gave up the whole transaction by itself: no savepoint can
    /// be gone back to.
    Lost,
}

impl Block {
    /// What `ReadyForQuery` tells.
    pub(super) fn status(self) -> TransactionStatus {
        match self {
            Self::None => TransactionStatus::Idle,
            Self::Open => TransactionStatus::Transaction,
            Self::Failed | Self::Lost => TransactionStatus::Error,
        }
    }

    /// Whether a statement of it has failed.
    pub(super) fn is_failed(self) -> bool {
        matches!(self, Self::Failed | Self::Lost)
    }

    /// After a failure only what ends the transaction, or goes back, may run (25P02).
    pub(super) fn check_accepts(self, kind: &StatementKind) -> Result<(), Failure> {
        let ends = matches!(
            kind,
            StatementKind::Commit { .. }
                | StatementKind::Rollback { .. }
                | StatementKind::RollbackTo { .. }
                | StatementKind::Empty
        );
        if self.is_failed() && !ends {
            return Err(aborted());
        }
        Ok(())
    }
}
