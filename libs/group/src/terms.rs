//! Times: those that a group agrees on, and the clock that they are counted by.

use std::ops::{Add, Sub};
use std::time::Duration;

/// A moment of one machine's clock that goes on while it sleeps (`CLOCK_BOOTTIME`): a lease is over for who wakes up behind its
/// end. Moments of two machines say nothing of one another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct BootTime(Duration);

impl BootTime {
    /// So long after the machine's start.
    pub const fn new(since_boot: Duration) -> Self {
        Self(since_boot)
    }

    /// The time since an earlier moment; none since a later one.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for BootTime {
    type Output = Self;

    fn add(self, time: Duration) -> Self {
        Self(self.0.saturating_add(time))
    }
}

impl Sub<Duration> for BootTime {
    type Output = Self;

    fn sub(self, time: Duration) -> Self {
        Self(self.0.saturating_sub(time))
    }
}

/// The times of a group. The same on all sites.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// For how long a renewal gives the right to act. Clocks may differ by a tenth in their rates: a master stops after nine
    /// tenths of it, the register waits eleven.
    pub lease: Duration,
    /// How long sites that start together wait for the last master.
    pub cold_start: Duration,
    /// Asynchronous groups: how many bytes of log an election may drop.
    pub max_lost_bytes: u64,
}

impl Terms {
    /// How long a master acts after it has sent a renewal that was granted.
    pub fn held(&self) -> Duration {
        self.lease * 9 / 10
    }

    /// How long a register keeps others away after a renewal has come.
    pub fn kept(&self) -> Duration {
        self.lease * 11 / 10
    }

    /// How often a master renews, and anybody asks again who got no answer.
    pub fn step(&self) -> Duration {
        self.lease / 5
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_stops_before_others_may_begin_whatever_their_clocks() {
        let terms = Terms {
            lease: Duration::from_millis(2500),
            cold_start: Duration::ZERO,
            max_lost_bytes: 0,
        };
        // The slowest clock of a holder against the fastest of a register.
        let held = terms.held().as_secs_f64() / 0.9;
        let kept = terms.kept().as_secs_f64() / 1.1;
        assert!(held <= kept + 1e-9, "{held} > {kept}");
    }
}
