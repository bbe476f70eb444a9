//! The transaction block that a client has opened.

use pgwire::messages::response::TransactionStatus;

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
}
