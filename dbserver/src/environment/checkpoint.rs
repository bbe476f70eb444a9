//! Checkpoints: the newest durable pages go to the data files, and redo starts later.

use std::io;

use fwlog::{CommitNumber, Durable, LogDirectory, RecordBuffer, SegmentStore};

use crate::commit::checkpointer::{CheckpointTarget, SlaveRedo};
use crate::databases::control::{DatabaseEntry, LogPlace, RedoPoint};
use crate::environment::log;
use crate::environment::{Environment, LogSide};
use crate::error::EngineError;

impl CheckpointTarget for Environment {
    fn checkpoint(&self, redo: Option<SlaveRedo>) -> Result<(), EngineError> {
        let _one_author = self.checkpointing();
        match (&self.log, redo) {
            (LogSide::Writing(_), _) => self.master_checkpoint(),
            (LogSide::Following(_), Some(at)) => {
                self.settle_end_of_log()?;
                self.write_data_files(None)?;
                self.move_redo(at.redo, at.databases)
            }
            // Asked for by an operator: the data files are brought up to date, redo stays, because
            // full images begin anew only at the master's checkpoints.
            (LogSide::Following(_), None) => {
                self.settle_end_of_log()?;
                self.write_data_files(None)
            }
        }
    }

    fn log_bytes(&self) -> u64 {
        self.durable().map_or(0, |durable| durable.log_bytes)
    }

    fn dirty_bytes(&self) -> u64 {
        self.databases()
            .iter()
            .map(|database| database.store().dirty_bytes())
            .sum()
    }

    fn decides(&self) -> bool {
        matches!(self.log, LogSide::Writing(_))
    }
}

impl Environment {
    fn master_checkpoint(&self) -> Result<(), EngineError> {
        let committer = self.committer()?;
        let begun = committer.begin_checkpoint(|| self.databases.entries());
        let (start, entries) = begun.inspect_err(|error| self.note_failure(error))?;
        let borders = start.wait().inspect_err(|error| self.note_failure(error))?;
        let redo = borders.earliest;
        self.settle_end_of_log()?;
        // No further than the log is on the disk, which with SyncMode = 0 is behind what is visible.
        self.write_data_files(Some(borders.newest.commit))?;
        let mut record = RecordBuffer::new();
        record.checkpoint(redo.point.position);
        committer
            .append(record)
            .inspect_err(|error| self.note_failure(error))?;
        self.move_redo(redo_point(&redo), entries)
    }

    /// Brings `fw.position` to the disk, which tells how far the log is known to go. Before pages of those
    /// commits go to the data files: else damage at the end of the log could pass for a torn tail after a
    /// power cut, and newer pages for those of an older commit.
    pub(crate) fn settle_end_of_log(&self) -> Result<(), EngineError> {
        match &self.log {
            LogSide::Writing(committer) => settle(committer.writer().store()),
            LogSide::Following(slave) => settle(slave.store()),
        }
    }

    /// Writes every database's newest durable pages, up to `limit`, and syncs the files.
    pub(crate) fn write_data_files(&self, limit: Option<CommitNumber>) -> Result<(), EngineError> {
        for database in self.databases() {
            let report = self.write_data_file(&database, limit)?;
            tracing::debug!(
                database = database.name(),
                commit = report.commit.get(),
                pages = report.pages,
                "checkpoint"
            );
        }
        self.files.memory_budget().count(&self.databases());
        self.layout
            .disk()
            .sync_directory(&self.layout.databases())
            .map_err(|error| EngineError::file("sync", self.layout.databases(), &error))
    }

    /// Redo starts at `redo` from now on; journal segments before it are not needed any more.
    pub(crate) fn move_redo(
        &self,
        redo: RedoPoint,
        entries: Vec<DatabaseEntry>,
    ) -> Result<(), EngineError> {
        self.update_control(|control| {
            control.set_redo(redo, entries);
            control.detached = false;
        })?;
        if self.control().log == LogPlace::Journal {
            self.recycle_journal(&redo)
        } else {
            Ok(())
        }
    }

    fn recycle_journal(&self, redo: &RedoPoint) -> Result<(), EngineError> {
        let location = log::location(&self.config, &self.layout, LogPlace::Journal)?;
        let directory = LogDirectory::scan(&location)
            .map_err(|error| EngineError::Corrupt(error.to_string()))?;
        for segment in directory.segments() {
            if segment.id < redo.point.position.segment {
                match self.layout.disk().remove(&segment.path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(EngineError::file("remove", &segment.path, &error));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

/// Brings the `fw.position` of this log to the disk.
pub(crate) fn settle(store: &SegmentStore) -> Result<(), EngineError> {
    let settled = store.settle_position();
    settled.map_err(|error| EngineError::file("sync", store.position_path(), &error))
}

/// The same where the log has failed, and the data files are to save what may be in memory alone: it does
/// not keep them from that.
pub(crate) fn try_to_settle(store: &SegmentStore) {
    if let Err(error) = settle(store) {
        tracing::warn!(%error, "the end of the log is not known to be on the disk");
    }
}

/// A durable border as a redo point.
pub(crate) fn redo_point(durable: &Durable) -> RedoPoint {
    RedoPoint {
        point: durable.point,
        log_bytes: durable.log_bytes,
        commit: durable.commit,
    }
}
