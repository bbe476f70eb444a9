//! What a backup is: every database of an environment at one commit, and the log that belongs to it.

use std::fmt;
use std::str::FromStr;

use fwlog::{
    ChainHash, CommitNumber, EnvironmentId, HistoryLine, LogPoint, Position, SegmentId, Timestamp,
};
use pagehash::Root;

use crate::backup_name::BackupId;
use crate::error::ArchiveError;
use crate::part::Border;
use crate::text::{Lines, begin};

/// Longest label of a backup, in bytes.
pub const MAX_LABEL: usize = 200;

/// A backup. It is complete: no other one is needed to restore it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Its name.
    pub id: BackupId,
    /// The environment that it is of.
    pub environment: EnvironmentId,
    /// The instance that it was made of.
    pub instance: String,
    /// When it was begun, by the clock of who made it.
    pub begun: Timestamp,
    /// When it was complete.
    pub ended: Timestamp,
    /// What its maker calls it; may be empty.
    pub label: String,
    /// The commit that every page is of.
    pub commit: CommitNumber,
    /// When that was.
    pub time: Timestamp,
    /// From where the log is to be redone over the pages.
    pub redo: LogPoint,
    /// Bytes that were logged before it.
    pub redo_log_bytes: u64,
    /// The newest commit before it.
    pub redo_commit: CommitNumber,
    /// The number that the next new database gets.
    pub next_database: u32,
    /// Where the log ends that belongs to it; `None`: it has none, and the pages are complete up to the redo point.
    pub log_end: Option<Border>,
    /// That log, in order.
    pub log: Vec<StoredLog>,
    /// The databases that have pages, by ascending number.
    pub databases: Vec<BackedUpDatabase>,
    /// The generations that led to its log, as far as the server knew them; the oldest first.
    pub branch: Vec<HistoryLine>,
    /// The list of its groups.
    pub pages: StoredObject,
    /// What it cost.
    pub cost: Cost,
}

/// A database of a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackedUpDatabase {
    /// Its number in the environment.
    pub number: u32,
    /// Its pages.
    pub pages: u32,
    /// Its checksum, as `dbctl database checksum` has it.
    pub root: Root,
    /// Its name at the redo point.
    pub name: String,
}

/// An object, by its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredObject {
    /// How many they are.
    pub length: u64,
    /// Their BLAKE3 hash.
    pub hash: [u8; 32],
}

impl StoredObject {
    /// Of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self {
            length: bytes.len() as u64,
            hash: blake3::hash(bytes).into(),
        }
    }
}

/// Some bytes of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredLog {
    /// The segment.
    pub segment: SegmentId,
    /// Where in it they begin.
    pub offset: u64,
    /// The object that has them.
    pub object: StoredObject,
}

/// What a backup has cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Pages that were as in the backup before it.
    pub equal: u64,
    /// Pages that were read.
    pub taken: u64,
    /// Bytes of packs that were stored.
    pub stored: u64,
}

impl Manifest {
    /// Pages of all databases.
    pub fn page_count(&self) -> u64 {
        let pages = self.databases.iter().map(|it| u64::from(it.pages));
        pages.sum()
    }

    /// The database with this name.
    pub fn database(&self, name: &str) -> Option<&BackedUpDatabase> {
        self.databases.iter().find(|it| it.name == name)
    }

    /// The object.
    pub fn encode(&self) -> Vec<u8> {
        let mut body = begin();
        body.line("backup", self.id);
        body.line("environment", self.environment);
        body.line("instance", &self.instance);
        body.line("begun", self.begun.micros());
        body.line("ended", self.ended.micros());
        body.line("label", &self.label);
        body.line("commit", self.commit);
        body.line("time", self.time.micros());
        body.line("redo", self.redo.position);
        body.line("redo_chain", self.redo.hash);
        body.line("redo_log_bytes", self.redo_log_bytes);
        body.line("redo_commit", self.redo_commit);
        body.line("next_database", self.next_database);
        if let Some(end) = &self.log_end {
            body.line("log_end", end.point.position);
            body.line("log_chain", end.point.hash);
            body.line("log_commit", end.commit);
            body.line("log_time", end.time.micros());
        }
        for piece in &self.log {
            body.line("log", piece);
        }
        for database in &self.databases {
            body.line("database", database);
        }
        for line in &self.branch {
            body.line("generation", line);
        }
        body.line("pages", self.pages);
        body.line("equal", self.cost.equal);
        body.line("taken", self.cost.taken);
        body.line("stored", self.cost.stored);
        body.seal().into_bytes()
    }

    /// Reads the object of this name, which must be that of the backup.
    pub fn decode(
        name: &dyn fmt::Display,
        (environment, id): (EnvironmentId, BackupId),
        bytes: &[u8],
    ) -> Result<Self, ArchiveError> {
        let lines = Lines::read(name, bytes)?;
        let point = |position, hash| -> Result<LogPoint, ArchiveError> {
            let position: Position = lines.get(position)?;
            let hash: ChainHash = lines.get(hash)?;
            Ok(LogPoint::new(position, hash))
        };
        let time = |key| lines.get(key).map(Timestamp::from_micros);
        let log_end = match lines.optional::<Position>("log_end")? {
            None => None,
            Some(_) => Some(Border {
                point: point("log_end", "log_chain")?,
                commit: lines.get("log_commit")?,
                time: time("log_time")?,
            }),
        };
        let manifest = Self {
            id: lines.get("backup")?,
            environment: lines.get("environment")?,
            instance: lines.text("instance")?.to_owned(),
            begun: time("begun")?,
            ended: time("ended")?,
            label: lines.text("label")?.to_owned(),
            commit: lines.get("commit")?,
            time: time("time")?,
            redo: point("redo", "redo_chain")?,
            redo_log_bytes: lines.get("redo_log_bytes")?,
            redo_commit: lines.get("redo_commit")?,
            next_database: lines.get("next_database")?,
            log_end,
            log: lines.all("log")?,
            databases: lines.all("database")?,
            branch: lines.all("generation")?,
            pages: lines.get("pages")?,
            cost: Cost {
                equal: lines.get("equal")?,
                taken: lines.get("taken")?,
                stored: lines.get("stored")?,
            },
        };
        let damaged = |why: String| ArchiveError::damaged(name, why);
        if (manifest.environment, manifest.id) != (environment, id) {
            return Err(damaged(format!(
                "it is of backup {} of environment {}",
                manifest.id, manifest.environment
            )));
        }
        let numbers: Vec<u32> = manifest.databases.iter().map(|it| it.number).collect();
        let in_order = numbers.is_sorted_by(|one, next| one < next);
        if !in_order || manifest.log.is_empty() != manifest.log_end.is_none() {
            return Err(damaged("its lines contradict one another".to_owned()));
        }
        Ok(manifest)
    }
}

impl fmt::Display for BackedUpDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, pages, root, name) = (self.number, self.pages, self.root, &self.name);
        write!(f, "{number} {pages} {root} {name}")
    }
}

impl FromStr for BackedUpDatabase {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let odd = "odd database";
        let mut words = text.splitn(4, ' ');
        let mut next = || words.next().ok_or(odd);
        Ok(Self {
            number: next()?.parse().map_err(|_| odd)?,
            pages: next()?.parse().map_err(|_| odd)?,
            root: Root::from_bytes(hash_of(next()?).ok_or(odd)?),
            name: next()?.to_owned(),
        })
    }
}

impl fmt::Display for StoredObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.length, hex::encode(self.hash))
    }
}

impl FromStr for StoredObject {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let odd = "odd object";
        let (length, hash) = text.split_once(' ').ok_or(odd)?;
        Ok(Self {
            length: length.parse().map_err(|_| odd)?,
            hash: hash_of(hash).ok_or(odd)?,
        })
    }
}

impl fmt::Display for StoredLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.segment, self.offset, self.object)
    }
}

impl FromStr for StoredLog {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let odd = "odd piece of log";
        let mut words = text.splitn(3, ' ');
        let mut next = || words.next().ok_or(odd);
        Ok(Self {
            segment: next()?.parse().map_err(|_| odd)?,
            offset: next()?.parse().map_err(|_| odd)?,
            object: next()?.parse()?,
        })
    }
}

fn hash_of(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    hex::decode_to_slice(text, &mut hash).ok()?;
    Some(hash)
}
