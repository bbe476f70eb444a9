//! Watches the log: brings it back after it could not be written, looks after its files, and says when
//! a person is needed.

use std::os::unix::fs::MetadataExt as _;
use std::sync::atomic::Ordering;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dbconfig::OnFailure;
use fwlog::{Timestamp, WriterError};

use crate::commit::tell_restored;
use crate::databases::control::LogPlace;
use crate::environment::Environment;
use crate::environment::space::{LOG, News, Space, SpaceWatch};
use crate::environment::watch::SegmentWatch;
use crate::error::EngineError;
use crate::process::bytes;
use crate::slave::SlaveLog;

/// How often files and disks are looked at, and a log that can't be written is tried again.
const TICK: Duration = Duration::from_secs(1);
/// So much room, in bytes, is wanted on a disk that was full before the log goes on.
const ROOM_TO_GO_ON: u64 = 16 << 20;

/// What is wrong with the log, for as long as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Since when.
    pub since: Timestamp,
    /// What it is, and what it means, in one line.
    pub text: String,
}

#[derive(Debug, Default)]
struct State {
    failed: bool,
    stop: bool,
    trouble: Option<Trouble>,
}

/// The bell that a failed commit rings.
#[derive(Debug, Default)]
pub(crate) struct LogGuard {
    state: Mutex<State>,
    changed: Condvar,
}

impl LogGuard {
    /// The log has failed.
    pub(crate) fn wake(&self) {
        self.state().failed = true;
        self.changed.notify_all();
    }

    /// Ends the guard's thread.
    pub(crate) fn stop(&self) {
        self.state().stop = true;
        self.changed.notify_all();
    }

    /// What is wrong with the log at present.
    pub(crate) fn trouble(&self) -> Option<Trouble> {
        self.state().trouble.clone()
    }

    /// Something is wrong at this time; tells whether that is new.
    fn set_trouble(&self, text: String, now: Timestamp) -> bool {
        let mut state = self.state();
        let known = state.trouble.as_ref();
        let new = known.is_none_or(|trouble| trouble.text != text);
        if new {
            state.trouble = Some(Trouble { since: now, text });
        }
        new
    }

    /// Nothing is wrong any more.
    pub(crate) fn clear_trouble(&self) {
        self.state().trouble = None;
    }

    /// Waits for a failure or the next tick. `false`: the server stops.
    fn wait(&self) -> bool {
        let state = self.state();
        let (mut state, _timed_out) = self
            .changed
            .wait_timeout_while(state, TICK, |state| !state.failed && !state.stop)
            .unwrap_or_else(PoisonError::into_inner);
        state.failed = false;
        !state.stop
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the guard's thread of a server that writes the log knows from one look to the next.
#[derive(Default)]
struct Guarding {
    /// The failure that is being dealt with.
    failure: Option<WriterError>,
    /// Why the last attempt to bring the log back was in vain.
    in_vain: String,
    segments: SegmentWatch,
    space: SpaceWatch,
}

impl Environment {
    /// The guard's thread where the log is written: runs until the server stops.
    pub(crate) fn guard_log(&self) {
        self.warn_of_openness();
        let mut guarding = Guarding::default();
        loop {
            if guarding.failure.is_some() {
                self.mend_log(&mut guarding);
            } else {
                self.look_after_log(&mut guarding);
            }
            tell_of_space(&mut guarding.space, self.space());
            if !self.log_guard.wait() {
                return;
            }
        }
    }

    /// The guard's thread on a slave.
    pub(crate) fn guard_mirror(&self) {
        self.warn_of_openness();
        let (mut segments, mut space) = (SegmentWatch::default(), SpaceWatch::default());
        loop {
            if let Some(slave) = self.slave() {
                self.look_after_mirror(slave);
            }
            segments.look(self);
            tell_of_space(&mut space, self.space());
            if !self.log_guard.wait() {
                return;
            }
        }
    }

    /// Whoever can write in DataDir can change any database, and whoever can read there can read all.
    fn warn_of_openness(&self) {
        let directory = self.layout.data_dir();
        let Ok(metadata) = directory.metadata() else {
            return;
        };
        let mode = metadata.mode() & 0o777;
        if mode & 0o027 != 0 {
            tracing::warn!(
                "DataDir {} is open to others (mode {mode:o}); close it with chmod 700",
                directory.display()
            );
        }
    }

    /// What was published and never became durable goes; sessions learn by the epoch.
    pub(super) fn take_back_lost_commits(&self) -> Option<WriterError> {
        let failure = self.committer().ok()?.writer().failure()?;
        let durable = self.horizon.durable();
        for database in self.databases() {
            database.store().rewind(durable);
        }
        self.epoch.fetch_add(1, Ordering::AcqRel);
        Some(failure)
    }

    /// What is wrong with the log at present.
    pub fn log_trouble(&self) -> Option<Trouble> {
        self.log_guard.trouble()
    }

    /// Something is wrong; tells whether that is new.
    fn set_trouble(&self, text: String) -> bool {
        self.log_guard.set_trouble(text, self.host.clock.now())
    }

    fn look_after_mirror(&self, slave: &SlaveLog) {
        let Some(failure) = slave.look_after_files() else {
            return self.log_guard.clear_trouble();
        };
        let text = format!("{failure}; nothing is replicated until that is mended");
        if self.set_trouble(text) {
            tracing::error!(%failure, "the mirror of the log cannot be written");
        }
    }

    fn look_after_log(&self, guarding: &mut Guarding) {
        let Ok(committer) = self.committer() else {
            return;
        };
        let writer = committer.writer();
        // An error is the writer's failure, which is asked for below.
        let looked = writer.look_after_files();
        tell_restored(writer.take_restored());
        if looked.is_ok() {
            guarding.segments.look(self);
        } else if let Some(failure) = self.take_back_lost_commits() {
            self.log_failed(&failure);
            guarding.in_vain.clear();
            guarding.failure = Some(failure);
            self.mend_log(guarding);
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
        if self.config.forward_log.on_failure == OnFailure::Disable
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
        if !self.log_has_failed() {
            // Somebody has switched forward logging off meanwhile.
            guarding.failure = None;
            return;
        }
        let give_up = self.config.forward_log.on_failure == OnFailure::Disable
            && self.control().log == LogPlace::ForwardLog;
        let result = if give_up {
            self.give_up_forward_log(&failure)
        } else if failure.is_disk_full() && !self.has_room_for_log() {
            return;
        } else if failure.may_pass() {
            self.restart_writer().inspect(|()| {
                self.log_guard.clear_trouble();
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
        let spaces = self.space();
        let log = spaces.iter().find(|space| space.what == LOG);
        log.is_none_or(|log| log.free >= ROOM_TO_GO_ON.min(log.size / 4))
    }

    /// Nothing can be written at present.
    pub(super) fn log_has_failed(&self) -> bool {
        self.committer()
            .is_ok_and(|committer| committer.writer().failure().is_some())
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

fn tell_of_space(watch: &mut SpaceWatch, spaces: Vec<Space>) {
    for news in watch.look(spaces) {
        match news {
            News::Low(spaces) => tracing::warn!(
                "little room on a disk: {}; make room before it is full",
                shown(&spaces)
            ),
            News::Enough(spaces) => {
                tracing::info!("there is room on the disk again: {}", shown(&spaces));
            }
        }
    }
}

/// `1.2 GiB of 40.0 GiB free for the log in /fwlog, data in /data`
fn shown(spaces: &[Space]) -> String {
    let places: Vec<String> = spaces
        .iter()
        .map(|space| format!("{} in {}", space.what, space.directory.display()))
        .collect();
    let (free, size) = spaces
        .first()
        .map_or((0, 0), |space| (space.free, space.size));
    format!(
        "{} of {} free for {}",
        bytes(free),
        bytes(size),
        places.join(", ")
    )
}
