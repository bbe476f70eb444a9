//! What can go wrong.

use std::io;
use std::path::{Path, PathBuf};

use fwlog::{LogPoint, Position};

/// Why a directory can't be made, or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file.
    #[error("cannot {what} {}: {}", path.display(), disk::reason(source))]
    Io {
        /// What was tried, as "write".
        what: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The log can't be read.
    #[error(transparent)]
    Log(#[from] fwlog::ReadError),
    /// A block of the log makes no sense.
    #[error("block at {at}: {why}")]
    Block {
        /// Where it begins.
        at: Position,
        /// What is wrong.
        why: String,
    },
    /// The fork is no point of this log.
    #[error("the log in {} does not have the point {at}", directory.display())]
    NotThere {
        /// Where the log is.
        directory: PathBuf,
        /// The point.
        at: LogPoint,
    },
    /// The position is no border of blocks of this log, or its generation does not begin there.
    #[error("the log in {} has no block that ends at {at}, in a generation that begins in it", directory.display())]
    NoBorder {
        /// Where the log is.
        directory: PathBuf,
        /// The position.
        at: Position,
    },
    /// A file of a directory of lost transactions is not what was written.
    #[error("{}: {why}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

impl Error {
    /// A failure of a file operation.
    pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { what, path, source }
    }

    pub(crate) fn damaged(path: &Path, why: impl Into<String>) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            why: why.into(),
        }
    }

    /// Whether it is for lack of room.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Io { source, .. } if disk::is_full(source.kind()))
    }
}
