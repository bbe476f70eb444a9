//! The side that follows: a master's log is mirrored and applied.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use dbproto::Progress;
use fwlog::{Above, CommitNumber};
use pgtypes::SqlState;

use crate::apply::readers;
use crate::commit::checkpointer::Checkpointer;
use crate::databases::host::Drive;
use crate::databases::replication_use::{Bearing, ReplicationUse};
use crate::environment::core::Core;
use crate::environment::database_changes::LEAVING_POLL;
use crate::environment::guard::LogGuard;
use crate::environment::log::settle;
use crate::environment::threads::Threads;
use crate::error::EngineError;
use crate::slave::{SlaveLog, SlaveProgress};

/// The following side, from the moment its mirror is open until it is closed.
pub struct Slave {
    core: Arc<Core>,
    log: Arc<SlaveLog>,
    checkpointer: Arc<Checkpointer>,
    guard: LogGuard,
    applier: Threads,
    threads: Threads,
    /// The directory of FwLog may still have a segment that the journal goes on with.
    interrupted_left: AtomicBool,
}

impl Slave {
    /// Goes on with this mirror.
    pub(super) fn new(
        core: &Arc<Core>,
        log: SlaveLog,
        checkpointer: Arc<Checkpointer>,
    ) -> Arc<Self> {
        log.want_forward_log(core.config().forward_log.location.is_some());
        let ready = Arc::clone(core);
        log.set_ready(Box::new(move || ready.settle_control()));
        Arc::new(Self {
            core: Arc::clone(core),
            log: Arc::new(log),
            checkpointer,
            guard: LogGuard::default(),
            applier: Threads::default(),
            threads: Threads::default(),
            interrupted_left: AtomicBool::new(true),
        })
    }

    /// Starts its background work.
    pub(super) fn start_threads(self: &Arc<Self>) -> Result<(), EngineError> {
        self.begin_held();
        let me = Arc::clone(self);
        self.threads
            .spawn("checkpoint", move || me.checkpointer.run(&*me))?;
        let me = Arc::clone(self);
        self.applier.spawn("applier", move || me.run_applier())?;
        let me = Arc::clone(self);
        self.threads.spawn("log-guard", move || me.guard_mirror())?;
        let me = Arc::clone(self);
        self.threads
            .spawn("sign-of-life", move || me.core.show_life(&me.guard))?;
        let me = Arc::clone(self);
        self.threads
            .spawn("scrub", move || me.core.scrub_data_files(&me.guard))
    }

    /// What it works on.
    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// The mirrored log.
    pub(crate) fn log(&self) -> &Arc<SlaveLog> {
        &self.log
    }

    pub(super) fn is_interrupted_left(&self) -> bool {
        self.interrupted_left.load(Ordering::Acquire)
    }

    pub(super) fn set_interrupted_left(&self, left: bool) {
        self.interrupted_left.store(left, Ordering::Release);
    }

    pub(super) fn checkpointer(&self) -> &Arc<Checkpointer> {
        &self.checkpointer
    }

    pub(super) fn guard(&self) -> &LogGuard {
        &self.guard
    }

    /// How far it is.
    pub fn progress(&self) -> SlaveProgress {
        self.log.progress()
    }

    /// Another instance feeds this one, or none does any more. Those below are told by the guard, as soon as it can.
    pub(crate) fn is_below(&self, source: Option<Above>) {
        if self.core.tree().is_below(source) {
            self.guard.wake();
        }
    }

    /// Its log has begun: whoever reads it there learns at once whose it is.
    pub(crate) fn has_begun(&self) {
        self.guard.wake();
    }

    /// Whether the mirror has failed in a way that only a restart mends.
    pub fn has_failed(&self) -> bool {
        self.log.has_failed()
    }

    /// Before it becomes something else: ends the connection that feeds it, and applies all that is
    /// durable. An error leaves it as it was.
    pub(super) fn release(&self, at_most: Duration) -> Result<(), EngineError> {
        self.log.end_feed(at_most)?;
        if self.core.host().drive == Drive::Owner {
            while self.apply_waiting() {}
        }
        if let Err(error) = self.log.settle(at_most) {
            self.log.accept_feed();
            return Err(error);
        }
        if let Err(error) = self.end_readers(at_most) {
            self.log.accept_feed();
            return Err(error);
        }
        let applied = self.stop_applying();
        let progress = self.progress();
        let why = match (applied, progress.suspended) {
            (Err(error), _) => error,
            (Ok(()), Some(why)) => EngineError::state(
                format!("this slave does not apply its log: {why}"),
                "Mend that, restart the slave, and try again; or promote another slave.",
            ),
            (Ok(()), None) => return Ok(()),
        };
        self.log.accept_feed();
        Err(why)
    }

    /// Waits until all is applied, and ends the sessions that hold it back.
    fn end_readers(&self, at_most: Duration) -> Result<(), EngineError> {
        let deadline = Instant::now() + at_most;
        let position = |at: &Option<Progress>| at.map(|at| at.point.position);
        loop {
            let progress = self.progress();
            let held_back = progress.waits_for == Some(SqlState::OBJECT_IN_USE);
            let is_over = position(&progress.applied) >= position(&progress.durable)
                || (progress.suspended.is_some() && !held_back)
                || self.core.host().drive == Drive::Owner;
            if is_over {
                return Ok(());
            }
            if held_back {
                self.end_holding_back();
            }
            if Instant::now() >= deadline {
                return Err(EngineError::state(
                    "not all of the log is applied in time",
                    "'dbctl replication status' says what it waits for; 'dbctl session list' who has what open in modes 6 to 8.",
                ));
            }
            thread::park_timeout(LEAVING_POLL);
        }
    }

    /// Waits until all that it has got is applied, and writes it to the data files, which then stay as they are as long as
    /// it gets no more.
    ///
    /// Errors: readers, or a disk that is full or fails, hold it back for longer, or a file can't be written. Where applying
    /// has ended for good, what is applied is written.
    pub(crate) fn write_all(&self, at_most: Duration) -> Result<(), EngineError> {
        self.apply_all(at_most)?;
        let _one_author = self.core.one_author();
        self.core.write_data_files(Some(self.on_disk()))
    }

    /// Waits until all that it has got is applied, or applying has ended for good.
    ///
    /// Errors: readers, or a disk that is full or fails, hold it back for longer.
    pub(crate) fn apply_all(&self, at_most: Duration) -> Result<(), EngineError> {
        let deadline = Instant::now() + at_most;
        let is_driven = self.core.host().drive == Drive::Owner;
        if is_driven {
            while self.apply_waiting() {}
        }
        loop {
            let progress = self.progress();
            let position = |at: &Option<Progress>| at.map(|at| at.point.position);
            let is_over = position(&progress.applied) >= position(&progress.durable)
                || progress.has_ended_applying()
                || is_driven;
            if is_over {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(EngineError::state(
                    "not all of the log is applied in time",
                    "'dbctl replication status' says what it waits for; 'dbctl session list' who has what open in modes 6 to 8.",
                ));
            }
            thread::park_timeout(LEAVING_POLL);
        }
    }

    fn end_holding_back(&self) {
        let last_word = readers::conflict(
            SqlState::ADMIN_SHUTDOWN,
            "This slave becomes a master, and the session held back replication.",
        );
        for database in self.core.databases().all() {
            let (used, holds_back) = (ReplicationUse::Removes, Bearing::HoldsBack);
            database.openings().end(used, holds_back, &last_word);
        }
    }

    /// Applies what is queued, and ends applying.
    pub(super) fn stop_applying(&self) -> Result<(), EngineError> {
        match self.core.host().drive {
            Drive::Threads => self.log.stop(),
            Drive::Owner => while self.apply_waiting() {},
        }
        self.applier.join()
    }

    /// Ends all other background work, closes the mirror and writes all that is applied to the data files.
    /// Redo stays where the master's last checkpoint put it: what follows in the log are deltas, and only
    /// there do full images begin. One that was left behind as the root leaves its data files as they are: see
    /// [`Core::keeps_data_files`].
    pub(super) fn close(&self) -> Result<(), EngineError> {
        self.checkpointer.stop();
        self.guard.stop();
        self.threads.join()?;
        let _one_author = self.core.one_author();
        self.log.close()?;
        settle(&self.log.store())?;
        if self.core.keeps_data_files() {
            return Ok(());
        }
        self.core.write_data_files(Some(self.on_disk()))?;
        match self.checkpointer.take_pending() {
            Some(at) if self.log.is_durable() => self.core.move_redo(at.redo, at.databases),
            Some(_) | None => Ok(()),
        }
    }

    /// No further than this may the data files be: the log must have what they have.
    pub(super) fn on_disk(&self) -> CommitNumber {
        let durable = self.progress().durable;
        durable.map_or(CommitNumber::ZERO, |durable| durable.commit)
    }
}
