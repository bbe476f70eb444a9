//! What is counted where it happens, for the metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::process::statement_counts::StatementCounts;

/// A number that only grows. It orders nothing: who counts must not wait for whoever reads.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// So many more.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// How many there were since the start.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What an environment does, in either role, since its start.
#[derive(Debug, Default)]
pub struct Counters {
    /// Transactions that have changed something here and are durable.
    pub commits: Counter,
    /// Transactions that were undone: ROLLBACK, a failed statement by itself, the end of a session.
    pub rollbacks: Counter,
    /// Statements that clients gave, whatever became of them.
    pub statements: Counter,
    /// Statements that were refused or have failed.
    pub failures: Counter,
    /// Statements that took at least `LogSlow`.
    pub slow_statements: Counter,
    /// Checkpoints that are complete.
    pub checkpoints: Counter,
    /// Checkpoints that have failed.
    pub failed_checkpoints: Counter,
    /// What statements have cost, by their texts.
    pub texts: StatementCounts,
}

impl Counters {
    /// A checkpoint is over.
    pub fn note_checkpoint<T, E>(&self, result: &Result<T, E>) {
        match result {
            Ok(_) => self.checkpoints.add(1),
            Err(_) => self.failed_checkpoints.add(1),
        }
    }
}

/// How long a statement may take before it is told (`LogSlow`); it may change while the server runs.
#[derive(Debug)]
pub struct SlowLimit(AtomicU64);

impl SlowLimit {
    /// Zero: no statement is told.
    pub fn new(limit: Duration) -> Self {
        let it = Self(AtomicU64::new(0));
        it.set(limit);
        it
    }

    /// Another limit from now on.
    pub fn set(&self, limit: Duration) {
        let micros = u64::try_from(limit.as_micros()).unwrap_or(u64::MAX);
        self.0.store(micros, Ordering::Relaxed);
    }

    /// The limit; none where no statement is told.
    pub fn get(&self) -> Option<Duration> {
        let micros = self.0.load(Ordering::Relaxed);
        (micros > 0).then(|| Duration::from_micros(micros))
    }
}
