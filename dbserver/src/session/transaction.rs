//! A session's transaction.
//!
//! READ COMMITTED: BEGIN is only remembered. Each read before the first change runs on a snapshot of its own. Changes run
//! on a private snapshot, without the write permit, and lock the rows that they change; a statement whose rows somebody
//! else has changed waits for them, and runs on the newest state. COMMIT waits for the permit, brings the changes onto the
//! newest commit, takes the pages that were written out of the handle, queues them for the log, which gives the permit to
//! the next writer, and waits for the disk ([`working`](crate::session::working) has the details).
//!
//! REPEATABLE READ holds the snapshot of its first statement, and fails where a row that it changes was changed by
//! somebody else since. SERIALIZABLE may write when nothing at all was committed after its snapshot.

use dialect::{Isolation, StatementKind, TransactionModes};
use pagestore::CommitNumber;
use pgwire::messages::response::TransactionStatus;

use crate::databases::locks::{Mode, TableMode, Thing};
use crate::failure::Failure;
use crate::session::barrier::Barrier;
use crate::session::block_state::Block;
use crate::session::change::{Attempt, Change, Changed};
use crate::session::constraints::{self, Constraints};
use crate::session::modes::Modes;
use crate::session::prepared::Prepared;
use crate::session::refusals::{aborted, conflict, in_block, locked, outside_block};
use crate::session::row_locks::Needed;
use crate::session::savepoints::Savepoints;
use crate::session::scope::Scope;
use crate::session::settings::Settings;
use crate::session::sqlite::Sqlite;
use crate::session::working::{Ready, Terms, Working};
use crate::session::{lost_work, sequences};

/// Where a session is in its transaction.
pub struct Transaction {
    block: Block,
    modes: Modes,
    /// A statement has run: the isolation level is settled.
    started: bool,
    savepoints: Savepoints,
    /// What REPEATABLE READ reads.
    snapshot: Option<CommitNumber>,
    /// SET CONSTRAINTS: which foreign keys are checked at COMMIT; and what it was at each savepoint.
    constraints: Constraints,
    constraints_at: Vec<Constraints>,
    working: Working,
}

impl Transaction {
    /// The state between two transactions.
    pub fn new(settings: &Settings) -> Self {
        Self {
            block: Block::None,
            modes: Modes::new(settings),
            started: false,
            savepoints: Savepoints::default(),
            snapshot: None,
            constraints: Constraints::default(),
            constraints_at: Vec::new(),
            working: Working::default(),
        }
    }

    /// What `ReadyForQuery` tells.
    pub fn status(&self) -> TransactionStatus {
        self.block.status()
    }

    /// Whether the client said BEGIN.
    pub fn is_explicit(&self) -> bool {
        self.block != Block::None
    }

    /// Whether a statement of the block has failed.
    pub fn is_failed(&self) -> bool {
        self.block.is_failed()
    }

    /// Whether something was written.
    pub fn has_written(&self) -> bool {
        !self.working.is_nothing()
    }

    /// How many savepoints there are.
    pub fn depth(&self) -> usize {
        self.savepoints.len()
    }

    /// Whether its reads are all of one snapshot, which has been taken.
    pub fn holds_snapshot(&self) -> bool {
        self.snapshot.is_some()
    }

    /// The isolation level.
    pub fn isolation(&self) -> Isolation {
        self.modes.isolation
    }

    /// Whether writes are refused.
    pub fn is_read_only(&self) -> bool {
        self.modes.read_only
    }

    /// Whether it said DEFERRABLE.
    pub fn is_deferrable(&self) -> bool {
        self.modes.deferrable
    }

    /// Refuses a statement that may not run: after a failure only what ends the transaction, or goes
    /// back, may (25P02).
    pub fn check_accepts(&self, kind: &StatementKind) -> Result<(), Failure> {
        self.block.check_accepts(kind)
    }

    /// Refuses what can't be undone with a transaction (25001).
    pub fn check_outside_block(&self, what: &str) -> Result<(), Failure> {
        if self.is_explicit() || self.has_written() {
            return Err(in_block(what));
        }
        Ok(())
    }

    /// Refuses what means nothing without BEGIN (25P01).
    pub fn check_in_block(&self, what: &str) -> Result<(), Failure> {
        if self.is_explicit() {
            return Ok(());
        }
        Err(outside_block(what))
    }

    /// BEGIN. What ran before in the same simple query belongs to the transaction.
    pub fn begin(
        &mut self,
        settings: &Settings,
        modes: TransactionModes,
        barrier: Option<Barrier>,
    ) -> Result<(), Failure> {
        if !self.has_written() {
            self.reset(settings);
        }
        self.set_modes(modes, barrier)?;
        self.block = Block::Open;
        Ok(())
    }

    /// Isolation level and access of the transaction.
    ///
    /// Errors: 25001 when it is too late for another, 25006 where nothing can be written.
    pub fn set_modes(
        &mut self,
        modes: TransactionModes,
        barrier: Option<Barrier>,
    ) -> Result<(), Failure> {
        self.modes.change(modes, self.started, barrier)
    }

    /// Whether a read will end SQLite's transaction, to begin it again on a newer commit.
    pub fn read_renews(&self, scope: Scope<'_>) -> bool {
        !self.holds_snapshot() && self.working.is_stale(scope)
    }

    /// A read begins.
    pub fn read(&mut self, scope: Scope<'_>) -> Result<(), Failure> {
        self.take_snapshot(scope);
        self.started = true;
        let locked = scope.locks.owner().is_used() && !self.holds_snapshot();
        if self.has_written() || locked {
            // It sees what it has done, and what was committed before it got its locks.
            return self
                .working
                .enter_private(scope, &self.savepoints, self.terms(), true);
        }
        Ok(())
    }

    /// REPEATABLE READ and SERIALIZABLE read what their first statement reads.
    fn take_snapshot(&mut self, scope: Scope<'_>) {
        let holds = self.modes.isolation != Isolation::ReadCommitted
            && self.is_explicit()
            && !self.has_written()
            && self.snapshot.is_none();
        if holds {
            let durable = scope.database.store().horizon().durable();
            scope.locks.owner().remember_since(durable);
            let snapshot = scope.sqlite.snapshot();
            scope.locks.owner().reads(snapshot.commit());
            self.snapshot = Some(snapshot.commit());
            scope.sqlite.pin_snapshot(Some(snapshot));
        }
    }

    fn terms(&self) -> Terms {
        Terms {
            one_snapshot: self.snapshot.is_some(),
            deferred: self.constraints.defers(),
            nested: !self.savepoints.is_empty(),
        }
    }

    /// A write begins that is more than changes of rows: it has these locks and the permit when this returns.
    pub fn write(&mut self, scope: Scope<'_>, needed: &[Needed]) -> Result<(), Failure> {
        let bound = self.is_bound();
        self.enter_permitted(scope)?;
        while let Some(blocked) = scope.locks.first_blocked(needed) {
            if bound {
                return Err(conflict());
            }
            self.working.wait(scope, blocked)?;
            self.enter_permitted(scope)?;
        }
        scope.locks.add_to(needed);
        self.working.mark_incomplete();
        Ok(())
    }

    /// The same for a statement that defines tables anew. It does not wait for those who have changed rows of them, and
    /// keeps those away who come later, so that they wait before they change rows and not with their COMMIT.
    pub fn define(
        &mut self,
        scope: Scope<'_>,
        needed: &[Needed],
        mode: TableMode,
    ) -> Result<(), Failure> {
        self.write(scope, needed)?;
        // Who is in the way gets 40001 at COMMIT: what it has changed is of a table that is no more.
        scope.locks.take_what_is_free(needed, Mode::Table(mode));
        Ok(())
    }

    /// What a SERIALIZABLE transaction has done before is true of one state only.
    fn is_bound(&self) -> bool {
        self.modes.isolation == Isolation::Serializable
            && (self.has_written() || self.holds_snapshot())
    }

    /// Runs a statement that changes or locks rows, as often as it takes.
    pub fn change(
        &mut self,
        scope: Scope<'_>,
        prepared: &Prepared,
        mut run: impl FnMut() -> Result<u64, Failure>,
    ) -> Result<Changed, Failure> {
        let change = Change::of(prepared);
        // A statement by itself commits at once: it runs with the permit, unless others would wait for it meanwhile.
        let beside = self.is_explicit()
            || !prepared.statement.writes
            || (change.by_key && scope.database.is_being_written());
        let mut private = beside
            && self.modes.isolation != Isolation::Serializable
            && self.constraints.is_default()
            && !change.opaque;
        let mut newest = !change.by_key;
        let bound = self.is_bound();
        loop {
            if private && self.working.has_room() {
                self.take_snapshot(scope);
                self.started = true;
                let (savepoints, terms) = (&self.savepoints, self.terms());
                self.working
                    .enter_private(scope, savepoints, terms, newest)?;
            } else {
                self.enter_permitted(scope)?;
            }
            // While it waited somebody may have changed the definitions that it was translated for.
            scope.sqlite.refresh_schema()?;
            if prepared.generation != scope.sqlite.schema().generation() {
                scope.interrupt.check()?;
                return Ok(Changed::SchemaMoved);
            }
            let terms = self.terms();
            match self.working.attempt(scope, terms, change, &mut run)? {
                Attempt::Done(rows) => {
                    self.check_constraints(scope)?;
                    return Ok(Changed::Rows(rows));
                }
                Attempt::Again if bound => return Err(conflict()),
                Attempt::Again => {
                    scope.interrupt.check()?;
                    newest = true;
                }
                Attempt::NeedsPermit => private = false,
            }
        }
    }

    fn enter_permitted(&mut self, scope: Scope<'_>) -> Result<(), Failure> {
        self.started = true;
        if self.working.is_permitted() {
            return Ok(());
        }
        let is_old = |snapshot: &CommitNumber| scope.database.store().latest().0 > *snapshot;
        if self.snapshot.as_ref().is_some_and(is_old) {
            return Err(conflict());
        }
        let (savepoints, terms) = (&self.savepoints, self.terms());
        self.working.enter_permitted(scope, savepoints, terms)?;
        // Somebody may have been faster.
        if self.snapshot.as_ref().is_some_and(is_old) {
            return Err(conflict());
        }
        Ok(())
    }

    /// LOCK TABLE.
    pub fn lock_table(
        &mut self,
        scope: Scope<'_>,
        table: &str,
        mode: TableMode,
        nowait: bool,
    ) -> Result<(), Failure> {
        self.started = true;
        let needed = Needed {
            thing: Thing::table(table),
            mode: Mode::Table(mode),
        };
        let free = scope.locks.owner().try_lock(needed.thing, needed.mode);
        if free.is_ok() {
            return Ok(());
        }
        if nowait {
            return Err(locked(table));
        }
        if self.modes.isolation == Isolation::Serializable && self.working.is_permitted() {
            return Err(conflict());
        }
        self.working.wait(scope, needed)?;
        let (savepoints, terms) = (&self.savepoints, self.terms());
        self.working.resume(scope, savepoints, terms)
    }

    /// COMMIT in SQLite; gives what goes to the log, `None` when nothing was written. After an error the transaction is
    /// to be rolled back.
    pub fn commit(&mut self, scope: Scope<'_>) -> Result<Option<Ready>, Failure> {
        let of_lost = scope.sqlite.lost().is_begun();
        if !self.working.has_changes() && !sequences::have_moved(scope.sqlite) && !of_lost {
            return Ok(None);
        }
        let (savepoints, terms) = (&self.savepoints, self.terms());
        if !sequences::must_write_borders(scope.sqlite) && !of_lost {
            let offered = self.working.offer(scope, savepoints, terms);
            if let Some(ready) = offered.map_err(|e| constraints::explained(scope.sqlite, e))? {
                return Ok(Some(ready));
            }
        }
        self.working.enter_permitted(scope, savepoints, terms)?;
        let committed = sequences::write_borders(scope.sqlite)
            .and_then(|()| lost_work::write(scope.sqlite))
            .and_then(|()| scope.sqlite.run("COMMIT"));
        let permit = self.working.take_permit();
        match (committed, permit) {
            (Ok(()), permit) => Ok(permit.map(|permit| Ready {
                permit,
                pages: scope.sqlite.take_write_set(),
            })),
            (Err(failure), permit) => {
                if let Some(permit) = permit {
                    self.working.put_back(permit);
                }
                Err(constraints::explained(scope.sqlite, failure))
            }
        }
    }

    /// A statement of the block has failed: nothing more runs until the client ends the block or
    /// goes back to a savepoint; what was written is undone at once.
    pub fn fail(&mut self, scope: Scope<'_>) {
        if self.is_failed() {
            return;
        }
        self.block = Block::Failed;
        let last = self.savepoints.last();
        match last {
            None => self.undo(scope),
            Some(last) if self.working.go_back(scope, &self.savepoints, last).is_err() => {
                self.block = Block::Lost;
                self.undo(scope);
            }
            Some(_) => scope.sqlite.schema().clear(),
        }
    }

    /// Rolls SQLite back and gives the locks and the permit to those who wait.
    pub fn undo(&mut self, scope: Scope<'_>) {
        let working = std::mem::take(&mut self.working);
        if !working.is_nothing() {
            if let Err(failure) = scope.sqlite.rollback() {
                tracing::error!(%failure, "SQLite refused to roll back");
            }
            if working.is_permitted() {
                // What was read of the schema may have been this transaction's own.
                scope.sqlite.schema().clear();
            }
        }
        drop(working);
        let durable = scope.database.store().horizon().durable();
        scope.locks.owner().release(None, durable);
        scope.locks.advisory().end_transaction();
    }

    /// Back to the state between two transactions.
    pub fn end(&mut self, scope: Scope<'_>) {
        self.undo(scope);
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
        let rows = self.working.layer(scope)?;
        if self.has_written() {
            scope
                .sqlite
                .run(&format!("SAVEPOINT s{}", self.savepoints.len()))?;
        }
        self.savepoints.push(name, rows);
        self.constraints_at.push(self.constraints.clone());
        Ok(())
    }

    /// RELEASE SAVEPOINT.
    pub fn release(&mut self, scope: Scope<'_>, name: &str) -> Result<(), Failure> {
        self.check_in_block("RELEASE SAVEPOINT")?;
        let depth = self.savepoints.find(name)?;
        if self.has_written() {
            scope.sqlite.run(&format!("RELEASE s{depth}"))?;
        }
        self.savepoints.truncate(depth);
        self.constraints_at.truncate(depth);
        Ok(())
    }

    /// ROLLBACK TO SAVEPOINT.
    pub fn rollback_to(&mut self, scope: Scope<'_>, name: &str) -> Result<(), Failure> {
        self.check_in_block("ROLLBACK TO SAVEPOINT")?;
        let depth = self.savepoints.find(name)?;
        if self.block == Block::Lost {
            return Err(aborted().detail("The failure has undone the whole transaction."));
        }
        self.working.go_back(scope, &self.savepoints, depth)?;
        self.savepoints.truncate(depth + 1);
        self.constraints_at.truncate(depth + 1);
        if let Some(then) = self.constraints_at.last() {
            let changed = then.defers() != self.constraints.defers();
            self.constraints = then.clone();
            if changed && self.working.is_permitted() {
                self.tell_sqlite(scope.sqlite)?;
            }
        }
        scope.sqlite.schema().clear();
        self.block = Block::Open;
        Ok(())
    }

    /// SET CONSTRAINTS for the rest of the transaction.
    ///
    /// Errors: 23503 when what must hold from now on does not, 42704, 42809.
    pub fn set_constraints(
        &mut self,
        scope: Scope<'_>,
        names: Option<&[String]>,
        deferred: bool,
    ) -> Result<(), Failure> {
        self.constraints.set(scope.sqlite, names, deferred)?;
        if !self.has_written() {
            return Ok(());
        }
        // The keys that may wait are looked after on the transaction that will be committed.
        self.enter_permitted(scope)?;
        self.working.mark_incomplete();
        self.tell_sqlite(scope.sqlite)?;
        self.check_constraints(scope)
    }

    fn tell_sqlite(&self, sqlite: &Sqlite) -> Result<(), Failure> {
        sqlite.defer_foreign_keys(self.constraints.defers())
    }

    /// A change is done: foreign keys that may not wait hold, whatever SQLite was told.
    pub fn check_constraints(&self, scope: Scope<'_>) -> Result<(), Failure> {
        if self.has_written() {
            self.constraints.check(scope.sqlite)
        } else {
            Ok(())
        }
    }

    fn reset(&mut self, settings: &Settings) {
        *self = Self::new(settings);
    }
}
