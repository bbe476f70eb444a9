//! Why a cut can't be read.

use fwlog::{DatabaseId, ReadError};
use pagestore::StoreError;

use crate::environment::log;
use crate::error::EngineError;

/// Why a cut is no more. The server goes on; whoever took it takes a new one, and goes on with what differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CutEnd {
    /// What it keeps has no room.
    #[error("the cut has ended: TmpDir has little room")]
    NoRoom,
    /// Nobody has used it for a minute.
    #[error("the cut has ended: nobody has used it for a minute")]
    Unused,
    /// Who had it needs it no more.
    #[error("the cut was closed")]
    Closed,
    /// The server goes down.
    #[error("the cut has ended: the server is shutting down")]
    Stopping,
}

impl CutEnd {
    /// One word for programs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NoRoom => "no-room",
            Self::Unused => "unused",
            Self::Closed => "closed",
            Self::Stopping => "stopping",
        }
    }
}

/// What reading a cut has met.
#[derive(Debug, thiserror::Error)]
pub enum CutError {
    /// It is no more.
    #[error(transparent)]
    Ended(#[from] CutEnd),
    /// A page can't be read, or is damaged.
    #[error(transparent)]
    Page(#[from] StoreError),
    /// The log head can't be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// It has no such database, or that was dropped before the commit.
    #[error("the cut has no pages of database number {}", _0.get())]
    NoDatabase(DatabaseId),
}

impl From<CutError> for EngineError {
    fn from(error: CutError) -> Self {
        match error {
            CutError::Ended(end) => Self::state(
                end.to_string(),
                "Take a new one: what has arrived is compared, and only what differs is sent.",
            ),
            CutError::Page(error) => error.into(),
            CutError::Log(error) => log::read_error(error),
            CutError::NoDatabase(_) => Self::Usage(error.to_string()),
        }
    }
}
