//! What was taken goes to the applier, and becomes durable.
//!
//! Commits are shown before the slave's disk has them: the master's has, and sends them again to a slave
//! that has lost them. What acts on files when it is applied waits for the disk.

use std::mem;
use std::time::Instant;

use dbproto::{Progress, Refuse, state};
use fwlog::{Durable, IoFailure, PendingSync};

use crate::commit::tell_restored;
use crate::feed::link::Link;
use crate::feed::link::syncer::{Outcome, Syncer};
use crate::slave::Work;
use crate::slave::refusal::refuse_mirror;

impl Link {
    /// Hands on to the applier what was taken; what acts on files is made durable before.
    pub fn hand_on(&mut self) -> Result<(), Refuse> {
        if self.acts_on_files {
            return self.sync();
        }
        self.give_taken()
    }

    /// Makes durable what was taken, and hands it on.
    pub fn sync(&mut self) -> Result<(), Refuse> {
        self.finish_sync()?;
        if let Some(sync) = self.begin_sync(Instant::now())? {
            self.synced(&sync, sync.run())?;
        }
        self.acts_on_files = false;
        self.give_taken()
    }

    /// Ends a sync that is over, and begins the one that is due.
    pub(crate) fn keep_pace(&mut self, now: Instant) -> Result<(), Refuse> {
        if let Some(errand) = self.slave.log().take_errand() {
            self.sync()?;
            errand(&mut self.mirror);
            self.slave.log().errand_done();
        }
        let outcome = self.syncer.as_mut().map_or(Outcome::Idle, Syncer::look);
        self.take_outcome(outcome)?;
        match self.next_sync(now) {
            Some(at) if at <= now => self.sync_behind(now),
            _ => Ok(()),
        }
    }

    /// When the next sync is due, unless one is on its way: that one rings when it is over.
    pub(crate) fn next_sync(&self, now: Instant) -> Option<Instant> {
        let is_busy = self.syncer.as_ref().is_some_and(Syncer::is_busy);
        self.pace.next(now).filter(|_| !is_busy)
    }

    /// Begins a sync as soon as the one before it is over. More may be taken meanwhile.
    fn sync_behind(&mut self, now: Instant) -> Result<(), Refuse> {
        self.finish_sync()?;
        let syncer = match self.syncer.take() {
            Some(syncer) => Ok(syncer),
            None => Syncer::start(self.slave.log().clone()),
        };
        let mut syncer = match syncer {
            Ok(syncer) => syncer,
            Err(error) => {
                tracing::debug!(%error, "no thread to sync the log");
                return self.sync();
            }
        };
        if let Some(sync) = self.begin_sync(now)? {
            syncer.begin(sync);
        }
        self.syncer = Some(syncer);
        Ok(())
    }

    /// So much was taken that it should be on its way to the disk before more is.
    pub(crate) fn make_room(&mut self) -> Result<(), Refuse> {
        self.hand_on()?;
        self.sync_behind(Instant::now())
    }

    fn begin_sync(&mut self, now: Instant) -> Result<Option<PendingSync>, Refuse> {
        let Some(mirror) = &self.mirror else {
            return Ok(None);
        };
        let sync = mirror.begin_sync().map_err(refuse_mirror)?;
        self.pace.begin(now);
        Ok(sync)
    }

    /// Waits for the sync that is on its way.
    fn finish_sync(&mut self) -> Result<(), Refuse> {
        let outcome = self.syncer.as_mut().map_or(Outcome::Idle, Syncer::wait);
        self.take_outcome(outcome)
    }

    fn take_outcome(&mut self, outcome: Outcome) -> Result<(), Refuse> {
        match outcome {
            Outcome::Idle | Outcome::Busy => Ok(()),
            Outcome::Ended(sync, result) => self.synced(&sync, result),
            Outcome::Unknown => {
                self.mirror()?.give_up();
                Err(Refuse::new(
                    state::IO_ERROR,
                    "the slave does not know whether its log is on the disk",
                ))
            }
        }
    }

    fn synced(&mut self, sync: &PendingSync, result: Result<(), IoFailure>) -> Result<(), Refuse> {
        let mirror = self.mirror()?;
        let durable = mirror.end_sync(sync, result).map_err(refuse_mirror)?;
        tell_restored(mirror.take_restored());
        self.note_durable(&durable)
    }

    fn note_durable(&mut self, durable: &Durable) -> Result<(), Refuse> {
        let received = self.mirror()?.received().as_ref().map(Progress::from);
        self.slave.log().note(|progress| {
            progress.received = received;
            progress.durable = Some(Progress::from(durable));
            progress.sealed = durable.sealed;
        });
        Ok(())
    }

    /// A segment has begun or is sealed: there is nothing to apply in that.
    pub(super) fn reached(&mut self, durable: &Durable) -> Result<(), Refuse> {
        self.note_durable(durable)?;
        self.give(Work::Reached(Progress::from(durable)))
    }

    fn give_taken(&mut self) -> Result<(), Refuse> {
        let blocks = self
            .slave
            .log()
            .not_given_before(mem::take(&mut self.pending))?;
        let Some(end) = blocks.last().map(Progress::from) else {
            return Ok(());
        };
        self.give(Work::Blocks(blocks, end))?;
        self.slave.log().note_given(end);
        Ok(())
    }

    fn give(&self, work: Work) -> Result<(), Refuse> {
        if self.slave.hand_on(work) {
            return Ok(());
        }
        if let Some(why) = self.must_leave() {
            // The applier has ended already; the next start applies what the mirror has.
            return Err(why);
        }
        let why = self.slave.progress().suspended.unwrap_or_default();
        Err(Refuse::new(state::DAMAGED, "the slave cannot apply its log").detail(why))
    }

    /// The connection is over, and something keeps the mirror from being synced: what has failed is not
    /// forgotten.
    pub(super) fn forget_sync(&mut self) {
        if let Err(refuse) = self.finish_sync() {
            tracing::error!(%refuse, "the mirror of the log has failed");
        }
    }
}
