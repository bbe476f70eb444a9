//! What can go wrong.

/// Why the rows of a commit can't be told.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A page can't be read.
    #[error("page {page} can't be read: {source}")]
    Io {
        /// Its number.
        page: u32,
        /// Why.
        source: std::io::Error,
    },
    /// A page is not in what was given as the database before.
    #[error(
        "page {page} is not there: the pages before the first commit must be those of that time"
    )]
    Missing {
        /// Its number.
        page: u32,
    },
    /// A page makes no sense where it stands.
    #[error("page {page} is damaged: {what}")]
    Damaged {
        /// Its number.
        page: u32,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A definition that can't be understood.
    #[error("table {table}: {what}")]
    Definition {
        /// The table.
        table: String,
        /// What is wrong.
        what: String,
    },
    /// Who takes the changes has failed.
    #[error(transparent)]
    Sink(Box<dyn std::error::Error + Send + Sync>),
}
