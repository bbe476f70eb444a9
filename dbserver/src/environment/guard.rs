//! What the threads share that watch over the log: the bell that a failure rings, what is wrong at
//! present, and room on the disks.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use fwlog::{POSITION_FILE, Timestamp};

use crate::databases::control::LogPlace;
use crate::environment::core::Core;
use crate::environment::space::{News, SCRATCH_DIRECTORY, Space, SpaceWatch};
use crate::process::bytes;

/// How often files and disks are looked at, and a log that can't be written is tried again.
const TICK: Duration = Duration::from_secs(1);

/// What is wrong with the log, for as long as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Since when.
    pub since: Timestamp,
    /// What it is, and what it means, in one line.
    pub text: String,
}

/// What the guard is told, and what it tells.
#[derive(Debug, Default)]
struct Watched {
    /// Somebody has something to look at.
    is_woken: bool,
    stop: bool,
    trouble: Option<Trouble>,
    /// What is wrong with segments that are written, which keeps nobody from writing.
    segments: Option<Trouble>,
    /// What is wrong with the log of audit records.
    audit: Option<Trouble>,
}

/// The bell that a failed commit rings.
#[derive(Debug, Default)]
pub(crate) struct LogGuard {
    state: Mutex<Watched>,
    changed: Condvar,
}

impl LogGuard {
    /// The log has failed, or there is something else to look at before the next tick.
    pub(crate) fn wake(&self) {
        self.state().is_woken = true;
        self.changed.notify_all();
    }

    /// Ends the guard's thread.
    pub(crate) fn stop(&self) {
        self.state().stop = true;
        self.changed.notify_all();
    }

    /// What is wrong with the log at present.
    pub(crate) fn trouble(&self) -> Option<Trouble> {
        let state = self.state();
        let log = state.trouble.clone().or_else(|| state.audit.clone());
        log.or_else(|| state.segments.clone())
    }

    /// What is wrong with segments that a restart or a slave needs.
    pub(crate) fn segment_trouble(&self) -> Option<Trouble> {
        self.state().segments.clone()
    }

    /// What a look at the segments has found.
    pub(super) fn set_segment_trouble(&self, found: Option<String>, now: Timestamp) {
        let mut state = self.state();
        let since = state.segments.as_ref().map_or(now, |known| known.since);
        state.segments = found.map(|text| Trouble { since, text });
    }

    /// What is wrong with the log of audit records, if anything is; tells whether that is new.
    pub(super) fn set_audit_trouble(&self, text: Option<String>, now: Timestamp) -> bool {
        let mut state = self.state();
        let known = state.audit.as_ref();
        let new = known.map(|trouble| &trouble.text) != text.as_ref();
        if new {
            state.audit = text.map(|text| Trouble { since: now, text });
        }
        new
    }

    /// Something is wrong at this time; tells whether that is new.
    pub(super) fn set_trouble(&self, text: String, now: Timestamp) -> bool {
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

    /// Waits for the next tick. `false`: the server stops.
    pub(super) fn wait_tick(&self) -> bool {
        let state = self.state();
        let (state, _timed_out) = self
            .changed
            .wait_timeout_while(state, TICK, |state| !state.stop)
            .unwrap_or_else(PoisonError::into_inner);
        !state.stop
    }

    /// Whether the server stops.
    pub(super) fn is_stopping(&self) -> bool {
        self.state().stop
    }

    /// Waits for a failure or the next tick. `false`: the server stops.
    pub(super) fn wait(&self) -> bool {
        let state = self.state();
        let (mut state, _timed_out) = self
            .changed
            .wait_timeout_while(state, TICK, |state| !state.is_woken && !state.stop)
            .unwrap_or_else(PoisonError::into_inner);
        state.is_woken = false;
        !state.stop
    }

    fn state(&self) -> MutexGuard<'_, Watched> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Core {
    /// The thread that shows dbrepl each second that this server lives: the time of `fw.position` is set.
    pub(super) fn show_life(&self, guard: &LogGuard) {
        loop {
            if self.log_place() == LogPlace::ForwardLog
                && let Err(error) = self.touch_position()
            {
                // Where the file is gone, its guard says so.
                tracing::debug!(%error, "the time of fw.position is not set");
            }
            if !guard.wait_tick() {
                return;
            }
        }
    }

    fn touch_position(&self) -> io::Result<()> {
        let location = self.log_location().map_err(io::Error::other)?;
        let path = location.directory.join(POSITION_FILE);
        let file = File::options().write(true).open(path)?;
        file.set_modified(SystemTime::now())
    }

    /// Whoever can write in DataDir can change any database, and whoever can read there can read all.
    pub(super) fn warn_of_openness(&self) {
        let directory = self.layout().data_dir();
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
}

impl Core {
    /// Room on the disks, and what is done where there is little.
    pub(super) fn look_after_space(&self, watch: &mut SpaceWatch) {
        let spaces = self.space();
        let is_low = |space: &Space| space.what == SCRATCH_DIRECTORY && space.is_low();
        self.look_after_cuts(Instant::now(), spaces.iter().any(is_low));
        self.look_after_backup_mode(Instant::now(), &spaces);
        tell_of_space(watch, spaces);
    }
}

/// Says once that there is little room, and once that there is enough again.
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
