//! What a store keeps in memory.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::chain::CounterDelta;
use crate::{CommitNumber, PAGE_SIZE};

/// What a store keeps in memory, and for whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryUse {
    /// Page versions.
    pub versions: u64,
    /// Bytes that they take.
    pub bytes: u64,
    /// Bytes that a checkpoint would write.
    pub dirty_bytes: u64,
    /// Bytes of old base images kept only for open snapshots (in memory; a part of `bytes`).
    pub kept_bytes: u64,
    /// Open snapshots.
    pub snapshots: usize,
    /// Commit of the oldest open snapshot that has not been ended.
    pub oldest_snapshot: Option<CommitNumber>,
}

/// Sums of deltas. They arrive in any order, so one may be below zero for a moment.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    versions: AtomicI64,
    bytes: AtomicI64,
    kept_bytes: AtomicI64,
    dirty: AtomicI64,
}

impl Counters {
    pub(crate) fn add(&self, delta: CounterDelta) {
        self.versions.fetch_add(delta.versions, Ordering::Relaxed);
        self.bytes.fetch_add(delta.bytes, Ordering::Relaxed);
        self.kept_bytes
            .fetch_add(delta.kept_bytes, Ordering::Relaxed);
        self.dirty.fetch_add(delta.dirty, Ordering::Relaxed);
    }

    /// All but what is known of snapshots.
    pub(crate) fn read(&self) -> MemoryUse {
        let read =
            |counter: &AtomicI64| u64::try_from(counter.load(Ordering::Relaxed)).unwrap_or(0);
        MemoryUse {
            versions: read(&self.versions),
            bytes: read(&self.bytes),
            dirty_bytes: read(&self.dirty) * PAGE_SIZE as u64,
            kept_bytes: read(&self.kept_bytes),
            ..MemoryUse::default()
        }
    }
}
