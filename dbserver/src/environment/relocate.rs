//! The log moves: forward logging is switched on or off, or the log starts again after a failure.

use std::sync::Arc;

use fwlog::{Begin, CommitNumber, Durable, RecoverOptions, SealNewest, Writer};

use crate::environment::Environment;
use crate::environment::checkpoint::redo_point;
use crate::environment::control::LogPlace;
use crate::environment::log;
use crate::error::EngineError;

impl Environment {
    /// Moves the log to another place: all that is committed goes to the data files first, so that
    /// redo starts at the new log's beginning.
    ///
    /// To `ForwardLog` a new generation begins; to `Journal` the generation ends for slaves.
    pub fn move_log(&self, place: LogPlace) -> Result<(), EngineError> {
        let _one_author = self.checkpointing();
        if self.control().log == place {
            return Ok(());
        }
        self.committer()?.replace_writer(|old| {
            let end = old.close().map_err(EngineError::LogFailed)?;
            self.start_elsewhere(place, &end)
        })
    }

    /// The same when the old log cannot be written any more: what it has is what there is.
    pub(crate) fn move_log_after_failure(&self, place: LogPlace) -> Result<(), EngineError> {
        let _one_author = self.checkpointing();
        self.committer()?.replace_writer(|old| {
            let end = old.durable();
            self.start_elsewhere(place, &end)
        })
    }

    /// Starts a new writer in the old place after its disk was full.
    pub(crate) fn restart_writer(&self) -> Result<(), EngineError> {
        let _one_author = self.checkpointing();
        let place = self.control().log;
        self.committer()?.replace_writer(|old| {
            let durable = old.durable();
            let location = log::location(&self.config, &self.layout, place)?;
            let store = log::segment_store(&self.config, &location)?;
            let options = RecoverOptions {
                from: Some(durable.point),
                seal: SealNewest::Yes,
                discard_behind: Some(durable.point.position),
            };
            let recovered = fwlog::recover(&*store, options, &mut |_| Ok(()))
                .map_err(|error| log::recovery_error(error, &location))?;
            let begin = Begin::NextSegment {
                after: recovered.end,
                log_bytes: recovered.log_bytes,
            };
            let writer = self.start_writer(place, begin, durable.commit)?;
            Ok((writer, durable.commit))
        })
    }

    fn start_elsewhere(
        &self,
        place: LogPlace,
        end: &Durable,
    ) -> Result<(Arc<Writer>, CommitNumber), EngineError> {
        self.write_data_files(None)?;
        let entries = self.databases.entries();
        let redo = redo_point(end);
        self.update_control(|control| {
            control.log = place;
            control.detached = true;
            control.set_redo(redo, entries);
        })?;
        let begin = log::begin_in(place, end.point, end.log_bytes);
        let writer = self.start_writer(place, begin, end.commit)?;
        self.update_control(|control| control.detached = false)?;
        Ok((writer, end.commit))
    }

    pub(crate) fn start_writer(
        &self,
        place: LogPlace,
        begin: Begin,
        last: CommitNumber,
    ) -> Result<Arc<Writer>, EngineError> {
        let environment = self.id().ok_or_else(|| {
            EngineError::Internal("a log cannot be written before there is an environment".into())
        })?;
        let start = log::WriterStart {
            config: &self.config,
            host: &self.host,
            layout: &self.layout,
            environment,
            under_way: self.files.under_way(),
            horizon: &self.horizon,
            checkpointer: &self.checkpointer,
        };
        start.start(place, begin, last)
    }
}
