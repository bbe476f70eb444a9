//! The applier's thread on a slave.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::TrySendError;

use dbproto::Progress;
use fwlog::{Block, Position};

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
    /// Applies what the mirror has made durable, until the server stops.
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
            let apply = AssertUnwindSafe(|| self.apply_piece(&mut applier, piece));
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

    /// Applies one piece of what waits, on an environment that its owner drives. `false`: nothing
    /// waits.
    pub(crate) fn apply_waiting(&self) -> bool {
        let slave = self.log();
        let mut held = slave.work();
        let Some((work, applier)) = &mut *held else {
            return false;
        };
        let Ok(piece) = work.try_recv() else {
            return false;
        };
        if self.apply_piece(applier, piece) == Next::End {
            *held = None;
        }
        true
    }

    /// Hands on what the mirror has made durable; waits while much is queued. `false`: applying has
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

    fn apply_piece(&self, applier: &mut Applier, piece: Work) -> Next {
        let slave = self.log();
        let result = match piece {
            Work::Blocks(blocks, at) => self.apply_run(applier, &blocks, at),
            Work::Reached(at) => {
                slave.update(|progress| progress.applied = Some(at));
                Ok(())
            }
            Work::Stop => return Next::End,
        };
        match result {
            Ok(()) => Next::GoOn,
            Err(error) => {
                tracing::error!(%error, "applying is suspended");
                slave.update(|progress| progress.suspended = Some(error.to_string()));
                Next::End
            }
        }
    }

    /// A run becomes visible as one step, a long one in several: always whole transactions, always in
    /// order.
    fn apply_run(
        &self,
        applier: &mut Applier,
        blocks: &[Block],
        at: Progress,
    ) -> Result<(), EngineError> {
        let mut applied = Applied::default();
        for block in blocks {
            applier.apply(block, &mut applied)?;
            if applier.is_due() {
                applier.publish()?;
            }
        }
        applier.publish()?;
        self.log().update(|progress| progress.applied = Some(at));
        match applied.checkpoint {
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
