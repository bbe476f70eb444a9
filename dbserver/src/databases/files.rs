//! The data files of an environment: opened, created, removed in one place.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use disk::{Access, Disk};
use fwlog::DatabaseId;
use pagestore::{Horizon, PageSource, PageStore, StoreError, StoreOptions, sum_file};

use crate::databases::backup_mode::BackupMode;
use crate::databases::control::DatabaseEntry;
use crate::databases::database::{ConnectionLimits, Database};
use crate::databases::layout::Layout;
use crate::databases::memory_budget::MemoryBudget;
use crate::databases::permit::WritePermit;
use crate::databases::write_gate::WriteGate;
use crate::error::EngineError;

/// Knows where data files are and with which limits databases are opened.
#[derive(Debug, Clone)]
pub struct DatabaseFiles {
    layout: Layout,
    limits: ConnectionLimits,
    under_way: Arc<AtomicUsize>,
    write_gate: Arc<WriteGate>,
    backup_mode: Arc<BackupMode>,
    /// Where damaged pages come from.
    source: Option<Arc<dyn PageSource>>,
}

impl DatabaseFiles {
    /// The files of the environment at `layout`. Damaged pages are made again from `source` when
    /// they are met.
    pub fn new(
        layout: Layout,
        limits: ConnectionLimits,
        source: Option<Arc<dyn PageSource>>,
    ) -> Self {
        Self {
            layout,
            limits,
            source,
            under_way: Arc::default(),
            write_gate: Arc::default(),
            backup_mode: Arc::default(),
        }
    }

    /// The disk that they are on.
    pub fn disk(&self) -> &Disk {
        self.layout.disk()
    }

    /// How much memory their page versions take.
    pub fn memory_budget(&self) -> &MemoryBudget {
        &self.limits.memory_budget
    }

    /// How many transactions hold or want a write permit in any of the databases.
    pub fn under_way(&self) -> &Arc<AtomicUsize> {
        &self.under_way
    }

    /// What lets in whoever wants to write in any of the databases.
    pub fn write_gate(&self) -> &Arc<WriteGate> {
        &self.write_gate
    }

    /// Whether they stand still.
    pub fn backup_mode(&self) -> &Arc<BackupMode> {
        &self.backup_mode
    }

    /// Opens a database whose data file must be there, as new as the horizon at least.
    pub fn open(
        &self,
        entry: &DatabaseEntry,
        horizon: &Arc<Horizon>,
    ) -> Result<Database, StoreError> {
        let path = self.layout.data_file(&entry.file);
        let store = PageStore::open(&path, Arc::clone(horizon), self.options(entry.id))?;
        Ok(self.database(entry.clone(), store))
    }

    /// An empty database in place of one whose data file can't be used; the file is not touched.
    pub fn stand_in(
        &self,
        entry: &DatabaseEntry,
        horizon: &Arc<Horizon>,
    ) -> Result<Database, StoreError> {
        let path = self.layout.data_file(&entry.file);
        let store = PageStore::stand_in(&path, Arc::clone(horizon), self.options(entry.id))?;
        Ok(self.database(entry.clone(), store))
    }

    /// Makes an empty database. What is in its place was left by a crash: all that a database has got
    /// since it was made is in the log.
    pub fn create(
        &self,
        entry: DatabaseEntry,
        horizon: &Arc<Horizon>,
    ) -> Result<Database, StoreError> {
        let path = self.layout.data_file(&entry.file);
        let store = PageStore::create(&path, Arc::clone(horizon), self.options(entry.id))?;
        Ok(self.database(entry, store))
    }

    /// Refuses a file with content in the place of a new database: nothing of this server put it
    /// there, so it is somebody's.
    pub fn refuse_strange(&self, file: &str) -> Result<(), EngineError> {
        let path = self.layout.data_file(file);
        let length = match self.disk().open(&path, Access::Read) {
            Ok(found) => found.length(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => Err(error),
        };
        match length {
            Ok(0) => Ok(()),
            Ok(_) => Err(EngineError::state(
                format!(
                    "{} is there already and belongs to no database",
                    path.display()
                ),
                "Move it away; 'dbctl database restore NAME FILE' makes a database from a SQLite file.",
            )),
            Err(error) => Err(EngineError::file("look at", path, &error)),
        }
    }

    fn options(&self, id: DatabaseId) -> StoreOptions {
        StoreOptions {
            disk: self.layout.disk().clone(),
            scratch_dir: self.limits.scratch_dir.clone(),
            database: id.get(),
            pinned_limit: self.limits.pinned_limit,
        }
    }

    fn database(&self, entry: DatabaseEntry, store: Arc<PageStore>) -> Database {
        store.spill_while(Arc::clone(self.limits.memory_budget.full()));
        if let Some(source) = &self.source {
            store.mend_from(Arc::clone(source));
        }
        Database::new(
            entry,
            store,
            self.limits.clone(),
            WritePermit::counted_by(Arc::clone(&self.under_way), Arc::clone(&self.write_gate)),
        )
    }

    /// Removes a dropped database's files; sessions that still read it keep them until they end. What
    /// can't be removed only takes room: the database is dropped all the same.
    pub fn remove(&self, database: &Database) {
        database.mark_dropped();
        self.discard(database.file());
    }

    /// Removes a data file, and its sums, that belong to no database any more.
    pub fn discard(&self, file: &str) {
        let path = self.layout.data_file(file);
        for path in [sum_file(&path), path] {
            match self.layout.disk().remove(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(%error, "{} belongs to no database any more and cannot be removed; remove it by hand", path.display());
                }
                _ => {}
            }
        }
    }
}
