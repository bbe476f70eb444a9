//! The side that writes the log: a master, or a standalone server.

use std::sync::Arc;

use fwlog::{DatabaseAccess, Durable, RecordBuffer, Writer, WriterError};
use sqlitevfs::WriteSet;

use crate::commit::checkpointer::Checkpointer;
use crate::commit::committer::{Committer, MarkSet, Queued};
use crate::databases::Database;
use crate::databases::permit::Permit;
use crate::environment::core::Core;
use crate::environment::guard::LogGuard;
use crate::environment::threads::Threads;
use crate::error::EngineError;

/// The writing side, from the moment its writer has begun until it is closed.
pub struct Master {
    core: Arc<Core>,
    committer: Committer,
    checkpointer: Arc<Checkpointer>,
    guard: LogGuard,
    threads: Threads,
}

impl Master {
    /// Goes on with this commit order. The log and everything before it belong to this side alone.
    pub(super) fn new(
        core: &Arc<Core>,
        committer: Committer,
        checkpointer: Arc<Checkpointer>,
    ) -> Arc<Self> {
        Arc::new(Self {
            core: Arc::clone(core),
            committer,
            checkpointer,
            guard: LogGuard::default(),
            threads: Threads::default(),
        })
    }

    /// Starts its background work.
    pub(super) fn start_threads(self: &Arc<Self>) -> Result<(), EngineError> {
        let me = Arc::clone(self);
        self.threads
            .spawn("checkpoint", move || me.checkpointer.run(&*me))?;
        let me = Arc::clone(self);
        self.threads.spawn("log-guard", move || me.guard_log())?;
        let me = Arc::clone(self);
        self.threads
            .spawn("sign-of-life", move || me.core.show_life(&me.guard))?;
        let me = Arc::clone(self);
        self.threads
            .spawn("scrub", move || me.core.scrub_data_files(&me.guard))?;
        if self.core.audit_log().is_none() {
            return Ok(());
        }
        let me = Arc::clone(self);
        self.threads
            .spawn("audit", move || me.core.copy_audit_records(&me.guard))
    }

    /// What it works on.
    pub(super) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// The order of commits.
    pub(crate) fn committer(&self) -> &Committer {
        &self.committer
    }

    pub(super) fn checkpointer(&self) -> &Arc<Checkpointer> {
        &self.checkpointer
    }

    pub(super) fn guard(&self) -> &LogGuard {
        &self.guard
    }

    /// The writer at present.
    pub fn writer(&self) -> Arc<Writer> {
        self.committer.writer()
    }

    /// The newest durable point of the log.
    pub fn durable(&self) -> Durable {
        self.writer().durable()
    }

    /// Why nothing can be written at present, if so.
    pub fn log_failure(&self) -> Option<WriterError> {
        self.writer().failure()
    }

    /// Commits a write set with its audit records: queued when this returns, committed when `wait_durable` has returned.
    /// The permit should be given on in between.
    pub fn commit(
        &self,
        database: &Database,
        permit: &Permit,
        write_set: WriteSet,
        audit: RecordBuffer,
    ) -> Result<Queued, EngineError> {
        self.check_audit()?;
        self.check_volume(database, write_set.page_count)?;
        let pages = write_set.pages.len();
        let queued = self.committer.commit(database, permit, write_set, audit);
        let queued = queued.inspect_err(|error| self.note_failure(error))?;
        if self.core.files().memory_budget().note(pages) {
            self.core
                .files()
                .memory_budget()
                .count(self.core.databases().memory_bytes());
            // Pages may be far more than the log shows: it is compressed.
            self.checkpointer.look();
        }
        Ok(queued)
    }

    /// Refuses what would make the data files larger than MaxSize.
    fn check_volume(&self, database: &Database, page_count: u32) -> Result<(), EngineError> {
        let limit = self.core.config().volumes.max_size;
        let grows = page_count > database.store().latest().1;
        if limit == 0 || !grows {
            return Ok(());
        }
        let others = self
            .core
            .databases()
            .all()
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

    /// Tells the guard when an error means that the log has failed.
    pub(crate) fn note_failure(&self, error: &EngineError) {
        if matches!(
            error,
            EngineError::LogFailed(_) | EngineError::CommitLost { .. }
        ) {
            self.guard.wake();
        }
    }

    /// Copies audit records into the log that they have of their own; where there are threads, one does it.
    pub(super) fn copy_audit(&self) {
        self.core.copy_audit(&self.guard);
    }

    /// Nothing is done that would have no audit record, where there are to be some.
    fn check_audit(&self) -> Result<(), EngineError> {
        let refusal = self.core.audit_log().and_then(|audit| audit.refusal());
        refusal.map_or(Ok(()), Err)
    }

    pub(super) fn append_durably(&self, records: RecordBuffer) -> Result<(), EngineError> {
        self.check_audit()?;
        let queued = self.committer.append_marked(records);
        queued
            .and_then(MarkSet::wait)
            .map(drop)
            .inspect_err(|error| self.note_failure(error))
    }

    /// A session takes a database for itself, or has left it: slaves have to know.
    pub(super) fn announce_access(
        &self,
        database: &Database,
        access: DatabaseAccess,
    ) -> Result<(), EngineError> {
        let mut records = RecordBuffer::new();
        records.access(database.id(), access);
        let queued = self.committer.append(records);
        queued.inspect_err(|error| self.note_failure(error))
    }

    /// Who has what for itself just now.
    pub(super) fn note_accesses(&self) -> Result<(), EngineError> {
        for database in self.core.databases().all() {
            match database.openings().access() {
                DatabaseAccess::Shared => {}
                access => self.announce_access(&database, access)?,
            }
        }
        Ok(())
    }

    /// What the log says of sessions that are no more is taken back.
    pub(super) fn end_accesses(&self) -> Result<(), EngineError> {
        for database in self.core.databases().all() {
            if database.openings().end_replication() {
                self.announce_access(&database, DatabaseAccess::Shared)?;
            }
        }
        Ok(())
    }

    /// Ends its background work, and takes no commit from now on. The log is sealed at the end that this
    /// gives, unless it has failed.
    pub(super) fn close(&self) -> Result<Result<Durable, WriterError>, EngineError> {
        self.checkpointer.stop();
        self.guard.stop();
        if let Some(audit) = self.core.audit_log() {
            audit.stop();
        }
        self.threads.join()?;
        Ok(self.committer.close())
    }
}
