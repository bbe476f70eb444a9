//! How often news of the log is looked at.

use std::thread;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Between two looks, at least.
const PAUSE: Duration = Duration::from_millis(1);

/// Lets commits that follow each other closely travel together.
///
/// Each group of commits that is shipped by itself wakes dbrepl and the slave, which on a busy machine
/// costs the master more than the commits do. Where there was no news for a while, nothing is waited for.
#[derive(Debug, Default)]
pub(super) struct Pace {
    looked: Option<Instant>,
}

impl Pace {
    /// There is news: waits until it may be looked at. Cancelling loses nothing.
    ///
    /// The thread sleeps, not the task: the system's messages about further commits would wake it. Where another
    /// slave is being brought up to date the thread is awake anyway, and must not be held up.
    #[expect(
        clippy::disallowed_methods,
        reason = "for a millisecond at most, and whatever comes meanwhile shall not end it"
    )]
    pub(super) async fn keep(&mut self, thread_is_needed: bool) {
        let until = self.looked.map(|looked| looked + PAUSE);
        if let Some(until) = until {
            let rest = until.saturating_duration_since(Instant::now());
            if thread_is_needed {
                sleep_until(until).await;
            } else if !rest.is_zero() {
                thread::sleep(rest);
            }
        }
        self.looked = Some(Instant::now());
    }
}
