//! How long a small group waits for more transactions to share its sync.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Largest group that is waited for: from there on a sync is shared well enough.
const LARGEST_GROUP: usize = 8;

/// Tells the writer how many transactions are about to commit.
///
/// A lone writer never waits. With `n` others under way, a group waits until it holds `1 + n / 2`
/// transactions (8 at most), or for `at_most`.
#[derive(Clone, Debug)]
pub struct Linger {
    /// Transactions that write or are about to, and are not queued yet. The owner counts them.
    pub under_way: Arc<AtomicUsize>,
    /// Longest wait.
    pub at_most: Duration,
}

impl Linger {
    /// How many requests are worth waiting for now.
    pub(crate) fn group(&self) -> usize {
        let others = self.under_way.load(Ordering::Relaxed);
        (1 + others / 2).min(LARGEST_GROUP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_transaction_is_not_held_back_and_many_are_grouped() {
        let under_way = Arc::new(AtomicUsize::new(0));
        let linger = Linger {
            under_way: Arc::clone(&under_way),
            at_most: Duration::ZERO,
        };
        for (others, group) in [(0, 1), (1, 1), (2, 2), (6, 4), (14, 8), (1000, 8)] {
            under_way.store(others, Ordering::Relaxed);
            assert_eq!(linger.group(), group, "{others} others");
        }
    }
}
