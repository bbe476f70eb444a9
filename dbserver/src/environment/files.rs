//! The data files of an environment: opened, created, removed in one place.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use disk::Disk;
use fwlog::DatabaseId;
use pagestore::{Horizon, PageStore, StoreOptions};

use crate::commit::permit::WritePermit;
use crate::environment::control::DatabaseEntry;
use crate::environment::crowd::Crowd;
use crate::environment::database::{ConnectionLimits, Database};
use crate::environment::layout::Layout;
use crate::error::EngineError;

/// Bytes of old pages that open snapshots may keep in memory, for each database.
const PINNED_LIMIT: u64 = 64 << 20;

/// Knows where data files are and with which limits databases are opened.
#[derive(Debug, Clone)]
pub struct DatabaseFiles {
    layout: Layout,
    limits: ConnectionLimits,
    under_way: Arc<AtomicUsize>,
}

impl DatabaseFiles {
    /// The files of the environment at `layout`.
    pub fn new(layout: Layout, limits: ConnectionLimits) -> Self {
        Self {
            layout,
            limits,
            under_way: Arc::default(),
        }
    }

    /// The disk that they are on.
    pub fn disk(&self) -> &Disk {
        self.layout.disk()
    }

    /// How much memory their page versions take.
    pub fn crowd(&self) -> &Crowd {
        &self.limits.crowd
    }

    /// How many transactions hold or want a write permit in any of the databases.
    pub fn under_way(&self) -> &Arc<AtomicUsize> {
        &self.under_way
    }

    /// Opens a database; a missing file is an empty database.
    pub fn open(
        &self,
        id: DatabaseId,
        name: &str,
        file: &str,
        horizon: &Arc<Horizon>,
    ) -> Result<Database, EngineError> {
        let path = self.layout.data_file(file);
        let options = StoreOptions {
            disk: self.layout.disk().clone(),
            scratch_dir: self.limits.scratch_dir.clone(),
            pinned_limit: PINNED_LIMIT,
        };
        let store = PageStore::open(&path, Arc::clone(horizon), options)?;
        let entry = DatabaseEntry {
            id,
            name: name.to_owned(),
            file: file.to_owned(),
        };
        Ok(Database::new(
            entry,
            store,
            self.limits.clone(),
            WritePermit::counted_by(Arc::clone(&self.under_way)),
        ))
    }

    /// Removes a dropped database's file; sessions that still read it keep it until they end.
    pub fn remove(&self, database: &Database) -> Result<(), EngineError> {
        database.mark_dropped();
        let path = self.layout.data_file(database.file());
        match self.layout.disk().remove(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(EngineError::file("remove", path, &error))
            }
            _ => Ok(()),
        }
    }
}
