//! Brings the log back after it could not be written, or says that a person is needed.

use std::sync::atomic::Ordering;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use dbconfig::OnFailure;

use crate::environment::Environment;
use crate::environment::control::LogPlace;
use crate::error::EngineError;

/// How often a full disk is tried again.
const RETRY: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
struct State {
    failed: bool,
    stop: bool,
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
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .failed = true;
        self.changed.notify_all();
    }

    /// Ends the guard's thread.
    pub(crate) fn stop(&self) {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .stop = true;
        self.changed.notify_all();
    }

    /// Waits for a failure. `false`: the server stops.
    fn wait_for_failure(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while !state.failed && !state.stop {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.failed = false;
        !state.stop
    }

    /// Waits until the next try is due. `false`: the server stops.
    fn wait_for_retry(&self) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (state, _timed_out) = self
            .changed
            .wait_timeout_while(state, RETRY, |state| !state.stop)
            .unwrap_or_else(PoisonError::into_inner);
        !state.stop
    }
}

impl Environment {
    /// The guard's thread: runs until the server stops.
    pub(crate) fn guard_log(&self) {
        while self.log_guard.wait_for_failure() {
            let Some(failure) = self.take_back_lost_commits() else {
                continue;
            };
            if !failure.is_disk_full() {
                tracing::error!(%failure, "the forward log has failed; writes are refused until the server is restarted");
                return;
            }
            tracing::error!(%failure, "the disk of the forward log is full; writes are refused until there is room");
            if self.config.forward_log.on_failure == OnFailure::Disable
                && self.give_up_forward_log()
            {
                continue;
            }
            self.retry_until_there_is_room();
        }
    }

    /// What was published and never became durable goes; sessions learn by the epoch.
    pub(super) fn take_back_lost_commits(&self) -> Option<fwlog::WriterError> {
        let failure = self.committer().ok()?.writer().failure()?;
        let durable = self.horizon.durable();
        for database in self.databases() {
            database.store().rewind(durable);
        }
        self.epoch.fetch_add(1, Ordering::AcqRel);
        Some(failure)
    }

    fn retry_until_there_is_room(&self) {
        while self.log_guard.wait_for_retry() {
            match self.restart_writer() {
                Ok(()) => {
                    tracing::info!("the forward log can be written again; writes are accepted");
                    return;
                }
                Err(error) if error.sqlstate() == "53100" => {}
                Err(error) => {
                    tracing::error!(%error, "the forward log cannot be brought back; restart the server");
                    return;
                }
            }
        }
    }

    fn give_up_forward_log(&self) -> bool {
        if self.control().log == LogPlace::Journal {
            return false;
        }
        match self.move_log_after_failure(LogPlace::Journal) {
            Ok(()) => {
                tracing::error!(
                    "FwOnFailure = disable: forward logging is off; all slaves must be re-synchronized"
                );
                true
            }
            Err(error) => {
                let error: EngineError = error;
                tracing::error!(%error, "FwOnFailure = disable did not help");
                false
            }
        }
    }
}
