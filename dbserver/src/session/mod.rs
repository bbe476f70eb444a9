//! A client's session: its database, its SQLite connection, its transaction and its settings.
//!
//! Everything here runs on the session's own thread and may block: on the write permit, on the disk,
//! in a long query. Nobody else waits for it, except for the permit.
//!
//! ```text
//! command ─ block, set, named, server_object, maintenance     statements that SQLite does not see
//! execution ─ rebuild                                         statements that it does
//!    ▼
//! Session: what one client has, and the order in which its parts begin and end
//!    ├ Transaction ─ Working ─ Changes, Savepoints, RowLocks
//!    ├ Portals ─ Portal ─ Cursor       Statements ─ Prepared       Catalog, Notices, Settings
//!    └ Backend: the server's end ─ Sqlite ─ SchemaCache, functions, authorizer
//! ```

mod acting;
mod advisory_locks;
mod authorizer;
pub mod backend;
mod barrier;
mod block;
mod block_state;
mod bounds;
pub mod catalog;
mod change;
pub mod changes;
mod changing_with;
pub mod command;
mod constraints;
mod context;
pub mod copy;
pub mod cursor;
pub mod defaults;
pub mod execution;
mod explain;
pub mod forwarding;
mod frequent;
pub mod functions;
pub mod known_texts;
pub mod listening;
pub mod lost_work;
mod maintenance;
pub mod mapping;
mod modes;
mod named;
mod need;
mod noted_row;
mod notices;
mod own_place;
mod own_writes;
pub mod parameters;
pub mod portal;
mod portals;
pub mod prepared;
mod rebuild;
pub mod refusals;
mod relations;
pub mod reply;
pub mod rights;
mod role_changes;
pub mod roles;
pub mod row;
mod row_locks;
mod savepoints;
pub mod schema;
mod schema_cache;
mod scope;
mod scrolled;
mod search_path;
pub mod sequences;
mod server_object;
mod set;
mod setting_value;
pub mod settings;
pub mod sqlite;
mod statements;
mod sync_level;
mod temporary;
mod trail;
pub mod transaction;
mod translation;
mod usable;
mod user_types;
mod violated_key;
mod violated_row;
mod violation;
mod working;

use std::collections::BTreeMap;
use std::sync::Arc;

use dialect::{Notice, StatementKind, TransactionModes};
use pgtypes::SqlState;
use pgwire::messages::response::TransactionStatus;

use crate::clients::{Registered, StatementTimeout};
use crate::databases::locks::TableMode;
use crate::environment::{Environment, Seen};
use crate::error::EngineError;
use crate::failure::Failure;
use crate::session::backend::Backend;
use crate::session::catalog::Catalog;
use crate::session::forwarding::Forwarding;
use crate::session::known_texts::KnownTexts;
use crate::session::notices::Notices;
use crate::session::portals::Portals;
use crate::session::prepared::Prepared;
use crate::session::rights::Rights;
use crate::session::row_locks::Needed;
use crate::session::scope::Scope;
use crate::session::settings::Settings;
use crate::session::sqlite::Sqlite;
use crate::session::statements::Statements;
use crate::session::trail::Trail;
use crate::session::transaction::Transaction;
use crate::session::working::Ready;

/// One client's session.
pub struct Session {
    backend: Backend,
    settings: Settings,
    transaction: Transaction,
    /// Where its transactions run.
    forwarding: Forwarding,
    /// What the slave was told that it acts for.
    told_seen: Option<Seen>,
    /// What it has asked for, and this server has shown.
    shown: Option<Seen>,
    /// What it has run, for audit records.
    trail: Trail,
    portals: Portals,
    statements: Statements,
    known_texts: KnownTexts,
    notices: Notices,
    catalog: Catalog,
    rights: Rights,
}

impl Session {
    /// Opens the session's database.
    pub fn open(
        env: Arc<Environment>,
        registered: Registered,
        settings: Settings,
    ) -> Result<Self, Failure> {
        Ok(Self {
            backend: Backend::open(env, registered, &settings)?,
            transaction: Transaction::new(&settings),
            forwarding: Forwarding::default(),
            told_seen: None,
            shown: None,
            trail: Trail::default(),
            settings,
            portals: Portals::default(),
            statements: Statements::default(),
            known_texts: KnownTexts::default(),
            notices: Notices::default(),
            catalog: Catalog::default(),
            rights: Rights::default(),
        })
    }

    /// The server's end.
    pub fn backend(&self) -> &Backend {
        &self.backend
    }

    /// Where the session is in its transaction.
    pub fn transaction(&self) -> &Transaction {
        &self.transaction
    }

    /// The transaction, and what it works on.
    pub fn transaction_mut(&mut self) -> (&mut Transaction, Scope<'_>) {
        let scope = self.backend.scope(&self.settings);
        (&mut self.transaction, scope)
    }

    /// The parameters.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Changes parameters; everything that shows them follows.
    pub fn change_settings<T>(&mut self, change: impl FnOnce(&mut Settings) -> T) -> T {
        let result = change(&mut self.settings);
        self.show_settings();
        result
    }

    /// The open portals and cursors.
    pub fn portals(&mut self) -> &mut Portals {
        &mut self.portals
    }

    /// The prepared statements.
    pub fn statements(&mut self) -> &mut Statements {
        &mut self.statements
    }

    /// Messages for the client.
    pub fn notices(&mut self) -> &mut Notices {
        &mut self.notices
    }

    /// The messages since the last call that the client wants to see.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        self.notices.take(&self.settings)
    }

    /// The parameters of which the client is told before `ReadyForQuery`.
    pub fn take_changed_parameters(&mut self) -> BTreeMap<&'static str, String> {
        // The server's role may have changed since the client was told.
        let on_slave = self.backend.home().is_read_only();
        if self.settings.set_hot_standby(on_slave) {
            self.show_settings();
        }
        let mut changed = self.settings.take_changed();
        if let Some(seen) = self.news_of_commits() {
            changed.insert(parameters::SEEN, seen);
        } else if let Some(seen) = self.news_for_client() {
            changed.insert(parameters::LAST_COMMIT, seen);
        }
        changed
    }

    /// A statement begins: cancel requests and the time limit are for it.
    pub fn begin_statement(&mut self) -> Option<StatementTimeout> {
        let in_transaction = self.transaction.is_explicit();
        self.backend.begin_statement(&self.settings, in_transaction)
    }

    /// The statement is over.
    pub fn end_statement(&mut self) {
        self.backend.end_statement();
    }

    /// BEGIN.
    pub fn begin(&mut self, modes: TransactionModes) -> Result<(), Failure> {
        let barrier = self.backend.mode_barrier();
        self.transaction.begin(&self.settings, modes, barrier)
    }

    /// A statement begins that may change something: its commit says so in the log, where audit is on. `text` is what
    /// the client sent.
    pub fn note(&mut self, prepared: &Prepared, text: &str) {
        if !self.backend.home().config().forward_log.enable_audit {
            return;
        }
        let kind = &prepared.statement.kind;
        let changes = prepared.statement.writes
            || matches!(
                kind,
                StatementKind::Dml
                    | StatementKind::Ddl
                    | StatementKind::CopyIn { .. }
                    | StatementKind::Grant(_)
                    | StatementKind::ChangeOwner { .. }
                    | StatementKind::Analyze { .. }
                    | StatementKind::Reindex(_)
                    | StatementKind::Vacuum { .. }
            );
        let marks = matches!(
            kind,
            StatementKind::Savepoint { .. }
                | StatementKind::Release { .. }
                | StatementKind::RollbackTo { .. }
        );
        if changes || (marks && !self.trail.is_empty()) {
            self.trail.note(prepared.command(), text);
        }
    }

    /// A read begins.
    pub fn before_read(&mut self) -> Result<(), Failure> {
        self.check_usable()?;
        self.wait_for_written()?;
        self.wait_for_asked()?;
        let scope = self.backend.scope(&self.settings);
        if self.transaction.read_renews(scope) {
            self.portals.keep_all()?;
        }
        self.transaction.read(scope)
    }

    /// Refuses a write where none is possible; `what` is the command as the refusal names it.
    pub fn check_write(&mut self, what: &str) -> Result<(), Failure> {
        self.check_usable()?;
        self.wait_for_asked()?;
        if let Some(barrier) = self.backend.barrier() {
            let env = self.backend.env();
            barrier.check(what, || env.where_to_write())?;
        }
        if self.transaction.is_read_only() {
            return Err(Failure::new(
                SqlState::READ_ONLY_SQL_TRANSACTION,
                format!("cannot execute {what} in a read-only transaction"),
            ));
        }
        if self.backend.is_system() {
            return Err(Failure::new(
                SqlState::INSUFFICIENT_PRIVILEGE,
                "database \"system\" belongs to the server",
            )
            .hint("CREATE DATABASE makes one for your tables."));
        }
        self.portals.keep_all()
    }

    /// The same for a statement with all that it changes on its way.
    pub fn check_changes(&mut self, prepared: &Prepared, what: &str) -> Result<(), Failure> {
        let barrier = self.backend.barrier();
        if let Some(barrier) = barrier.filter(|barrier| !barrier.is_complete()) {
            let env = self.backend.env();
            prepared
                .commands_before()
                .try_for_each(|command| barrier.check(command, || env.where_to_write()))?;
        }
        self.check_write(what)
    }

    /// A write begins; `what` is the command as the refusal names it.
    pub fn before_write(&mut self, what: &str) -> Result<(), Failure> {
        self.before_write_to(what, &[])
    }

    /// The same of what is about these tables: who has locked one whole is waited for.
    pub fn before_write_to(&mut self, what: &str, tables: &[String]) -> Result<(), Failure> {
        self.check_write(what)?;
        let needed = Needed::to_change(self.backend.sqlite(), tables)?;
        let scope = self.backend.scope(&self.settings);
        self.transaction.write(scope, &needed)
    }

    /// A statement begins that defines these tables.
    pub fn before_definition(&mut self, prepared: &Prepared) -> Result<(), Failure> {
        self.check_write(prepared.command())?;
        let needed = Needed::to_change(self.backend.sqlite(), &prepared.statement.tables)?;
        let mode = match prepared.command() {
            "CREATE INDEX" => TableMode::Share,
            _ => TableMode::AccessExclusive,
        };
        let scope = self.backend.scope(&self.settings);
        self.transaction.define(scope, &needed, mode)
    }

    /// Runs with the write permit what is a transaction of SQLite's by itself and makes the database anew, and commits
    /// it.
    pub fn write_alone(
        &mut self,
        work: impl FnOnce(&Sqlite) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        // What is left open by a cursor of the driver would be "SQL statements in progress".
        self.portals.keep_held()?;
        let permit = self.backend.scope(&self.settings).wait_for_permit()?;
        let permit = permit.exclusive();
        work(self.backend.sqlite())?;
        let pages = self.backend.sqlite().take_write_set();
        let statement = self.trail.clone();
        self.publish(Ready { permit, pages })?;
        // What it commits after that is of the same statement.
        self.trail = statement;
        // Every table has moved to other pages: cached texts are prepared anew.
        self.backend.sqlite().schema().clear();
        Ok(())
    }

    /// COMMIT, explicit or at the end of an implicit transaction.
    pub fn commit(&mut self) -> Result<(), Failure> {
        self.portals.keep_held()?;
        if let Err(failure) = self.backend.listening().check() {
            self.rollback();
            return Err(failure);
        }
        let scope = self.backend.scope(&self.settings);
        match self.transaction.commit(scope) {
            Ok(Some(ready)) => self.publish(ready),
            Ok(None) => {
                self.finish(true);
                Ok(())
            }
            Err(failure) => {
                self.rollback();
                Err(failure)
            }
        }
    }

    /// The end of a simple query or Sync: commits what ran outside a transaction block.
    pub fn finish_implicit(&mut self) -> Result<(), Failure> {
        if self.transaction.is_explicit() {
            return Ok(());
        }
        self.commit()
    }

    /// ROLLBACK.
    pub fn rollback(&mut self) {
        let has_begun = self.transaction.status() != TransactionStatus::Idle
            || self.transaction.has_written()
            || self.transaction.holds_snapshot();
        if has_begun {
            self.backend.env().core().counters().rollbacks.add(1);
        }
        self.portals.clear();
        self.forget_set_config();
        self.transaction.undo(self.backend.scope(&self.settings));
        self.finish(false);
    }

    /// A statement has failed: what it has done is undone, and with it the transaction, up to the
    /// last savepoint.
    pub fn fail(&mut self) {
        self.forget_set_config();
        if self.transaction.is_explicit() {
            self.portals.clear();
            self.transaction.fail(self.backend.scope(&self.settings));
        } else {
            self.rollback();
        }
    }

    /// What SQLite has committed goes to the log; the transaction is over.
    fn publish(&mut self, ready: Ready) -> Result<(), Failure> {
        let Ready { permit, pages } = ready;
        let Some(write_set) = pages else {
            self.finish(true);
            return Ok(());
        };
        // Who waits for its rows goes on when the commit is published, before it is durable.
        let level = self.settings.frequent().synchronous_commit;
        let published = self.backend.publish(permit, write_set, &self.trail, level);
        if let Err(error @ EngineError::NotReleased { .. }) = published {
            // It is committed, whoever has it by now.
            self.backend.listening().end(true);
            self.finish(true);
            return Err(error.into());
        }
        self.backend.listening().end(published.is_ok());
        self.finish(true);
        published.map_err(|error| {
            // SQLite's cache believes in a commit that did not happen.
            self.portals.clear();
            match self.backend.reopen() {
                Ok(()) => error.into(),
                Err(failure) => failure.into_fatal(),
            }
        })
    }

    /// Back to the state between two transactions.
    fn finish(&mut self, committed: bool) {
        self.trail.clear();
        self.forwarding.end();
        self.backend.listening().end(committed);
        self.backend.sqlite().sequences().end(committed);
        self.backend.sqlite().lost().end();
        if self.settings.end_transaction(committed) {
            self.show_settings();
        }
        self.transaction.end(self.backend.scope(&self.settings));
    }

    /// A savepoint was made, released, or gone back to.
    fn settings_follow_savepoint(&mut self, kind: &StatementKind) {
        let depth = self.transaction.depth();
        match kind {
            StatementKind::Savepoint { .. } => {
                self.settings.savepoint();
                self.backend.listening().savepoint();
            }
            StatementKind::RollbackTo { .. } => {
                self.backend.listening().rollback_to(depth);
                if self.settings.rollback_to(depth) {
                    self.show_settings();
                }
            }
            _ => {
                self.settings.release(depth);
                self.backend.listening().release(depth);
            }
        }
    }

    /// The settings have changed: functions, the catalog and the list of sessions follow.
    fn show_settings(&mut self) {
        self.backend.show_settings(&self.settings);
        self.known_texts.clear();
        self.catalog.outdate();
        self.rights.outdate();
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.backend.close();
        self.rollback();
    }
}
