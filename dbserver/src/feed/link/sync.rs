//! What was taken becomes durable, and goes to the applier.

use std::mem;

use dbproto::{Progress, Refuse, state};
use fwlog::{Block, Durable, IoFailure, PendingSync};

use crate::commit::tell_restored;
use crate::feed::link::syncer::{Ended, Syncer};
use crate::feed::link::{Link, stopping};
use crate::slave::Work;
use crate::slave::refusal::refuse_mirror;

impl Link {
    /// Makes durable what was taken and hands it to the applier.
    pub fn sync(&mut self) -> Result<(), Refuse> {
        self.end_sync()?;
        let Some(sync) = self.begin_sync()? else {
            return Ok(());
        };
        let blocks = mem::take(&mut self.pending);
        self.synced(&sync, sync.run(), blocks)
    }

    /// The same while more is taken. [`Link::sync`] ends it.
    pub(crate) fn sync_behind(&mut self) -> Result<(), Refuse> {
        self.end_sync()?;
        let syncer = match self.syncer.take() {
            Some(syncer) => Ok(syncer),
            None => Syncer::start(),
        };
        let mut syncer = match syncer {
            Ok(syncer) => syncer,
            Err(error) => {
                tracing::debug!(%error, "no thread to sync the log");
                return self.sync();
            }
        };
        if let Some(sync) = self.begin_sync()? {
            syncer.begin(sync, mem::take(&mut self.pending));
        }
        self.syncer = Some(syncer);
        Ok(())
    }

    /// Whether a sync is on its way.
    pub(crate) fn is_syncing(&self) -> bool {
        self.syncer.as_ref().is_some_and(Syncer::is_busy)
    }

    fn begin_sync(&mut self) -> Result<Option<PendingSync>, Refuse> {
        let Some(mirror) = &self.mirror else {
            return Ok(None);
        };
        let sync = mirror.begin_sync().map_err(refuse_mirror)?;
        self.unsynced_bytes = 0;
        Ok(sync)
    }

    /// Waits for the sync that is on its way.
    fn end_sync(&mut self) -> Result<(), Refuse> {
        let Some(syncer) = self.syncer.as_mut().filter(|syncer| syncer.is_busy()) else {
            return Ok(());
        };
        let Some(Ended {
            sync,
            result,
            blocks,
        }) = syncer.end()
        else {
            self.mirror()?.give_up();
            return Err(Refuse::new(
                state::IO_ERROR,
                "the slave does not know whether its log is on the disk",
            ));
        };
        self.synced(&sync, result, blocks)
    }

    fn synced(
        &mut self,
        sync: &PendingSync,
        result: Result<(), IoFailure>,
        blocks: Vec<Block>,
    ) -> Result<(), Refuse> {
        let mirror = self.mirror()?;
        let durable = mirror.end_sync(sync, result).map_err(refuse_mirror)?;
        tell_restored(mirror.take_restored());
        self.made_durable(&durable, blocks)
    }

    /// The connection is over. A sync that has succeeded is forgotten like one that was never begun; one
    /// that has failed is not.
    pub(super) fn forget_sync(&mut self) {
        let Some(syncer) = self.syncer.as_mut().filter(|syncer| syncer.is_busy()) else {
            return;
        };
        let ended = syncer.end();
        let Some(mirror) = &mut self.mirror else {
            return;
        };
        match ended {
            Some(Ended { result: Ok(()), .. }) => {}
            Some(Ended { sync, result, .. }) => {
                if let Err(error) = mirror.end_sync(&sync, result) {
                    tracing::error!(%error, "the mirror of the log has failed");
                }
            }
            None => mirror.give_up(),
        }
    }

    pub(super) fn made_durable(
        &mut self,
        durable: &Durable,
        blocks: Vec<Block>,
    ) -> Result<(), Refuse> {
        let at = Progress::from(durable);
        let nothing_to_apply = blocks.is_empty();
        let received = self.mirror()?.received().as_ref().map(Progress::from);
        self.slave.log().update(|progress| {
            progress.received = received;
            progress.durable = Some(at);
            progress.sealed = durable.sealed;
        });
        let work = if nothing_to_apply {
            Work::Reached(at)
        } else {
            Work::Blocks(blocks, at)
        };
        if self.slave.hand_on(work) {
            return Ok(());
        }
        if self.must_leave() {
            // The applier has ended already; the next start applies what the mirror has.
            return Err(stopping());
        }
        let why = self.slave.progress().suspended.unwrap_or_default();
        Err(Refuse::new(state::DAMAGED, "the slave cannot apply its log").detail(why))
    }
}
