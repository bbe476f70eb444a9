//! The applier's thread on a slave.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvError, RecvTimeoutError, TrySendError};
use std::time::Duration;

use dbproto::Progress;
use fwlog::Position;

use crate::apply::applier::Applier;
use crate::apply::disk_retry::DiskRetry;
use crate::apply::readers::ReaderWatch;
use crate::commit::checkpointer::SlaveRedo;
use crate::databases::control::DatabaseEntry;
use crate::databases::host::Drive;
use crate::environment::redo::redo_point_at;
use crate::environment::slave::Slave;
use crate::error::EngineError;
use crate::slave::{SlaveLog, Work};

/// How often it looks whether readers that hold something back have left.
const HELD_POLL: Duration = Duration::from_millis(20);

/// Whether there is more to apply.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    GoOn,
    End,
}

/// What is to be applied next; `None` where it is time to look whether readers have left.
fn next_piece(work: &Receiver<Work>, applier: &Applier) -> Result<Option<Work>, RecvError> {
    if !applier.is_held_back() {
        return work.recv().map(Some);
    }
    match work.recv_timeout(HELD_POLL) {
        Ok(piece) => Ok(Some(piece)),
        Err(RecvTimeoutError::Timeout) => Ok(None),
        Err(RecvTimeoutError::Disconnected) => Err(RecvError),
    }
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
        let watch: Arc<dyn ReaderWatch> = Arc::<SlaveLog>::clone(slave);
        let limit = self.core().config().replication.max_apply_delay;
        applier.wait_for_readers(watch, (!limit.is_zero()).then_some(limit));
        while let Ok(piece) = next_piece(&work, &applier) {
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
        if self.apply_pieces(applier, Some(piece), work) == Next::End {
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

    fn apply_pieces(
        &self,
        applier: &mut Applier,
        first: Option<Work>,
        work: &Receiver<Work>,
    ) -> Next {
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
        first: Option<Work>,
        work: &Receiver<Work>,
    ) -> Result<Next, EngineError> {
        let mut end = None;
        let mut next = Next::GoOn;
        if first.is_none() {
            self.show(applier)?;
        }
        let mut waiting = first;
        while let Some(piece) = waiting.take() {
            match piece {
                Work::Blocks(blocks, at) => {
                    for block in &blocks {
                        applier.apply(block)?;
                        if applier.is_due() {
                            self.show_to(applier, Progress::from(block))?;
                        }
                    }
                    end = Some(at);
                    if applier.has_checkpoint() {
                        // That is on the disk, and what comes next need not be.
                        self.show_to(applier, at)?;
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
            self.show_to(applier, end)?;
        }
        Ok(next)
    }

    /// Shows what was applied, which ends there.
    fn show_to(&self, applier: &mut Applier, at: Progress) -> Result<(), EngineError> {
        self.log().note(|progress| progress.taken = Some(at));
        self.show(applier)
    }

    /// Shows what was applied. As long as readers hold back some of it, the slave is where it was with all of it, and
    /// redo starts there.
    fn show(&self, applier: &mut Applier) -> Result<(), EngineError> {
        applier.publish()?;
        if applier.is_held_back() {
            return Ok(());
        }
        self.log().note(|progress| {
            progress.applied = progress.taken.or(progress.applied);
        });
        match applier.take_checkpoint() {
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
        let redo = applier.retried(|| redo_point_at(&self.core().log_locations(), redo))?;
        self.checkpointer()
            .note_record(SlaveRedo { redo, databases });
        Ok(())
    }
}
