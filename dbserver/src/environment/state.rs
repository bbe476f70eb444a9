//! The environment while a server runs it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use dbconfig::{Config, Role};
use disk::DiskFile;
use fwlog::{Durable, EnvironmentId, LogLocation, RecordBuffer};
use pagestore::Horizon;
use sqlitevfs::WriteSet;

use crate::clients::Sessions;
use crate::commit::checkpointer::{CheckpointTarget, Checkpointer};
use crate::commit::committer::{Committer, MarkSet, Queued};
use crate::databases::control::{Control, DatabaseEntry, LogPlace, RedoPoint};
use crate::databases::database::{Database, OpenDatabase};
use crate::databases::files::DatabaseFiles;
use crate::databases::host::{Drive, Host};
use crate::databases::layout::Layout;
use crate::databases::list::{Databases, SYSTEM_DATABASE, check_name, check_room};
use crate::databases::permit::{Interrupt, Permit};
use crate::environment::log;
use crate::environment::log_guard::LogGuard;
use crate::error::EngineError;
use crate::process::ShutdownRequest;
use crate::process::logging::LogFile;
use crate::slave::SlaveLog;

/// How long DROP DATABASE waits for sessions that are about to leave, as PostgreSQL does.
const LEAVING: Duration = Duration::from_secs(5);
/// How often it looks whether they have.
const LEAVING_POLL: Duration = Duration::from_millis(10);

/// Which side of the log this server is on.
pub enum LogSide {
    /// Master or standalone: it writes the log.
    Writing(Committer),
    /// Slave: it mirrors a master's log and applies it.
    Following(Arc<SlaveLog>),
}

/// All that sessions, replication and the control plane share.
pub struct Environment {
    pub(crate) config: Config,
    pub(crate) host: Host,
    pub(crate) layout: Layout,
    pub(crate) control: Mutex<Control>,
    pub(crate) databases: Arc<Databases>,
    pub(crate) files: DatabaseFiles,
    pub(crate) horizon: Arc<Horizon>,
    pub(crate) log: LogSide,
    pub(crate) checkpointer: Arc<Checkpointer>,
    /// Held while a checkpoint is made or the log moves: the control file has one author at a time.
    pub(crate) checkpointing: Mutex<()>,
    pub(crate) log_guard: LogGuard,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) shutdown: Arc<ShutdownRequest>,
    pub(crate) log_file: OnceLock<LogFile>,
    pub(crate) threads: Mutex<Vec<JoinHandle<()>>>,
    pub(crate) epoch: AtomicU64,
    pub(crate) stopping: AtomicBool,
    /// The lock on the environment, held as long as it is open.
    pub(crate) lock: Box<dyn DiskFile>,
}

impl Environment {
    /// The configuration that the server was started with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The role that it runs as.
    pub fn role(&self) -> Role {
        self.config.replication.role
    }

    /// Whether clients may not write here.
    pub fn is_read_only(&self) -> bool {
        matches!(self.log, LogSide::Following(_))
    }

    /// The environment's id; `None` on an empty slave.
    pub fn id(&self) -> Option<EnvironmentId> {
        self.control()
            .identity
            .as_ref()
            .map(|identity| identity.environment)
    }

    /// Rises when published commits were taken back (the log failed): SQLite connections that may
    /// have cached their pages must be reopened, open transactions are lost.
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Who is connected.
    pub fn sessions(&self) -> &Arc<Sessions> {
        &self.sessions
    }

    /// Where an operator asks for a stop.
    pub fn shutdown_request(&self) -> &Arc<ShutdownRequest> {
        &self.shutdown
    }

    /// Writes into the lock file who holds it and where it listens, for people and tools.
    pub fn note_running(&self, text: &str) -> Result<(), EngineError> {
        let path = self.layout.lock();
        self.lock
            .set_length(0)
            .and_then(|()| self.lock.write_at(0, text.as_bytes()))
            .map_err(|error| EngineError::file("write", path, &error))
    }

    /// The server's log file, if it logs to one.
    pub fn log_file(&self) -> Option<&LogFile> {
        self.log_file.get()
    }

    /// Where redo would start.
    pub fn redo(&self) -> Option<RedoPoint> {
        self.control()
            .identity
            .as_ref()
            .map(|identity| identity.redo)
    }

    /// Where the log is written at present.
    pub fn log_place(&self) -> LogPlace {
        self.control().log
    }

    /// Directory and file names of the log.
    pub fn log_location(&self) -> Result<LogLocation, EngineError> {
        log::location(&self.config, &self.layout, self.log_place())
    }

    /// The newest durable point of the log that this server writes; `None` on a slave.
    pub fn durable(&self) -> Option<Durable> {
        self.committer()
            .ok()
            .map(|committer| committer.writer().durable())
    }

    /// The database of that name.
    pub fn database(&self, name: &str) -> Result<Arc<Database>, EngineError> {
        self.databases
            .by_name(name)
            .ok_or_else(|| EngineError::NoSuchDatabase(name.to_owned()))
    }

    /// Opens the database for a session.
    pub fn open(&self, name: &str) -> Result<OpenDatabase, EngineError> {
        Ok(self.database(name)?.enter())
    }

    /// All databases, sorted by name.
    pub fn databases(&self) -> Vec<Arc<Database>> {
        self.databases.all()
    }

    /// Commits a write set: queued when this returns, committed when `wait_durable` has returned.
    pub fn commit(
        &self,
        database: &Database,
        permit: Permit,
        write_set: WriteSet,
    ) -> Result<Queued, EngineError> {
        self.check_volume(database, write_set.page_count)?;
        let pages = write_set.pages.len();
        let queued = self.committer()?.commit(database, permit, write_set);
        let queued = queued.inspect_err(|error| self.note_failure(error))?;
        if self.files.memory_budget().note(pages) {
            self.files.memory_budget().count(&self.databases());
            // Pages may be far more than the log shows: it is compressed.
            self.checkpointer.look();
        }
        Ok(queued)
    }

    /// Refuses what would make the data files larger than MaxSize.
    fn check_volume(&self, database: &Database, page_count: u32) -> Result<(), EngineError> {
        let limit = self.config.volumes.max_size;
        let grows = page_count > database.store().latest().1;
        if limit == 0 || !grows {
            return Ok(());
        }
        let others = self
            .databases()
            .into_iter()
            .filter(|other| other.id() != database.id());
        let others: u64 = others
            .map(|other| u64::from(other.store().latest().1))
            .sum();
        let needed = (others + u64::from(page_count)) * fwlog::PAGE_SIZE as u64;
        if needed > limit {
            Err(EngineError::VolumeFull { limit, needed })
        } else {
            Ok(())
        }
    }

    /// Blocks until the transaction is durable; an error means that it is not committed.
    pub fn wait_durable(&self, queued: &Queued) -> Result<(), EngineError> {
        queued
            .wait()
            .map(drop)
            .inspect_err(|error| self.note_failure(error))
    }

    /// Makes a database; durable when it returns.
    pub fn create_database(&self, name: &str) -> Result<(), EngineError> {
        let committer = self.writable("CREATE DATABASE")?;
        check_name(name)?;
        let _one_at_a_time = self.checkpointing();
        if self.databases.by_name(name).is_some() {
            return Err(EngineError::DatabaseExists(name.to_owned()));
        }
        check_room(self.databases.count())?;
        let id = self.databases.next_id();
        let file = self.databases.file_for(id, name);
        self.files.refuse_strange(&file)?;
        let entry = DatabaseEntry {
            id,
            name: name.to_owned(),
            file,
        };
        let database = Arc::new(self.files.create(entry, &self.horizon)?);
        let mut records = RecordBuffer::new();
        records.create_database(id, name, "");
        self.append_durably(committer, records)?;
        self.databases.insert(database);
        Ok(())
    }

    /// Drops a database; durable when it returns.
    pub fn drop_database(&self, name: &str) -> Result<(), EngineError> {
        let committer = self.writable("DROP DATABASE")?;
        let database = self.unused(name)?;
        let interrupt = Interrupt::for_this_thread();
        let permit = database.acquire_permit(&interrupt, None)?;
        let _one_at_a_time = self.checkpointing();
        refuse_in_use(&database)?;
        let mut records = RecordBuffer::new();
        records.drop_database(database.id(), name);
        self.append_durably(committer, records)?;
        self.databases.remove(database.id());
        committer.forget(database.id());
        self.files.remove(&database);
        drop(permit);
        Ok(())
    }

    /// Gives a database another name; durable when it returns.
    pub fn rename_database(&self, name: &str, new_name: &str) -> Result<(), EngineError> {
        let committer = self.writable("ALTER DATABASE")?;
        check_name(new_name)?;
        let database = self.unused(name)?;
        let _one_at_a_time = self.checkpointing();
        if self.databases.by_name(new_name).is_some() {
            return Err(EngineError::DatabaseExists(new_name.to_owned()));
        }
        refuse_in_use(&database)?;
        let mut records = RecordBuffer::new();
        records.rename_database(database.id(), name, new_name);
        self.append_durably(committer, records)?;
        self.databases.rename(database.id(), new_name);
        Ok(())
    }

    /// Makes a checkpoint now and waits for it.
    pub fn checkpoint(&self) -> Result<(), EngineError> {
        match self.host.drive {
            Drive::Threads => self.checkpointer.checkpoint_now(),
            Drive::Owner => CheckpointTarget::checkpoint(self, None),
        }
    }

    /// Whether the server is going down.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// The slave's side of the log.
    pub fn slave(&self) -> Option<&Arc<SlaveLog>> {
        match &self.log {
            LogSide::Following(slave) => Some(slave),
            LogSide::Writing(_) => None,
        }
    }

    /// The writing side of the log; on a slave the refusal of a write.
    pub(crate) fn committer(&self) -> Result<&Committer, EngineError> {
        self.writable("the statement")
    }

    /// The commit order, or the refusal of `what` on a slave.
    pub(crate) fn writable(&self, what: &str) -> Result<&Committer, EngineError> {
        match &self.log {
            LogSide::Writing(committer) => Ok(committer),
            LogSide::Following(_) => Err(EngineError::ReadOnly(what.to_owned())),
        }
    }

    pub(crate) fn control(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn checkpointing(&self) -> MutexGuard<'_, ()> {
        self.checkpointing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the control file: memory follows the disk, not the other way round.
    pub(crate) fn update_control(
        &self,
        change: impl FnOnce(&mut Control),
    ) -> Result<(), EngineError> {
        let mut control = self.control();
        let mut new = control.clone();
        change(&mut new);
        if new == *control {
            // It is on the disk as it is: a start after a crash needs no room.
            return Ok(());
        }
        new.next_database = self.databases.next_id().get();
        new.write(self.layout.disk(), &self.layout.control())?;
        *control = new;
        Ok(())
    }

    /// Tells the guard when an error means that the log has failed.
    pub(crate) fn note_failure(&self, error: &EngineError) {
        if matches!(
            error,
            EngineError::LogFailed(_) | EngineError::CommitLost { .. }
        ) {
            self.log_guard.wake();
        }
    }

    fn append_durably(
        &self,
        committer: &Committer,
        records: RecordBuffer,
    ) -> Result<(), EngineError> {
        let queued = committer.append_marked(records);
        queued
            .and_then(MarkSet::wait)
            .map(drop)
            .inspect_err(|error| self.note_failure(error))
    }

    /// The database, once its sessions have left; most of those who are leaving need a moment.
    fn unused(&self, name: &str) -> Result<Arc<Database>, EngineError> {
        let database = self.database(name)?;
        if database.id() == SYSTEM_DATABASE {
            return Err(EngineError::Denied(format!(
                "database \"{name}\" belongs to the server"
            )));
        }
        let deadline = Instant::now() + LEAVING;
        while database.open_sessions() > 0 && Instant::now() < deadline {
            thread::park_timeout(LEAVING_POLL);
        }
        refuse_in_use(&database)?;
        Ok(database)
    }
}

/// Checked again when nothing else can happen to the database.
fn refuse_in_use(database: &Database) -> Result<(), EngineError> {
    match database.open_sessions() {
        0 => Ok(()),
        sessions => Err(EngineError::DatabaseInUse {
            name: database.name(),
            sessions,
        }),
    }
}
