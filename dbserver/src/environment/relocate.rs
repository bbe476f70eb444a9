//! The log moves: forward logging is switched on or off, or the log starts again after a failure.

use std::io;
use std::sync::Arc;

use dbconfig::SyncMode;
use fwlog::{
    Begin, CommitNumber, Durable, DurableEnd, IoFailure, LogLocation, LogPoint, RecoverOptions,
    SealNewest, SegmentStore, Writer, WriterError,
};

use crate::databases::control::LogPlace;
use crate::environment::begin_log;
use crate::environment::doublewrite;
use crate::environment::log;
use crate::environment::log::{redo_point, settle, try_to_settle};
use crate::environment::master::Master;
use crate::error::EngineError;

impl Master {
    /// Moves the log to another place: all that is committed goes to the data files first, so that
    /// redo starts at the new log's beginning.
    ///
    /// To `ForwardLog` a new generation begins; to `Journal` the generation ends for slaves.
    pub fn move_log(&self, place: LogPlace) -> Result<(), EngineError> {
        let _one_author = self.core().one_author();
        if self.core().log_place() == place {
            return Ok(());
        }
        if self.take_back_lost_commits().is_some() {
            return self.leave_failed_log(place);
        }
        let mut failure = None;
        self.committer().replace_writer(|old| {
            let end = old.close().map_err(EngineError::LogFailed)?;
            self.core().release().show_all();
            // Whoever comes back to the log that is left finds its end there.
            let moved = settle(old.store()).and_then(|()| self.start_elsewhere(place, &end));
            moved.or_else(|error| {
                let writer = self.go_on_in_place(old, &end);
                failure = Some(error);
                Ok((writer, end.commit))
            })
        })?;
        failure.map_or(Ok(()), |error| {
            self.guard().wake();
            Err(error)
        })
    }

    /// A move has failed: the log, which was ended in good order, goes on where it is. Where that can't be written
    /// either, the guard tries again.
    fn go_on_in_place(&self, old: &Arc<Writer>, end: &Durable) -> Arc<Writer> {
        let core = self.core();
        let begun = core.settle_control().and_then(|()| {
            let next = Begin::NextSegment { after: *end };
            begin_log::start_writer(core, self.checkpointer(), core.log_place(), next)
        });
        begun.unwrap_or_else(|error| {
            let store = Arc::clone(old.store());
            let why = why_not_moved(&error, &store);
            Arc::new(Writer::failed(store, *end, why))
        })
    }

    /// The same when the old log cannot be written any more: what it has is what there is.
    pub(crate) fn move_log_after_failure(&self, place: LogPlace) -> Result<(), EngineError> {
        let _one_author = self.core().one_author();
        self.leave_failed_log(place)
    }

    fn leave_failed_log(&self, place: LogPlace) -> Result<(), EngineError> {
        self.committer().replace_writer(|old| {
            let end = old.durable();
            self.save_failed_log(old, &end, place)?;
            let moved = self.start_elsewhere(place, &end)?;
            doublewrite::discard(self.core());
            Ok(moved)
        })
    }

    /// The data files take all that the log has, up to `end`, and where the disk may not have that all of it.
    fn save_failed_log(
        &self,
        failed: &Arc<Writer>,
        end: &Durable,
        place: LogPlace,
    ) -> Result<(), EngineError> {
        try_to_settle(failed.store());
        if self.core().config().server.sync_mode != SyncMode::EveryCommit {
            doublewrite::write(self.core(), &redo_point(end), place)?;
        }
        self.core().write_data_files(None)
    }

    /// The log can't be written, and perhaps never comes back: all that is committed goes to the data
    /// files. A restart finds it there, with the log or without.
    pub(crate) fn save_without_log(&self) -> Result<(), EngineError> {
        let _one_author = self.core().one_author();
        let writer = self.committer().writer();
        let end = writer.durable();
        self.save_failed_log(&writer, &end, self.core().log_place())?;
        let entries = self.core().databases().entries();
        self.core().update_control(|control| {
            control.detached = true;
            control.set_redo(redo_point(&end), entries);
        })?;
        doublewrite::discard(self.core());
        Ok(())
    }

    /// Up to where the log was on the disk for certain, or where redo would start: with SyncMode = 0 that
    /// is behind what is visible, and what lies between has to be read and proved after a failure.
    fn on_disk(
        &self,
        store: &SegmentStore,
        durable: &Durable,
    ) -> Result<Option<LogPoint>, EngineError> {
        let location = store.location();
        let known = DurableEnd::read(&location.disk, &location.directory)
            .map_err(EngineError::LogUnusable)?;
        let known = known.map(|end| end.durable.point);
        let certain = known.filter(|point| point.position <= durable.point.position);
        Ok(certain.or_else(|| self.core().redo().and_then(|redo| redo.for_recovery())))
    }

    /// Starts a new writer in the old place after its disk was full.
    pub(crate) fn restart_writer(&self) -> Result<(), EngineError> {
        let _one_author = self.core().one_author();
        // Else the next start might look for the log in another place.
        self.core().settle_control()?;
        let place = self.core().log_place();
        self.committer().replace_writer(|old| {
            let durable = old.durable();
            let store = self.core().log_store(place)?;
            let unbegun = self.core().control().detached && !has_begun(&store, &durable)?;
            if unbegun && place == LogPlace::Journal {
                // The log was moving there when that failed. Where a forward log is missing, its disk
                // may not be mounted: nothing is written to what lies under it.
                let writer = begin_log::start_writer(self.core(), self.checkpointer(), place, log::begin_in(place, durable))?;
                return Ok((writer, durable.commit));
            }
            let options = RecoverOptions {
                from: self.on_disk(&store, &durable)?,
                seal: SealNewest::Yes,
                discard_behind: Some(durable.point.position),
            };
            let recovered = fwlog::recover(&store, options, &mut |_| Ok(()))
                .map_err(|error| log::recovery_error(error, store.location()))?;
            if recovered.end.position < durable.point.position {
                // With SyncMode = 0 a sync that fails may take what was answered for.
                return Err(EngineError::state(
                    format!(
                        "the log ends at {}, and commits up to {} were answered for: what lies between is lost",
                        recovered.end.position, durable.point.position
                    ),
                    "Restart the server: it goes on where the log ends.",
                ));
            }
            // The log has it all, and goes on: what comes now is not for the pages of before.
            doublewrite::remove(self.core().layout())?;
            let begin = Begin::NextSegment {
                after: recovered.durable(),
            };
            let writer = begin_log::start_writer(self.core(), self.checkpointer(), place, begin)?;
            Ok((writer, durable.commit))
        })?;
        self.attach_log()
    }

    /// The log has begun where it is: from now on it must be found.
    fn attach_log(&self) -> Result<(), EngineError> {
        if self.core().control().detached {
            self.core()
                .update_control(|control| control.detached = false)?;
        }
        Ok(())
    }

    fn start_elsewhere(
        &self,
        place: LogPlace,
        end: &Durable,
    ) -> Result<(Arc<Writer>, CommitNumber), EngineError> {
        self.core().write_data_files(None)?;
        let entries = self.core().databases().entries();
        let before = self.core().log_location();
        begin_log::make_way(self.core(), place, end)?;
        let begin = log::begin_in(place, *end);
        let writer = begin_log::start_writer(self.core(), self.checkpointer(), place, begin)?;
        // A start finds the log where it was, or where it has begun.
        self.core().update_control(|control| {
            control.log = place;
            control.detached = false;
            control.set_redo(redo_point(end), entries);
        })?;
        self.guard().clear_trouble();
        if let (Ok(before), LogPlace::Journal) = (before, place) {
            self.mark_switched_off(&before, end);
        }
        Ok((writer, end.commit))
    }

    /// Tells who reads the forward log that nothing follows. Where that can't be written, they find the
    /// gap when forward logging begins again.
    pub(super) fn mark_switched_off(&self, location: &LogLocation, end: &Durable) {
        let Some(environment) = self.core().id() else {
            return;
        };
        let written = log::segment_store(self.core().config(), location).and_then(|store| {
            let end = DurableEnd {
                environment,
                durable: log::end_there(&store, location, end).unwrap_or_else(|error| {
                    tracing::warn!(%error, "the log that is left cannot be sealed");
                    *end
                }),
                switched_off: true,
                stopped: false,
            };
            let path = store.position_path();
            let written = store.write_position(&end.encode());
            written.map_err(|error| EngineError::file("write", path, &error))
        });
        if let Err(error) = written {
            tracing::warn!(%error, "dbrepl cannot be told that forward logging is off");
        }
    }
}

/// Why there is no writer.
fn why_not_moved(error: &EngineError, store: &SegmentStore) -> WriterError {
    let path = store.position_path();
    WriterError::Io(match error {
        EngineError::LogFailed(why) => return why.clone(),
        EngineError::File {
            what,
            path,
            reason,
            kind,
        } => IoFailure::new(what, path, &io::Error::new(*kind, reason.clone())),
        other if other.is_disk_full() => {
            let full = io::Error::new(io::ErrorKind::StorageFull, other.to_string());
            IoFailure::new("move the log to", &path, &full)
        }
        other => IoFailure::new(
            "move the log to",
            &path,
            &io::Error::other(other.to_string()),
        ),
    })
}

/// Whether this store has the segment with this end of the log, or one behind it.
fn has_begun(store: &SegmentStore, end: &Durable) -> Result<bool, EngineError> {
    let listed = store.list();
    let listed = listed
        .map_err(|error| EngineError::file("list the directory of", store.position_path(), &error));
    Ok(listed?.last() >= Some(&end.point.position.segment))
}
