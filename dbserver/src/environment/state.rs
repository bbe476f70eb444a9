//! The environment while a server runs it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use dbconfig::{Config, SyncMode};
use fwlog::{
    Audit, DatabaseAccess, Durable, EnvironmentId, Position, RecordBuffer, SegmentStore,
    WriterError,
};
use sqlitevfs::WriteSet;
use tokio::sync::Notify;

use crate::clients::Sessions;
use crate::commit::checkpointer::{CheckpointTarget, CheckpointTrouble, Checkpointer};
use crate::commit::committer::Queued;
use crate::databases::backup_mode::BackupModeEnd;
use crate::databases::host::{Drive, Host};
use crate::databases::permit::Permit;
use crate::databases::{Database, OpenDatabase, Role};
use crate::environment::core::Core;
use crate::environment::cut::CutEnd;
use crate::environment::doublewrite;
use crate::environment::guard::Trouble;
use crate::environment::log::{redo_point, settle, try_to_settle};
use crate::environment::master::Master;
use crate::environment::reload::ReloadRequest;
use crate::environment::roles;
use crate::environment::side::{CurrentSide, Side};
use crate::environment::slave::Slave;
use crate::error::EngineError;
use crate::process::{LogFile, ShutdownRequest};

/// All that sessions, replication and the control plane share: what never changes, and the side of the
/// log that it is on at present.
pub struct Environment {
    core: Arc<Core>,
    side: CurrentSide,
    /// Held while the role changes or the environment is stopped.
    changing: Mutex<()>,
    shutdown: Arc<ShutdownRequest>,
    reload: Arc<ReloadRequest>,
    log_file: OnceLock<LogFile>,
    stopping: AtomicBool,
    anew: Notify,
    /// The databases that are not replicated, once there are some.
    local: OnceLock<Arc<Self>>,
}

impl Environment {
    /// Opens the environment that the configuration names, recovers it from its log and starts
    /// its background threads.
    pub fn start(config: Config, sessions: Arc<Sessions>) -> Result<Arc<Self>, EngineError> {
        Self::start_on(Host::system(), config, sessions)
    }

    /// The same on another host than the operating system.
    pub fn start_on(
        host: Host,
        config: Config,
        sessions: Arc<Sessions>,
    ) -> Result<Arc<Self>, EngineError> {
        let (core, suspects) = Core::open(host, config, sessions)?;
        let side = roles::at_start(&core, &suspects)?;
        roles::start_threads(&core, &side)?;
        Ok(Arc::new(Self {
            core,
            side: CurrentSide::new(side),
            changing: Mutex::new(()),
            shutdown: Arc::default(),
            reload: Arc::default(),
            log_file: OnceLock::new(),
            stopping: AtomicBool::new(false),
            anew: Notify::new(),
            local: OnceLock::new(),
        }))
    }

    /// Changes the role while sessions go on: readers read on, and what writes is refused from the moment
    /// of the change or accepted from there on. An error leaves the role as it was.
    ///
    /// A slave that becomes a master has applied all that it has made durable, and begins a generation
    /// of the log. It waits for the connection of its dbrepl to end.
    pub fn change_role(&self, role: Role) -> Result<(), EngineError> {
        let _one_at_a_time = self.hold_role()?;
        self.core.check_audit_only(role)?;
        if self.config().serves_past {
            return Err(EngineError::state(
                "this server serves the past, which has no role but to be read",
                "'dbctl backup restore' makes an environment of it that may be written.",
            ));
        }
        roles::change(&self.core, &self.side, role)
    }

    /// Where the side is swapped.
    pub(super) fn current_side(&self) -> &CurrentSide {
        &self.side
    }

    /// Nobody changes the role or stops the environment as long as this is held.
    pub(super) fn hold_role(&self) -> Result<MutexGuard<'_, ()>, EngineError> {
        let held = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_stopping() {
            return Err(EngineError::ShuttingDown);
        }
        Ok(held)
    }

    /// The same, unless somebody has it: that is not waited for.
    pub(super) fn try_hold_role(&self) -> Option<MutexGuard<'_, ()>> {
        self.changing
            .try_lock()
            .ok()
            .filter(|_| !self.is_stopping())
    }

    /// What it has whatever its role is.
    pub fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// The side of the log that it is on at this time.
    pub fn side(&self) -> Side {
        self.side.get()
    }

    /// The writing side; on a slave the refusal of `what`.
    pub(crate) fn master(&self, what: &str) -> Result<Arc<Master>, EngineError> {
        self.side().master(what).map_err(|error| match error {
            EngineError::ReadOnly { what, .. } => EngineError::ReadOnly {
                what,
                hint: self.where_to_write(),
            },
            other => other,
        })
    }

    /// The following side, if it is that.
    pub fn slave(&self) -> Option<Arc<Slave>> {
        self.side().slave()
    }

    /// The role that it has.
    pub fn role(&self) -> Role {
        self.core.control().role
    }

    /// Whether clients may not write here at present.
    pub fn is_read_only(&self) -> bool {
        self.config().serves_past || self.side.is_read_only()
    }

    /// The configuration that the server was started with.
    pub fn config(&self) -> &Config {
        self.core.config()
    }

    /// The environment's id; `None` on an empty slave.
    pub fn id(&self) -> Option<EnvironmentId> {
        self.core.id()
    }

    /// See [`Core::epoch`].
    pub fn epoch(&self) -> u64 {
        self.core.epoch()
    }

    /// Who is connected.
    pub fn sessions(&self) -> &Arc<Sessions> {
        self.core.sessions()
    }

    /// Opens the database for a session.
    pub fn open(&self, name: &str) -> Result<OpenDatabase, EngineError> {
        Ok(self.database(name)?.enter())
    }

    /// Where the local databases are.
    pub(super) fn local_place(&self) -> &OnceLock<Arc<Self>> {
        &self.local
    }

    /// The newest durable point of the log that this server writes; `None` on a slave.
    pub fn durable(&self) -> Option<Durable> {
        self.side().leading().map(|master| master.durable())
    }

    /// Up to there the log is on the disk, whether it is written here or mirrored.
    pub fn durable_position(&self) -> Option<Position> {
        self.side().durable_position()
    }

    /// Commits a write set: queued when this returns, committed when `wait_durable` has returned. The permit should be
    /// given on in between.
    pub fn commit(
        &self,
        database: &Database,
        permit: &Permit,
        write_set: WriteSet,
    ) -> Result<Queued, EngineError> {
        self.commit_audited(database, permit, write_set, RecordBuffer::new())
    }

    /// The same with audit records, which stand before the commit in its block.
    pub fn commit_audited(
        &self,
        database: &Database,
        permit: &Permit,
        write_set: WriteSet,
        audit: RecordBuffer,
    ) -> Result<Queued, EngineError> {
        self.master("COMMIT")?
            .commit(database, permit, write_set, audit)
    }

    /// Puts an audit record into the log for what is no transaction; it is durable with what comes next. Nothing where
    /// audit is off, or on a slave.
    ///
    /// Errors: the log has failed.
    pub fn audit(&self, record: &Audit<'_>) -> Result<(), EngineError> {
        let side = self.side();
        let Some(master) = side
            .leading()
            .filter(|_| self.config().forward_log.enable_audit)
        else {
            return Ok(());
        };
        let mut records = RecordBuffer::new();
        records.audit(record);
        master.committer().append(records)
    }

    /// Blocks until the transaction is durable; an error means that it is not committed.
    pub fn wait_durable(&self, queued: &Queued) -> Result<(), EngineError> {
        let waited = queued.wait().map(drop).inspect_err(|error| {
            if let Some(master) = self.side().leading() {
                master.note_failure(error);
            }
        });
        if waited.is_ok() {
            self.count_commit();
        }
        waited
    }

    /// One more was committed.
    pub fn count_commit(&self) {
        self.core.counters().commits.add(1);
    }

    /// A session takes a database for itself, or has left it: a master tells its slaves.
    pub fn announce_access(
        &self,
        database: &Database,
        access: DatabaseAccess,
    ) -> Result<(), EngineError> {
        match self.side().leading() {
            Some(master) if self.role() == Role::Master => master.announce_access(database, access),
            Some(_) | None => Ok(()),
        }
    }

    /// Makes a database; durable when it returns.
    pub fn create_database(&self, name: &str) -> Result<(), EngineError> {
        self.master("CREATE DATABASE")?.create_database(name)
    }

    /// Drops a database; durable when it returns.
    pub fn drop_database(&self, name: &str) -> Result<(), EngineError> {
        if let Some((local, database)) = self.local_home(name) {
            return local
                .master("DROP DATABASE")?
                .drop_database(&database.name());
        }
        self.master("DROP DATABASE")?.drop_database(name)
    }

    /// Gives a database another name; durable when it returns.
    pub fn rename_database(&self, name: &str, new_name: &str) -> Result<(), EngineError> {
        self.refuse_taken(new_name)?;
        if let Some((local, database)) = self.local_home(name) {
            return local
                .master("ALTER DATABASE")?
                .rename_database(&database.name(), new_name);
        }
        self.master("ALTER DATABASE")?
            .rename_database(name, new_name)
    }

    /// Makes a checkpoint now and waits for it.
    pub fn checkpoint(&self) -> Result<(), EngineError> {
        self.core.refuse_backup_mode()?;
        if let Some(local) = self.local() {
            local.checkpoint()?;
        }
        match self.side() {
            Side::Master(master) => self.checkpoint_of(&*master, master.checkpointer()),
            Side::Slave(slave) => self.checkpoint_of(&*slave, slave.checkpointer()),
            Side::None => Err(EngineError::ChangingRole),
        }
    }

    fn checkpoint_of(
        &self,
        side: &dyn CheckpointTarget,
        thread: &Checkpointer,
    ) -> Result<(), EngineError> {
        match self.core.host().drive {
            Drive::Threads => thread.checkpoint_now(),
            Drive::Owner => side.checkpoint(None),
        }
    }

    /// What is wrong with the log at present.
    pub fn log_trouble(&self) -> Option<Trouble> {
        match self.side() {
            Side::Master(master) => master.guard().trouble(),
            Side::Slave(slave) => slave.guard().trouble(),
            Side::None => None,
        }
    }

    /// What is wrong with segments that a restart or a slave needs.
    pub fn segment_trouble(&self) -> Option<Trouble> {
        match self.side() {
            Side::Master(master) => master.guard().segment_trouble(),
            Side::Slave(slave) => slave.guard().segment_trouble(),
            Side::None => None,
        }
    }

    /// Why checkpoints fail at present, if they do.
    pub fn checkpoint_trouble(&self) -> Option<CheckpointTrouble> {
        match self.side() {
            Side::Master(master) => master.checkpointer().trouble(),
            Side::Slave(slave) => slave.checkpointer().trouble(),
            Side::None => None,
        }
    }

    /// A copy is complete: the server is to begin anew with it.
    pub fn begin_anew(&self) {
        self.anew.notify_one();
    }

    /// Returns when the server is to begin anew.
    pub async fn is_to_begin_anew(&self) {
        self.anew.notified().await;
    }

    /// Where an operator asks for a stop.
    pub fn shutdown_request(&self) -> &Arc<ShutdownRequest> {
        &self.shutdown
    }

    /// Where an operator asks for the configuration to be read again.
    pub(crate) fn reload_request(&self) -> &Arc<ReloadRequest> {
        &self.reload
    }

    /// The server's log file, if it logs to one.
    pub fn log_file(&self) -> Option<&LogFile> {
        self.log_file.get()
    }

    /// Tells where the server logs to; once, at its start.
    pub fn set_log_file(&self, log_file: LogFile) {
        self.log_file.get_or_init(|| log_file);
    }

    /// Whether the server is going down.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Refuses new work from now on; sessions are ended by the server.
    pub fn begin_stop(&self) {
        if let Some(local) = self.local() {
            local.begin_stop();
        }
        self.stopping.store(true, Ordering::Release);
        // Whoever waits to write is ended, or ends.
        self.let_writers_in();
    }

    /// A clean stop: writes all that is durable to the data files, closes the log, and the control file
    /// says so. No session may be left.
    pub fn stop(&self) -> Result<(), EngineError> {
        self.begin_stop();
        // Whatever becomes of the one, the other is stopped.
        let local = self.local().map_or(Ok(()), |local| local.stop());
        self.stop_own().and(local)
    }

    fn stop_own(&self) -> Result<(), EngineError> {
        let _no_change = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        self.core.cuts().end_all(CutEnd::Stopping);
        self.core.end_backup_mode(BackupModeEnd::Stopping);
        match self.side() {
            Side::Master(master) => self.stop_master(&master)?,
            Side::Slave(slave) => {
                slave.stop_applying()?;
                slave.close()?;
                mark_stopped(&slave.log().store());
                self.core.update_control(|control| control.clean = true)?;
            }
            // A change of role has failed: the next start recovers from the log.
            Side::None => {}
        }
        self.core.give_lock_back();
        Ok(())
    }

    fn stop_master(&self, master: &Master) -> Result<(), EngineError> {
        let closed = master.close()?;
        let _one_author = self.core.one_author();
        let end = match closed {
            Ok(end) => {
                mark_stopped(master.writer().store());
                settle(master.writer().store())?;
                end
            }
            Err(failure) => self.end_of_failed_log(master, &failure)?,
        };
        self.core.release().end();
        self.core.release().show_all();
        let audit_is_whole = self.core.finish_audit();
        self.core.wait_for_slaves(end.commit);
        self.core.write_data_files(None)?;
        let (redo, entries) = (redo_point(&end), self.core.databases().entries());
        self.core.update_control(|control| {
            control.audit_open &= !audit_is_whole;
            control.clean = true;
            control.detached = true;
            control.set_redo(redo, entries);
        })?;
        doublewrite::discard(&self.core);
        Ok(())
    }

    /// A log that has failed ends where it is durable: all up to there goes to the data files, and the
    /// next start cuts off the rest. With `SyncMode = 0` that is what was answered, of which the disk may not have all in
    /// the log: it is kept beside the data files until those have it.
    fn end_of_failed_log(
        &self,
        master: &Master,
        failure: &WriterError,
    ) -> Result<Durable, EngineError> {
        tracing::warn!(%failure, "the log cannot be sealed; all that is committed goes to the data files");
        try_to_settle(master.writer().store());
        let end = master.durable();
        if self.config().server.sync_mode != SyncMode::EveryCommit {
            tracing::warn!(
                commit = %end.commit,
                "SyncMode = 0: the log may lack commits that were answered, up to this one; the data files have them, and a slave that lacks them gets a copy"
            );
            doublewrite::write(&self.core, &redo_point(&end), self.core.log_place())?;
        }
        Ok(end)
    }
}

/// Slaves are told at once that this is a stop and no crash.
fn mark_stopped(store: &SegmentStore) {
    if let Err(error) = store.mark_stopped() {
        tracing::warn!(%error, "dbrepl cannot be told that this server was stopped cleanly");
    }
}
