//! A session's transaction.
//!
//! READ COMMITTED: BEGIN is only remembered. Each read before the first write runs on a snapshot of
//! its own. The first write waits for the database's write permit and begins SQLite's transaction on
//! the newest commit; from then on reads see the transaction's own writes. COMMIT takes the pages
//! that were written out of the handle, queues them for the log, which gives the permit to the next
//! writer, and waits for the disk.
//!
//! REPEATABLE READ and SERIALIZABLE hold the snapshot of their first statement. They may write when
//! nothing was committed after it.

use std::time::Instant;

use dialect::{Isolation, StatementKind, TransactionModes};
use pagestore::Snapshot;
use pgtypes::SqlState;
use pgwire::messages::response::TransactionStatus;

use crate::databases::Database;
use crate::databases::permit::Permit;
use crate::failure::Failure;
use crate::session::trial::Trial;
use crate::session::{Session, terminated};

/// The transaction block that the client has opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    /// None: a transaction lasts for one Query, or up to Sync.
    None,
    /// BEGIN.
    Open,
    /// A statement has failed.
    Failed,
    /// A statement has failed, and SQLite gave up the whole transaction by itself: no savepoint can
    /// be gone back to.
    Lost,
}

/// Where a session is in its transaction.
pub struct Transaction {
    pub(super) block: Block,
    isolation: Isolation,
    read_only: bool,
    /// A statement has run: the modes are settled.
    started: bool,
    /// Names by depth; SQLite knows them as `s0`, `s1` …
    pub(super) savepoints: Vec<String>,
    /// What REPEATABLE READ reads.
    snapshot: Option<pagestore::CommitNumber>,
    /// SET CONSTRAINTS: foreign keys are checked at COMMIT.
    deferred: bool,
    /// Held while SQLite's transaction is open, unless that is on trial.
    pub(super) permit: Option<Permit>,
    /// Changes that ran without the permit.
    pub(super) trial: Option<Trial>,
}

impl Default for Transaction {
    fn default() -> Self {
        Self {
            block: Block::None,
            isolation: Isolation::ReadCommitted,
            read_only: false,
            started: false,
            savepoints: Vec::new(),
            snapshot: None,
            deferred: false,
            permit: None,
            trial: None,
        }
    }
}

impl Transaction {
    /// What `ReadyForQuery` tells.
    pub fn status(&self) -> TransactionStatus {
        match self.block {
            Block::None => TransactionStatus::Idle,
            Block::Open => TransactionStatus::Transaction,
            Block::Failed | Block::Lost => TransactionStatus::Error,
        }
    }

    /// Whether the client said BEGIN.
    pub fn is_explicit(&self) -> bool {
        self.block != Block::None
    }

    pub(super) fn is_failed(&self) -> bool {
        matches!(self.block, Block::Failed | Block::Lost)
    }

    /// Whether something was written.
    pub fn has_written(&self) -> bool {
        self.permit.is_some() || self.trial.is_some()
    }

    /// SET CONSTRAINTS DEFERRED is in force.
    pub(super) fn defers_constraints(&self) -> bool {
        self.deferred
    }

    /// The isolation level.
    pub fn isolation(&self) -> Isolation {
        self.isolation
    }

    /// Whether writes are refused.
    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// Whether a statement of that kind may run: after a failure only what ends the transaction, or
    /// goes back.
    pub fn accepts(&self, kind: &StatementKind) -> bool {
        !self.is_failed()
            || matches!(
                kind,
                StatementKind::Commit { .. }
                    | StatementKind::Rollback { .. }
                    | StatementKind::RollbackTo { .. }
                    | StatementKind::Empty
            )
    }
}

/// The refusal of everything else after a failure.
pub fn aborted() -> Failure {
    Failure::new(
        SqlState::IN_FAILED_SQL_TRANSACTION,
        "current transaction is aborted, commands ignored until end of transaction block",
    )
}

fn pin(database: &Database) -> Snapshot {
    database.store().snapshot_durable()
}

impl Session {
    /// Where the session is in its transaction.
    pub fn transaction(&self) -> &Transaction {
        &self.transaction
    }

    /// The state between two transactions.
    pub(super) fn fresh_transaction(&self) -> Transaction {
        let isolation = self.settings.default_isolation();
        let read_only = self.settings.default_read_only();
        Transaction {
            isolation,
            read_only,
            ..Transaction::default()
        }
    }

    /// BEGIN. What ran before in the same simple query belongs to the transaction.
    pub fn begin(&mut self, modes: TransactionModes) -> Result<(), Failure> {
        if self.transaction.is_explicit() {
            self.notice(
                "WARNING",
                SqlState::ACTIVE_SQL_TRANSACTION,
                "there is already a transaction in progress",
            );
            return Ok(());
        }
        if self.transaction.permit.is_none() {
            self.transaction = self.fresh_transaction();
        }
        self.set_modes(modes)?;
        self.transaction.block = Block::Open;
        self.registered.entry.set_state("idle in transaction");
        Ok(())
    }

    /// Isolation level and access of the running transaction.
    pub fn set_modes(&mut self, modes: TransactionModes) -> Result<(), Failure> {
        if let Some(isolation) = modes.isolation {
            if self.transaction.started && isolation != self.transaction.isolation {
                return Err(Failure::new(
                    SqlState::ACTIVE_SQL_TRANSACTION,
                    "SET TRANSACTION ISOLATION LEVEL must be called before any query",
                ));
            }
            self.transaction.isolation = isolation;
        }
        match modes.read_only {
            Some(false) if self.env.is_read_only() => Err(Failure::new(
                SqlState::READ_ONLY_SQL_TRANSACTION,
                "cannot set transaction read-write mode: this server is a slave",
            )),
            Some(read_only) => {
                self.transaction.read_only = read_only;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// A read begins.
    pub fn before_read(&mut self) -> Result<(), Failure> {
        self.check_usable()?;
        self.settle_trial()?;
        let held = self.transaction.isolation != Isolation::ReadCommitted
            && self.transaction.is_explicit()
            && self.transaction.permit.is_none()
            && self.transaction.snapshot.is_none();
        if held {
            let snapshot = pin(self.database());
            self.transaction.snapshot = Some(snapshot.commit());
            self.sqlite.handle.pin_snapshot(Some(snapshot));
        }
        self.transaction.started = true;
        Ok(())
    }

    /// Refuses a write where none is possible; `what` is the command as the refusal names it.
    pub(super) fn check_write(&mut self, what: &str) -> Result<(), Failure> {
        self.check_usable()?;
        if self.transaction.read_only || self.env.is_read_only() {
            let refusal = Failure::new(
                SqlState::READ_ONLY_SQL_TRANSACTION,
                format!("cannot execute {what} in a read-only transaction"),
            );
            return Err(if self.env.is_read_only() {
                refusal.hint("This server is a slave: write on its master.")
            } else {
                refusal
            });
        }
        if self.facts.is_system() {
            return Err(Failure::new(
                SqlState::INSUFFICIENT_PRIVILEGE,
                "database \"system\" belongs to the server",
            )
            .hint("CREATE DATABASE makes one for your tables."));
        }
        self.keep_portals()?;
        self.transaction.started = true;
        Ok(())
    }

    /// A write begins; `what` is the command as the refusal names it.
    pub fn before_write(&mut self, what: &str) -> Result<(), Failure> {
        self.check_write(what)?;
        self.settle_trial()?;
        if self.transaction.permit.is_some() {
            return Ok(());
        }
        self.take_permit()
    }

    /// Waits for the database's write permit.
    pub(super) fn wait_for_permit(&self) -> Result<Permit, Failure> {
        let deadline = self.write_deadline();
        let interrupt = &self.registered.entry.interrupt;
        let database = self.database.database();
        Ok(database.acquire_permit(interrupt, deadline)?)
    }

    /// Waits for the permit and begins SQLite's transaction on the newest commit.
    pub(super) fn take_permit(&mut self) -> Result<(), Failure> {
        let permit = self.wait_for_permit()?;
        if let Some(snapshot) = self.transaction.snapshot {
            if self.database().store().latest().0 != snapshot {
                return Err(Failure::new(
                    SqlState::SERIALIZATION_FAILURE,
                    "could not serialize access due to concurrent update",
                )
                .hint("Run the transaction again."));
            }
            self.sqlite.handle.pin_snapshot(None);
        }
        self.sqlite.handle.allow_write(true);
        let begun = self.begin_in_sqlite();
        if begun.is_err() {
            if !self.sqlite.connection.is_autocommit() {
                self.sqlite.run("ROLLBACK")?;
            }
            self.sqlite.handle.allow_write(false);
        } else {
            self.transaction.permit = Some(permit);
        }
        begun
    }

    /// COMMIT, explicit or at the end of an implicit transaction.
    pub fn commit(&mut self) -> Result<(), Failure> {
        self.keep_held_portals()?;
        if let Err(failure) = self.settle_trial() {
            self.rollback();
            return Err(failure);
        }
        let Some(permit) = self.transaction.permit.take() else {
            self.finish(true);
            return Ok(());
        };
        if let Err(failure) = self.sqlite.run("COMMIT") {
            self.transaction.permit = Some(permit);
            self.rollback();
            return Err(failure);
        }
        self.hand_over(permit)
    }

    /// What SQLite has committed goes to the log; the transaction is over.
    pub(super) fn hand_over(&mut self, permit: Permit) -> Result<(), Failure> {
        let write_set = self.sqlite.handle.take_write_set();
        self.sqlite.handle.allow_write(false);
        self.finish(true);
        let Some(write_set) = write_set else {
            return Ok(());
        };
        let result = self
            .env
            .commit(self.database.database(), permit, write_set)
            .and_then(|queued| self.env.wait_durable(&queued));
        result.map_err(|error| {
            // SQLite's cache believes in a commit that did not happen.
            match self.reopen() {
                Ok(()) => error.into(),
                Err(failure) => failure.into_fatal(),
            }
        })
    }

    /// ROLLBACK.
    pub fn rollback(&mut self) {
        self.portals.clear();
        self.undo();
        self.finish(false);
    }

    /// A statement has failed. In a transaction block nothing more runs until the client ends it or
    /// goes back to a savepoint; what was written is undone at once.
    pub fn fail(&mut self) {
        self.portals.clear();
        if !self.transaction.is_explicit() {
            self.undo();
            self.finish(false);
            return;
        }
        if self.transaction.is_failed() {
            return;
        }
        self.transaction.block = Block::Failed;
        let depth = self.transaction.savepoints.len();
        let Some(last) = depth.checked_sub(1) else {
            self.undo();
            return;
        };
        let holds = self.transaction.permit.is_some();
        let back = holds
            && !self.sqlite.connection.is_autocommit()
            && self.sqlite.run(&format!("ROLLBACK TO s{last}")).is_ok();
        if holds && !back {
            self.transaction.block = Block::Lost;
            self.undo();
        }
        self.schema_undone();
    }

    /// The end of a simple query or Sync: commits what ran outside a transaction block.
    pub fn finish_implicit(&mut self) -> Result<(), Failure> {
        if self.transaction.is_explicit() {
            return Ok(());
        }
        self.commit()
    }

    /// SET CONSTRAINTS for the rest of the transaction.
    pub fn defer_constraints(&mut self, deferred: bool) -> Result<(), Failure> {
        if !self.transaction.is_explicit() {
            self.notice(
                "WARNING",
                SqlState::NO_ACTIVE_SQL_TRANSACTION,
                "SET CONSTRAINTS can only be used in transaction blocks",
            );
            return Ok(());
        }
        self.settle_trial()?;
        self.transaction.deferred = deferred;
        if self.transaction.permit.is_none() {
            return Ok(());
        }
        self.sqlite.run(if deferred {
            "PRAGMA defer_foreign_keys = ON"
        } else {
            "PRAGMA defer_foreign_keys = OFF"
        })
    }

    /// Leaves everything that is open, without a word: the session ends or its connection is bad.
    pub(super) fn abandon(&mut self) {
        self.portals.clear();
        self.undo();
        let explicit = self.transaction.is_explicit();
        self.finish(false);
        if explicit {
            self.transaction.block = Block::Failed;
        }
    }

    fn check_usable(&mut self) -> Result<(), Failure> {
        if self.is_terminated() {
            return Err(terminated());
        }
        if self.transaction.is_failed() {
            return Err(aborted());
        }
        self.check_epoch()
    }

    fn begin_in_sqlite(&self) -> Result<(), Failure> {
        self.sqlite.run("BEGIN IMMEDIATE")?;
        if self.transaction.deferred {
            self.sqlite.run("PRAGMA defer_foreign_keys = ON")?;
        }
        for depth in 0..self.transaction.savepoints.len() {
            self.sqlite.run(&format!("SAVEPOINT s{depth}"))?;
        }
        Ok(())
    }

    /// The end of the wait for the permit: the statement's own, or `lock_timeout`.
    fn write_deadline(&self) -> Option<Instant> {
        let lock = self
            .settings
            .lock_timeout()
            .map(|limit| Instant::now() + limit);
        match (lock, self.deadline) {
            (Some(lock), Some(statement)) => Some(lock.min(statement)),
            (lock, statement) => lock.or(statement),
        }
    }

    /// Rolls SQLite back and gives the permit to the next writer.
    fn undo(&mut self) {
        self.drop_trial();
        let Some(permit) = self.transaction.permit.take() else {
            return;
        };
        if !self.sqlite.connection.is_autocommit()
            && let Err(failure) = self.sqlite.run("ROLLBACK")
        {
            tracing::error!(%failure, "SQLite refused to roll back");
        }
        self.sqlite.handle.discard_write_set();
        self.sqlite.handle.allow_write(false);
        drop(permit);
        self.schema_undone();
    }

    /// What was read of the schema may have been the undone transaction's own.
    pub(super) fn schema_undone(&mut self) {
        self.sqlite.schema.clear();
        self.catalog.forget();
        self.schema_moved();
    }

    /// Back to the state between two transactions.
    fn finish(&mut self, committed: bool) {
        if self.transaction.snapshot.is_some() {
            self.sqlite.handle.pin_snapshot(None);
        }
        self.settings.end_transaction(committed);
        if self.transaction.is_explicit() {
            self.registered.entry.set_state("idle");
        }
        self.transaction = self.fresh_transaction();
    }

    pub(super) fn need_block(&self, what: &str) -> Result<(), Failure> {
        if self.transaction.is_explicit() {
            return Ok(());
        }
        Err(Failure::new(
            SqlState::NO_ACTIVE_SQL_TRANSACTION,
            format!("{what} can only be used in transaction blocks"),
        ))
    }
}
