//! LISTEN, UNLISTEN and NOTIFY of one session: both begin to hold when its transaction commits.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pgtypes::SqlState;

use crate::databases::Database;
use crate::databases::notifications::{Mailbox, Notification, Notifications};
use crate::failure::Failure;

/// Names of channels are shorter, as all names are.
const LONGEST_CHANNEL: usize = 64;
/// Texts are shorter, as in PostgreSQL.
const LONGEST_PAYLOAD: usize = 8000;

/// A change of what the session listens to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Change {
    Listen(String),
    Unlisten(String),
    UnlistenAll,
}

/// What the transaction has said so far.
#[derive(Debug, Default)]
struct Said {
    changes: Vec<Change>,
    told: Vec<Notification>,
    /// How much of both there was at each savepoint.
    savepoints: Vec<(usize, usize)>,
}

/// Why something can't be told.
pub type Refused = (SqlState, &'static str);

/// What a session listens to, and what it tells.
#[derive(Debug)]
pub struct Listening {
    pid: i32,
    all: Arc<Notifications>,
    mailbox: Arc<Mailbox>,
    said: Mutex<Said>,
}

impl Listening {
    /// A session of a database, which listens to nothing.
    pub fn new(database: &Database, pid: i32) -> Self {
        Self {
            pid,
            all: Arc::clone(database.notifications()),
            mailbox: Arc::default(),
            said: Mutex::default(),
        }
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        // It is changed in single steps, so it is whole even after a panic.
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where what others tell arrives.
    pub fn mailbox(&self) -> &Arc<Mailbox> {
        &self.mailbox
    }

    /// The channels that it listens to.
    pub fn channels(&self) -> BTreeSet<String> {
        self.mailbox.channels()
    }

    /// LISTEN
    pub fn listen(&self, channel: &str) {
        self.said().changes.push(Change::Listen(channel.to_owned()));
    }

    /// UNLISTEN of one channel, or of all.
    pub fn unlisten(&self, channel: Option<&str>) {
        let change = match channel {
            Some(channel) => Change::Unlisten(channel.to_owned()),
            None => Change::UnlistenAll,
        };
        self.said().changes.push(change);
    }

    /// NOTIFY. What was told already in the same transaction is told once.
    ///
    /// Errors: 22023 for a channel or a text that is too long, or no channel.
    pub fn notify(&self, channel: &str, payload: &str) -> Result<(), Refused> {
        let refused = |why| Err((SqlState::INVALID_PARAMETER_VALUE, why));
        if channel.is_empty() {
            return refused("channel name cannot be empty");
        }
        if channel.len() >= LONGEST_CHANNEL {
            return refused("channel name too long");
        }
        if payload.len() >= LONGEST_PAYLOAD {
            return refused("payload string too long");
        }
        let told = Notification {
            pid: self.pid,
            channel: channel.into(),
            payload: payload.into(),
        };
        let mut said = self.said();
        if !said.told.contains(&told) {
            said.told.push(told);
        }
        Ok(())
    }

    /// SAVEPOINT
    pub fn savepoint(&self) {
        let mut said = self.said();
        let mark = (said.changes.len(), said.told.len());
        said.savepoints.push(mark);
    }

    /// ROLLBACK TO: so many savepoints are left.
    pub fn rollback_to(&self, depth: usize) {
        let mut said = self.said();
        said.savepoints.truncate(depth);
        let (changes, told) = said.savepoints.last().copied().unwrap_or_default();
        said.changes.truncate(changes);
        said.told.truncate(told);
    }

    /// RELEASE: so many savepoints are left.
    pub fn release(&self, depth: usize) {
        self.said().savepoints.truncate(depth);
    }

    /// Before the commit: refuses where a session that listens does not read what it is told.
    ///
    /// Errors: 54000.
    pub fn check(&self) -> Result<(), Failure> {
        if !self.all.are_full(&self.said().told) {
            return Ok(());
        }
        let message = "too many notifications in the NOTIFY queue";
        Err(Failure::new(SqlState::PROGRAM_LIMIT_EXCEEDED, message)
            .detail("A session that listens does not read what it is told, or is in a transaction for long."))
    }

    /// The transaction is over.
    pub fn end(&self, committed: bool) {
        let said = std::mem::take(&mut *self.said());
        if !committed {
            return;
        }
        if !said.changes.is_empty() {
            let mut channels = self.mailbox.channels();
            for change in said.changes {
                match change {
                    Change::Listen(channel) => drop(channels.insert(channel)),
                    Change::Unlisten(channel) => drop(channels.remove(&channel)),
                    Change::UnlistenAll => channels.clear(),
                }
            }
            if channels.is_empty() {
                self.all.leave(&self.mailbox);
            } else {
                self.all.enter(&self.mailbox);
            }
            self.mailbox.set_channels(channels);
        }
        self.all.tell(&said.told);
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.all.leave(&self.mailbox);
    }
}
