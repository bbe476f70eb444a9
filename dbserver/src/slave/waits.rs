//! Waits between two attempts at a disk.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How often a disk is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// Waits that end when the server stops.
#[derive(Debug, Default)]
pub(super) struct Waits {
    ended: Mutex<bool>,
    changed: Condvar,
}

impl Waits {
    /// Nobody waits any more.
    pub(super) fn end(&self) {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Waits until the next attempt at a disk. `false`: the server stops.
    pub(super) fn wait(&self) -> bool {
        self.wait_for(RETRY)
    }

    /// Waits so long. `false`: the server stops.
    pub(super) fn wait_for(&self, time: Duration) -> bool {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let (ended, _timed_out) = self
            .changed
            .wait_timeout_while(ended, time, |ended| !*ended)
            .unwrap_or_else(PoisonError::into_inner);
        !*ended
    }
}
