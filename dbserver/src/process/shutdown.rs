//! An operator's wish to stop the server, now or later.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// Asked from any thread, heard by the server's loop.
#[derive(Debug, Default)]
pub struct ShutdownRequest {
    at: Mutex<Option<Instant>>,
    changed: Notify,
}

impl ShutdownRequest {
    /// Stop after `delay`; a later request replaces an earlier one.
    pub fn ask(&self, delay: Duration) {
        *self.at() = Some(Instant::now() + delay);
        self.changed.notify_one();
    }

    /// Takes the request back; `false` if there was none.
    pub fn cancel(&self) -> bool {
        let taken = self.at().take().is_some();
        self.changed.notify_one();
        taken
    }

    /// How long it is until the stop; `None` where none was asked for.
    pub fn due_in(&self) -> Option<Duration> {
        self.at()
            .map(|at| at.saturating_duration_since(Instant::now()))
    }

    /// Returns when the stop is due.
    pub async fn due(&self) {
        loop {
            let at = *self.at();
            match at {
                None => self.changed.notified().await,
                Some(at) => {
                    tokio::select! {
                        () = tokio::time::sleep_until(at.into()) => return,
                        () = self.changed.notified() => {}
                    }
                }
            }
        }
    }

    fn at(&self) -> MutexGuard<'_, Option<Instant>> {
        self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_cancelled_stop_never_comes_and_a_new_one_does() {
        let request = ShutdownRequest::default();
        request.ask(Duration::from_hours(1));
        assert!(request.cancel());
        assert!(!request.cancel());
        request.ask(Duration::ZERO);
        request.due().await;
    }
}
