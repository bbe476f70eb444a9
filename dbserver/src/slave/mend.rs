//! The mirror after a connection that ended badly.

use std::thread;
use std::time::{Duration, Instant};

use dbproto::{Progress, Refuse, state};
use fwlog::{
    Block, LogPoint, Mirror, MirrorError, RecoverError, RecoverOptions, SealNewest, SegmentId,
    recover,
};

use crate::error::EngineError;
use crate::slave::refusal::{cannot_read, refuse_mirror};
use crate::slave::{MirrorPlace, SlaveLog, Work};

/// How often it is looked whether the applier has taken what waits.
const POLL: Duration = Duration::from_millis(10);

impl SlaveLog {
    /// After the feed has ended: what a broken connection has made durable and not handed on goes to the
    /// applier. Waits, so long at most, until that has room.
    pub(crate) fn settle(&self, at_most: Duration) -> Result<(), EngineError> {
        let deadline = Instant::now() + at_most;
        loop {
            let mut place = self.mirror_place();
            let MirrorPlace::Free(mirror) = &mut *place else {
                return Err(EngineError::Internal("the mirror is not free".into()));
            };
            match self.mend(mirror) {
                Ok(()) if self.is_durable() => return Ok(()),
                Ok(()) => {
                    return Err(EngineError::state(
                        "the disk of this slave has lost the end of its log, which its readers have seen",
                        "Restart the slave: from then on it shows what its log has. Then try again; or promote another slave.",
                    ));
                }
                Err(refuse)
                    if refuse.sqlstate == state::IN_USE.as_str() && Instant::now() < deadline => {}
                Err(refuse) => {
                    return Err(EngineError::state(
                        format!("the mirror of the log is not in order: {refuse}"),
                        "Mend that, and try again; or promote another slave.",
                    ));
                }
            }
            drop(place);
            thread::park_timeout(POLL);
        }
    }

    /// Brings the mirror to a durable end, where the applier and the next dbrepl go on: what a broken
    /// connection has left unsynced is synced, and what a failure has left there is cut off.
    ///
    /// That is right after a failed sync, too, though nobody knows what the disk has of the bytes
    /// behind the durable end: they go, and the master sends them again.
    pub(crate) fn mend(&self, mirror: &mut Option<Box<Mirror>>) -> Result<(), Refuse> {
        let Some(old) = mirror.as_mut() else {
            return Ok(());
        };
        if old.failure().is_none() && old.received() == old.durable() {
            assert!(
                old.durable()
                    .is_none_or(|durable| Some(Progress::from(&durable)) == self.progress().durable),
                "what the slave says it has is what its mirror has"
            );
            return Ok(());
        }
        self.get_ready().map_err(|error| {
            Refuse::new(error.sqlstate(), error.to_string())
                .hint("Mend that; dbrepl goes on by itself.")
        })?;
        let (environment, store) = (old.environment(), self.store());
        let has_failed = old.failure().is_some() || old.sync().is_err();
        old.give_up();
        // A copy that has not received a segment yet has no log to recover.
        let known = self.known_in(&self.segments()?);
        let from = known.map(|at| at.point);
        let options = RecoverOptions {
            from,
            seal: SealNewest::No,
            discard_behind: from.filter(|_| has_failed).map(|point| point.position),
        };
        // What became durable now, or just before a failure, and was not handed on.
        let mut blocks = Vec::new();
        let mut keep = |block: &Block| {
            if from.is_none_or(|from| block.end.position > from.position) {
                blocks.push(block.clone());
            }
            Ok(())
        };
        let recovered = match recover(&store, options, &mut keep) {
            Ok(recovered) => Some(recovered),
            Err(RecoverError::NoLog) => None,
            Err(error) => return Err(not_mended(&error)),
        };
        let end = recovered.as_ref().map(|end| Progress::from(&end.durable()));
        if end.map(|end| end.point.position) < from.map(|from| from.position) {
            return Err(Refuse::new(
                state::DAMAGED,
                "the slave's log does not end where it should",
            )
            .hint("Restart the slave: recovery finds the end of its log."));
        }
        let opened = Mirror::open(store, environment, self.preallocate, recovered.as_ref());
        let opened = opened.map_err(refuse_mirror)?;
        // Handed on once: until then the old mirror stays, and all of this is done again.
        self.hand_on_mended(blocks, end, from)?;
        *mirror = Some(Box::new(opened));
        self.update(|progress| {
            if end.map(|end| end.point) != from {
                (progress.durable, progress.received) = (end, end);
            }
            progress.sealed = recovered.as_ref().map_or(progress.sealed, |end| end.sealed);
        });
        self.tell_mended();
        Ok(())
    }

    /// Gives the applier what was found behind `from`, or the end where there are no blocks.
    fn hand_on_mended(
        &self,
        blocks: Vec<Block>,
        end: Option<Progress>,
        from: Option<LogPoint>,
    ) -> Result<(), Refuse> {
        let blocks = self.not_given_before(blocks)?;
        let Some(end) = end else { return Ok(()) };
        let work = if !blocks.is_empty() {
            Work::Blocks(blocks, end)
        } else if Some(end.point) != from && !self.has_given_beyond(end) {
            Work::Reached(end)
        } else {
            return Ok(());
        };
        let has_blocks = matches!(work, Work::Blocks(..));
        self.queue()
            .try_put(work)
            .map_err(|_| Refuse::new(state::IN_USE, "the slave is still applying what it has"))?;
        if has_blocks {
            self.note_given(end);
        }
        Ok(())
    }

    /// After a refusal the same may happen again: as long as it does, it is no news.
    fn tell_mended(&self) {
        let how = "the mirror is in order again after a connection that ended badly";
        if self.progress().feed.refused {
            tracing::debug!("{how}");
        } else {
            tracing::info!("{how}");
        }
    }

    /// Its durable end, where one of these segments has it.
    fn known_in(&self, segments: &[SegmentId]) -> Option<Progress> {
        let known = self.progress().durable;
        known.filter(|at| segments.contains(&at.point.position.segment))
    }

    fn segments(&self) -> Result<Vec<SegmentId>, Refuse> {
        let store = self.store();
        let listed = store.list();
        let directory = &store.location().directory;
        listed.map_err(|error| cannot_read(&EngineError::file("list", directory, &error)))
    }
}

fn not_mended(error: &RecoverError) -> Refuse {
    match error {
        RecoverError::Io(failure) => refuse_mirror(MirrorError::Io(failure.clone())),
        _ => {
            Refuse::new(state::DAMAGED, "the slave's log cannot be read").detail(error.to_string())
        }
    }
}
