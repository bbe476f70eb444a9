//! The bandwidth limit of `-b`.

use std::time::Duration;

use tokio::time::Instant;

/// Sends no piece before the time that all pieces before it take at the limit.
#[derive(Debug)]
pub struct BandwidthLimit {
    bits_per_second: Option<u64>,
    free_at: Instant,
}

/// Largest piece of log that is sent at once.
const LARGE_PIECE: u64 = 1 << 20;

/// With a narrow limit, pieces take a quarter of a second, so that signs of life get through.
const SMALL_PIECE: u64 = 16 << 10;

impl BandwidthLimit {
    /// `None`: no limit.
    pub fn new(bits_per_second: Option<u64>, now: Instant) -> Self {
        Self {
            bits_per_second,
            free_at: now,
        }
    }

    /// Bytes to read from the log at a time.
    pub fn piece(&self) -> u64 {
        self.bits_per_second.map_or(LARGE_PIECE, |bits| {
            (bits / 8 / 4).clamp(SMALL_PIECE, LARGE_PIECE)
        })
    }

    /// When the next piece may go.
    pub fn free_at(&self) -> Instant {
        self.free_at
    }

    /// Notes a piece that goes now.
    pub fn sent(&mut self, bytes: u64, now: Instant) {
        let Some(bits) = self.bits_per_second.filter(|bits| *bits > 0) else {
            return;
        };
        let micros = u128::from(bytes) * 8 * 1_000_000 / u128::from(bits);
        let time = Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX));
        self.free_at = self.free_at.max(now) + time;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_go_at_the_rate_of_the_limit() {
        let start = Instant::now();
        let mut limit = BandwidthLimit::new(Some(8_000), start);
        limit.sent(500, start);
        assert_eq!(limit.free_at(), start + Duration::from_millis(500));
        limit.sent(500, start + Duration::from_millis(500));
        assert_eq!(limit.free_at(), start + Duration::from_secs(1));
    }

    #[test]
    fn time_without_traffic_is_not_saved_up() {
        let start = Instant::now();
        let mut limit = BandwidthLimit::new(Some(8_000), start);
        limit.sent(1000, start + Duration::from_mins(1));
        assert_eq!(limit.free_at(), start + Duration::from_secs(61));
    }

    #[test]
    fn without_a_limit_everything_goes_at_once() {
        let start = Instant::now();
        let mut limit = BandwidthLimit::new(None, start);
        limit.sent(u64::MAX, start);
        assert_eq!(limit.free_at(), start);
        assert_eq!(limit.piece(), 1 << 20);
    }
}
