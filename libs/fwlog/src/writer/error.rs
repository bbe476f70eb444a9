//! Why the writer did not do what was asked.

use crate::damage::{IoFailure, ReadError};
use crate::identity::MAX_INSTANCE;
use crate::numbers::CommitNumber;
use crate::record::PAGE_SIZE;

/// Why the writer did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriterError {
    /// An operation on a file failed. This is kept: the writer writes no more.
    #[error(transparent)]
    Io(#[from] IoFailure),
    /// The log that was to be continued can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The log does not end where the caller says that it ends.
    #[error("the newest segment does not end where the server knows the end of its log, at {0}")]
    NotTheEnd(crate::LogPoint),
    /// What is to stand in the headers can't stand there.
    #[error("an instance name has 1 to {MAX_INSTANCE} bytes, and a page {PAGE_SIZE}")]
    Identity,
    /// The records do not fit into one block. Nothing was queued.
    #[error("{bytes} bytes of records do not fit into one block")]
    TooLarge {
        /// How many bytes they have.
        bytes: usize,
    },
    /// The commits do not go on from the last one. Nothing was queued.
    #[error("commit {got} was given where {expected} comes next")]
    CommitOrder {
        /// The number that comes next.
        expected: CommitNumber,
        /// The number that was given.
        got: CommitNumber,
    },
    /// The writer's thread could not be started.
    #[error("can't start the writer's thread: {0}")]
    Thread(String),
    /// The writer was closed, or its thread has ended.
    #[error("the forward log is closed")]
    Closed,
}

impl WriterError {
    /// Whether there may be success once somebody has mended what is named.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Io(failure) | Self::Read(ReadError::Io(failure)) => failure.may_pass(),
            _ => false,
        }
    }

    /// Whether there will be success once somebody makes room on the disk.
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::Io(failure) | Self::Read(ReadError::Io(failure)) => failure.is_disk_full(),
            _ => false,
        }
    }
}
