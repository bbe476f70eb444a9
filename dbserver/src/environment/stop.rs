//! A clean stop: everything in the data files, the log sealed, the control file says so.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use dbconfig::SyncMode;
use fwlog::Durable;

use crate::commit::committer::Committer;
use crate::databases::host::Drive;
use crate::environment::checkpoint::{redo_point, try_to_settle};
use crate::environment::{Environment, LogSide};
use crate::error::EngineError;

impl Environment {
    /// Refuses new work from now on; sessions are ended by the server.
    pub fn begin_stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// Writes all that is durable to the data files and closes the log. No session may be left.
    pub fn stop(&self) -> Result<(), EngineError> {
        self.begin_stop();
        self.checkpointer.stop();
        self.log_guard.stop();
        if let LogSide::Following(slave) = &self.log {
            match self.host.drive {
                Drive::Threads => slave.stop(),
                Drive::Owner => while self.apply_waiting() {},
            }
        }
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                return Err(EngineError::Internal(
                    "a background thread has panicked".into(),
                ));
            }
        }
        let _one_author = self.checkpointing();
        match &self.log {
            LogSide::Writing(committer) => {
                let end = self.close_log(committer)?;
                self.write_data_files(None)?;
                let (redo, entries) = (redo_point(&end), self.databases.entries());
                self.update_control(|control| {
                    control.clean = true;
                    control.detached = true;
                    control.set_redo(redo, entries);
                })
            }
            LogSide::Following(slave) => {
                slave.close()?;
                self.settle_end_of_log()?;
                // Redo stays where the master's last checkpoint put it: what follows in the log
                // are deltas, and only there do full images begin.
                self.write_data_files(None)?;
                if let Some(at) = self.checkpointer.take_pending() {
                    self.move_redo(at.redo, at.databases)?;
                }
                self.update_control(|control| control.clean = true)
            }
        }
    }

    /// Seals the log. A log that has failed ends where it is durable: all up to there goes to the data
    /// files, and the next start cuts off the rest.
    fn close_log(&self, committer: &Committer) -> Result<Durable, EngineError> {
        let writer = committer.writer();
        let failure = match writer.close() {
            Ok(end) => {
                self.settle_end_of_log()?;
                return Ok(end);
            }
            Err(failure) => failure,
        };
        // What the disk has of it is known only where each commit waited for the disk.
        if self.config.server.sync_mode != SyncMode::EveryCommit {
            return Err(EngineError::LogFailed(failure));
        }
        tracing::warn!(%failure, "the log cannot be sealed; all that is committed goes to the data files");
        try_to_settle(writer.store());
        Ok(writer.durable())
    }
}
