//! The applier's thread on a slave.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TrySendError};

use dbproto::Progress;
use fwlog::Position;

use crate::apply::applier::{Applied, Applier};
use crate::apply::disk_retry::DiskRetry;
use crate::commit::checkpointer::SlaveRedo;
use crate::databases::control::DatabaseEntry;
use crate::databases::host::Drive;
use crate::environment::redo::redo_point_at;
use crate::environment::slave::Slave;
use crate::error::EngineError;
use crate::slave::{SlaveLog, Work};

/// Whether there is more to apply.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    GoOn,
    End,
}

impl Slave {
    /// Applies what the mirror has taken, until the server stops.
    ///
    /// An error suspends applying: the slave serves the state that it has, goes on mirroring
    /// nothing, and says why. A disk that is full or fails does so until that is mended.
    pub(crate) fn run_applier(&self) {
        let slave = self.log();
        let work = slave.work().take();
        let Some((work, mut applier)) = work else {
            return;
        };
        let retry: Arc<dyn DiskRetry> = Arc::<SlaveLog>::clone(slave);
        applier.wait_for(&retry);
        while let Ok(piece) = work.recv() {
            let apply = AssertUnwindSafe(|| self.apply_pieces(&mut applier, piece, &work));
            let next = catch_unwind(apply).unwrap_or_else(|_| {
                tracing::error!("applying has panicked and is suspended");
                let why = "an error in the server, see its log".to_owned();
                slave.update(|progress| progress.suspended = Some(why));
                Next::End
            });
            if next == Next::End {
                return;
            }
        }
    }

    /// Applies what waits, on an environment that its owner drives. `false`: nothing waits.
    pub(crate) fn apply_waiting(&self) -> bool {
        let slave = self.log();
        let mut held = slave.work();
        let Some((work, applier)) = &mut *held else {
            return false;
        };
        let Ok(piece) = work.try_recv() else {
            return false;
        };
        if self.apply_pieces(applier, piece, work) == Next::End {
            *held = None;
        }
        true
    }

    /// Hands on what the mirror has taken; waits while much is queued. `false`: applying has
    /// ended.
    pub(crate) fn hand_on(&self, piece: Work) -> bool {
        let slave = self.log();
        match self.core().host().drive {
            Drive::Threads => slave.send(piece),
            Drive::Owner => match slave.try_send(piece) {
                Err(TrySendError::Full(piece)) => {
                    self.apply_waiting();
                    slave.try_send(piece).is_ok()
                }
                sent => sent.is_ok(),
            },
        }
    }

    fn apply_pieces(&self, applier: &mut Applier, first: Work, work: &Receiver<Work>) -> Next {
        match self.apply_run(applier, first, work) {
            Ok(next) => next,
            Err(error) => {
                tracing::error!(%error, "applying is suspended");
                let suspended = Some(error.to_string());
                self.log().update(|progress| progress.suspended = suspended);
                Next::End
            }
        }
    }

    /// What waits becomes visible as one step, much of it in several: always whole transactions, always in
    /// order. A slave that is far behind so makes each page once for many pieces.
    fn apply_run(
        &self,
        applier: &mut Applier,
        first: Work,
        work: &Receiver<Work>,
    ) -> Result<Next, EngineError> {
        let mut applied = Applied::default();
        let mut end = None;
        let mut next = Next::GoOn;
        let mut waiting = Some(first);
        while let Some(piece) = waiting.take() {
            match piece {
                Work::Blocks(blocks, at) => {
                    for block in &blocks {
                        applier.apply(block, &mut applied)?;
                        if applier.is_due() {
                            self.show(applier, Progress::from(block), &mut applied)?;
                        }
                    }
                    end = Some(at);
                    if applied.checkpoint.is_some() {
                        // That is on the disk, and what comes next need not be.
                        self.show(applier, at, &mut applied)?;
                        end = None;
                    }
                }
                Work::Reached(at) => end = Some(at),
                Work::Stop => next = Next::End,
            }
            if next == Next::GoOn {
                waiting = work.try_recv().ok();
            }
        }
        if let Some(end) = end {
            self.show(applier, end, &mut applied)?;
        }
        Ok(next)
    }

    /// Shows what was applied, which ends there.
    fn show(
        &self,
        applier: &mut Applier,
        at: Progress,
        applied: &mut Applied,
    ) -> Result<(), EngineError> {
        applier.publish()?;
        self.log().note(|progress| progress.applied = Some(at));
        match applied.checkpoint.take() {
            Some((redo, databases)) => self.follow_checkpoint(applier, redo, databases),
            None => Ok(()),
        }
    }

    /// The master has completed a checkpoint: the slave makes its own at the same place.
    fn follow_checkpoint(
        &self,
        applier: &Applier,
        redo: Position,
        databases: Vec<DatabaseEntry>,
    ) -> Result<(), EngineError> {
        let known = self.core().redo().map(|known| known.point.position);
        if known.is_some_and(|known| redo <= known) {
            return Ok(());
        }
        let location = self.core().log_location()?;
        let redo = applier.retried(|| redo_point_at(&location, redo))?;
        self.checkpointer()
            .note_record(SlaveRedo { redo, databases });
        Ok(())
    }
}
