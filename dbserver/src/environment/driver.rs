//! The background work of an environment that has no threads, one step at a time.

use fwlog::WriterError;

use crate::commit::checkpointer::CheckpointTarget;
use crate::databases::host::Drive;
use crate::environment::Environment;
use crate::error::EngineError;

/// Does what threads do elsewhere; see [`Drive::Owner`].
#[derive(Clone, Copy)]
pub struct Driver<'a> {
    environment: &'a Environment,
}

impl Environment {
    /// The background work, where it is the owner's. `None`: threads do it.
    pub fn driver(&self) -> Option<Driver<'_>> {
        (self.host.drive == Drive::Owner).then_some(Driver { environment: self })
    }
}

impl Driver<'_> {
    /// A master: writes what is queued for the log as one group. `false`: the log has failed.
    pub fn write_log(&self) -> bool {
        let committer = self.environment.committer();
        committer.is_ok_and(|committer| committer.writer().drive())
    }

    /// What is done each second: files of the log that have lost their names, or `fw.position` when it is
    /// in doubt, are written once more. An error is told by [`Driver::log_failure`], or by the mirror.
    pub fn look_after_files(&self) {
        if let Some(slave) = self.environment.slave() {
            slave.look_after_files();
        } else if let Ok(committer) = self.environment.committer() {
            committer.writer().look_after_files().unwrap_or_default();
        }
    }

    /// A master: why the log can't be written, if it can't.
    pub fn log_failure(&self) -> Option<WriterError> {
        self.environment.committer().ok()?.writer().failure()
    }

    /// A slave: applies one run of durable blocks. `false`: none waits.
    pub fn apply(&self) -> bool {
        self.environment.apply_waiting()
    }

    /// A slave: makes the checkpoint that the newest applied `Checkpoint` record asks for, if one
    /// does.
    pub fn follow_checkpoint(&self) -> Result<(), EngineError> {
        match self.environment.checkpointer.take_pending() {
            Some(redo) => CheckpointTarget::checkpoint(self.environment, Some(redo)),
            None => Ok(()),
        }
    }

    /// After the log has failed: takes back what never became durable, and starts the log again where
    /// the disk was merely full. `Some`: it has failed, and only a restart helps.
    pub fn mend_log(&self) -> Result<Option<WriterError>, EngineError> {
        let Some(failure) = self.environment.take_back_lost_commits() else {
            return Ok(None);
        };
        if !failure.is_disk_full() {
            return Ok(Some(failure));
        }
        self.environment.restart_writer().map(|()| None)
    }
}
