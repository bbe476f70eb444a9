//! What dbctl leaves to dbserver when it has brought a backup and the log behind it: a file, not an object of a repository.

use fwlog::{
    ChainHash, CommitNumber, EnvironmentId, Generation, HistoryLine, LogPoint, Position, Timestamp,
};

use crate::backup_name::BackupId;
use crate::error::ArchiveError;
use crate::part::Border;
use crate::text::{Lines, begin};

/// Where the log of a restore ends, and what goes on there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreNote {
    /// The environment.
    pub environment: EnvironmentId,
    /// The backup that the pages are of.
    pub backup: BackupId,
    /// Where the log ends; `None`: there is none.
    pub end: Option<Border>,
    /// Of the block behind that the records up to this commit are wanted, too.
    pub partial: Option<CommitNumber>,
    /// No generation up to this one may be given again: the archive has it.
    pub newest: Generation,
    /// The generations of the log, the oldest first.
    pub branch: Vec<HistoryLine>,
}

impl RestoreNote {
    /// The name of the file.
    pub const FILE: &str = "restore";

    /// The file.
    pub fn encode(&self) -> Vec<u8> {
        let mut body = begin();
        body.line("environment", self.environment);
        body.line("backup", self.backup);
        if let Some(end) = &self.end {
            body.line("end", end.point.position);
            body.line("end_chain", end.point.hash);
            body.line("end_commit", end.commit);
            body.line("end_time", end.time.micros());
        }
        if let Some(commit) = &self.partial {
            body.line("partial", commit);
        }
        body.line("newest", self.newest);
        for line in &self.branch {
            body.line("generation", line);
        }
        body.seal().into_bytes()
    }

    /// Reads the file.
    pub fn decode(bytes: &[u8]) -> Result<Self, ArchiveError> {
        let lines = Lines::read(&Self::FILE, bytes)?;
        let end = match lines.optional::<Position>("end")? {
            None => None,
            Some(position) => Some(Border {
                point: LogPoint::new(position, lines.get::<ChainHash>("end_chain")?),
                commit: lines.get("end_commit")?,
                time: lines.get("end_time").map(Timestamp::from_micros)?,
            }),
        };
        Ok(Self {
            environment: lines.get("environment")?,
            backup: lines.get("backup")?,
            end,
            partial: lines.optional("partial")?,
            newest: lines.get("newest")?,
            branch: lines.all("generation")?,
        })
    }
}
