//! How a transaction writes: for itself first, with the database's write permit at the end.
//!
//! | state | SQLite's transaction | left by |
//! | --- | --- | --- |
//! | nothing | none | the first change |
//! | private | on a snapshot of its own; must not commit | COMMIT, or a statement that can't be carried over |
//! | offered | none: it has committed for itself | COMMIT, or a conflict of pages |
//! | permitted | the one that will be committed | COMMIT, or a wait for a lock |
//!
//! What was done is in [`Changes`], so that it can be carried from one of SQLite's transactions into the next: to a newer
//! snapshot, or under the permit. Nobody waits for a lock while holding the permit, so who waits for the permit never
//! waits in a circle.
//!
//! At COMMIT the pages of a private transaction are brought onto the newest commit ([`Working::offer`]); where pages do
//! not tell enough, its rows are made again there, with the permit.

use pagestore::CommitNumber;
use pgtypes::SqlState;
use sqlitevfs::{WriteMode, WriteSet};

use crate::databases::locks::{Mode, TableMode, Thing};
use crate::databases::permit::{Permit, UnderWay};
use crate::error::EngineError;
use crate::failure::Failure;
use crate::session::change::{Attempt, Change};
use crate::session::changes::{Captured, Changes, Touched};
use crate::session::refusals::conflict;
use crate::session::row_locks::{Needed, Obstacle};
use crate::session::savepoints::Savepoints;
use crate::session::scope::Scope;

/// Rows that are carried over; with more, waiting for the permit costs less.
const MAX_CARRIED: usize = 500;

/// By which right SQLite's transaction is open.
#[derive(Default)]
enum Writing {
    #[default]
    Nothing,
    /// The log writer may wait a moment for this transaction to share its sync.
    Private(Option<UnderWay>),
    /// SQLite has committed, for itself: its pages wait for the permit.
    Offered,
    Permitted(Permit),
}

/// What SQLite has committed, and the permit with which it goes to the log.
pub struct Ready {
    pub(super) permit: Permit,
    /// `None`: nothing is changed after all.
    pub(super) pages: Option<WriteSet>,
}

/// What a transaction has written.
#[derive(Default)]
pub(super) struct Working {
    writing: Writing,
    changes: Changes,
    /// Something was done that `changes` does not tell: definitions, too many rows.
    incomplete: bool,
    /// `changes` were made again on a newer snapshot: foreign keys have not been looked at since.
    carried: bool,
    /// What is to be made again when SQLite's next transaction begins.
    waiting: Option<Captured>,
}

/// What a transaction is, beside what it has written.
#[derive(Clone, Copy)]
pub(super) struct Terms {
    /// All of it reads one snapshot.
    pub(super) one_snapshot: bool,
    /// Foreign keys are checked at COMMIT.
    pub(super) deferred: bool,
    /// It has savepoints.
    pub(super) nested: bool,
}

impl Working {
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self.writing, Writing::Nothing) && self.waiting.is_none()
    }

    pub(super) fn is_private(&self) -> bool {
        matches!(self.writing, Writing::Private(_))
    }

    pub(super) fn is_permitted(&self) -> bool {
        matches!(self.writing, Writing::Permitted(_))
    }

    /// Whether one more change may run without the permit.
    pub(super) fn has_room(&self) -> bool {
        !self.is_permitted() && !self.incomplete && self.changes.len() < MAX_CARRIED
    }

    /// Something is done that can't be carried over.
    pub(super) fn mark_incomplete(&mut self) {
        self.incomplete = true;
    }

    /// Whether something was committed after the snapshot that SQLite's transaction reads.
    pub(super) fn is_stale(&self, scope: Scope<'_>) -> bool {
        // The snapshot may have a later number: that of a commit to another database.
        self.is_private()
            && scope.sqlite.snapshot_commit() < Some(scope.database.store().latest().0)
    }

    /// Opens SQLite's transaction without the permit; on the newest commit, if `newest`.
    pub(super) fn enter_private(
        &mut self,
        scope: Scope<'_>,
        savepoints: &Savepoints,
        terms: Terms,
        newest: bool,
    ) -> Result<(), Failure> {
        match self.writing {
            Writing::Nothing => self.begin_private(scope, savepoints, terms),
            Writing::Private(_) if newest && self.is_stale(scope) => {
                self.take_along(scope)?;
                self.begin_private(scope, savepoints, terms)
            }
            Writing::Private(_) | Writing::Offered | Writing::Permitted(_) => Ok(()),
        }
    }

    fn begin_private(
        &mut self,
        scope: Scope<'_>,
        savepoints: &Savepoints,
        terms: Terms,
    ) -> Result<(), Failure> {
        if !terms.one_snapshot {
            let since = scope.database.store().latest().0;
            scope.locks.owner().remember_since(since);
        }
        scope.sqlite.begin(WriteMode::Private)?;
        self.writing = Writing::Private(Some(scope.database.announce_write()));
        self.make_again(scope, savepoints, terms)
    }

    /// Waits for the permit and opens the transaction that will be committed.
    pub(super) fn enter_permitted(
        &mut self,
        scope: Scope<'_>,
        savepoints: &Savepoints,
        terms: Terms,
    ) -> Result<(), Failure> {
        if self.is_permitted() {
            return Ok(());
        }
        if let Writing::Private(counted) = &mut self.writing {
            // Who waits for the permit, or has it, is counted there.
            drop(counted.take());
        }
        let permit = scope.wait_for_permit()?;
        if self.is_private() {
            if !self.carried && !self.is_stale(scope) {
                // Nobody has committed since: it is on the newest state already.
                scope.sqlite.promote();
                self.writing = Writing::Permitted(permit);
                return Ok(());
            }
            self.take_along(scope)?;
        }
        self.begin_permitted(scope, savepoints, terms, permit)
    }

    fn begin_permitted(
        &mut self,
        scope: Scope<'_>,
        savepoints: &Savepoints,
        terms: Terms,
        permit: Permit,
    ) -> Result<(), Failure> {
        scope.sqlite.pin_snapshot(None);
        scope.sqlite.begin(WriteMode::Permit)?;
        self.writing = Writing::Permitted(permit);
        self.make_again(scope, savepoints, terms)
    }

    /// COMMIT of a private transaction by its pages: SQLite commits before the permit is waited for, and with the permit
    /// the pages are only brought onto the newest commit. `None` where the rows have to be made again: what was
    /// committed is withdrawn then, and SQLite's transaction is open with the permit.
    ///
    /// Errors: SQLite's, 57014, 55P03; the transaction is to be rolled back.
    pub(super) fn offer(
        &mut self,
        scope: Scope<'_>,
        savepoints: &Savepoints,
        terms: Terms,
    ) -> Result<Option<Ready>, Failure> {
        let by_pages = !self.carried && !self.incomplete && !terms.deferred;
        if !(self.is_private() && by_pages && self.changes.are_independent()) {
            return Ok(None);
        }
        scope.sqlite.offer()?;
        self.writing = Writing::Offered;
        let permit = scope.wait_for_permit()?;
        if let Some(offer) = scope.sqlite.offered()
            && !scope.database.is_reshaped_after(offer.base())
        {
            let newest = scope.database.store().snapshot_latest();
            let pages = offer.onto(&newest).map_err(|e| EngineError::from(&e))?;
            if pages.is_some() {
                scope.sqlite.settle();
                self.writing = Writing::Nothing;
                return Ok(Some(Ready { permit, pages }));
            }
        }
        self.waiting = Some(self.changes.capture(scope.sqlite)?);
        scope.sqlite.withdraw();
        self.writing = Writing::Nothing;
        self.begin_permitted(scope, savepoints, terms, permit)?;
        Ok(None)
    }

    /// Ends SQLite's transaction, and keeps what it has done for the next one.
    fn take_along(&mut self, scope: Scope<'_>) -> Result<(), Failure> {
        if !self.changes.is_empty() {
            self.waiting = Some(self.changes.capture(scope.sqlite)?);
        }
        self.writing = Writing::Nothing;
        scope.sqlite.rollback()
    }

    /// SQLite's new transaction hears what the client has said before, and gets what the transaction has done.
    fn make_again(
        &mut self,
        scope: Scope<'_>,
        savepoints: &Savepoints,
        terms: Terms,
    ) -> Result<(), Failure> {
        let sqlite = scope.sqlite;
        let waiting = self.waiting.take();
        if waiting.is_some() {
            sqlite.refresh_schema()?;
        }
        let mut made = self.make_in_order(scope, savepoints, waiting.as_ref(), terms.deferred);
        if !terms.deferred && made.as_ref().is_err_and(breaks_a_reference) {
            // Rows come in the order in which they were touched, which need not be that of their references. To have
            // SQLite check them later costs that it prepares all its statements anew, so that it is the second try.
            sqlite.rollback()?;
            sqlite.begin(if self.is_private() {
                WriteMode::Private
            } else {
                WriteMode::Permit
            })?;
            made = self.make_in_order(scope, savepoints, waiting.as_ref(), true);
            if made.is_ok() && self.is_private() {
                sqlite.defer_foreign_keys(false)?;
            }
        }
        self.carried |= waiting.is_some();
        sqlite.changed_rows().take();
        let snapshot = sqlite.snapshot_commit().unwrap_or(CommitNumber::ZERO);
        scope.locks.owner().reads(snapshot);
        made
    }

    fn make_in_order(
        &mut self,
        scope: Scope<'_>,
        savepoints: &Savepoints,
        waiting: Option<&Captured>,
        deferred: bool,
    ) -> Result<(), Failure> {
        let sqlite = scope.sqlite;
        if deferred {
            sqlite.defer_foreign_keys(true)?;
        }
        self.changes.begin();
        for (depth, rows) in savepoints.layers().enumerate() {
            self.changes.apply(sqlite, rows)?;
            sqlite.run(&format!("SAVEPOINT s{depth}"))?;
        }
        if let Some(rows) = waiting {
            self.changes.apply(sqlite, rows)?;
        }
        Ok(())
    }

    /// The rows as they are now, for a savepoint.
    pub(super) fn layer(&mut self, scope: Scope<'_>) -> Result<Captured, Failure> {
        if self.changes.is_empty() || matches!(self.writing, Writing::Nothing) {
            return Ok(Captured::new());
        }
        if self.incomplete || self.changes.len() > MAX_CARRIED {
            self.incomplete = true;
            return Ok(Captured::new());
        }
        self.changes.capture(scope.sqlite)
    }

    /// Runs a statement once, in the open transaction, and locks what it has changed.
    pub(super) fn attempt(
        &mut self,
        scope: Scope<'_>,
        terms: Terms,
        change: Change<'_>,
        run: &mut dyn FnMut() -> Result<u64, Failure>,
    ) -> Result<Attempt, Failure> {
        let sqlite = scope.sqlite;
        sqlite.changed_rows().take();
        // What can be read again needs no savepoint, which costs a copy of each page.
        let marked =
            self.incomplete || (!change.only_inserts && (terms.nested || !self.changes.is_empty()));
        if marked {
            sqlite.run("SAVEPOINT own")?;
        }
        let changed_before = sqlite.total_changes();
        let result = run();
        let touched = sqlite.changed_rows().take();
        // SQLite empties a table whole without a word of its rows. Such statements are opaque; none may slip through.
        let unseen = sqlite.total_changes() - changed_before > touched.told;
        let change = Change {
            opaque: change.opaque || unseen,
            ..change
        };
        let met = scope.locks.take_obstacle();
        let may_renew = !terms.one_snapshot && self.is_stale(scope);
        let obstacle = match (met, &result) {
            (Some(obstacle), _) => Some(obstacle),
            // The state that it failed on is not the newest; a row that it names may be there by now.
            (None, Err(_) | Ok(0)) if may_renew => Some(Obstacle::Changed),
            (None, Err(_)) => None,
            (None, Ok(_)) => match self.lock(scope, &touched, change)? {
                Locking::Done(obstacle) => obstacle,
                Locking::NeedsPermit => {
                    self.undo_attempt(scope, marked)?;
                    return Ok(Attempt::NeedsPermit);
                }
            },
        };
        match obstacle {
            Some(Obstacle::Changed) if terms.one_snapshot => Err(conflict()),
            Some(Obstacle::Changed | Obstacle::Grown)
                if !terms.one_snapshot && self.is_stale(scope) =>
            {
                self.undo_attempt(scope, marked)?;
                Ok(Attempt::Again)
            }
            Some(Obstacle::Blocked(needed)) => {
                self.undo_attempt(scope, marked)?;
                self.wait(scope, needed)?;
                Ok(Attempt::Again)
            }
            // What was committed to the row is in the snapshot after all, or was taken back.
            Some(Obstacle::Changed | Obstacle::Grown) | None => {
                let rows = result?;
                if marked {
                    sqlite.run("RELEASE own")?;
                }
                self.changes.add(sqlite, &touched)?;
                self.incomplete |= change.opaque || !touched.crowded.is_empty();
                Ok(Attempt::Done(rows))
            }
        }
    }

    /// Locks what was changed.
    fn lock(
        &mut self,
        scope: Scope<'_>,
        touched: &Touched,
        change: Change<'_>,
    ) -> Result<Locking, Failure> {
        let private = self.is_private();
        let known = self.changes.locks_for(scope.sqlite, touched)?;
        let hidden = known.is_none() || !touched.crowded.is_empty();
        if private && (hidden || change.opaque) {
            return Ok(Locking::NeedsPermit);
        }
        let mut needed = known.unwrap_or_default();
        if touched.told == 0 {
            needed = Needed::to_change(scope.sqlite, change.tables)?;
        }
        if hidden && (touched.lost_sight || needed.is_empty()) {
            // Nobody may have a row of the tables whose rows are not known.
            needed.extend(
                touched
                    .tables
                    .iter()
                    .filter(|table| !table.temporary)
                    .map(|table| Needed {
                        thing: Thing::table(&table.name),
                        mode: Mode::Table(TableMode::Exclusive),
                    }),
            );
        }
        let obstacle = scope.locks.take_all(&needed);
        if hidden && !touched.lost_sight {
            scope.locks.add_to(&needed);
        }
        Ok(Locking::Done(obstacle))
    }

    /// Takes back what the statement has done, and keeps what others have done before it.
    fn undo_attempt(&mut self, scope: Scope<'_>, marked: bool) -> Result<(), Failure> {
        if marked {
            scope.sqlite.run("ROLLBACK TO own")?;
            return scope.sqlite.run("RELEASE own");
        }
        self.take_along(scope)
    }

    /// Waits for a lock, without the permit.
    pub(super) fn wait(&mut self, scope: Scope<'_>, needed: Needed) -> Result<(), Failure> {
        if self.is_permitted() {
            if self.incomplete {
                let why = "The transaction has changed definitions or many rows, so it can't let others commit before it.";
                return Err(EngineError::Deadlock(why.to_owned()).into());
            }
            self.take_along(scope)?;
        }
        Ok(scope.locks.wait(needed, scope.wait_for_lock())?)
    }

    /// After a wait that no run of a statement follows: what was taken along is made again.
    pub(super) fn resume(
        &mut self,
        scope: Scope<'_>,
        savepoints: &Savepoints,
        terms: Terms,
    ) -> Result<(), Failure> {
        if matches!(self.writing, Writing::Nothing) && self.waiting.is_some() {
            return self.begin_private(scope, savepoints, terms);
        }
        Ok(())
    }

    /// Back to the savepoint at this depth.
    ///
    /// Errors: SQLite has given up the whole transaction by itself.
    pub(super) fn go_back(
        &mut self,
        scope: Scope<'_>,
        savepoints: &Savepoints,
        depth: usize,
    ) -> Result<(), Failure> {
        if !matches!(self.writing, Writing::Nothing) {
            return scope.sqlite.run(&format!("ROLLBACK TO s{depth}"));
        }
        if self.waiting.is_some() {
            self.waiting = savepoints.layer(depth).cloned();
        }
        Ok(())
    }

    /// The permit under which SQLite has committed.
    pub(super) fn take_permit(&mut self) -> Option<Permit> {
        match std::mem::take(&mut self.writing) {
            Writing::Permitted(permit) => Some(permit),
            Writing::Nothing | Writing::Private(_) | Writing::Offered => None,
        }
    }

    /// SQLite has refused to commit.
    pub(super) fn put_back(&mut self, permit: Permit) {
        self.writing = Writing::Permitted(permit);
    }

    /// Whether there is something to commit.
    pub(super) fn has_changes(&self) -> bool {
        self.is_permitted() || !self.changes.is_empty()
    }
}

/// What came of locking.
enum Locking {
    /// All is locked, but for an obstacle.
    Done(Option<Obstacle>),
    /// The rows are not known, so that they can't be carried over.
    NeedsPermit,
}

fn breaks_a_reference(failure: &Failure) -> bool {
    failure.sqlstate() == SqlState::FOREIGN_KEY_VIOLATION
}
