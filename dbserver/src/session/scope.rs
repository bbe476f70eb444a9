//! What a transaction works on.

use std::time::Instant;

use crate::databases::Database;
use crate::databases::locks::Wait;
use crate::databases::permit::{Interrupt, Permit};
use crate::error::EngineError;
use crate::failure::Failure;
use crate::session::row_locks::RowLocks;
use crate::session::settings::Settings;
use crate::session::sqlite::Sqlite;

/// What a transaction works on, and how long it may wait.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// The session's connection.
    pub sqlite: &'a Sqlite,
    /// Its database.
    pub database: &'a Database,
    /// The session's settings.
    pub settings: &'a Settings,
    /// What it has locked.
    pub locks: &'a RowLocks,
    /// Ends a wait.
    pub interrupt: &'a Interrupt,
    /// When the running statement has to be over.
    pub deadline: Option<Instant>,
}

impl Scope<'_> {
    /// How long it waits for a lock.
    pub fn wait_for_lock(&self) -> Wait<'_> {
        let limit = self.settings.frequent().lock_timeout;
        Wait {
            interrupt: self.interrupt,
            lock: limit.map(|limit| Instant::now() + limit),
            statement: self.deadline,
        }
    }

    /// Waits for the database's write permit: to the end of the statement's time, or `lock_timeout`.
    pub fn wait_for_permit(self) -> Result<Permit, Failure> {
        let wait = self.wait_for_lock();
        let deadline = [wait.lock, wait.statement].into_iter().flatten().min();
        let permit = self.database.acquire_permit(self.interrupt, deadline);
        Ok(permit.map_err(|error| match error {
            EngineError::Interrupted(_) if deadline.is_some() && deadline == wait.lock => {
                EngineError::LockTimeout
            }
            error => error,
        })?)
    }
}
