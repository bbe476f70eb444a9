//! What the one who has a directory made knows of it.

use std::fmt;
use std::path::PathBuf;

use disk::Disk;
use fwlog::{
    CommitNumber, DatabaseId, EnvironmentId, Generation, GenerationId, InstanceId, LogPoint,
    Position, SegmentReader, SegmentStore, Timestamp,
};
use rowdiff::Pages;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// Where directories of lost transactions are.
#[derive(Clone, Debug)]
pub struct Place {
    /// The disk.
    pub disk: Disk,
    /// The directory `lost` of a DataDir; made where it is missing.
    pub directory: PathBuf,
}

/// What the log was taken back by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MadeBy {
    /// An instance rejoins at its root.
    Rejoin,
    /// A slave gets the state of its source, whatever it had (`dbrepl --resync`).
    Resync,
    /// A person took the environment back to a point of its log.
    To,
    /// A recovery to a part of the log.
    Recover,
}

/// What the instance was when it wrote, or got, what is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// The root: its file is the one to be applied.
    Primary,
    /// A slave of that root: what it has, the primary's file has too.
    Secondary,
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
        })
    }
}

/// The last point that the log has in common with the root's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fork {
    /// Where it is: a border of blocks.
    pub point: LogPoint,
    /// The newest commit up to there.
    pub commit: CommitNumber,
    /// When that was; `None` where nobody knows.
    pub time: Option<Timestamp>,
    /// The generation that the point is in.
    pub generation: GenerationId,
}

impl Fork {
    /// The fork at this border of a log.
    ///
    /// Errors: it is none, or the log can't be read.
    pub fn at(log: &SegmentStore, position: Position) -> Result<Self, Error> {
        let mut reader = SegmentReader::open_in(log, position.segment)?;
        let directory = &log.location().directory;
        let not_there = || Error::NoBorder {
            directory: directory.clone(),
            at: position,
        };
        let hash = reader.skip_to(position.offset)?.ok_or_else(not_there)?;
        let lines = fwlog::generations_in(log.location(), None, position)?;
        let line = fwlog::generation_of(&lines, position);
        Ok(Self {
            point: LogPoint::new(position, hash),
            commit: reader.last_commit(),
            time: Some(reader.time()),
            generation: line.ok_or_else(not_there)?.id,
        })
    }
}

/// Who is the root now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// Its name.
    pub instance: String,
    /// The number of its generation.
    pub generation: Generation,
    /// What that generation is known by.
    pub id: GenerationId,
}

/// What a directory is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// What the log is taken back by.
    pub made_by: MadeBy,
    /// What the instance was.
    pub standing: Standing,
    /// The environment.
    pub environment: EnvironmentId,
    /// The instance whose log it is.
    pub instance: String,
    /// Its id.
    pub instance_id: InstanceId,
    /// Where the two logs part.
    pub fork: Fork,
    /// The root; `None`: nobody (a person goes back to a point).
    pub root: Option<Root>,
    /// How the log is taken back, as `cut` or `compare`: for people.
    pub plan: String,
    /// When it began. It is part of the name: an attempt that is made again after a crash has the same.
    pub time: Timestamp,
}

/// A database as it was at the fork.
#[derive(Clone)]
pub struct ForkDatabase<'a> {
    /// Its number in the log.
    pub id: DatabaseId,
    /// Its name at the fork.
    pub name: String,
    /// Its pages at the fork, exactly. Read while [`write()`](crate::write()) runs, in any order, each perhaps several times.
    pub pages: &'a dyn Pages,
}

impl fmt::Debug for ForkDatabase<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForkDatabase")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("pages", &self.pages.count())
            .finish()
    }
}

/// The state at the fork, from which rows are told.
#[derive(Clone, Debug)]
pub enum ForkState<'a> {
    /// All databases that there were at the fork, `system` among them.
    Known(Vec<ForkDatabase<'a>>),
    /// It can't be had: the log is kept, and no rows are told.
    Unknown {
        /// Why.
        why: String,
        /// The databases that are known by name: only for what is told to people.
        names: Vec<(DatabaseId, String)>,
    },
}
