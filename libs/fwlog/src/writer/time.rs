//! Times in the log.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock::Clock;
use crate::timestamp::Timestamp;

/// Gives times for the log: what the clock shows, but none that is earlier than one given before, or
/// than the log that is gone on with. While the clock is behind, time stands still.
#[derive(Debug)]
pub(crate) struct LogTime {
    clock: Clock,
    last: AtomicU64,
}

impl LogTime {
    /// Goes on from a log that ends at this time.
    pub(crate) fn new(clock: Clock, last: Timestamp) -> Self {
        let last = AtomicU64::new(last.micros());
        Self { clock, last }
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// From now on no time is earlier.
    pub(crate) fn reach(&self, time: Timestamp) {
        self.last.fetch_max(time.micros(), Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> Timestamp {
        let shown = self.clock.now().micros();
        let last = self.last.fetch_max(shown, Ordering::SeqCst);
        Timestamp::from_micros(last.max(shown))
    }
}
