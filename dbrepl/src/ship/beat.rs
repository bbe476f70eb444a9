//! When a sign of life is due.

use std::time::Duration;

use tokio::time::Instant;

use super::stream::TICK;

/// How often the slave is given a sign of life.
#[derive(Debug)]
pub(super) struct Beat {
    interval: Duration,
    given: Option<Instant>,
    has_news: bool,
}

impl Beat {
    /// The first one is due at once.
    pub(super) fn new(interval: Duration) -> Self {
        Self {
            interval,
            given: None,
            has_news: true,
        }
    }

    /// There is something new to say in one.
    pub(super) fn has_news(&mut self) {
        self.has_news = true;
    }

    /// Whether one is due; ticks are not exact.
    pub(super) fn is_due(&self) -> bool {
        let wait = self.interval.saturating_sub(TICK / 2);
        self.has_news || self.given.is_none_or(|at| at.elapsed() >= wait)
    }

    /// One was given.
    pub(super) fn is_given(&mut self) {
        (self.given, self.has_news) = (Some(Instant::now()), false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_is_due_each_interval_and_with_news() {
        let mut beat = Beat::new(Duration::from_secs(2));
        assert!(beat.is_due());
        beat.is_given();
        let ticks = async |beat: &mut Beat| {
            tokio::time::advance(TICK.mul_f64(0.997)).await;
            beat.is_due()
        };
        assert!(!ticks(&mut beat).await);
        beat.has_news();
        assert!(beat.is_due());
        beat.is_given();
        assert!(!ticks(&mut beat).await);
        assert!(ticks(&mut beat).await);
        let mut each = Beat::new(TICK);
        each.is_given();
        assert!(ticks(&mut each).await);
    }
}
