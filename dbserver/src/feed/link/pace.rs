//! When the mirror is synced: at once after a pause, and rarely while commits come one behind the other.
//!
//! The disk is what a slave and its master on one machine, or the readers of the slave, wait for most. What
//! waits for it is shown already, and the master has it.

use std::time::{Duration, Instant};

/// From the beginning of one sync to that of the next, unless much has come.
const PAUSE: Duration = Duration::from_millis(5);

/// So many bytes are synced without a pause.
const BYTES: usize = 4 << 20;

/// Counts what was written since the last sync.
#[derive(Debug, Default)]
pub(super) struct SyncPace {
    unsynced: usize,
    began: Option<Instant>,
    /// Somebody waits for the disk.
    prompt: bool,
}

impl SyncPace {
    /// Whether somebody waits for the disk: then each sync follows the one before at once.
    pub(super) fn set_prompt(&mut self, prompt: bool) {
        self.prompt = prompt;
    }

    /// So many bytes more.
    pub(super) fn wrote(&mut self, bytes: usize) {
        self.unsynced += bytes;
    }

    /// Whether so much is unsynced that no more is taken before the next sync begins.
    pub(super) fn is_full(&self) -> bool {
        self.unsynced >= BYTES
    }

    /// When the next sync begins: now, or later; `None`: nothing is unsynced.
    pub(super) fn next(&self, now: Instant) -> Option<Instant> {
        if self.unsynced == 0 {
            return None;
        }
        let rested = self.began.map_or(now, |began| began + PAUSE);
        Some(if self.is_full() || self.prompt {
            now
        } else {
            rested.max(now)
        })
    }

    /// One begins now, for all that was written.
    pub(super) fn begin(&mut self, now: Instant) {
        self.unsynced = 0;
        self.began = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_after_a_pause_are_synced_at_once_and_the_next_ones_together() {
        let start = Instant::now();
        let mut pace = SyncPace::default();
        assert_eq!(pace.next(start), None);
        pace.wrote(100);
        assert_eq!(pace.next(start), Some(start));
        pace.begin(start);
        assert_eq!(pace.next(start), None);
        pace.wrote(100);
        pace.wrote(100);
        assert_eq!(pace.next(start), Some(start + PAUSE));
        let later = start + 2 * PAUSE;
        assert_eq!(pace.next(later), Some(later));
    }

    #[test]
    fn what_somebody_waits_for_is_synced_without_a_pause() {
        let start = Instant::now();
        let mut pace = SyncPace::default();
        pace.set_prompt(true);
        pace.begin(start);
        assert_eq!(pace.next(start), None);
        pace.wrote(1);
        assert_eq!(pace.next(start), Some(start));
    }

    #[test]
    fn much_is_synced_without_a_pause() {
        let start = Instant::now();
        let mut pace = SyncPace::default();
        pace.begin(start);
        pace.wrote(BYTES - 1);
        assert!(!pace.is_full());
        pace.wrote(1);
        assert!(pace.is_full());
        assert_eq!(pace.next(start), Some(start));
    }
}
