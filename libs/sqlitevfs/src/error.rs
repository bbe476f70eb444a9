//! What can go wrong between SQLite and the store.

use std::io;

use pagestore::{CommitNumber, StoreError};

/// A failed operation of the shim. SQLite only passes numbers on; the text is had from
/// [`crate::FileHandle::take_error`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store failed, or the snapshot is no longer there.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A scratch file for a large transaction failed.
    #[error("{directory}: cannot {operation} a scratch file: {source}")]
    Scratch {
        /// Where the file is.
        directory: String,
        /// What was tried, a verb.
        operation: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// A page that a large transaction has written can't be read back.
    #[error("cannot read back a spilled page: {source}")]
    Spilled {
        /// The system's reason.
        source: io::Error,
    },
    /// SQLite could not open or set up the connection.
    #[error("cannot open the connection: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// SQLite did not take the shim.
    #[error("cannot register with SQLite: code {code}")]
    Register {
        /// SQLite's result code.
        code: i32,
    },
    /// The data file is not made of 4096-byte pages.
    #[error("{path}: page size is {page_size}, only 4096 is supported")]
    PageSize {
        /// The data file.
        path: String,
        /// What its header says.
        page_size: u32,
    },
    /// A statement began while the last commit's write set was neither taken nor discarded, and
    /// without the permit.
    #[error("the write set of the last commit has not been taken")]
    WriteSetPending,
    /// A transaction in [`crate::WriteMode::Private`] tried to commit; it was rolled back.
    #[error("a transaction without the write permit cannot commit")]
    PrivateCommit,
    /// SQLite believes in a commit that was thrown away: this connection must be dropped.
    #[error("the last commit of this connection was discarded; the connection cannot go on")]
    Discarded,
    /// The snapshot on which the transaction began is older than the newest commit.
    #[error("the snapshot at commit {snapshot} is too old to write, the newest is {latest}")]
    SnapshotStale {
        /// Where the transaction reads.
        snapshot: CommitNumber,
        /// The newest commit.
        latest: CommitNumber,
    },
    /// SQLite's temporary files of this connection would have more bytes than they may.
    #[error("the temporary files of this session would have more than {limit} bytes")]
    TemporaryLimit {
        /// How many they may have.
        limit: u64,
    },
    /// SQLite asked for bytes outside of any database.
    #[error("access outside of the file's range at byte {offset}")]
    Range {
        /// The offset asked for.
        offset: i64,
    },
}

impl Error {
    /// Whether the cause is a full disk or quota.
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::Store(error) => error.is_disk_full(),
            Self::Scratch { source, .. } => disk::is_full(source.kind()),
            _ => false,
        }
    }
}
