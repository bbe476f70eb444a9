//! One database of the environment while the server runs.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::ThreadId;
use std::time::Instant;

use fwlog::DatabaseId;
use pagestore::{CommitNumber, PageStore};
use rusqlite::Connection;
use sqlitevfs::FileHandle;

use crate::databases::control::DatabaseEntry;
use crate::databases::functions;
use crate::databases::locks::Locks;
use crate::databases::memory_budget::MemoryBudget;
use crate::databases::notifications::Notifications;
use crate::databases::openings::Openings;
use crate::databases::permit::{Interrupt, Permit, UnderWay, WritePermit};
use crate::databases::sequences::Sequences;
use crate::error::EngineError;

/// SQLite's page cache of one connection that is asked for nothing else.
pub(crate) const CACHE_KIB: u32 = 2048;

/// How much memory a session's SQLite connection and write set may take.
#[derive(Debug, Clone)]
pub struct ConnectionLimits {
    /// SQLite's page cache of one connection, in KiB.
    pub cache_kib: u32,
    /// Bytes of a write set that stay in memory; what is over goes to a scratch file.
    pub write_set_bytes: usize,
    /// Directory of scratch files (TmpDir).
    pub scratch_dir: PathBuf,
    /// Bytes of old pages that open snapshots may keep in memory.
    pub pinned_limit: u64,
    /// While it is full, all of a write set goes to a scratch file.
    pub memory_budget: MemoryBudget,
}

/// A database: its pages, its permit to write, its open sessions.
#[derive(Debug)]
pub struct Database {
    id: DatabaseId,
    name: RwLock<String>,
    file: String,
    store: Arc<PageStore>,
    permit: Arc<WritePermit>,
    /// The newest commit that moved rows between pages, as far as it was looked at; see [`sqlitevfs::Offer`].
    reshaped: AtomicU64,
    limits: ConnectionLimits,
    locks: Arc<Locks>,
    sequences: Arc<Sequences>,
    notifications: Arc<Notifications>,
    openings: Arc<Openings>,
    sessions: AtomicUsize,
    dropped: AtomicBool,
}

impl Database {
    /// A database over its opened page store.
    pub(crate) fn new(
        entry: DatabaseEntry,
        store: Arc<PageStore>,
        limits: ConnectionLimits,
        permit: WritePermit,
    ) -> Self {
        Self {
            id: entry.id,
            name: RwLock::new(entry.name),
            file: entry.file,
            store,
            permit: Arc::new(permit),
            reshaped: AtomicU64::new(0),
            limits,
            locks: Arc::default(),
            sequences: Arc::default(),
            notifications: Arc::default(),
            openings: Arc::default(),
            sessions: AtomicUsize::new(0),
            dropped: AtomicBool::new(false),
        }
    }

    /// Its number in the log.
    pub fn id(&self) -> DatabaseId {
        self.id
    }

    /// Its name at present.
    pub fn name(&self) -> String {
        self.name
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// What its sessions tell each other.
    pub fn notifications(&self) -> &Arc<Notifications> {
        &self.notifications
    }

    /// File name below `db/`.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// What the control file says of it.
    pub fn entry(&self) -> DatabaseEntry {
        DatabaseEntry {
            id: self.id,
            name: self.name(),
            file: self.file.clone(),
            applied: true,
        }
    }

    /// Its pages.
    pub fn store(&self) -> &Arc<PageStore> {
        &self.store
    }

    /// Which of its files are gone while it uses them; those of a dropped database are to be.
    pub fn lost_files(&self) -> Vec<PathBuf> {
        // In this order: a database is marked before its files are removed.
        let lost = self.store.lost_names();
        if self.dropped.load(Ordering::Acquire) {
            return Vec::new();
        }
        lost
    }

    /// What its transactions have locked.
    pub fn locks(&self) -> &Arc<Locks> {
        &self.locks
    }

    /// The numbers that its sequences give out.
    pub fn sequences(&self) -> &Arc<Sequences> {
        &self.sequences
    }

    /// Who has it open, and in which mode.
    pub fn openings(&self) -> &Arc<Openings> {
        &self.openings
    }

    /// A new SQLite connection to it, read-only until its handle is allowed to write.
    pub fn open_connection(&self) -> Result<(Connection, FileHandle), EngineError> {
        let options = sqlitevfs::OpenOptions {
            scratch_dir: self.limits.scratch_dir.clone(),
            write_set_limit: self.limits.write_set_bytes,
            cache_kib: self.limits.cache_kib,
        };
        let (connection, handle) =
            sqlitevfs::open(&self.store, options).map_err(|error| EngineError::from(&error))?;
        functions::register_collations(&connection)
            .map_err(|error| EngineError::Storage(error.to_string()))?;
        handle.spill_while(Arc::clone(self.limits.memory_budget.full()));
        Ok((connection, handle))
    }

    /// Waits for the right to write.
    pub fn acquire_permit(
        &self,
        interrupt: &Interrupt,
        deadline: Option<Instant>,
    ) -> Result<Permit, EngineError> {
        let permit = self.permit.acquire(interrupt, deadline)?;
        if self.dropped.load(Ordering::Acquire) {
            return Err(EngineError::NoSuchDatabase(self.name()));
        }
        Ok(permit.at_epoch(self.store.epoch()))
    }

    /// The threads for whose right to write a thread waits; `None`: it does not.
    pub fn permit_blockers_of(&self, thread: ThreadId) -> Option<Vec<ThreadId>> {
        self.permit.blockers_of(thread)
    }

    /// The threads that have the right to write, or wait for it.
    pub fn writers(&self) -> Vec<ThreadId> {
        self.permit.threads()
    }

    /// The thread that has the right to write.
    pub fn writer(&self) -> Option<ThreadId> {
        self.permit.holder()
    }

    /// Whether somebody has the right to write just now.
    pub fn is_being_written(&self) -> bool {
        self.permit.is_held()
    }

    /// Whether a commit after `base` has moved rows between pages. The caller holds the permit.
    pub fn is_reshaped_after(&self, base: CommitNumber) -> bool {
        self.reshaped.load(Ordering::Acquire) > base.get()
    }

    /// `commit` moves rows between pages. The caller holds the permit.
    pub fn note_reshaped(&self, commit: CommitNumber) {
        // A log that failed gives numbers again: the larger one errs to the safe side.
        self.reshaped.fetch_max(commit.get(), Ordering::Release);
    }

    /// Counts a transaction that will want to write later, as long as the guard lives.
    pub fn announce_write(&self) -> UnderWay {
        self.permit.announce()
    }

    /// Notes an open session; it is closed when the guard goes.
    pub fn enter(self: &Arc<Self>) -> OpenDatabase {
        self.sessions.fetch_add(1, Ordering::AcqRel);
        OpenDatabase {
            database: Arc::clone(self),
        }
    }

    /// How many sessions have it open.
    pub fn open_sessions(&self) -> usize {
        self.sessions.load(Ordering::Acquire)
    }

    pub(crate) fn rename(&self, name: String) {
        *self.name.write().unwrap_or_else(PoisonError::into_inner) = name;
    }

    /// Whether it is no more: who still has it open reads what was.
    pub fn is_dropped(&self) -> bool {
        self.dropped.load(Ordering::Acquire)
    }

    pub(crate) fn mark_dropped(&self) {
        self.dropped.store(true, Ordering::Release);
    }
}

/// A session's stay in a database.
#[derive(Debug)]
pub struct OpenDatabase {
    database: Arc<Database>,
}

impl OpenDatabase {
    /// The database.
    pub fn database(&self) -> &Arc<Database> {
        &self.database
    }
}

impl Drop for OpenDatabase {
    fn drop(&mut self) {
        self.database.sessions.fetch_sub(1, Ordering::AcqRel);
    }
}
