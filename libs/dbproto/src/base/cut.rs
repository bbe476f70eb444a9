//! What a giver has to give.

use fwlog::{CommitNumber, EnvironmentId, LogPoint, Position, SegmentId, Timestamp};
use pagehash::{GroupNumber, hashed_pages};

use super::MAX_DATABASES;
use crate::ProtocolError;
use crate::wire::{FieldReader, FieldWriter};

/// Every database of an environment at one commit, with what makes a startable environment of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CutOffer {
    /// The giver's number for it.
    pub id: u64,
    /// Environment that it is of.
    pub environment: EnvironmentId,
    /// Name of the instance that gives it.
    pub instance: String,
    /// Version of the forward-log format that the log is of.
    pub format: u32,
    /// Bytes a page.
    pub page_size: u32,
    /// Limit of the giver's data files in bytes; 0 = none.
    pub volume_limit: u64,
    /// The commit that every database is at.
    pub commit: CommitNumber,
    /// When it was committed.
    pub time: Timestamp,
    /// From where the log is to be redone over these pages.
    pub redo: RedoPoint,
    /// The databases that have pages, by ascending number.
    pub databases: Vec<CutDatabase>,
    /// The number that the next new database gets: above all that were ever given.
    pub next_database: u32,
    /// The log that belongs to it; `None`: the pages are complete up to the redo point, and the log begins behind it.
    pub log: Option<LogRange>,
}

/// From where the log is to be redone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedoPoint {
    /// A border between two blocks.
    pub point: LogPoint,
    /// Bytes that have been logged before it.
    pub log_bytes: u64,
    /// The newest commit before it.
    pub commit: CommitNumber,
}

/// A database of a cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CutDatabase {
    /// Its number in the environment.
    pub number: u32,
    /// Its name at the redo point.
    pub name: String,
    /// Its pages at the cut's commit.
    pub pages: u32,
}

impl CutDatabase {
    /// Pages that move: SQLite's lock page, which a database above 1 GiB has, is never written.
    pub fn moving(&self) -> u64 {
        u64::from(hashed_pages(self.pages))
    }

    /// How many groups of pages it has.
    pub fn groups(&self) -> u32 {
        GroupNumber::count(self.pages)
    }

    /// How many pages one of its groups has; 0 where it has no such group.
    pub fn pages_of(&self, group: GroupNumber) -> u32 {
        let pages = group.pages(self.pages);
        if pages.is_empty() {
            0
        } else {
            pages.end() - pages.start() + 1
        }
    }
}

/// Whole segments, and the last one up to a border: the first block's start, or a block's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogRange {
    /// The segment that the redo point is in, or the one after it, from its first byte.
    pub from: SegmentId,
    /// The border at or behind the cut's commit.
    pub to: Position,
}

impl CutOffer {
    /// All pages that move.
    pub fn pages(&self) -> u64 {
        self.databases.iter().map(CutDatabase::moving).sum()
    }

    /// The database with this number.
    pub fn database(&self, number: u32) -> Option<&CutDatabase> {
        let at = self
            .databases
            .binary_search_by_key(&number, |database| database.number);
        self.databases.get(at.ok()?)
    }

    pub(super) fn write(&self, out: &mut FieldWriter<'_>) {
        out.u64(self.id);
        out.environment(self.environment);
        out.text(&self.instance);
        out.u32(self.format);
        out.u32(self.page_size);
        out.u64(self.volume_limit);
        out.commit(self.commit);
        out.time(self.time);
        out.point(&self.redo.point);
        out.u64(self.redo.log_bytes);
        out.commit(self.redo.commit);
        out.optional(self.log.as_ref(), |out, log| {
            out.position(Position {
                segment: log.from,
                offset: 0,
            });
            out.position(log.to);
        });
        out.u32(self.next_database);
        out.u32(u32::try_from(self.databases.len()).unwrap_or(u32::MAX));
        for database in &self.databases {
            out.u32(database.number);
            out.text(&database.name);
            out.u32(database.pages);
        }
    }

    /// A cut that has no meaning is refused here, so that nobody behind it has to ask.
    pub(super) fn read(from: &mut FieldReader) -> Result<Self, ProtocolError> {
        let mut cut = Self {
            id: from.u64()?,
            environment: from.environment()?,
            instance: from.text()?,
            format: from.u32()?,
            page_size: from.u32()?,
            volume_limit: from.u64()?,
            commit: from.commit()?,
            time: from.time()?,
            redo: RedoPoint {
                point: from.point()?,
                log_bytes: from.u64()?,
                commit: from.commit()?,
            },
            log: from.optional(|from| {
                Ok(LogRange {
                    from: from.position()?.segment,
                    to: from.position()?,
                })
            })?,
            next_database: from.u32()?,
            databases: Vec::new(),
        };
        if cut.redo.commit > cut.commit {
            return Err(from.bad("redo point"));
        }
        let redo = cut.redo.point.position;
        let fits = |log: &LogRange| log.from >= redo.segment && log.to >= redo;
        if !cut.log.as_ref().is_none_or(fits) {
            return Err(from.bad("log range"));
        }
        let count = usize::try_from(from.u32()?).unwrap_or(usize::MAX);
        if count > MAX_DATABASES {
            return Err(from.bad("number of databases"));
        }
        for _ in 0..count {
            let database = CutDatabase {
                number: from.u32()?,
                name: from.text()?,
                pages: from.u32()?,
            };
            let last = cut.databases.last();
            let in_order = last.is_none_or(|last: &CutDatabase| last.number < database.number);
            if !in_order || database.number >= cut.next_database {
                return Err(from.bad("numbers of databases"));
            }
            cut.databases.push(database);
        }
        Ok(cut)
    }
}
