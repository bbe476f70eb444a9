//! How often news of the log is looked at.

use std::thread;
use std::time::{Duration, Instant};

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
    /// There is news: waits until it may be looked at.
    ///
    /// The thread sleeps, not the task: the system's messages about further commits would wake it.
    #[expect(
        clippy::disallowed_methods,
        reason = "for a millisecond at most, and whatever comes meanwhile shall not end it"
    )]
    pub(super) fn keep(&mut self) {
        let elapsed = self.looked.map(|looked| looked.elapsed());
        if let Some(rest) = elapsed.and_then(|elapsed| PAUSE.checked_sub(elapsed)) {
            thread::sleep(rest);
        }
        self.looked = Some(Instant::now());
    }
}
