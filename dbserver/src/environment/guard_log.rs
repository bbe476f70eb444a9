//! Watches over the log that is written: brings it back after a failure, looks after its files, and
//! says when a person is needed.

use std::time::Instant;

use dbconfig::OnFailure;
use fwlog::WriterError;

use crate::commit::tell_restored;
use crate::databases::backup_mode::BackupModeEnd;
use crate::databases::control::LogPlace;
use crate::environment::master::Master;
use crate::environment::retention::RetentionWatch;
use crate::environment::segment_watch::{Missing, SegmentWatch};
use crate::environment::slave_notes::damage_met;
use crate::environment::space::{LOG, SpaceWatch};
use crate::error::EngineError;

/// So much room, in bytes, is wanted on a disk that was full before the log goes on.
const ROOM_TO_GO_ON: u64 = 16 << 20;

/// What the guard's thread of a server that writes the log knows from one look to the next.
#[derive(Default)]
struct Guarding {
    /// The failure that is being dealt with.
    failure: Option<WriterError>,
    /// Why the last attempt to bring the log back was in vain.
    in_vain: String,
    segments: SegmentWatch,
    space: SpaceWatch,
    kept: RetentionWatch,
    /// The damage that a dbrepl has met, as it was told.
    damage: Option<String>,
}

impl Master {
    /// The guard's thread where the log is written: runs until the server stops.
    pub(crate) fn guard_log(&self) {
        self.core().warn_of_openness();
        let mut guarding = Guarding::default();
        loop {
            // First: those below learn at once who is above.
            self.core().look_after_tree(true, Some(self.durable().time));
            if guarding.failure.is_some() {
                self.mend_log(&mut guarding);
            } else {
                self.look_after_log(&mut guarding);
            }
            self.core().look_after_data();
            self.core().look_after_space(&mut guarding.space);
            let durable = self.durable().point.position;
            // Before its segment may be removed.
            self.core().instance().follow(self.core(), Some(durable));
            self.core()
                .look_after_kept_log(&mut guarding.kept, Some(durable));
            self.tell_of_damage(&mut guarding.damage);
            self.look_after_release();
            if !self.guard().wait() {
                return;
            }
        }
    }

    /// Says once what damage a dbrepl has met, and once that it is mended.
    fn tell_of_damage(&self, told: &mut Option<String>) {
        // Where the notes can't be looked at, what they said last holds.
        let location = self.core().log_location().ok();
        let there = location.filter(|location| location.directory.exists());
        let Some(Ok(met)) = there.map(|location| damage_met(&location)) else {
            return;
        };
        let met = met.map(|(_, why)| why);
        if met == *told {
            return;
        }
        if let Some(why) = &met {
            tracing::error!("the log is damaged, {why}");
        } else {
            tracing::info!("no dbrepl finds the log damaged any more");
        }
        *told = met;
    }

    /// Where too few slaves answer for too long this server goes on alone, which is on its disk before a client hears of a
    /// commit that only it has.
    fn look_after_release(&self) {
        let release = self.core().release();
        let Some(turn) = release.look(Instant::now()) else {
            return;
        };
        if let Err(error) = self.core().turn_release(turn) {
            tracing::error!(%error, "it can't be noted whether commits wait for slaves: they do as before");
        }
    }

    /// What was published and never became durable goes; sessions learn by the epoch.
    pub(super) fn take_back_lost_commits(&self) -> Option<WriterError> {
        let failure = self.log_failure()?;
        // Data files are to take all that the log has, and nothing else is left of it.
        self.core().release().show_all();
        self.core().take_back_lost_commits();
        Some(failure)
    }

    /// Something is wrong; tells whether that is new.
    fn set_trouble(&self, text: String) -> bool {
        self.guard()
            .set_trouble(text, self.core().host().clock.now())
    }

    fn look_after_log(&self, guarding: &mut Guarding) {
        let writer = self.writer();
        // An error is the writer's failure, which is asked for below.
        let looked = writer.look_after_files();
        tell_restored(writer.take_restored());
        if looked.is_ok() {
            self.look_after_segments(&mut guarding.segments);
        } else if let Some(failure) = self.take_back_lost_commits() {
            self.log_failed(&failure);
            guarding.in_vain.clear();
            guarding.failure = Some(failure);
            self.mend_log(guarding);
        }
    }

    fn look_after_segments(&self, segments: &mut SegmentWatch) {
        let missing = segments.look(self.core());
        let now = self.core().host().clock.now();
        self.guard().set_segment_trouble(segments.trouble(), now);
        if missing == Missing::TryWithout {
            self.core().end_backup_mode(BackupModeEnd::Segment);
            // Its failure was logged where it happened.
            let made = self.checkpointer().checkpoint_now();
            tracing::debug!(made = made.is_ok(), "a checkpoint to do without a segment");
        }
    }

    fn log_failed(&self, failure: &WriterError) {
        let until = if failure.is_disk_full() {
            tracing::error!(%failure, "the disk of the forward log is full; writes are refused until there is room");
            "there is room"
        } else if failure.may_pass() {
            tracing::error!(%failure, "the forward log cannot be written; writes are refused until that is mended");
            "that is mended"
        } else {
            tracing::error!(%failure, "the forward log has failed; writes are refused until the server is restarted");
            "the server is restarted"
        };
        let text = format!("{failure}; writes are refused until {until}");
        self.set_trouble(text);
        if self.core().config().forward_log.on_failure == OnFailure::Disable
            || failure.is_disk_full()
            || !failure.may_pass()
        {
            return;
        }
        // The log's files may be without names: what was committed is safe in the data files then.
        match self.save_without_log() {
            Ok(()) => tracing::warn!("all that is committed was saved in the data files"),
            Err(error) => {
                tracing::error!(%error, "what is committed cannot be saved in the data files; do not stop the server before the log is back");
            }
        }
    }

    /// One attempt to go on after a failure.
    fn mend_log(&self, guarding: &mut Guarding) {
        let Some(failure) = guarding.failure.clone() else {
            return;
        };
        if self.log_failure().is_none() {
            // Somebody has switched forward logging off meanwhile.
            guarding.failure = None;
            return;
        }
        let give_up = self.core().config().forward_log.on_failure == OnFailure::Disable
            && self.core().log_place() == LogPlace::ForwardLog;
        let result = if give_up {
            self.give_up_forward_log(&failure)
        } else if failure.is_disk_full() && !self.has_room_for_log() {
            return;
        } else if failure.may_pass() {
            self.restart_writer().inspect(|()| {
                self.guard().clear_trouble();
                tracing::info!("the forward log can be written again; writes are accepted");
            })
        } else {
            return;
        };
        match result {
            Ok(()) => {
                guarding.failure = None;
                guarding.segments = SegmentWatch::default();
            }
            Err(error) => {
                let error = error.to_string();
                if error != guarding.in_vain && !error.contains(&failure.to_string()) {
                    tracing::error!(%error, "the forward log cannot be brought back yet");
                }
                guarding.in_vain = error;
            }
        }
    }

    /// Room enough that the log does not fail again at once. Unknown is enough.
    fn has_room_for_log(&self) -> bool {
        let spaces = self.core().space();
        let log = spaces.iter().find(|space| space.what == LOG);
        log.is_none_or(|log| log.free >= ROOM_TO_GO_ON.min(log.size / 4))
    }

    fn give_up_forward_log(&self, failure: &WriterError) -> Result<(), EngineError> {
        self.move_log_after_failure(LogPlace::Journal)?;
        self.note_given_up(failure);
        Ok(())
    }

    /// Forward logging was given up: said now, and by `status` from now on.
    pub(super) fn note_given_up(&self, failure: &WriterError) {
        tracing::error!(
            "FwOnFailure = disable: forward logging is off; all slaves must be re-synchronized"
        );
        self.set_trouble(format!(
            "forward logging was given up (FwOnFailure = disable): {failure}; slaves must be re-synchronized. 'forwardlog enable' begins it again"
        ));
    }
}
