//! Stores a log part by part. It reads the archive where it begins, and remembers nothing beyond.

use std::collections::BTreeSet;

use bytes::Bytes;
use fwlog::{HistoryLine, ReadError, SegmentId, Timestamp};

use crate::assembly::{Assembly, Diverged};
use crate::catalog::Catalog;
use crate::error::ArchiveError;
use crate::generation::ArchivedGeneration;
use crate::heartbeat::Heartbeat;
use crate::name::HistoryId;
use crate::part::{Border, Part};
use crate::repository::LogArchive;
use crate::start::Start;
use crate::store::Put;

/// Why a log can't be archived.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArchiverError {
    /// The archive can't be used.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The log can't be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// There is no log.
    #[error("there are no segments")]
    NoLog,
    /// Log and archive are two histories.
    #[error(transparent)]
    Diverged(#[from] Diverged),
    /// The archive has another generation that has the same name.
    #[error("the archive has another generation that is called {0}")]
    OtherGeneration(HistoryId),
    /// Nobody knows how the generation of a segment began.
    #[error("the history of the log says nothing of the generation of segment {0}")]
    UnknownGeneration(SegmentId),
}

impl From<crate::store::StoreError> for ArchiverError {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Archive(error.into())
    }
}

/// What became of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It was stored, with so many bytes of log.
    Part(usize),
    /// Another archiver has stored one there.
    Others,
}

/// Stores one log.
#[derive(Debug)]
pub struct Archiver {
    archive: LogArchive,
    assembly: Assembly,
    /// The one that the newest part was of.
    history: Option<HistoryId>,
    /// Those that are in the archive.
    archived: BTreeSet<HistoryId>,
    /// The generations of the log, as far as they are known.
    branch: Vec<HistoryLine>,
}

impl Archiver {
    /// One that goes on from there.
    pub fn new(
        archive: LogArchive,
        catalog: &Catalog,
        start: &Start,
        branch: Vec<HistoryLine>,
    ) -> Result<Self, ArchiverError> {
        let mut assembly = Assembly::new(archive.environment(), start.border, start.sealed);
        if let Some(within) = &start.within {
            assembly.is_behind(within.to, within.sealed)?;
        }
        Ok(Self {
            archive,
            assembly,
            history: start.history,
            archived: catalog.histories.keys().copied().collect(),
            branch,
        })
    }

    /// A segment begins.
    pub fn take_header(&mut self, bytes: &[u8]) -> Result<(), ArchiverError> {
        Ok(self.assembly.take_header(bytes)?)
    }

    /// The next blocks.
    pub fn take_blocks(&mut self, bytes: Bytes) -> Result<(), ArchiverError> {
        Ok(self.assembly.take_blocks(bytes)?)
    }

    /// The segment ends.
    pub fn take_seal(&mut self, bytes: Bytes) -> Result<(), ArchiverError> {
        Ok(self.assembly.take_seal(bytes)?)
    }

    /// Where the archive ends.
    pub fn archived(&self) -> Border {
        self.assembly.archived().0
    }

    /// Where what has come of the log ends.
    pub fn read(&self) -> Border {
        self.assembly.end()
    }

    /// Whether there is a part to be stored: a full one, or the end of a segment.
    pub fn is_part_due(&self, part_size: usize) -> bool {
        self.assembly.length() >= part_size || self.assembly.is_segment_end()
    }

    /// Whether all that has come is archived.
    pub fn is_settled(&self) -> bool {
        self.assembly.is_settled()
    }

    /// Stores the next part of what has come, at most about so large; `None`: there is none.
    ///
    /// Errors: after [`ArchiverError::Archive`] it may be tried again, after others it may not.
    pub fn store(&mut self, part_size: usize) -> Result<Option<Stored>, ArchiverError> {
        let Some(part) = self.assembly.part(part_size) else {
            return Ok(None);
        };
        let history = self.history_of(&part)?;
        let stored = match self.archive.put_part(history, &part)? {
            Put::Stored => {
                self.assembly.is_stored(&part.head)?;
                Stored::Part(part.payload.len())
            }
            Put::Exists => {
                let theirs = self.archive.head(history, part.head.from.point.position)?;
                self.assembly.is_stored(&theirs)?;
                Stored::Others
            }
        };
        Ok(Some(stored))
    }

    /// Says that nothing is missing up to now: the log was durable no further than what is archived.
    ///
    /// `false`: there is nothing to say it of.
    pub fn beat(&self, at: Timestamp) -> Result<bool, ArchiverError> {
        let (end, sealed) = self.assembly.archived();
        let Some(history) = self.history.filter(|_| self.is_settled()) else {
            return Ok(false);
        };
        if end.point.position.segment.generation != history.generation {
            return Ok(false);
        }
        let beat = Heartbeat { end, sealed, at };
        self.archive.put_heartbeat(history, &beat)?;
        Ok(true)
    }

    /// The history that a part is of; its archive is begun where it is not in the archive.
    fn history_of(&mut self, part: &Part) -> Result<HistoryId, ArchiverError> {
        let segment = part.head.segment();
        let same = |it: &HistoryId| it.generation == segment.generation;
        if let Some(history) = self.history.filter(same) {
            return Ok(history);
        }
        let record = ArchivedGeneration::record_in(part)
            .map_err(|why| ArchiveError::damaged(format!("the log at {segment}"), why))?;
        let known = |line: &&HistoryLine| line.number == segment.generation;
        let line = record
            .or_else(|| self.branch.iter().find(known).cloned())
            .ok_or(ArchiverError::UnknownGeneration(segment))?;
        let generation = ArchivedGeneration {
            line,
            begins: part.head.from.point.position,
        };
        let heartbeat = Heartbeat {
            end: part.head.from,
            sealed: false,
            at: Timestamp::now(),
        };
        let history = generation.history();
        self.archive
            .begin(&generation, &heartbeat, self.parent_of(&generation))?;
        self.history = Some(history);
        self.archived.insert(history);
        self.branch.push(generation.line);
        Ok(history)
    }

    /// The generation before, where it is in the archive.
    fn parent_of(&self, generation: &ArchivedGeneration) -> Option<HistoryId> {
        let parent = generation.line.parent_generation();
        let mut lines = self.branch.iter().rev();
        let line =
            lines.find(|line| line.number == parent && line.number != generation.line.number)?;
        let history = HistoryId::new(line.number, line.id);
        self.archived.contains(&history).then_some(history)
    }
}
