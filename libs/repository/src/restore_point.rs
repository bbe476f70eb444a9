//! To which point of the past, and from which backup.

use std::fmt;

use fwlog::{Block, BlockDecoder, CommitNumber, DecodeError, Position, Record, Timestamp};

use crate::backup_name::{BackupId, BackupObject};
use crate::backups::{BackupCatalog, Backups};
use crate::catalog::Catalog;
use crate::error::ArchiveError;
use crate::line::{Join, Line};
use crate::manifest::Manifest;
use crate::repository::LogArchive;

/// The point of the past that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoreTarget {
    /// The end of all that there is.
    Latest,
    /// All that was committed up to this time.
    Time(Timestamp),
    /// Up to this border of two blocks.
    Position(Position),
    /// Up to this commit, with it, and nothing behind it.
    Commit(CommitNumber),
}

impl fmt::Display for RestoreTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => f.write_str("the latest there is"),
            Self::Time(time) => write!(f, "{time}"),
            Self::Position(position) => write!(f, "{position}"),
            Self::Commit(commit) => write!(f, "commit {commit}"),
        }
    }
}

/// How much of a block is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All.
    All,
    /// Its records up to this commit.
    UpTo(CommitNumber),
    /// Nothing, and nothing of what follows.
    Nothing,
    /// The border that is wanted is inside of it.
    Inside,
}

impl RestoreTarget {
    /// Whether a backup at this commit, time and place is not behind it.
    fn allows(&self, manifest: &Manifest) -> bool {
        match self {
            Self::Latest => true,
            Self::Time(time) => manifest.time <= *time,
            Self::Position(position) => manifest
                .log_end
                .is_none_or(|end| end.point.position <= *position),
            Self::Commit(commit) => manifest.commit <= *commit,
        }
    }

    /// How much of a block is wanted.
    pub(crate) fn wants(
        &self,
        block: &Block,
        decoder: &mut BlockDecoder,
    ) -> Result<Wanted, DecodeError> {
        let head = &block.head;
        match *self {
            Self::Latest => Ok(Wanted::All),
            Self::Position(at) if block.end.position <= at => Ok(Wanted::All),
            Self::Position(at) if at <= block.start => Ok(Wanted::Nothing),
            Self::Position(_) => Ok(Wanted::Inside),
            Self::Commit(commit) if head.last_commit < commit => Ok(Wanted::All),
            Self::Commit(commit) => up_to(block, decoder, |number, _| number <= commit),
            Self::Time(time) if head.time <= time => Ok(Wanted::All),
            Self::Time(time) => up_to(block, decoder, |_, at| at <= time),
        }
    }
}

/// The records of a block up to its last commit that is wanted: none of those behind it.
fn up_to(
    block: &Block,
    decoder: &mut BlockDecoder,
    is_wanted: impl Fn(CommitNumber, Timestamp) -> bool,
) -> Result<Wanted, DecodeError> {
    let mut wanted = Wanted::Nothing;
    for record in decoder.records(block)? {
        match record? {
            Record::Commit(commit) if is_wanted(commit.number, commit.time) => {
                wanted = Wanted::UpTo(commit.number);
            }
            Record::Commit(_) => break,
            _ => {}
        }
    }
    let Wanted::UpTo(last) = wanted else {
        return Ok(Wanted::Nothing);
    };
    let newest = decoder.records(block)?.last().transpose()?;
    let is_all = matches!(newest, Some(Record::Commit(commit)) if commit.number == last);
    Ok(if is_all { Wanted::All } else { wanted })
}

/// The backup that a restore begins with, and the line of the archive that it goes on with.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// The backup.
    pub manifest: Manifest,
    /// The line, where the backup's log goes on in the archive.
    pub line: Option<Line>,
}

/// Chooses the newest backup that is not behind the target and whose log the line has, or goes beyond; or looks at the one that is
/// wanted.
pub fn choose(
    (backups, known): (&Backups, &BackupCatalog),
    (archive, catalog): (&LogArchive, &Catalog),
    line: Option<&Line>,
    (target, wanted): (RestoreTarget, Option<BackupId>),
) -> Result<Chosen, ArchiveError> {
    let mut passed = Vec::new();
    let all = known.complete.iter().rev();
    for id in all.filter(|id| wanted.is_none_or(|wanted| wanted == **id)) {
        // It may go while it is read.
        if wanted.is_none() && known.objects.contains_key(&(*id, BackupObject::Doomed)) {
            passed.push(format!("{id} is to be removed"));
            continue;
        }
        let manifest = backups.manifest(*id)?;
        if !target.allows(&manifest) {
            passed.push(format!("{id} is behind that"));
            continue;
        }
        let Some(line) = line else {
            return Ok(Chosen {
                manifest,
                line: None,
            });
        };
        let end = manifest.log_end.map(|end| end.point);
        let join = end.map_or(Ok(Join::Not), |end| line.join(archive, catalog, end))?;
        match join {
            Join::Has => {
                return Ok(Chosen {
                    manifest,
                    line: Some(line.clone()),
                });
            }
            Join::Ahead => {
                return Ok(Chosen {
                    manifest,
                    line: None,
                });
            }
            Join::Not if wanted.is_some() => {
                return Ok(Chosen {
                    manifest,
                    line: None,
                });
            }
            Join::Not => passed.push(format!("the archive does not go on from {id}")),
        }
    }
    if let Some(wanted) = wanted
        && passed.is_empty()
    {
        return Err(ArchiveError::NotThere(format!(
            "there is no backup {wanted} in {}",
            backups.place()
        )));
    }
    let why = if passed.is_empty() {
        format!("{} has no backup", backups.place())
    } else {
        passed.join("; ")
    };
    Err(ArchiveError::NotThere(format!(
        "no backup leads to {target}: {why}"
    )))
}
