//! Time limits of statements.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::clients::entry::{SessionEntry, lock};
use crate::databases::permit::InterruptReason;

/// Deadlines of running statements; one thread serves them all, started with the first.
#[derive(Default)]
pub(super) struct StatementTimeouts {
    due: Mutex<Due>,
    changed: Condvar,
}

#[derive(Default)]
struct Due {
    running: bool,
    next: u64,
    order: BTreeSet<(Instant, u64)>,
    entries: HashMap<u64, Arc<SessionEntry>>,
}

/// A deadline that is being watched; dropping it takes it off the list.
pub struct StatementTimeout {
    watch: Arc<StatementTimeouts>,
    at: (Instant, u64),
}

impl StatementTimeouts {
    /// Watches a deadline.
    pub(super) fn add(
        self: &Arc<Self>,
        entry: &Arc<SessionEntry>,
        deadline: Instant,
    ) -> StatementTimeout {
        let mut due = lock(&self.due);
        let at = (deadline, due.next);
        due.next += 1;
        due.order.insert(at);
        due.entries.insert(at.1, Arc::clone(entry));
        let first = due.order.first() == Some(&at);
        if !due.running {
            let watch = Arc::clone(self);
            let started = thread::Builder::new()
                .name("timeouts".into())
                .spawn(move || watch.run());
            due.running = started.is_ok();
        } else if first {
            self.changed.notify_one();
        }
        StatementTimeout {
            watch: Arc::clone(self),
            at,
        }
    }

    /// Serves deadlines until the list has been empty for a while.
    fn run(&self) {
        let mut due = lock(&self.due);
        loop {
            let now = Instant::now();
            while let Some(at) = due.order.first().copied().filter(|at| at.0 <= now) {
                due.order.remove(&at);
                if let Some(entry) = due.entries.remove(&at.1) {
                    entry.stop_statement(InterruptReason::StatementTimeout);
                }
            }
            let wait = match due.order.first() {
                Some((next, _)) => next.saturating_duration_since(now),
                None => IDLE_WATCH,
            };
            let empty = due.order.is_empty();
            due = self
                .changed
                .wait_timeout(due, wait)
                .map_or_else(|poisoned| poisoned.into_inner().0, |(due, _)| due);
            if empty && due.order.is_empty() {
                due.running = false;
                return;
            }
        }
    }
}

/// How long the watching thread outlives the last deadline.
const IDLE_WATCH: Duration = Duration::from_secs(10);

impl Drop for StatementTimeout {
    fn drop(&mut self) {
        let mut due = lock(&self.watch.due);
        due.order.remove(&self.at);
        due.entries.remove(&self.at.1);
    }
}
