//! Connections that are on their way in. There are so many at a time and no more; where one more
//! comes, the oldest has to go, so that those who only wait keep nobody out.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// All that are on their way in.
#[derive(Debug)]
pub(crate) struct Admissions {
    limit: usize,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    next: u64,
    waiting: VecDeque<(u64, Arc<Notify>)>,
}

/// One of them, until it is in or gone.
#[derive(Debug)]
pub(crate) struct Admission {
    number: u64,
    sent_away: Arc<Notify>,
    all: Arc<Admissions>,
}

impl Admissions {
    /// Nobody yet, and never more than `limit`.
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            queue: Mutex::default(),
        })
    }

    /// One more; for it the oldest may have to go.
    pub(crate) fn arrive(self: &Arc<Self>) -> Admission {
        let mut queue = self.queue();
        while queue.waiting.len() >= self.limit {
            if let Some((_, oldest)) = queue.waiting.pop_front() {
                oldest.notify_one();
            }
        }
        let number = queue.next;
        queue.next += 1;
        let sent_away = Arc::new(Notify::new());
        queue.waiting.push_back((number, Arc::clone(&sent_away)));
        drop(queue);
        Admission {
            number,
            sent_away,
            all: Arc::clone(self),
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Admission {
    /// Comes back when this one has to go.
    pub(crate) async fn sent_away(&self) {
        self.sent_away.notified().await;
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let mut queue = self.all.queue();
        queue.waiting.retain(|(number, _)| *number != self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use futures::FutureExt as _;

    #[test]
    fn the_oldest_goes_when_one_more_comes() {
        let admissions = Admissions::new(2);
        let first = admissions.arrive();
        let second = admissions.arrive();
        assert!(first.sent_away().now_or_never().is_none());
        let third = admissions.arrive();
        assert!(first.sent_away().now_or_never().is_some());
        // Whoever is in makes room.
        drop(second);
        let fourth = admissions.arrive();
        assert!(third.sent_away().now_or_never().is_none());
        assert!(fourth.sent_away().now_or_never().is_none());
        drop(first);
        assert_eq!(admissions.queue().waiting.len(), 2);
    }
}
