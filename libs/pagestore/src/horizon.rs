//! How far the log is durable: one for all stores of an environment.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::CommitNumber;

/// The newest commit that can no longer be lost. New readers take their snapshots here.
///
/// The owner of the log calls [`Horizon::advance`] after the commit is durable *and* published in
/// its store; recovery and an applier call it after each publish.
#[derive(Debug, Default)]
pub struct Horizon {
    durable: AtomicU64,
}

impl Horizon {
    /// A horizon at `durable`.
    pub fn new(durable: CommitNumber) -> Arc<Self> {
        Arc::new(Self {
            durable: AtomicU64::new(durable.get()),
        })
    }

    /// Moves the horizon up to `commit`; it never moves down.
    pub fn advance(&self, commit: CommitNumber) {
        self.durable.fetch_max(commit.get(), Ordering::SeqCst);
    }

    /// The newest durable commit.
    pub fn durable(&self) -> CommitNumber {
        CommitNumber::new(self.durable.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_horizon_never_moves_down() {
        let horizon = Horizon::new(CommitNumber::new(7));
        horizon.advance(CommitNumber::new(9));
        horizon.advance(CommitNumber::new(8));
        assert_eq!(horizon.durable(), CommitNumber::new(9));
    }
}
