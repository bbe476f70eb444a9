//! The words of `dbctl backup`.

#![expect(
    clippy::doc_markdown,
    reason = "these comments are the help text, where backticks show"
)]

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::archive_args::RepositoryArguments;

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum BackupCommand {
    /// Back up a running server, master or slave, into a repository; only what the newest backup there has not is stored
    Create(CreateArguments),
    /// What backups there are, and from when to when the past can be restored
    List(RepositoryArguments),
    /// See whether backups are whole; exit code 1 where anything is damaged or missing
    Verify(VerifyArguments),
    /// Remove backups that no rule keeps, in two steps: mark them, and remove what is marked for a day
    Prune(PruneArguments),
    /// Make a DataDir from a backup, and from the log behind it up to a point in time
    Restore(RestoreArguments),
    /// Have the data files of the server stand still, so that any tool may copy them while clients go on
    Start,
    /// Have them written again; exit code 1 where that has come about by itself
    Stop,
    /// Whether they stand still, until when, and what to copy
    Status,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct CreateArguments {
    /// The repository: file:///directory or s3://bucket/prefix, az://, gs://; or a directory; or NAME of a section [Archive NAME] of the configuration
    pub(crate) url: String,
    /// What the backup is called, for people
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) label: String,
    /// Bits per second that are read of the server at most, with k or m [default: no limit]
    #[arg(long, value_name = "BPS")]
    pub(crate) rate: Option<String>,
    /// Store all pages anew, also those that backups there have
    #[arg(long)]
    pub(crate) full: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct VerifyArguments {
    #[command(flatten)]
    pub(crate) place: RepositoryArguments,
    /// Which one, as 'backup list' shows it [default: all, and what belongs to none]
    pub(crate) backup: Option<String>,
    /// See only that all is there which they name
    #[arg(long, conflicts_with_all = ["data", "restore"])]
    pub(crate) quick: bool,
    /// Read and prove every byte; this is the default
    #[arg(long, conflicts_with = "restore")]
    pub(crate) data: bool,
    /// Really restore it, with all log behind it, into a directory in this one, which is removed afterwards
    #[arg(long, value_name = "DIR")]
    pub(crate) restore: Option<PathBuf>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct PruneArguments {
    /// The repository: file:///directory or s3://bucket/prefix, az://, gs://; or a directory; or NAME of a section [Archive NAME] of the configuration
    pub(crate) url: String,
    /// Every moment of so long can be restored, as 30d [default of this and the next three, where none is given: those of its section]
    #[arg(long, value_name = "TIME")]
    pub(crate) keep_history: Option<String>,
    /// The newest backup of each of so many days
    #[arg(long, value_name = "NUMBER")]
    pub(crate) keep_daily: Option<u32>,
    /// The newest backup of each of so many weeks
    #[arg(long, value_name = "NUMBER")]
    pub(crate) keep_weekly: Option<u32>,
    /// The newest backup of each of so many months of 30 days
    #[arg(long, value_name = "NUMBER")]
    pub(crate) keep_monthly: Option<u32>,
    /// How long what is marked stays: longer than any backup or restore takes
    #[arg(long, value_name = "TIME", default_value = "1d")]
    pub(crate) grace: String,
    /// Say what would become of each, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// The environment, where the repository has several
    #[arg(long, value_name = "ID")]
    pub(crate) environment: Option<String>,
}

/// What the restored server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RestoredAs {
    /// It goes on with a new generation: slaves of what came later in the log refuse it
    Master,
    /// It goes on with the log of its master
    Slave,
    /// It is a server of its own, which keeps no forward log
    Copy,
}

impl RestoredAs {
    /// As dbserver takes it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Master => "master",
            Self::Slave => "slave",
            Self::Copy => "copy",
        }
    }
}

#[derive(Debug, Clone, Args)]
pub(crate) struct RestoreArguments {
    /// The repository: file:///directory or s3://bucket/prefix, az://, gs://; or a directory; or NAME of a section [Archive NAME] of the configuration
    #[arg(long, value_name = "URL")]
    pub(crate) from: String,
    /// Which backup, as 'backup list' shows it [default: the newest that is not behind what is wanted], and the DataDir to be made; with --database there is none
    #[arg(required_unless_present = "database", num_args = 1..=2, value_name = "[BACKUP] DIR")]
    pub(crate) words: Vec<String>,
    /// Only this database, into the running server, as one transaction; under another name with NAME=NEW
    #[arg(long, value_name = "NAME[=NEW]", conflicts_with = "restored_as")]
    pub(crate) database: Option<String>,
    /// Put it in the place of the one that has the name; nobody may have that open
    #[arg(long, requires = "database")]
    pub(crate) replace: bool,
    /// Where the copy is made that it is taken from [default: TmpDir of the configuration]
    #[arg(long, value_name = "DIR", requires = "database")]
    pub(crate) aside: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) target: TargetArguments,
    /// A directory with an older state of the server, or another copy of it: its pages that are right are not fetched. It is only read
    #[arg(long, value_name = "OLD_DIR")]
    pub(crate) delta: Option<PathBuf>,
    /// What it is to be [default: slave where Role of the configuration says so, else master; copy where there is none]
    #[arg(long = "as", value_name = "ROLE")]
    pub(crate) restored_as: Option<RestoredAs>,
    /// The environment, where the repository has several
    #[arg(long, value_name = "ID")]
    pub(crate) environment: Option<String>,
    /// The generation whose line is meant, as 12-9f86d081 [default: the newest one]
    #[arg(long, value_name = "HISTORY")]
    pub(crate) history: Option<String>,
    /// Say what would be restored, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// The point of the past that is wanted; nothing: the latest there is.
#[derive(Debug, Clone, Default, Args)]
#[group(multiple = false)]
pub(crate) struct TargetArguments {
    /// The latest there is; this is the default
    #[arg(long)]
    pub(crate) latest: bool,
    /// Up to and including this point in time, YYYY-MM-DD HH:MM:SS, in UTC unless it says otherwise
    #[arg(long, short = 'T', value_name = "TIME")]
    pub(crate) time: Option<String>,
    /// Up to this position, as 12-3:184320, a border of two blocks
    #[arg(long, value_name = "POSITION")]
    pub(crate) position: Option<String>,
    /// Up to and including this commit
    #[arg(long, value_name = "NUMBER")]
    pub(crate) commit: Option<u64>,
    /// Up to the commit before this one
    #[arg(long, value_name = "NUMBER")]
    pub(crate) before_commit: Option<u64>,
}
