//! The backup mode begins and ends.
//!
//! ```text
//!  backup start: checkpoint ─▶ on: no checkpoint; commits go to the log, to memory, to TmpDir
//!                               │ backup stop, or a bound, or whoever has to write the data files
//!                               ▼
//!                              off: the next checkpoint writes all that has gathered
//! ```
//! Data files that stand still, the control file, whose redo point does not move, and the log from there on are what a
//! crash at that time would have left: whoever copies them, the data files first, has an environment that starts. Where the log ends in
//! the copy, the copy ends.
//!
//! Nothing of the mode is on the disk. A server that crashes in it recovers as always, and is not in it any more.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Instant;

use fwlog::DurableEnd;

use crate::databases::backup_mode::{BackupMode, BackupModeEnd, BackupModeOn};
use crate::databases::control::LogPlace;
use crate::environment::core::Core;
use crate::environment::master::Master;
use crate::environment::side::Side;
use crate::environment::slave::Slave;
use crate::environment::space::{LOG, SCRATCH_DIRECTORY, Space};
use crate::environment::state::Environment;
use crate::error::EngineError;

impl Environment {
    /// From now on the data files stand still, until [`Environment::end_backup_mode`] or a bound of `BackupHold`.
    ///
    /// Errors: it is on; there is little room; there is nothing yet, or it is about to be replaced; the checkpoint before it
    /// has failed.
    pub fn begin_backup_mode(&self, who: &str) -> Result<(), EngineError> {
        let _no_other_role = self.hold_role()?;
        if let Some(local) = self.local() {
            let _no_other_role = local.hold_role()?;
            local.begin_own(who)?;
        }
        let begun = self.begin_own(who);
        if let (Err(_), Some(local)) = (&begun, self.local()) {
            local.core().end_backup_mode(BackupModeEnd::Beside);
        }
        begun
    }

    /// Its role is held.
    fn begin_own(&self, who: &str) -> Result<(), EngineError> {
        let core = self.core();
        core.refuse_backup_mode()?;
        if let Some(space) = core.space().into_iter().find(is_filled_and_low) {
            return Err(EngineError::state(
                format!(
                    "there is little room for {} in {}, which the backup mode would fill",
                    space.what,
                    space.directory.display()
                ),
                "Make room first; 'dbctl backup create' needs none there.",
            ));
        }
        match self.side() {
            Side::Master(master) => master.begin_backup_mode(who),
            Side::Slave(slave) => slave.begin_backup_mode(who),
            Side::None => Err(EngineError::ChangingRole),
        }
    }

    /// The data files may be written again, and are. Whoever has copied them until now has a copy.
    ///
    /// Errors: it is not on, or not any more.
    pub fn end_backup_mode(&self) -> Result<(), EngineError> {
        self.settle_backup_mode();
        if let Some(local) = self.local() {
            local.core().end_backup_mode(BackupModeEnd::Asked);
            local.look_for_checkpoint();
        }
        let core = self.core();
        let was_on = core.end_backup_mode(BackupModeEnd::Asked);
        self.look_for_checkpoint();
        if was_on {
            return Ok(());
        }
        let ended = core.backup_mode().ended();
        Err(match ended.filter(|it| it.why != BackupModeEnd::Asked) {
            Some(ended) => EngineError::state(
                format!(
                    "the backup mode has ended by itself at {}: {}",
                    ended.at, ended.why
                ),
                "A copy that was not complete by then is none: throw it away, and begin again with 'dbctl backup start'.",
            ),
            None => EngineError::state(
                "the backup mode is off",
                "'dbctl backup start' begins it. A server that was stopped or has crashed is not in it any more: a copy that was being made then is none.",
            ),
        })
    }

    /// Local databases are copied with the others: where the mode of one has ended, so does that of the other.
    pub fn settle_backup_mode(&self) {
        // One that just begins is of one of the two first.
        let (Some(local), Some(_role)) = (self.local(), self.try_hold_role()) else {
            return;
        };
        let (own, beside) = (self.core(), local.core());
        if own.backup_mode().is_on() != beside.backup_mode().is_on() {
            own.end_backup_mode(BackupModeEnd::Beside);
            beside.end_backup_mode(BackupModeEnd::Beside);
        }
    }

    fn look_for_checkpoint(&self) {
        match self.side() {
            Side::Master(master) => master.checkpointer().look(),
            Side::Slave(slave) => slave.checkpointer().look(),
            Side::None => {}
        }
    }
}

impl Master {
    /// As little log as can be belongs to the copy.
    fn begin_backup_mode(&self, who: &str) -> Result<(), EngineError> {
        let core = self.core();
        let _one_author = core.one_author();
        core.refuse_backup_mode()?;
        if core.log_place() == LogPlace::ForwardLog {
            let switched = self.writer().switch().map_err(EngineError::LogFailed);
            switched.inspect_err(|error| self.note_failure(error))?;
        }
        let (begun, ()) = self.begin_checkpoint(|| ())?;
        self.finish_checkpoint(begun)?;
        core.backup_mode_is_on(who);
        Ok(())
    }
}

impl Slave {
    /// Its redo point stays where the master's checkpoints have put it: the data files may be ahead of it.
    fn begin_backup_mode(self: &Arc<Self>, who: &str) -> Result<(), EngineError> {
        let core = self.core();
        let _one_author = core.one_author();
        core.refuse_backup_mode()?;
        if core.id().is_none() {
            return Err(EngineError::state(
                "this slave has nothing yet that could be copied",
                "Take the copy from its master.",
            ));
        }
        core.backup_mode_is_on(who);
        Ok(())
    }
}

impl Core {
    /// Whether the data files stand still.
    pub fn backup_mode(&self) -> &BackupMode {
        self.files().backup_mode()
    }

    /// What has to write the data files, or would, is refused by this while they stand still.
    pub(super) fn refuse_backup_mode(&self) -> Result<(), EngineError> {
        self.standing_still().map_or(Ok(()), Err)
    }

    /// That the data files stand still, if they do.
    pub(super) fn standing_still(&self) -> Option<EngineError> {
        let on = self.backup_mode().on()?;
        Some(EngineError::state(
            format!(
                "the data files stand still: {} has begun the backup mode at {}",
                on.who, on.since
            ),
            "'dbctl backup stop' ends it, and what waits is done.",
        ))
    }

    fn backup_mode_is_on(&self, who: &str) {
        self.backup_mode().begin(BackupModeOn {
            who: who.to_owned(),
            since: self.host().clock.now(),
            begun: Instant::now(),
            log_bytes: self.durable_log_bytes(),
        });
    }

    /// It ends, if it is on, and says so unless that was asked for. The control file need not be held: the data files are not written by this.
    pub(super) fn end_backup_mode(&self, why: BackupModeEnd) -> bool {
        let asked = why == BackupModeEnd::Asked;
        let Some(ended) = self.backup_mode().end(why, self.host().clock.now()) else {
            return false;
        };
        if !asked {
            tracing::warn!(
                since = %ended.since,
                "the backup mode has ended by itself: {}; a copy that is not complete by now is none",
                ended.why
            );
        }
        true
    }

    /// Done each second: ends it where a bound is passed, or a disk fills up.
    pub(super) fn look_after_backup_mode(&self, now: Instant, spaces: &[Space]) {
        let Some(on) = self.backup_mode().on() else {
            return;
        };
        let bounds = self.config().server.backup_hold;
        let gathered = self.gathered_bytes(on.log_bytes);
        let low = spaces.iter().find(|space| is_filled_and_low(space));
        let why = if now.saturating_duration_since(on.begun) >= bounds.time {
            BackupModeEnd::Time(bounds.time)
        } else if gathered >= bounds.bytes {
            BackupModeEnd::Size(gathered)
        } else if let Some(Space {
            what, directory, ..
        }) = low
        {
            let directory = directory.clone();
            BackupModeEnd::Room { what, directory }
        } else {
            return;
        };
        self.end_backup_mode(why);
    }

    /// Bytes of log behind this point, and of pages that the data files do not have.
    pub(super) fn gathered_bytes(&self, since_log_bytes: u64) -> u64 {
        let log = self.durable_log_bytes().saturating_sub(since_log_bytes);
        log.saturating_add(self.dirty_bytes())
    }

    /// Bytes of the log up to its durable end, whoever writes it; 0 where that can't be told.
    fn durable_log_bytes(&self) -> u64 {
        let Ok(location) = self.log_location() else {
            return 0;
        };
        let end = DurableEnd::read(&location.disk, &location.directory);
        // Where it can't be read, the log's guard says so, and the other bounds hold.
        end.ok().flatten().map_or(0, |end| end.durable.log_bytes)
    }
}

/// A disk that the mode fills, and that is short of room.
fn is_filled_and_low(space: &Space) -> bool {
    (space.what == LOG || space.what == SCRATCH_DIRECTORY) && space.is_low()
}
