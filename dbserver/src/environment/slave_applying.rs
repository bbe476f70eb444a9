//! The applier's thread on a slave.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use dbproto::Progress;
use fwlog::{Block, Position};

use crate::apply::applier::Applier;
use crate::apply::disk_retry::DiskRetry;
use crate::apply::readers::ReaderWatch;
use crate::commit::checkpointer::SlaveRedo;
use crate::databases::control::DatabaseEntry;
use crate::databases::host::Drive;
use crate::environment::redo::redo_point_at;
use crate::environment::slave::Slave;
use crate::error::EngineError;
use crate::slave::{NotTaken, SlaveLog, Work, WorkReceiver};

/// How often it looks whether readers that hold something back have left.
const HELD_POLL: Duration = Duration::from_millis(20);

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
        let watch: Arc<dyn ReaderWatch> = Arc::<SlaveLog>::clone(slave);
        let limit = self.core().config().replication.max_apply_delay;
        applier.wait_for_readers(watch, (!limit.is_zero()).then_some(limit));
        loop {
            // Where readers hold something back it looks now and then whether they have left.
            let piece = work.next(applier.is_held_back().then_some(HELD_POLL));
            if slave.is_held() {
                self.note_held();
            }
            if !slave.wait_while_held() {
                return;
            }
            let apply = AssertUnwindSafe(|| self.apply_pieces(&mut applier, piece, &work));
            let next = catch_unwind(apply).unwrap_or_else(|_| {
                tracing::error!("applying has panicked and is suspended");
                let why = "an error in the server, see its log".to_owned();
                slave.update(|progress| progress.end_applying(why));
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
        let Some(piece) = work.try_next() else {
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
        let queue = self.log().queue();
        match self.core().host().drive {
            Drive::Threads => queue.put(piece),
            Drive::Owner => match queue.try_put(piece) {
                Err(NotTaken::Full(piece)) => {
                    self.apply_waiting();
                    queue.try_put(piece).is_ok()
                }
                sent => sent.is_ok(),
            },
        }
    }

    fn apply_pieces(
        &self,
        applier: &mut Applier,
        first: Option<Work>,
        work: &WorkReceiver,
    ) -> Next {
        match self.apply_run(applier, first, work) {
            Ok(next) => next,
            Err(error) => {
                tracing::error!(%error, "applying is suspended");
                let why = error.to_string();
                self.log().update(|progress| progress.end_applying(why));
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
        work: &WorkReceiver,
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
                    self.apply_blocks(applier, &blocks)?;
                    end = Some(at);
                    if applier.has_checkpoint() {
                        // That is on the disk, and what comes next need not be.
                        self.show_to(applier, at)?;
                        end = None;
                    }
                }
                Work::Reached(at) => end = Some(at),
                Work::Log(_) => {
                    if let Some(end) = end.take() {
                        self.show_to(applier, end)?;
                    }
                    self.apply_log(applier)?;
                }
                Work::Between(errand) => {
                    if let Some(end) = end.take() {
                        self.show_to(applier, end)?;
                    }
                    errand();
                }
                Work::Stop => next = Next::End,
            }
            if next == Next::GoOn && !self.log().is_held() {
                waiting = work.try_next();
            }
        }
        if let Some(end) = end {
            self.show_to(applier, end)?;
        }
        Ok(next)
    }

    /// Applies blocks, and shows of them what is much.
    pub(super) fn apply_blocks(
        &self,
        applier: &mut Applier,
        blocks: &[Block],
    ) -> Result<(), EngineError> {
        for block in blocks {
            applier.apply(block)?;
            if applier.is_due() {
                self.show_to(applier, Progress::from(block))?;
            }
        }
        Ok(())
    }

    /// Shows what was applied, which ends there.
    pub(super) fn show_to(&self, applier: &mut Applier, at: Progress) -> Result<(), EngineError> {
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
