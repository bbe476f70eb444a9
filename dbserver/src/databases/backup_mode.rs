//! The backup mode: the data files stand still, so that any tool may copy them.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fwlog::Timestamp;

use crate::process::bytes;

/// Why the mode has ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BackupModeEnd {
    /// An operator has what he wants.
    #[error("'dbctl backup stop' was given")]
    Asked,
    /// The first bound of `BackupHold`.
    #[error("it was on for {} s, as long as BackupHold allows", _0.as_secs())]
    Time(Duration),
    /// The second bound of `BackupHold`.
    #[error("{} of log and pages have gathered, as much as BackupHold allows", bytes(*_0))]
    Size(u64),
    /// A disk that it fills has little room.
    #[error("there is little room for {what} in {}", directory.display())]
    Room {
        /// What the directory is for.
        what: &'static str,
        /// The directory.
        directory: PathBuf,
    },
    /// Something needed the data files to have all that is committed.
    #[error(
        "the data files were written, since the role or the place of the log has changed, or the log has failed"
    )]
    Written,
    /// A restart, hence a copy, needs a segment that somebody has taken away.
    #[error("a segment of the log is missing that the copy needs")]
    Segment,
    /// Files of theirs were made, and nobody knows what of them was copied.
    #[error("the first local database was made")]
    Local,
    /// That of the databases which are copied with these has ended.
    #[error("that of the databases beside these has ended")]
    Beside,
    /// The server goes down.
    #[error("the server was shut down")]
    Stopping,
}

impl BackupModeEnd {
    /// One word for programs.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Time(_) => "time",
            Self::Size(_) => "size",
            Self::Room { .. } => "no-room",
            Self::Written => "written",
            Self::Segment => "segment",
            Self::Local => "local",
            Self::Beside => "beside",
            Self::Stopping => "stopping",
        }
    }
}

/// A mode that is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupModeOn {
    /// Who has begun it.
    pub who: String,
    /// When, for people.
    pub since: Timestamp,
    /// When, whatever becomes of the clock.
    pub begun: Instant,
    /// Bytes of log at that time.
    pub log_bytes: u64,
}

/// A mode that was on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupModeEnded {
    /// When it had begun.
    pub since: Timestamp,
    /// When it ended.
    pub at: Timestamp,
    /// Why.
    pub why: BackupModeEnd,
}

/// Whether it is on, and how the last one has ended.
#[derive(Debug, Default)]
pub struct BackupMode(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    on: Option<BackupModeOn>,
    ended: Option<BackupModeEnded>,
}

impl BackupMode {
    /// The mode, if it is on.
    pub fn on(&self) -> Option<BackupModeOn> {
        self.state().on.clone()
    }

    /// Whether the data files stand still.
    pub fn is_on(&self) -> bool {
        self.state().on.is_some()
    }

    /// How the last one has ended.
    pub fn ended(&self) -> Option<BackupModeEnded> {
        self.state().ended.clone()
    }

    /// From now on nobody writes the data files. Whoever says so has seen to it that nobody does just then.
    pub fn begin(&self, on: BackupModeOn) {
        let mut state = self.state();
        state.on = Some(on);
        state.ended = None;
    }

    /// They may be written again. `None`: it was not on.
    pub fn end(&self, why: BackupModeEnd, at: Timestamp) -> Option<BackupModeEnded> {
        let mut state = self.state();
        let BackupModeOn { since, .. } = state.on.take()?;
        state.ended = Some(BackupModeEnded { since, at, why });
        state.ended.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
