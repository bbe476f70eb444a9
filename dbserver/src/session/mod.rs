//! A client's session: its database, its SQLite connection, its transaction and its settings.
//!
//! Everything here runs on the session's own thread and may block: on the write permit, on the disk,
//! in a long query. Nobody else waits for it, except for the permit.

mod authorizer;
pub mod catalog;
pub mod command;
pub mod copy;
pub mod cursor;
mod cursors;
pub mod dml;
pub mod functions;
mod maintenance;
pub mod mapping;
pub mod parameters;
pub mod portal;
pub mod prepared;
mod rebuild;
pub mod row;
mod savepoint;
pub mod schema;
mod server_object;
mod setting_value;
pub mod settings;
pub mod sqlite;
pub mod transaction;
mod trial;

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use dialect::Notice;
use pagestore::StoreError;
use pgtypes::SqlState;
use pgwire::messages::response::TransactionStatus;

use crate::clients::Registered;
use crate::clients::StatementTimeout;
use crate::databases::permit::InterruptReason;
use crate::databases::{Database, OpenDatabase};
use crate::environment::Environment;
use crate::error::EngineError;
use crate::failure::Failure;
use crate::session::catalog::CatalogState;
use crate::session::functions::Facts;
use crate::session::portal::Portal;
use crate::session::prepared::Prepared;
use crate::session::settings::Settings;
use crate::session::sqlite::Sqlite;
use crate::session::transaction::Transaction;

/// One client's session.
pub struct Session {
    /// What all sessions share.
    pub env: Arc<Environment>,
    /// The session's place in the list of sessions.
    pub registered: Registered,
    /// The parameters.
    pub settings: Settings,
    /// Open portals and cursors by name; the unnamed portal has the empty name.
    pub portals: HashMap<String, Portal>,
    /// Named prepared statements; the unnamed one has the empty name.
    pub statements: HashMap<String, Rc<Prepared>>,
    database: OpenDatabase,
    sqlite: Rc<Sqlite>,
    facts: Arc<Facts>,
    transaction: Transaction,
    /// Trials in a row that came to nothing.
    lost_trials: u32,
    catalog: CatalogState,
    notices: Vec<Notice>,
    /// When the running statement has to be over.
    deadline: Option<Instant>,
}

impl Session {
    /// Opens the session's database.
    pub fn open(
        env: Arc<Environment>,
        registered: Registered,
        settings: Settings,
    ) -> Result<Self, Failure> {
        let database = env.open(&registered.entry.database)?;
        let facts = Facts::new(&env, &registered, &settings);
        let sqlite = Sqlite::open(database.database(), env.epoch(), &facts)?;
        let mut session = Self {
            env,
            registered,
            settings,
            portals: HashMap::new(),
            statements: HashMap::new(),
            database,
            sqlite,
            facts,
            transaction: Transaction::default(),
            lost_trials: 0,
            catalog: CatalogState::default(),
            notices: Vec::new(),
            deadline: None,
        };
        session.publish_sqlite();
        session.transaction = session.fresh_transaction();
        Ok(session)
    }

    /// The session's database.
    pub fn database(&self) -> &Arc<Database> {
        self.database.database()
    }

    /// The connection to SQLite.
    pub fn sqlite(&self) -> &Rc<Sqlite> {
        &self.sqlite
    }

    /// The user.
    pub fn user(&self) -> &str {
        &self.registered.entry.user
    }

    /// What `ReadyForQuery` tells.
    pub fn status(&self) -> TransactionStatus {
        self.transaction.status()
    }

    /// A statement begins: cancel requests and the time limit are for it.
    pub fn begin_statement(&mut self) -> Option<StatementTimeout> {
        self.registered.entry.begin_statement();
        self.facts.tick(self.transaction.is_explicit());
        let limit = self.settings.statement_timeout()?;
        let deadline = Instant::now() + limit;
        self.deadline = Some(deadline);
        Some(
            self.registered
                .sessions
                .watch(&self.registered.entry, deadline),
        )
    }

    /// The statement is over.
    pub fn end_statement(&mut self) {
        self.registered.entry.end_statement();
        self.deadline = None;
    }

    /// Translates a statement. `oids` are the parameter types that the client gave.
    pub fn prepare(&mut self, sql: &str, oids: &[u32]) -> Result<Rc<Prepared>, Failure> {
        self.check_epoch()?;
        match self.sqlite.schema_version() {
            Ok(version) => {
                if self.sqlite.schema.refresh(version) {
                    self.schema_moved();
                }
            }
            // The transaction's snapshot may be what can't be read any more: ROLLBACK needs no schema.
            Err(_) if self.transaction.is_failed() => drop(self.sqlite.handle.take_error()),
            Err(error) => return Err(error),
        }
        let statement = dialect::analyze(sql, &schema::View::new(&self.sqlite))?;
        if !self.transaction.accepts(&statement.kind) {
            return Err(transaction::aborted());
        }
        if statement.catalog {
            self.refresh_catalog()?;
        }
        Ok(Rc::new(Prepared::new(sql, statement, oids)))
    }

    /// Adds a message for the client.
    pub fn notice(&mut self, severity: &'static str, sqlstate: SqlState, message: &str) {
        self.notices.push(Notice {
            severity,
            sqlstate,
            message: message.to_owned(),
        });
    }

    /// Adds messages for the client.
    pub fn add_notices(&mut self, notices: &[Notice]) {
        self.notices.extend_from_slice(notices);
    }

    /// The messages for the client since the last call that it wants to see.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        if self.notices.is_empty() {
            return Vec::new();
        }
        let mut notices = std::mem::take(&mut self.notices);
        notices.retain(|notice| self.settings.sends(notice.severity));
        notices
    }

    /// A failure as the client reads it: an interrupt says who asked for it, a unique violation
    /// names the constraint as it was called. Asked before the failed statement is undone.
    pub fn explained(&self, failure: Failure) -> Failure {
        if let Some(cause) = self.sqlite.handle.take_error() {
            return storage_failure(&cause);
        }
        if let Some(name) = schema::violated_key(&self.sqlite, &failure) {
            return failure.unique_constraint(name);
        }
        if failure.sqlstate() != SqlState::QUERY_CANCELED || failure.fields().context.is_some() {
            return failure;
        }
        match self.registered.entry.interrupt.reason() {
            Some(InterruptReason::Terminate) => terminated(),
            Some(InterruptReason::StatementTimeout) => Failure::new(
                SqlState::QUERY_CANCELED,
                "canceling statement due to statement timeout",
            ),
            _ => Failure::new(
                SqlState::QUERY_CANCELED,
                "canceling statement due to user request",
            ),
        }
    }

    /// Whether an operator or a stop of the server ended the session.
    pub fn is_terminated(&self) -> bool {
        self.registered.entry.interrupt.reason() == Some(InterruptReason::Terminate)
    }

    /// Opens SQLite's connection again: what it has cached can't be believed any more.
    fn reopen(&mut self) -> Result<(), Failure> {
        self.portals.clear();
        self.registered.entry.set_sqlite(None);
        self.sqlite = Sqlite::open(self.database.database(), self.env.epoch(), &self.facts)?;
        self.catalog = CatalogState::default();
        self.schema_moved();
        self.publish_sqlite();
        Ok(())
    }

    /// Opens the connection again when published commits were taken back since it was opened. A
    /// transaction that was open then is lost.
    fn check_epoch(&mut self) -> Result<(), Failure> {
        if self.sqlite.epoch == self.env.epoch() {
            return Ok(());
        }
        // One that has only read so far is over, too: who is in it must hear why.
        let lost =
            self.transaction.has_written() || self.transaction.block == transaction::Block::Open;
        self.abandon();
        self.reopen()?;
        if lost {
            return Err(Failure::new(
                SqlState::STATEMENT_COMPLETION_UNKNOWN,
                "the transaction was lost when the forward log failed",
            )
            .hint("Run the transaction again."));
        }
        Ok(())
    }

    /// Descriptions of statements may be out of date.
    fn schema_moved(&mut self) {
        for statement in self.statements.values() {
            statement.forget_columns();
        }
    }

    fn publish_sqlite(&self) {
        let handle = self.sqlite.connection.get_interrupt_handle();
        self.registered.entry.set_sqlite(Some(handle));
    }
}

/// What the page store said where SQLite only knows of a failed read or write.
fn storage_failure(cause: &sqlitevfs::Error) -> Failure {
    if let sqlitevfs::Error::Store(StoreError::Damaged { .. }) = cause {
        tracing::error!("{cause}");
    }
    EngineError::from(cause).into()
}

/// The session was ended by an operator or by the server's stop.
pub fn terminated() -> Failure {
    Failure::fatal(
        SqlState::ADMIN_SHUTDOWN,
        "terminating connection due to administrator command",
    )
}

impl Drop for Session {
    fn drop(&mut self) {
        self.registered.entry.set_sqlite(None);
        self.abandon();
    }
}
