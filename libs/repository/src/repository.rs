//! A repository, and the archive of one environment's log in it.

use std::io::ErrorKind;
use std::sync::Arc;

use bytes::Bytes;
use fwlog::{EnvironmentId, LogPoint, Position};

use crate::backups::Backups;
use crate::catalog::{Catalog, HistoryObjects};
use crate::error::ArchiveError;
use crate::generation::ArchivedGeneration;
use crate::heartbeat::Heartbeat;
use crate::marker::Marker;
use crate::name::{HistoryId, LogObject, ObjectName};
use crate::one_writer::OneWriter;
use crate::part::{Border, Part};
use crate::part_head::{HEAD_SIZE, PartHead};
use crate::store::{Put, Store, StoreError};

/// A store that is a repository.
#[derive(Clone, Debug)]
pub struct Repository {
    store: Arc<dyn Store>,
    marker: Marker,
}

impl Repository {
    /// Makes the store a repository. Where it does not put an object only where there is none, or answers that it can't, the
    /// repository says so for ever, and is for one writer at a time.
    ///
    /// Errors: it is one already.
    pub fn init(store: Arc<dyn Store>, mut marker: Marker) -> Result<Self, ArchiveError> {
        // A store that ignores the condition would replace the one that is there.
        match Self::open(Arc::clone(&store)) {
            Err(ArchiveError::NoRepository { .. }) => {}
            Err(error) => return Err(error),
            Ok(there) => return Err(there.already_there()),
        }
        let content = marker.encode();
        let put = || match store.put_if_absent(&ObjectName::Marker, &content) {
            Err(StoreError::Failed {
                kind: ErrorKind::Unsupported,
                ..
            }) => Ok(Put::Stored),
            other => other,
        };
        if put()? == Put::Exists {
            return Err(Self::open(store)?.already_there());
        }
        if put()? == Put::Stored {
            marker.conditional_put = false;
            store.put(&ObjectName::Marker, &marker.encode())?;
        }
        Ok(Self::with(store, marker))
    }

    fn already_there(self) -> ArchiveError {
        let (place, name) = (self.place(), self.marker.name);
        ArchiveError::NotThere(format!("{place} is a repository already, '{name}'"))
    }

    /// Opens a repository that is there.
    pub fn open(store: Arc<dyn Store>) -> Result<Self, ArchiveError> {
        let content = match store.get(&ObjectName::Marker) {
            Err(StoreError::Missing { place, .. }) => {
                return Err(ArchiveError::NoRepository { place });
            }
            other => other?,
        };
        let marker = Marker::decode(&content)?;
        Ok(Self::with(store, marker))
    }

    fn with(store: Arc<dyn Store>, marker: Marker) -> Self {
        let store = if marker.conditional_put {
            store
        } else {
            Arc::new(OneWriter(store))
        };
        Self { store, marker }
    }

    /// Whether two archivers of it could destroy each other's work.
    pub fn is_for_one_writer(&self) -> bool {
        !self.marker.conditional_put
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.marker.name
    }

    /// Where it is.
    pub fn place(&self) -> String {
        self.store.place()
    }

    /// The environments whose log or backups are in it.
    pub fn environments(&self) -> Result<Vec<EnvironmentId>, ArchiveError> {
        let mut environments: Vec<_> = (self.store.list("")?.iter())
            .filter_map(|listed| listed.name.parse::<ObjectName>().ok()?.environment())
            .collect();
        environments.dedup();
        Ok(environments)
    }

    /// The backups of an environment, of which there may be none yet.
    pub fn backups(&self, environment: EnvironmentId) -> Backups {
        Backups {
            store: Arc::clone(&self.store),
            environment,
        }
    }

    /// The log of an environment, which need not be there yet.
    pub fn log(&self, environment: EnvironmentId) -> LogArchive {
        LogArchive {
            store: Arc::clone(&self.store),
            environment,
        }
    }
}

/// Where the archive of a history ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArchiveEnd {
    /// The place.
    pub border: Border,
    /// Whether the segment is sealed there.
    pub sealed: bool,
}

/// The archive of the log of one environment.
#[derive(Clone, Debug)]
pub struct LogArchive {
    store: Arc<dyn Store>,
    environment: EnvironmentId,
}

impl LogArchive {
    /// Whose log it is.
    pub fn environment(&self) -> EnvironmentId {
        self.environment
    }

    /// The name of an object of it.
    pub fn name(&self, history: HistoryId, object: LogObject) -> ObjectName {
        ObjectName::Log(self.environment, history, object)
    }

    /// All that is there. One listing.
    pub fn catalog(&self) -> Result<Catalog, ArchiveError> {
        let listed = self.store.list(&ObjectName::log_prefix(self.environment))?;
        Ok(Catalog::new(self.environment, listed))
    }

    /// A part, proved; it is what its name says.
    pub fn part(&self, history: HistoryId, at: Position) -> Result<Part, ArchiveError> {
        let name = self.part_name(history, at);
        let bytes = Bytes::from(self.store.get(&name)?);
        let part = Part::decode(&bytes).map_err(|why| ArchiveError::damaged(name, why))?;
        self.check(name, at, &part.head)?;
        Ok(part)
    }

    /// The head of a part.
    pub fn head(&self, history: HistoryId, at: Position) -> Result<PartHead, ArchiveError> {
        let name = self.part_name(history, at);
        let bytes = self.store.get_range(&name, 0, HEAD_SIZE)?;
        let head = PartHead::decode(&bytes).map_err(|why| ArchiveError::damaged(name, why))?;
        self.check(name, at, &head)?;
        Ok(head)
    }

    fn part_name(&self, history: HistoryId, at: Position) -> ObjectName {
        self.name(history, LogObject::Part(at.segment.sequence, at.offset))
    }

    fn check(&self, name: ObjectName, at: Position, head: &PartHead) -> Result<(), ArchiveError> {
        if head.environment == self.environment && head.from.point.position == at {
            return Ok(());
        }
        let of = head.from.point.position;
        Err(ArchiveError::damaged(
            name,
            format!("it is the part at {of} of environment {}", head.environment),
        ))
    }

    /// Where the archive of a history ends, as its last part says; `None`: it has no part.
    pub fn end(
        &self,
        history: HistoryId,
        objects: &HistoryObjects,
    ) -> Result<Option<ArchiveEnd>, ArchiveError> {
        let Some(last) = objects.last_part(history.generation) else {
            return Ok(None);
        };
        let head = self.head(history, last)?;
        Ok(Some(ArchiveEnd {
            border: head.to,
            sealed: head.sealed,
        }))
    }

    /// The border at this point of the log, where the archive of a history has it, with the same chain hash.
    pub fn find(
        &self,
        history: HistoryId,
        objects: &HistoryObjects,
        point: LogPoint,
    ) -> Result<Option<Border>, ArchiveError> {
        let Some(at) = objects.part_around(point.position) else {
            return Ok(None);
        };
        let head = self.head(history, at)?;
        let border = if head.to.point.position == point.position {
            Some(head.to)
        } else {
            self.part(history, at)?.border_at(point.position)
        };
        Ok(border.filter(|border| border.point == point))
    }

    /// What is said of a generation.
    pub fn generation(&self, history: HistoryId) -> Result<ArchivedGeneration, ArchiveError> {
        let name = self.name(history, LogObject::Generation);
        ArchivedGeneration::decode(&name, history, &self.store.get(&name)?)
    }

    /// Up to when nothing is missing.
    pub fn heartbeat(&self, history: HistoryId) -> Result<Heartbeat, ArchiveError> {
        let name = self.name(history, LogObject::Heartbeat);
        Heartbeat::decode(&name, &self.store.get(&name)?)
    }

    /// Begins the archive of a generation, where none has done that: what it is, the first heartbeat, and last that it is
    /// a child of another one, where that is in the archive.
    pub fn begin(
        &self,
        generation: &ArchivedGeneration,
        heartbeat: &Heartbeat,
        parent: Option<HistoryId>,
    ) -> Result<(), ArchiveError> {
        let history = generation.history();
        let absent = |name: ObjectName, content: &[u8]| self.store.put_if_absent(&name, content);
        absent(
            self.name(history, LogObject::Generation),
            &generation.encode(),
        )?;
        absent(
            self.name(history, LogObject::Heartbeat),
            &heartbeat.encode(),
        )?;
        if let Some(parent) = parent {
            absent(self.name(parent, LogObject::Child(history)), &[])?;
        }
        Ok(())
    }

    /// Stores a part, unless there is one.
    pub fn put_part(&self, history: HistoryId, part: &Part) -> Result<Put, ArchiveError> {
        let name = self.part_name(history, part.head.from.point.position);
        Ok(self.store.put_if_absent(&name, &part.encode())?)
    }

    /// Says up to when nothing is missing.
    pub fn put_heartbeat(
        &self,
        history: HistoryId,
        heartbeat: &Heartbeat,
    ) -> Result<(), ArchiveError> {
        let name = self.name(history, LogObject::Heartbeat);
        Ok(self.store.put(&name, &heartbeat.encode())?)
    }

    /// The bytes of an object that has none.
    pub(crate) fn child(&self, parent: HistoryId, child: HistoryId) -> Result<(), ArchiveError> {
        let name = self.name(parent, LogObject::Child(child));
        if self.store.get(&name)?.is_empty() {
            return Ok(());
        }
        Err(ArchiveError::damaged(name, "it should be empty"))
    }
}
