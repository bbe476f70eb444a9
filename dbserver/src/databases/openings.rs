//! Who has a database open, and in which mode.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fwlog::Timestamp;

use crate::databases::open_mode::OpenMode;

/// A session that has the database open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Number of the session.
    pub session: i32,
    /// Its user.
    pub user: String,
    /// Where it comes from.
    pub address: SocketAddr,
    /// Since when it has it open.
    pub since: Timestamp,
    /// How.
    pub mode: OpenMode,
}

/// All sessions that have one database open.
#[derive(Debug, Default)]
pub struct Openings(Mutex<BTreeMap<i32, Opening>>);

impl Openings {
    /// Opens the database for a session; it is closed when the guard goes. Nothing is waited for.
    ///
    /// Error: a session whose mode does not go with this one.
    pub fn open(self: &Arc<Self>, opening: Opening) -> Result<Opened, Box<Opening>> {
        let mut open = self.lock();
        let conflicting = |other: &&Opening| !other.mode.goes_with(opening.mode);
        if let Some(other) = open.values().find(conflicting) {
            return Err(Box::new(other.clone()));
        }
        let session = opening.session;
        let before = open.insert(session, opening);
        assert!(before.is_none(), "a session opens one database, once");
        Ok(Opened {
            openings: Arc::clone(self),
            session,
        })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<i32, Opening>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A session has the database open as long as this lives.
#[derive(Debug)]
pub struct Opened {
    openings: Arc<Openings>,
    session: i32,
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.openings.lock().remove(&self.session);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opening(session: i32, mode: u8) -> Opening {
        Opening {
            session,
            user: "ann".to_owned(),
            address: ([127, 0, 0, 1], 1).into(),
            since: Timestamp::ZERO,
            mode: mode.to_string().parse().unwrap(),
        }
    }

    #[test]
    fn what_conflicts_is_refused_and_named_until_it_is_closed() {
        let openings = Arc::new(Openings::default());
        let reads = openings.open(opening(1, 8)).unwrap();
        let also_reads = openings.open(opening(2, 6)).unwrap();
        assert_eq!(openings.open(opening(3, 1)).unwrap_err().session, 1);
        drop(reads);
        assert_eq!(openings.open(opening(3, 1)).unwrap_err().session, 2);
        drop(also_reads);
        let writes = openings.open(opening(3, 1)).unwrap();
        drop(writes);
        assert!(openings.open(opening(4, 3)).is_ok());
    }
}
