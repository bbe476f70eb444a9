//! What an environment stands on: a disk, and somebody who does its background work.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use disk::Disk;
use fwlog::Clock;
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::error::EngineError;

/// Where ids come from that nobody else has.
#[derive(Debug, Clone)]
pub enum Random {
    /// The operating system.
    System,
    /// Counted: the same in every run, for simulations. Whoever shares a counter gets different ones.
    Counted(Arc<AtomicU64>),
}

impl Random {
    /// 128 bits.
    pub(crate) fn bytes(&self) -> Result<[u8; 16], EngineError> {
        let mut bytes = [0; 16];
        match self {
            Self::System => SystemRandom::new()
                .fill(&mut bytes)
                .map_err(|_| EngineError::Storage("the system gives no random bytes".into()))?,
            Self::Counted(counter) => {
                let number = counter.fetch_add(1, Ordering::Relaxed);
                bytes[..8].copy_from_slice(&number.to_le_bytes());
            }
        }
        Ok(bytes)
    }
}

/// Who does the work that happens behind the sessions: writing the log, checkpoints, applying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drive {
    /// Threads of the environment's own.
    Threads,
    /// Whoever owns the environment, one step at a time, by the driver of the environment. What waits
    /// for such work does it itself. For simulations: all happens in the order of the calls.
    Owner,
}

/// What an environment stands on.
#[derive(Debug, Clone)]
pub struct Host {
    /// Where all its files are.
    pub disk: Disk,
    /// Who does its background work.
    pub drive: Drive,
    /// Zeros written ahead of the end of the open segment of the log, in bytes, so that a sync changes
    /// no metadata.
    pub preallocate: u64,
    /// Pages of a transaction that go into one record of the log; a larger one comes in parts, between
    /// which other databases commit. At most [`Host::PART_PAGES`]; less in simulations.
    pub part_pages: usize,
    /// Bytes of old pages that open snapshots may keep in memory, for each database; more go to `TmpDir`. Less in
    /// simulations.
    pub pinned_limit: u64,
    /// Where times come from.
    pub clock: Clock,
    /// Where ids come from.
    pub random: Random,
}

impl Host {
    /// What a block of the log holds of full pages: 1 MiB.
    pub const PART_PAGES: usize = 256;

    /// Old pages that may stay in memory: 64 MiB.
    pub const PINNED_LIMIT: u64 = 64 << 20;

    /// The operating system: its file system, threads.
    pub fn system() -> Self {
        Self {
            disk: Disk::real(),
            drive: Drive::Threads,
            preallocate: 4 << 20,
            part_pages: Self::PART_PAGES,
            pinned_limit: Self::PINNED_LIMIT,
            clock: Clock::system(),
            random: Random::System,
        }
    }
}
