//! What can go wrong in a store.

use std::io;
use std::path::{Path, PathBuf};

use crate::{CommitNumber, PageNumber};

/// A failed operation of a store; says which file and, where there is one, which page.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The operating system refused an operation on the data file or a scratch file.
    #[error("{path}: cannot {operation}{}: {source}", on_page(*page), path = path.display())]
    Io {
        /// What was tried, as a verb phrase.
        operation: &'static str,
        /// The data file (also when its scratch file failed).
        path: PathBuf,
        /// The page concerned, if it was one.
        page: Option<PageNumber>,
        /// The system's reason.
        source: io::Error,
    },
    /// A page beyond the end of the database as the snapshot sees it.
    #[error("{path}: page {page} is beyond the end ({page_count} pages at commit {commit})",
        path = path.display())]
    BeyondEnd {
        /// The data file.
        path: PathBuf,
        /// The page asked for.
        page: PageNumber,
        /// Pages of the database at the snapshot.
        page_count: u32,
        /// The snapshot.
        commit: CommitNumber,
    },
    /// The snapshot was ended because it kept too many old page versions (SQLSTATE 72000).
    #[error("{path}: snapshot {commit} is too old, its page versions were given up",
        path = path.display())]
    SnapshotTooOld {
        /// The data file.
        path: PathBuf,
        /// The snapshot.
        commit: CommitNumber,
    },
    /// The snapshot is of a commit that was taken back because the log could not be written.
    #[error("{path}: commit {commit} was taken back, it never became durable",
        path = path.display())]
    Rewound {
        /// The data file.
        path: PathBuf,
        /// The snapshot.
        commit: CommitNumber,
    },
}

fn on_page(page: Option<PageNumber>) -> String {
    page.map_or_else(String::new, |page| format!(" page {page}"))
}

impl StoreError {
    pub(crate) fn io(
        operation: &'static str,
        path: &Path,
        page: Option<PageNumber>,
        source: io::Error,
    ) -> Self {
        Self::Io {
            operation,
            path: path.to_owned(),
            page,
            source,
        }
    }

    /// Whether the cause is a full disk or quota.
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::Io { source, .. } if matches!(source.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_file_and_the_page() {
        let error = StoreError::io(
            "read",
            Path::new("/data/db/a.db"),
            PageNumber::new(17),
            io::Error::from(io::ErrorKind::StorageFull),
        );
        let text = error.to_string();
        assert!(
            text.starts_with("/data/db/a.db: cannot read page 17: "),
            "{text}"
        );
        assert!(error.is_disk_full());
    }
}
