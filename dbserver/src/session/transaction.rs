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

use std::rc::Rc;
use std::time::Instant;

use dialect::{Isolation, StatementKind, TransactionModes};
use pagestore::CommitNumber;
use pgtypes::{SqlState, SqlValue};
use pgwire::messages::response::TransactionStatus;
use sqlitevfs::WriteMode;

use crate::databases::Database;
use crate::databases::permit::{Interrupt, Permit};
use crate::failure::Failure;
use crate::session::optimistic::{OptimisticRun, conflict};
use crate::session::prepared::Prepared;
use crate::session::savepoints::Savepoints;
use crate::session::sequences;
use crate::session::settings::Settings;
use crate::session::sqlite::Sqlite;

/// After so many optimistic runs in a row that came to nothing a session waits for the permit instead.
const MAX_CONFLICTS: u32 = 2;

/// The transaction block that the client has opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
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

/// What has been written, and by which right.
#[derive(Default)]
enum Writing {
    /// Nothing: SQLite has no transaction open.
    #[default]
    Nothing,
    /// Changes that ran without the permit.
    Optimistic(OptimisticRun),
    /// SQLite's transaction is the one that will be committed.
    Permitted(Permit),
}

/// What a transaction works on, and how long it may wait.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// The session's connection.
    pub sqlite: &'a Sqlite,
    /// Its database.
    pub database: &'a Database,
    /// The session's settings.
    pub settings: &'a Settings,
    /// Ends a wait.
    pub interrupt: &'a Interrupt,
    /// When the running statement has to be over.
    pub deadline: Option<Instant>,
}

impl Scope<'_> {
    /// Waits for the database's write permit: to the end of the statement's time, or `lock_timeout`.
    pub fn wait_for_permit(self) -> Result<Permit, Failure> {
        let lock = self.settings.frequent().lock_timeout;
        let lock = lock.map(|limit| Instant::now() + limit);
        let deadline = match (lock, self.deadline) {
            (Some(lock), Some(statement)) => Some(lock.min(statement)),
            (lock, statement) => lock.or(statement),
        };
        Ok(self.database.acquire_permit(self.interrupt, deadline)?)
    }
}

/// Where a session is in its transaction.
pub struct Transaction {
    block: Block,
    isolation: Isolation,
    read_only: bool,
    /// A statement has run: the isolation level is settled.
    started: bool,
    savepoints: Savepoints,
    /// What REPEATABLE READ reads.
    snapshot: Option<CommitNumber>,
    /// SET CONSTRAINTS: foreign keys are checked at COMMIT.
    deferred: bool,
    writing: Writing,
    /// Optimistic runs in a row that came to nothing.
    conflicts: u32,
}

impl Transaction {
    /// The state between two transactions.
    pub fn new(settings: &Settings) -> Self {
        Self {
            block: Block::None,
            isolation: settings.frequent().isolation,
            read_only: settings.frequent().read_only,
            started: false,
            savepoints: Savepoints::default(),
            snapshot: None,
            deferred: false,
            writing: Writing::Nothing,
            conflicts: 0,
        }
    }

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

    /// Whether a statement of the block has failed.
    pub fn is_failed(&self) -> bool {
        matches!(self.block, Block::Failed | Block::Lost)
    }

    /// Whether something was written.
    pub fn has_written(&self) -> bool {
        !matches!(self.writing, Writing::Nothing)
    }

    /// Whether its reads are all of one snapshot, which has been taken.
    pub fn holds_snapshot(&self) -> bool {
        self.snapshot.is_some()
    }

    /// The isolation level.
    pub fn isolation(&self) -> Isolation {
        self.isolation
    }

    /// Whether writes are refused.
    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// Refuses a statement that may not run: after a failure only what ends the transaction, or goes
    /// back, may (25P02).
    pub fn check_accepts(&self, kind: &StatementKind) -> Result<(), Failure> {
        let ends = matches!(
            kind,
            StatementKind::Commit { .. }
                | StatementKind::Rollback { .. }
                | StatementKind::RollbackTo { .. }
                | StatementKind::Empty
        );
        if self.is_failed() && !ends {
            return Err(aborted());
        }
        Ok(())
    }

    /// Refuses what can't be undone with a transaction (25001).
    pub fn check_outside_block(&self, what: &str) -> Result<(), Failure> {
        if self.is_explicit() || self.has_written() {
            return Err(Failure::new(
                SqlState::ACTIVE_SQL_TRANSACTION,
                format!("{what} cannot run inside a transaction block"),
            ));
        }
        Ok(())
    }

    /// Refuses what means nothing without BEGIN (25P01).
    pub fn check_in_block(&self, what: &str) -> Result<(), Failure> {
        if self.is_explicit() {
            return Ok(());
        }
        Err(Failure::new(
            SqlState::NO_ACTIVE_SQL_TRANSACTION,
            format!("{what} can only be used in transaction blocks"),
        ))
    }

    /// BEGIN. What ran before in the same simple query belongs to the transaction.
    pub fn begin(
        &mut self,
        settings: &Settings,
        modes: TransactionModes,
        on_slave: bool,
    ) -> Result<(), Failure> {
        if !self.has_written() {
            self.reset(settings);
        }
        self.set_modes(modes, on_slave)?;
        self.block = Block::Open;
        Ok(())
    }

    /// Isolation level and access of the transaction.
    ///
    /// Errors: 25001 when it is too late for another level, 25006 where the server is a slave.
    pub fn set_modes(&mut self, modes: TransactionModes, on_slave: bool) -> Result<(), Failure> {
        if let Some(isolation) = modes.isolation {
            if self.started && isolation != self.isolation {
                return Err(Failure::new(
                    SqlState::ACTIVE_SQL_TRANSACTION,
                    "SET TRANSACTION ISOLATION LEVEL must be called before any query",
                ));
            }
            self.isolation = isolation;
        }
        match modes.read_only {
            Some(false) if on_slave => Err(Failure::new(
                SqlState::READ_ONLY_SQL_TRANSACTION,
                "cannot set transaction read-write mode: this server is a slave",
            )),
            Some(read_only) => {
                self.read_only = read_only;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// A read begins.
    pub fn read(&mut self, scope: Scope<'_>) -> Result<(), Failure> {
        self.settle(scope)?;
        let holds = self.isolation != Isolation::ReadCommitted
            && self.is_explicit()
            && !self.has_written()
            && self.snapshot.is_none();
        if holds {
            let snapshot = scope.database.store().snapshot_durable();
            self.snapshot = Some(snapshot.commit());
            scope.sqlite.pin_snapshot(Some(snapshot));
        }
        self.started = true;
        Ok(())
    }

    /// A write begins: it has the permit when this returns.
    pub fn write(&mut self, scope: Scope<'_>) -> Result<(), Failure> {
        self.started = true;
        self.settle(scope)?;
        if self.has_written() {
            return Ok(());
        }
        self.take_permit(scope)
    }

    /// Whether the change can run without the permit first.
    pub fn is_optimistic(&self, prepared: &Prepared, values: &[SqlValue]) -> bool {
        let room = match &self.writing {
            Writing::Nothing => true,
            Writing::Optimistic(run) => run.has_room_for(values),
            Writing::Permitted(_) => false,
        };
        room && self.is_explicit()
            && self.isolation == Isolation::ReadCommitted
            && self.savepoints.is_empty()
            && !self.deferred
            && self.conflicts < MAX_CONFLICTS
            && OptimisticRun::suits(prepared)
    }

    /// A change begins that runs without the permit first.
    pub fn write_optimistic(&mut self, scope: Scope<'_>) -> Result<(), Failure> {
        self.started = true;
        if !self.has_written() {
            let run = OptimisticRun::begin(scope.sqlite, scope.database)?;
            self.writing = Writing::Optimistic(run);
        }
        Ok(())
    }

    /// Runs a change whose write has begun; gives the number of changed rows.
    pub fn change(
        &mut self,
        sqlite: &Sqlite,
        prepared: &Rc<Prepared>,
        values: &Rc<[SqlValue]>,
    ) -> Result<u64, Failure> {
        if let Writing::Optimistic(run) = &mut self.writing {
            return run.run(sqlite, prepared, values);
        }
        sequences::make_ready(sqlite, &prepared.statement.sequences)?;
        sqlite.change(prepared.text(), values)
    }

    /// Runs again with the permit what has run without; nothing to do when nothing has.
    pub fn settle(&mut self, scope: Scope<'_>) -> Result<(), Failure> {
        let run = match std::mem::take(&mut self.writing) {
            Writing::Optimistic(run) => run,
            other => {
                self.writing = other;
                return Ok(());
            }
        };
        scope.sqlite.rollback()?;
        self.take_permit(scope)?;
        let repeated = run.repeat(scope.sqlite);
        self.conflicts = if repeated.is_ok() {
            0
        } else {
            self.conflicts + 1
        };
        repeated
    }

    /// COMMIT in SQLite; gives the permit with which what was written goes to the log, `None` when
    /// nothing was written. After an error the transaction is to be rolled back.
    pub fn commit(&mut self, scope: Scope<'_>) -> Result<Option<Permit>, Failure> {
        self.settle(scope)?;
        let Writing::Permitted(permit) = std::mem::take(&mut self.writing) else {
            return Ok(None);
        };
        let committed =
            sequences::write_borders(scope.sqlite).and_then(|()| scope.sqlite.run("COMMIT"));
        if let Err(failure) = committed {
            self.writing = Writing::Permitted(permit);
            return Err(failure);
        }
        Ok(Some(permit))
    }

    /// A statement of the block has failed: nothing more runs until the client ends the block or
    /// goes back to a savepoint; what was written is undone at once.
    pub fn fail(&mut self, sqlite: &Sqlite) {
        if self.is_failed() {
            return;
        }
        self.block = Block::Failed;
        if self.savepoints.is_empty() {
            self.undo(sqlite);
        } else if self.has_written() && !self.savepoints.go_back_to_last(sqlite) {
            self.block = Block::Lost;
            self.undo(sqlite);
        } else {
            sqlite.schema().clear();
        }
    }

    /// Rolls SQLite back and gives the permit to the next writer.
    pub fn undo(&mut self, sqlite: &Sqlite) {
        let writing = std::mem::take(&mut self.writing);
        if matches!(writing, Writing::Nothing) {
            return;
        }
        if let Err(failure) = sqlite.rollback() {
            tracing::error!(%failure, "SQLite refused to roll back");
        }
        if matches!(writing, Writing::Permitted(_)) {
            // What was read of the schema may have been this transaction's own.
            sqlite.schema().clear();
        }
    }

    /// Back to the state between two transactions.
    pub fn end(&mut self, scope: Scope<'_>) {
        if self.snapshot.is_some() {
            scope.sqlite.pin_snapshot(None);
        }
        self.reset(scope.settings);
    }

    /// What the block has done is lost: the client has to end it.
    pub fn lose(&mut self) {
        self.block = Block::Failed;
    }

    /// SAVEPOINT.
    pub fn savepoint(&mut self, scope: Scope<'_>, name: &str) -> Result<(), Failure> {
        self.check_in_block("SAVEPOINT")?;
        self.settle(scope)?;
        let open = self.has_written().then_some(scope.sqlite);
        self.savepoints.push(name, open)
    }

    /// RELEASE SAVEPOINT.
    pub fn release(&mut self, scope: Scope<'_>, name: &str) -> Result<(), Failure> {
        self.check_in_block("RELEASE SAVEPOINT")?;
        let open = self.has_written().then_some(scope.sqlite);
        self.savepoints.release(name, open)
    }

    /// ROLLBACK TO SAVEPOINT.
    pub fn rollback_to(&mut self, scope: Scope<'_>, name: &str) -> Result<(), Failure> {
        self.check_in_block("ROLLBACK TO SAVEPOINT")?;
        self.savepoints.find(name)?;
        if self.block == Block::Lost {
            return Err(aborted().detail("The failure has undone the whole transaction."));
        }
        let open = self.has_written().then_some(scope.sqlite);
        self.savepoints.go_back(name, open)?;
        scope.sqlite.schema().clear();
        self.block = Block::Open;
        Ok(())
    }

    /// SET CONSTRAINTS for the rest of the transaction.
    pub fn defer_constraints(&mut self, scope: Scope<'_>, deferred: bool) -> Result<(), Failure> {
        self.settle(scope)?;
        self.deferred = deferred;
        if !self.has_written() {
            return Ok(());
        }
        scope.sqlite.run(if deferred {
            "PRAGMA defer_foreign_keys = ON"
        } else {
            "PRAGMA defer_foreign_keys = OFF"
        })
    }

    /// Waits for the permit and begins SQLite's transaction on the newest commit.
    fn take_permit(&mut self, scope: Scope<'_>) -> Result<(), Failure> {
        let permit = scope.wait_for_permit()?;
        if let Some(snapshot) = self.snapshot {
            if scope.database.store().latest().0 != snapshot {
                return Err(conflict());
            }
            scope.sqlite.pin_snapshot(None);
        }
        scope.sqlite.begin(WriteMode::Permit)?;
        // SQLite hears now what the client has said before.
        let mut told = self.savepoints.hand_to(scope.sqlite);
        if self.deferred && told.is_ok() {
            told = scope.sqlite.run("PRAGMA defer_foreign_keys = ON");
        }
        if let Err(failure) = told {
            scope.sqlite.rollback()?;
            return Err(failure);
        }
        self.writing = Writing::Permitted(permit);
        Ok(())
    }

    fn reset(&mut self, settings: &Settings) {
        *self = Self {
            conflicts: self.conflicts,
            ..Self::new(settings)
        };
    }
}

/// The refusal of everything else after a failure.
pub(super) fn aborted() -> Failure {
    Failure::new(
        SqlState::IN_FAILED_SQL_TRANSACTION,
        "current transaction is aborted, commands ignored until end of transaction block",
    )
}
