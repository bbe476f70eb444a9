//! The background work of an environment that has no threads, one step at a time.

use std::time::Instant;

use fwlog::WriterError;

use crate::commit::checkpointer::CheckpointTarget as _;
use crate::databases::host::Drive;
use crate::environment::side::Side;
use crate::environment::state::Environment;
use crate::error::EngineError;

/// Does what threads do elsewhere; see [`Drive::Owner`].
pub struct Driver {
    side: Side,
}

impl Environment {
    /// The background work of the side that it is on, where that is the owner's. `None`: threads do it.
    pub fn driver(&self) -> Option<Driver> {
        let side = self.side();
        (self.core().host().drive == Drive::Owner).then_some(Driver { side })
    }
}

impl Driver {
    /// A master: writes what is queued for the log as one group. `false`: the log has failed.
    pub fn write_log(&self) -> bool {
        match &self.side {
            Side::Master(master) => master.writer().drive(),
            Side::Slave(_) | Side::None => false,
        }
    }

    /// What is done each second: files of the log that have lost their names, or `fw.position` when it is
    /// in doubt, are written once more. An error is told by [`Driver::log_failure`], or by the mirror.
    pub fn look_after_files(&self) {
        match &self.side {
            Side::Master(master) => master.writer().look_after_files().unwrap_or_default(),
            Side::Slave(slave) => {
                drop(slave.log().look_after_files());
                slave.look_after_interrupted();
            }
            Side::None => {}
        }
    }

    /// What is done each second, too, at this time: cuts that nobody uses end, and where `TmpDir` has little room
    /// those that take some of it.
    pub fn look_after_cuts(&self, now: Instant, scratch_is_low: bool) {
        match &self.side {
            Side::Master(master) => master.core().look_after_cuts(now, scratch_is_low),
            Side::Slave(slave) => slave.core().look_after_cuts(now, scratch_is_low),
            Side::None => {}
        }
    }

    /// What is done each second, too: who is below is looked at, and those below are told who this is and who is above.
    pub fn look_after_tree(&self) {
        let (core, is_root, newest) = match &self.side {
            Side::Master(master) => (master.core(), true, Some(master.durable().time)),
            Side::Slave(slave) => {
                let durable = slave.progress().durable;
                (slave.core(), false, durable.map(|durable| durable.time))
            }
            Side::None => return,
        };
        core.instance().follow(core, self.side.durable_position());
        core.look_after_tree(is_root, newest);
    }

    /// A master with `AuditOnly`: copies audit records, or tries to go on after that has failed.
    pub fn copy_audit(&self) {
        match &self.side {
            Side::Master(master) => master.copy_audit(),
            Side::Slave(_) | Side::None => {}
        }
    }

    /// A master: why the log can't be written, if it can't.
    pub fn log_failure(&self) -> Option<WriterError> {
        match &self.side {
            Side::Master(master) => master.log_failure(),
            Side::Slave(_) | Side::None => None,
        }
    }

    /// A slave: applies one run of blocks. `false`: none waits.
    pub fn apply(&self) -> bool {
        match &self.side {
            Side::Slave(slave) => slave.apply_waiting(),
            Side::Master(_) | Side::None => false,
        }
    }

    /// A slave: makes the checkpoint that the newest applied `Checkpoint` record asks for, if one
    /// does, and all that is shown is on the disk.
    pub fn follow_checkpoint(&self) -> Result<(), EngineError> {
        match &self.side {
            Side::Slave(slave) if !slave.log().is_durable() => Ok(()),
            Side::Slave(slave) => match slave.checkpointer().take_pending() {
                Some(redo) => slave.checkpoint(Some(redo)),
                None => Ok(()),
            },
            Side::Master(_) | Side::None => Ok(()),
        }
    }

    /// After the log has failed: takes back what never became durable, and starts the log again where
    /// the disk was merely full. `Some`: it has failed, and only a restart helps.
    pub fn mend_log(&self) -> Result<Option<WriterError>, EngineError> {
        let Side::Master(master) = &self.side else {
            return Ok(None);
        };
        let Some(failure) = master.take_back_lost_commits() else {
            return Ok(None);
        };
        if !failure.is_disk_full() {
            return Ok(Some(failure));
        }
        master.restart_writer().map(|()| None)
    }
}
