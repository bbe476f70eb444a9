//! The applier's thread on a slave.

use std::sync::PoisonError;
use std::sync::mpsc::Receiver;

use dbproto::Progress;
use fwlog::{Block, Position};

use crate::apply::applier::{Applied, Applier};
use crate::commit::checkpointer::SlaveRedo;
use crate::environment::Environment;
use crate::environment::control::DatabaseEntry;
use crate::error::EngineError;
use crate::slave::redo::redo_point_at;
use crate::slave::{SlaveLog, Work};

impl Environment {
    /// Applies what the mirror has made durable, until the server stops.
    ///
    /// An error suspends applying: the slave serves the state that it has, goes on mirroring
    /// nothing, and says why.
    pub(crate) fn run_applier(&self) {
        let Some(slave) = self.slave() else { return };
        let work = slave
            .work
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some((work, mut applier)) = work else {
            return;
        };
        if let Err(error) = self.apply_all(slave, &work, &mut applier) {
            tracing::error!(%error, "applying is suspended");
            slave.update(|progress| progress.suspended = Some(error.to_string()));
        }
    }

    fn apply_all(
        &self,
        slave: &SlaveLog,
        work: &Receiver<Work>,
        applier: &mut Applier,
    ) -> Result<(), EngineError> {
        loop {
            match work.recv() {
                Ok(Work::Blocks(blocks, at)) => self.apply_run(slave, applier, &blocks, at)?,
                Ok(Work::Reached(at)) => slave.update(|progress| progress.applied = Some(at)),
                Ok(Work::Stop) | Err(_) => return Ok(()),
            }
        }
    }

    /// One run becomes visible as one step: always whole transactions, always in order.
    fn apply_run(
        &self,
        slave: &SlaveLog,
        applier: &mut Applier,
        blocks: &[Block],
        at: Progress,
    ) -> Result<(), EngineError> {
        let mut applied = Applied::default();
        for block in blocks {
            applier.apply(block, &mut applied)?;
        }
        applier.publish()?;
        slave.update(|progress| progress.applied = Some(at));
        match applied.checkpoint {
            Some((redo, databases)) => self.follow_checkpoint(redo, databases),
            None => Ok(()),
        }
    }

    /// The master has completed a checkpoint: the slave makes its own at the same place.
    fn follow_checkpoint(
        &self,
        redo: Position,
        databases: Vec<DatabaseEntry>,
    ) -> Result<(), EngineError> {
        let known = self.redo().map(|known| known.point.position);
        if known.is_some_and(|known| redo <= known) {
            return Ok(());
        }
        let redo = redo_point_at(&self.log_location()?, redo)?;
        self.checkpointer.note_record(SlaveRedo { redo, databases });
        Ok(())
    }
}
