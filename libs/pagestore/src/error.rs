//! What can go wrong in a store.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::{CommitNumber, PageNumber};

/// A failed operation of a store; says which file and, where there is one, which page.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The operating system refused an operation on the data file or a scratch file.
    #[error("cannot {operation} {}{path}: {source}", of_page(*page), path = path.display())]
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
    /// The data file or its sum file is not as the last complete checkpoint left it (SQLSTATE XX001).
    #[error("{path}: {damage}{}", not_mended(tried.as_deref()), path = path.display())]
    Damaged {
        /// The damaged file.
        path: PathBuf,
        /// What is wrong.
        damage: Damage,
        /// Why it could not be made again, where that was tried.
        tried: Option<Arc<str>>,
    },
    /// A checkpoint can't go on: the old image of a page, which snapshots older than `commit` need,
    /// can't be read or has nowhere to go. Nothing is lost; without those snapshots it goes on.
    #[error("{path}: cannot keep the old image of page {page} for snapshots older than commit {commit}: {why}",
        path = path.display())]
    CannotKeep {
        /// The data file.
        path: PathBuf,
        /// The page.
        page: PageNumber,
        /// The commit that the checkpoint writes.
        commit: CommitNumber,
        /// Why not.
        why: String,
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
    /// A page that the snapshot has given back ([`crate::Snapshot::release_below`]).
    #[error("{path}: the snapshot of commit {commit} has given page {page} back", path = path.display())]
    GivenBack {
        /// The data file.
        path: PathBuf,
        /// The page asked for.
        page: PageNumber,
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

/// What is wrong with a data file or its sum file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// It is not there.
    #[error("the file is missing")]
    Missing,
    /// No head of the sum file can be read.
    #[error("the file has no valid head: it is damaged or no sum file")]
    Head,
    /// The sum file is of another database.
    #[error("the file belongs to database number {database}, not {wanted}")]
    Foreign {
        /// Whose it is.
        database: u32,
        /// Whose it should be.
        wanted: u32,
    },
    /// An old copy: the log does not lead from there to the present.
    #[error("the file is of commit {commit}, redo begins at commit {wanted}: it is an old copy")]
    Old {
        /// The commit that the file has.
        commit: CommitNumber,
        /// The commit that it must have at least.
        wanted: CommitNumber,
    },
    /// The sum file ends before the last page's sum.
    #[error("the file is too short")]
    Short,
    /// A page does not fit its sum.
    #[error("page {0} at byte offset {offset} does not fit its checksum", offset = _0.offset())]
    Page(PageNumber),
    /// A page is missing.
    #[error("page {0} at byte offset {offset} is missing: the file is too short", offset = _0.offset())]
    NoPage(PageNumber),
}

impl Damage {
    /// The file is another one than the one that was written last: its disk is not to blame.
    pub fn is_other_file(&self) -> bool {
        matches!(
            self,
            Self::Missing | Self::Foreign { .. } | Self::Old { .. }
        )
    }
}

fn of_page(page: Option<PageNumber>) -> String {
    page.map_or_else(String::new, |page| format!("page {page} of "))
}

fn not_mended(why: Option<&str>) -> String {
    why.map_or_else(String::new, |why| format!("; it can't be repaired: {why}"))
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

    pub(crate) fn damaged(path: &Path, damage: Damage) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            damage,
            tried: None,
        }
    }

    /// The same, where it was tried to make it again.
    pub(crate) fn tried(mut self, why: Option<Arc<str>>) -> Self {
        if let Self::Damaged { tried, .. } = &mut self {
            *tried = why;
        }
        self
    }

    /// Where open snapshots keep a checkpoint from going on: those before this commit. When they have
    /// been ended ([`crate::PageStore::end_snapshots_before`]), the next try goes on.
    pub fn snapshots_in_the_way(&self) -> Option<CommitNumber> {
        match self {
            Self::CannotKeep { commit, .. } => Some(*commit),
            _ => None,
        }
    }

    /// Whether the cause is a full disk or quota.
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::Io { source, .. } if disk::is_full(source.kind()))
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
            text.starts_with("cannot read page 17 of /data/db/a.db: "),
            "{text}"
        );
        assert!(error.is_disk_full());
    }
}
