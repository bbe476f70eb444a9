//! A session that was handed to another server: where it is served, and what has passed.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What the relay of a redirected session counts, for others to read.
#[derive(Debug)]
pub struct Redirected {
    /// The master as the configuration calls it.
    pub target: String,
    /// The address of it that has answered: where cancel requests go.
    pub address: SocketAddr,
    to_master: AtomicU64,
    to_client: AtomicU64,
    idle: AtomicBool,
}

impl Redirected {
    /// Nothing has passed yet.
    pub fn new(target: String, address: SocketAddr) -> Self {
        Self {
            target,
            address,
            to_master: AtomicU64::new(0),
            to_client: AtomicU64::new(0),
            idle: AtomicBool::new(false),
        }
    }

    /// So many more bytes of the client have gone to the master, which has something to do now.
    pub fn count_to_master(&self, bytes: usize) {
        self.to_master.fetch_add(bytes as u64, Ordering::Relaxed);
        self.idle.store(false, Ordering::Release);
    }

    /// So many more bytes of the master have gone to the client. `idle`: with these it has said that the session
    /// is in no transaction, and waits for a statement.
    pub fn count_to_client(&self, bytes: usize, idle: bool) {
        self.to_client.fetch_add(bytes as u64, Ordering::Relaxed);
        self.idle.store(idle, Ordering::Release);
    }

    /// Bytes from the client so far.
    pub fn to_master(&self) -> u64 {
        self.to_master.load(Ordering::Relaxed)
    }

    /// Bytes from the master so far.
    pub fn to_client(&self) -> u64 {
        self.to_client.load(Ordering::Relaxed)
    }

    /// Whether the session is in no transaction and no statement, as far as what has passed tells.
    pub fn is_idle(&self) -> bool {
        self.idle.load(Ordering::Acquire)
    }
}
