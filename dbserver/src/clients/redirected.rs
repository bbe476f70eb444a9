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
    has_begun: AtomicBool,
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
            has_begun: AtomicBool::new(false),
            idle: AtomicBool::new(true),
        }
    }

    /// So many more bytes of the client have gone to the master, which has something to do now, once it has let
    /// the client in.
    pub fn count_to_master(&self, bytes: usize) {
        self.to_master.fetch_add(bytes as u64, Ordering::Relaxed);
        let has_begun = self.has_begun.load(Ordering::Relaxed);
        self.idle.store(!has_begun, Ordering::Release);
    }

    /// So many more bytes of the master have gone to the client. `waits`: with these it has said that the session
    /// is in no transaction, and waits for a statement.
    pub fn count_to_client(&self, bytes: usize, waits: bool) {
        self.to_client.fetch_add(bytes as u64, Ordering::Relaxed);
        let has_begun = self.has_begun.fetch_or(waits, Ordering::Relaxed);
        self.idle.store(waits || !has_begun, Ordering::Release);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_idle_until_it_begins_and_between_its_transactions() {
        let redirected = Redirected::new("m:1".into(), ([127, 0, 0, 1], 1).into());
        assert!(redirected.is_idle());
        // Passwords.
        redirected.count_to_master(10);
        redirected.count_to_client(20, false);
        assert!(redirected.is_idle());
        redirected.count_to_client(6, true);
        assert!(redirected.is_idle());
        redirected.count_to_master(30);
        assert!(!redirected.is_idle());
        redirected.count_to_client(20, false);
        assert!(!redirected.is_idle());
        redirected.count_to_client(6, true);
        assert!(redirected.is_idle());
        assert_eq!((redirected.to_master(), redirected.to_client()), (40, 52));
    }
}
