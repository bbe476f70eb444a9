//! Why a repository can't be used.

use crate::store::StoreError;

/// Why a repository, or something in it, can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// The store did not do what was asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no repository.
    #[error("there is no repository in {place}")]
    NoRepository {
        /// The store.
        place: String,
    },
    /// An object is not what was stored.
    #[error("{name} is damaged: {why}")]
    Damaged {
        /// The object.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// An object has what only a newer version can read.
    #[error("{name} can't be read here: {why}; use the newer program")]
    Newer {
        /// The object.
        name: String,
        /// What it has.
        why: String,
    },
    /// What came to be stored is not what it should be. Nothing of it counts.
    #[error("{0}")]
    Sent(String),
    /// What is asked for is not there.
    #[error("{0}")]
    NotThere(String),
}

impl ArchiveError {
    #[expect(clippy::needless_pass_by_value, reason = "it becomes text here")]
    pub(crate) fn damaged(name: impl ToString, why: impl ToString) -> Self {
        Self::Damaged {
            name: name.to_string(),
            why: why.to_string(),
        }
    }
}
