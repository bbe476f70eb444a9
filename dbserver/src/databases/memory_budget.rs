//! How much memory the page versions of all databases take. While it is too much, what is written
//! goes to scratch files from the start: nobody has to wait for a checkpoint.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Pages are counted again each time so many have been published: 4 MiB.
const LOOK_EVERY: usize = 1024;

/// One of an environment. Clones are the same.
#[derive(Debug, Clone)]
pub struct MemoryBudget {
    limit: u64,
    full: Arc<AtomicBool>,
    published: Arc<AtomicUsize>,
}

impl MemoryBudget {
    /// There is room until page versions take `limit` bytes of memory.
    pub fn new(limit: u64) -> Self {
        Self {
            limit,
            full: Arc::default(),
            published: Arc::default(),
        }
    }

    /// Set while there is no room.
    pub fn full(&self) -> &Arc<AtomicBool> {
        &self.full
    }

    /// So many pages are published: `true` each 4 MiB of them, when it is time to count.
    #[must_use]
    pub fn note(&self, pages: usize) -> bool {
        let before = self.published.fetch_add(pages, Ordering::Relaxed);
        before / LOOK_EVERY != before.wrapping_add(pages) / LOOK_EVERY
    }

    /// The page versions of all databases take so many bytes of memory.
    pub fn count(&self, bytes: u64) {
        self.full.store(bytes >= self.limit, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_time_to_count_once_in_four_mebibytes() {
        let budget = MemoryBudget::new(1);
        let times = (0..100).filter(|_| budget.note(100)).count();
        assert_eq!(times, 100 * 100 / LOOK_EVERY);
        assert!(budget.note(5000));
    }
}
