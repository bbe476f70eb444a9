//! Checkpoints: the newest durable pages go to the data files, and redo starts later.

use std::io;
use std::time::Duration;

use fwlog::{CommitNumber, LogDirectory, RecordBuffer, SegmentId};

use crate::commit::checkpointer::{CheckpointTarget, SlaveRedo};
use crate::commit::committer::Borders;
use crate::databases::Role;
use crate::databases::control::{DatabaseEntry, LogPlace, RedoPoint};
use crate::environment::core::Core;
use crate::environment::log::{self, redo_point, settle};
use crate::environment::master::Master;
use crate::environment::slave::Slave;
use crate::error::EngineError;

/// What a slave shows is on its disk within milliseconds; where not, its disk hangs or its connection does.
pub(super) const ON_DISK_SOON: Duration = Duration::from_secs(10);

/// What was committed is on synchronous slaves within milliseconds; where not, too few are there.
const RELEASED_SOON: Duration = Duration::from_secs(2);

impl CheckpointTarget for Master {
    fn checkpoint(&self, _slaves: Option<SlaveRedo>) -> Result<(), EngineError> {
        let made = self.make_checkpoint();
        self.core().counters().note_checkpoint(&made);
        made
    }

    fn standing_still(&self) -> Option<EngineError> {
        self.core().standing_still()
    }

    fn log_bytes(&self) -> u64 {
        self.durable().log_bytes
    }

    fn dirty_bytes(&self) -> u64 {
        self.core().dirty_bytes()
    }

    fn decides(&self) -> bool {
        true
    }
}

impl Master {
    fn make_checkpoint(&self) -> Result<(), EngineError> {
        let _one_author = self.core().one_author();
        self.core().refuse_backup_mode()?;
        let (begun, ()) = self.begin_checkpoint(|| ())?;
        self.finish_checkpoint(begun)
    }

    /// Begins a checkpoint, and waits until the log is on the disk up to there. `capture` runs at its place in the
    /// order of commits. The control file is the caller's ([`Core::one_author`]).
    pub(super) fn begin_checkpoint<T>(
        &self,
        capture: impl FnOnce() -> T,
    ) -> Result<(BegunCheckpoint, T), EngineError> {
        let core = self.core();
        let begun = self
            .committer()
            .begin_checkpoint(|| (core.databases().entries(), capture()));
        let (start, (entries, captured)) = begun.inspect_err(|error| self.note_failure(error))?;
        // Redo from here on knows who has what for itself.
        self.note_accesses()?;
        let borders = start.wait().inspect_err(|error| self.note_failure(error))?;
        Ok((BegunCheckpoint { borders, entries }, captured))
    }

    /// Writes the data files, and moves redo.
    pub(super) fn finish_checkpoint(&self, begun: BegunCheckpoint) -> Result<(), EngineError> {
        let (core, committer) = (self.core(), self.committer());
        let BegunCheckpoint { borders, entries } = begun;
        let redo = borders.earliest;
        settle(self.writer().store())?;
        core.wait_until_released(borders.newest.commit)?;
        core.wait_for_slaves(borders.newest.commit);
        // No further than the log is on the disk, which with SyncMode = 0 is behind what is visible.
        core.write_data_files(Some(borders.newest.commit))?;
        let mut record = RecordBuffer::new();
        record.checkpoint(redo.point.position);
        committer
            .append(record)
            .inspect_err(|error| self.note_failure(error))?;
        core.move_redo(redo_point(&redo), entries)
    }
}

/// A checkpoint whose beginning is on the disk.
pub(super) struct BegunCheckpoint {
    /// Where redo starts afterwards, and where the checkpoint began.
    pub(super) borders: Borders,
    /// The databases there.
    pub(super) entries: Vec<DatabaseEntry>,
}

impl CheckpointTarget for Slave {
    /// Asked for by an operator, without a place of the master's, the data files are brought up to date
    /// and redo stays: full images begin anew only at the master's checkpoints.
    fn checkpoint(&self, masters: Option<SlaveRedo>) -> Result<(), EngineError> {
        let made = self.make_checkpoint(masters);
        self.core().counters().note_checkpoint(&made);
        made
    }

    fn standing_still(&self) -> Option<EngineError> {
        self.core().standing_still()
    }

    fn log_bytes(&self) -> u64 {
        0
    }

    fn dirty_bytes(&self) -> u64 {
        self.core().dirty_bytes()
    }

    fn decides(&self) -> bool {
        false
    }
}

impl Slave {
    fn make_checkpoint(&self, masters: Option<SlaveRedo>) -> Result<(), EngineError> {
        let core = self.core();
        let _one_author = core.one_author();
        core.refuse_backup_mode()?;
        settle(&self.log().store())?;
        if core.keeps_data_files() {
            return Ok(());
        }
        core.write_data_files(Some(self.on_disk()))?;
        let Some(at) = masters else {
            return Ok(());
        };
        // A page that was shown anew meanwhile has left the file without what was before: redo has it from
        // the log, once that is on the disk up to there.
        self.log().wait_until_durable(ON_DISK_SOON)?;
        core.move_redo(at.redo, at.databases)
    }
}

impl Core {
    /// Data files take what is released and nothing else: a root that is left behind has to cut its log only.
    ///
    /// Errors: too few slaves have the commit. The checkpoint is tried again.
    fn wait_until_released(&self, commit: CommitNumber) -> Result<(), EngineError> {
        if self.release().wait_at_most(commit, RELEASED_SOON) {
            return Ok(());
        }
        let rule = self.release().status().rule.unwrap_or_default();
        Err(EngineError::state(
            format!("commit {commit} is not on as many slaves as SyncSlaves asks for ({rule})"),
            "See 'dbctl replication sync'; the checkpoint is made as soon as they have it.",
        ))
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
        // A slave's journal may have what its forward log does not have.
        if self.log_place() == LogPlace::Journal || self.control().role == Role::Slave {
            self.recycle_journal(&redo)
        } else {
            Ok(())
        }
    }

    fn recycle_journal(&self, redo: &RedoPoint) -> Result<(), EngineError> {
        let location = log::location(self.config(), self.layout(), LogPlace::Journal)?;
        let directory = LogDirectory::scan(&location)
            .map_err(|error| EngineError::Corrupt(error.to_string()))?;
        let needed = redo.point.position.segment;
        // Audit records that were not copied yet stand nowhere else.
        let audited = self.audit_log().and_then(|audit| audit.needs());
        // Whoever reads a cut may ask for what redo needs no more.
        let cuts = self.cuts().needs_from();
        let needed = [audited, cuts]
            .into_iter()
            .flatten()
            .fold(needed, SegmentId::min);
        for segment in directory.segments() {
            if segment.id < needed {
                match self.layout().disk().remove(&segment.path) {
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
