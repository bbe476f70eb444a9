//! A slave that waits for a disk: it serves what it has, and goes on by itself.

use std::fmt;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::apply::disk_retry::DiskRetry;
use crate::error::EngineError;
use crate::slave::SlaveLog;

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

    /// Waits until the next attempt. `false`: the server stops.
    fn wait(&self) -> bool {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let (ended, _timed_out) = self
            .changed
            .wait_timeout_while(ended, RETRY, |ended| !*ended)
            .unwrap_or_else(PoisonError::into_inner);
        !*ended
    }
}

impl fmt::Debug for SlaveLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlaveLog")
            .field("progress", &self.progress())
            .finish_non_exhaustive()
    }
}

impl DiskRetry for SlaveLog {
    fn wait(&self, why: &EngineError) -> bool {
        if self.progress().waits_for.is_none() {
            tracing::error!(error = %why, "applying is suspended until that is mended");
        }
        self.update(|progress| {
            progress.suspended = Some(why.to_string());
            progress.waits_for = Some(why.sqlstate());
        });
        self.waits.wait()
    }

    fn recovered(&self) {
        tracing::info!("that is mended: applying goes on");
        self.update(|progress| {
            progress.suspended = None;
            progress.waits_for = None;
        });
    }
}
