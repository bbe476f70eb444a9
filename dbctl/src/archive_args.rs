//! The words of `dbctl archive`.

#![expect(
    clippy::doc_markdown,
    reason = "these comments are the help text, where backticks show"
)]

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum ArchiveCommand {
    /// Make a directory or a bucket a repository, which may have the logs of several environments
    Init {
        /// Where: file:///directory or s3://bucket/prefix, az://, gs://; or a directory
        url: String,
        /// Its name, under which servers keep their log for it [default: the last word of URL]
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
    },
    /// How far it is; exit code 1 where that is longer ago than --warn-behind
    Status {
        #[command(flatten)]
        archive: RepositoryArguments,
        /// How old it may be [default: WarnBehind of its section, else 5m]
        #[arg(long, value_name = "TIME")]
        warn_behind: Option<String>,
    },
    /// What it has, from when to when, and whether anything is missing
    List(RepositoryArguments),
    /// Read and prove every byte; exit code 1 where anything is damaged or missing
    Verify(RepositoryArguments),
    /// Make segments as they are on the server, byte for byte
    Fetch {
        #[command(flatten)]
        archive: RepositoryArguments,
        /// Which: 12-3, 12-3..13-1, or all
        segments: String,
        /// Directory for the files, fw-12-3 and so on
        directory: PathBuf,
    },
}

#[derive(Debug, Clone, Args)]
pub(crate) struct RepositoryArguments {
    /// The repository: file:///directory or s3://bucket/prefix, az://, gs://; or a directory; or NAME of a section [Archive NAME] of the configuration
    pub(crate) url: String,
    /// The environment, where the repository has several
    #[arg(long, value_name = "ID")]
    pub(crate) environment: Option<String>,
    /// The generation whose line is meant, as 12-9f86d081 [default: the newest one]
    #[arg(long, value_name = "HISTORY")]
    pub(crate) history: Option<String>,
}
