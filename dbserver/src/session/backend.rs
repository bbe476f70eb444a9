//! The server's end of a session: its place in the list of sessions, its database and its connection
//! to SQLite, and the time that the running statement has.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fwlog::Timestamp;
use pagestore::StoreError;
use pgtypes::SqlState;
use sqlitevfs::WriteSet;

use crate::clients::{Registered, SessionEntry, StatementTimeout};
use crate::commit::committer::Queued;
use crate::commit::quorum::Reach;
use crate::commit::release::Until;
use crate::databases::list::SYSTEM_NAME;
use crate::databases::open_mode::{OpenMode, Writes};
use crate::databases::openings::{Conflict, Opening};
use crate::databases::permit::{Interrupt, InterruptReason, Permit};
use crate::databases::{Database, OpenDatabase};
use crate::environment::Environment;
use crate::error::EngineError;
use crate::failure::Failure;
use crate::session::barrier::Barrier;
use crate::session::functions::facts::Facts;
use crate::session::functions::rows::SessionRows;
use crate::session::listening::Listening;
use crate::session::own_place::OwnPlace;
use crate::session::row_locks::RowLocks;
use crate::session::scope::Scope;
use crate::session::settings::Settings;
use crate::session::sqlite::Sqlite;
use crate::session::sync_level::SyncLevel;
use crate::session::trail::Trail;
use crate::session::violated_key::violated_key;
use crate::session::violation;

/// What a session has of the server.
pub struct Backend {
    env: Arc<Environment>,
    registered: Registered,
    /// Its place among those who have the database open; none in the server's own. It goes before the database
    /// is seen to be closed.
    place: Option<OwnPlace>,
    database: OpenDatabase,
    sqlite: Rc<Sqlite>,
    facts: Arc<Facts>,
    /// When the running statement has to be over.
    deadline: Option<Instant>,
}

impl Backend {
    /// Opens the session's database.
    pub fn open(
        env: Arc<Environment>,
        registered: Registered,
        settings: &Settings,
    ) -> Result<Self, Failure> {
        let database = env.open(&registered.entry.database)?;
        let home = env.home(database.database());
        let place = open_in_mode(home, database.database(), &registered.entry)?;
        let facts = Facts::new(&env, database.database(), &registered, settings);
        let sqlite = Sqlite::open(database.database(), home.epoch(), &facts)?;
        let backend = Self {
            env,
            registered,
            place,
            database,
            sqlite,
            facts,
            deadline: None,
        };
        backend.let_interrupt();
        Ok(backend)
    }

    /// What all sessions share.
    pub fn env(&self) -> &Arc<Environment> {
        &self.env
    }

    /// What its database belongs to: that, or the local databases beside it.
    pub fn home(&self) -> &Arc<Environment> {
        self.env.home(self.database())
    }

    /// The session as others see it.
    pub fn entry(&self) -> &Arc<SessionEntry> {
        &self.registered.entry
    }

    /// The user.
    pub fn user(&self) -> &str {
        &self.entry().user
    }

    /// The session's database.
    pub fn database(&self) -> &Arc<Database> {
        self.database.database()
    }

    /// The session has these prepared statements and cursors.
    pub(in crate::session) fn set_session_rows(&self, rows: SessionRows) {
        self.facts.set_session_rows(rows);
    }

    /// Whether it is the server's own database, where no client writes.
    pub fn is_system(&self) -> bool {
        self.facts.is_system()
    }

    /// The mode in which the database is open; none in the server's own.
    pub fn open_mode(&self) -> Option<OpenMode> {
        self.place.as_ref()?;
        Some(mode_of(self.home(), self.entry()))
    }

    /// What keeps the session from writing.
    pub fn barrier(&self) -> Option<Barrier> {
        Barrier::of(self.home().is_read_only(), self.entry().asked_mode)
    }

    /// What keeps its transactions from being read-write: those that the master runs may be.
    pub fn mode_barrier(&self) -> Option<Barrier> {
        self.barrier().filter(|_| !self.may_forward())
    }

    /// Whether transactions that write are run on the master: those of sessions that have said no open mode. One
    /// that reads only was asked for so, or set for the role, and means that on each server.
    pub fn may_forward(&self) -> bool {
        self.home().is_read_only()
            && self.entry().asked_mode.is_none()
            && !self.is_system()
            && self.env.config().replication.forward_writes.is_some()
    }

    /// How long a read waits for what the session has written elsewhere; `None`: no limit.
    pub(super) fn read_wait(&self) -> Option<Duration> {
        let forward = self.env.config().replication.forward_writes.as_ref()?;
        (forward.read_wait > Duration::ZERO).then_some(forward.read_wait)
    }

    /// The connection to SQLite.
    pub fn sqlite(&self) -> &Rc<Sqlite> {
        &self.sqlite
    }

    /// What ends a statement that waits.
    pub fn interrupt(&self) -> &Arc<Interrupt> {
        &self.entry().interrupt
    }

    /// What the session has locked.
    pub fn locks(&self) -> &RowLocks {
        self.facts.locks()
    }

    /// What a transaction works on.
    pub fn scope<'a>(&'a self, settings: &'a Settings) -> Scope<'a> {
        Scope {
            sqlite: &self.sqlite,
            database: self.database(),
            settings,
            locks: self.facts.locks(),
            interrupt: self.interrupt(),
            deadline: self.deadline,
        }
    }

    /// A statement begins: cancel requests and the time limit are for it.
    pub fn begin_statement(
        &mut self,
        settings: &Settings,
        in_transaction: bool,
    ) -> Option<StatementTimeout> {
        let now = self.facts.tick(in_transaction);
        self.entry().begin_statement(now, in_transaction);
        let deadline = Instant::now() + settings.frequent().statement_timeout?;
        self.deadline = Some(deadline);
        Some(self.registered.sessions.watch(self.entry(), deadline))
    }

    /// The statement is over.
    pub fn end_statement(&mut self) {
        self.entry().end_statement();
        self.deadline = None;
    }

    /// What the session listens to, and what it tells.
    pub fn listening(&self) -> &Listening {
        self.facts.listening()
    }

    /// The settings have changed: functions and the list of sessions show them.
    pub fn show_settings(&self, settings: &Settings) {
        let name = settings.get("application_name").unwrap_or_default();
        self.entry().set_application(name);
        let searched = self.facts.search_path();
        self.facts.set_settings(settings);
        if self.facts.search_path() != searched {
            // What names meant they mean no longer.
            self.sqlite.schema().clear();
        }
    }

    /// The role that the session acts as.
    pub(super) fn set_role(&self, role: &str) {
        if *self.facts.role() != *role {
            self.facts.set_role(role);
            // `$user` in the search path is another schema.
            self.sqlite.schema().clear();
        }
    }

    /// Settings that `set_config` has changed since the last call: name, value, whether for the transaction only.
    pub fn take_said(&self) -> Vec<(String, String, bool)> {
        self.facts.take_said()
    }

    /// The catalog tables show these objects.
    pub fn set_objects(&self, objects: dialect::pg_catalog::Objects) {
        self.facts.set_objects(objects);
    }

    /// Refuses to go on in a session that an operator, or a stop of the server, has ended.
    pub fn check_terminated(&self) -> Result<(), Failure> {
        match self.interrupt().reason() {
            Some(InterruptReason::Terminate) => return Err(self.farewell()),
            Some(InterruptReason::StatementTimeout | InterruptReason::UserRequest) | None => {}
        }
        if self.database().is_dropped() {
            return Err(terminated().detail(format!(
                "Database \"{}\" was dropped.",
                self.entry().database
            )));
        }
        Ok(())
    }

    /// What the client hears when the session is ended.
    fn farewell(&self) -> Failure {
        self.entry().last_word().unwrap_or_else(terminated)
    }

    /// Whether published commits were taken back since the connection was opened, because the log has
    /// failed: what SQLite has cached can't be believed any more.
    pub fn has_lost_commits(&self) -> bool {
        self.sqlite.epoch() != self.home().epoch()
    }

    /// Opens the connection again.
    pub fn reopen(&mut self) -> Result<(), Failure> {
        self.close();
        self.sqlite = Sqlite::open(self.database(), self.home().epoch(), &self.facts)?;
        self.let_interrupt();
        Ok(())
    }

    /// No other thread reaches the connection any more.
    pub fn close(&self) {
        self.entry().set_sqlite(None);
    }

    /// Commits what SQLite has committed; durable when it returns.
    pub(super) fn publish(
        &self,
        permit: Permit,
        write_set: WriteSet,
        trail: &Trail,
        level: SyncLevel,
    ) -> Result<(), EngineError> {
        let audit = trail.records(self.entry(), self.database().id());
        let queued = self
            .home()
            .commit_audited(self.database(), &permit, write_set, audit)?;
        let durable = self.database().store().horizon().durable();
        self.facts.locks().owner().release(
            Some(pagestore::CommitNumber::new(queued.commit().get())),
            durable,
        );
        // Whoever writes next finds no lock of a transaction that has committed.
        drop(permit);
        self.wait_for(&queued, level)
    }

    /// Waits for as much of a commit as the session wants to.
    fn wait_for(&self, queued: &Queued, level: SyncLevel) -> Result<(), EngineError> {
        let own = pagestore::CommitNumber::new(queued.commit().get());
        let until = match level {
            SyncLevel::Off => {
                self.home().count_commit();
                self.sqlite.see_own(own);
                return Ok(());
            }
            SyncLevel::Local => {
                self.home().wait_durable(queued)?;
                self.sqlite.see_own(own);
                return Ok(());
            }
            SyncLevel::Remote => Until::Durable,
            SyncLevel::RemoteApply => Until::Applied,
        };
        self.home().wait_durable(queued)?;
        self.wait_released(self.home(), Reach::of_commit(queued.commit()), until)
    }

    fn wait_released(
        &self,
        home: &Environment,
        target: Reach,
        until: Until,
    ) -> Result<(), EngineError> {
        home.core().release().wait(target, until, self.interrupt())
    }

    /// Waits for all that the server's own statements have done by now: users, databases, privileges.
    pub(super) fn wait_for_own_statements(&self, level: SyncLevel) -> Result<(), EngineError> {
        if matches!(level, SyncLevel::Off | SyncLevel::Local) || self.env().is_read_only() {
            return Ok(());
        }
        let all = self.env().core().release().local();
        self.wait_released(self.env(), all, Until::Durable)
    }

    /// A failure as the client reads it: an interrupt says who asked for it, a unique violation
    /// names the constraint as it was called. Asked before the failed statement is undone.
    pub fn explained(&self, failure: Failure, in_transaction: bool) -> Failure {
        match self.sqlite.take_error() {
            // It was taken back while the statement began, or ran.
            Some(
                sqlitevfs::Error::Discarded | sqlitevfs::Error::Store(StoreError::Rewound { .. }),
            ) => return self.taken_back(in_transaction),
            Some(cause) => return storage_failure(&cause),
            None => {}
        }
        let failure = match violated_key(&self.sqlite, &failure) {
            Some(name) => failure.unique_constraint(name),
            None => failure,
        };
        if failure.sqlstate().class() == "23" {
            return violation::explained(&self.sqlite, failure);
        }
        if failure.sqlstate() == SqlState::ADMIN_SHUTDOWN {
            // Whoever ends a session may have said why.
            return self.farewell();
        }
        if failure.sqlstate() != SqlState::QUERY_CANCELED || failure.fields().context.is_some() {
            return failure;
        }
        match self.interrupt().reason() {
            Some(InterruptReason::Terminate) => self.farewell(),
            Some(InterruptReason::StatementTimeout) => Failure::new(
                SqlState::QUERY_CANCELED,
                "canceling statement due to statement timeout",
            ),
            Some(InterruptReason::UserRequest) => Failure::new(
                SqlState::QUERY_CANCELED,
                "canceling statement due to user request",
            ),
            None => failure,
        }
    }

    /// What a statement hears whose pages were taken back under it. One by itself has done nothing, and is
    /// told what the next one will hear; a transaction is lost with what it has done.
    fn taken_back(&self, in_transaction: bool) -> Failure {
        let master = self.home().side().leading();
        match master.and_then(|master| master.log_failure()) {
            Some(reason) if !in_transaction => EngineError::LogFailed(reason).into(),
            Some(_) => lost_transaction(true),
            None => lost_transaction(self.has_lost_commits()),
        }
    }

    fn let_interrupt(&self) {
        let handle = self.sqlite.interrupt_handle();
        self.entry().set_sqlite(Some(handle));
    }
}

/// What the page store said where SQLite only knows of a failed read or write.
fn storage_failure(cause: &sqlitevfs::Error) -> Failure {
    if let sqlitevfs::Error::TemporaryLimit { limit } = cause {
        let limit = limit / 1024;
        return Failure::new(
            SqlState::CONFIGURATION_LIMIT_EXCEEDED,
            format!("temporary file size exceeds temp_file_limit ({limit}kB)"),
        );
    }
    if let sqlitevfs::Error::Store(StoreError::Damaged { .. }) = cause {
        tracing::error!("{cause}");
    }
    EngineError::from(cause).into()
}

/// What the transaction has seen, or written, is gone: with the log, or with the server's role.
pub fn lost_transaction(log_failed: bool) -> Failure {
    let why = if log_failed {
        "the transaction was lost when the forward log failed"
    } else {
        "the transaction was lost when the server's role changed"
    };
    Failure::new(SqlState::STATEMENT_COMPLETION_UNKNOWN, why).hint("Run the transaction again.")
}

/// The session was ended by an operator or by the server's stop.
pub fn terminated() -> Failure {
    Failure::fatal(
        SqlState::ADMIN_SHUTDOWN,
        "terminating connection due to administrator command",
    )
}

/// The mode that a session has asked for, or the one that goes with the role of the server.
fn mode_of(env: &Environment, session: &SessionEntry) -> OpenMode {
    OpenMode::of_session(session.asked_mode, env.is_read_only())
}

/// Opens a database of clients in the session's mode.
///
/// Errors: 25006 for a mode that writes on a slave, 55006 where somebody else's mode does not go with it.
fn open_in_mode(
    env: &Arc<Environment>,
    database: &Arc<Database>,
    session: &Arc<SessionEntry>,
) -> Result<Option<OwnPlace>, Failure> {
    let name = &session.database;
    if name == SYSTEM_NAME {
        return Ok(None);
    }
    let mode = mode_of(env, session);
    if env.is_read_only() && mode.writes() != Writes::Nothing {
        return Err(Failure::fatal(
            SqlState::READ_ONLY_SQL_TRANSACTION,
            format!("cannot open database \"{name}\" in mode {mode}: this server is a slave"),
        )
        .hint("Open it on the master, or in a mode that reads: 5 to 9. With RedirectWrite in section Replication of its configuration, this slave hands such sessions to the master."));
    }
    let opening = Opening {
        session: session.pid,
        user: session.user.clone(),
        address: session.address,
        since: Timestamp::now(),
        mode,
        handle: Arc::<SessionEntry>::clone(session),
    };
    let opened = database.openings().open(opening);
    let opened = opened.map_err(|conflict| cannot_open(name, mode, &conflict))?;
    Ok(Some(OwnPlace::new(env, database, mode, opened)))
}

fn cannot_open(name: &str, mode: OpenMode, conflict: &Conflict) -> Failure {
    let refused = |why: &str| {
        Failure::fatal(
            SqlState::OBJECT_IN_USE,
            format!("cannot open database \"{name}\" in mode {mode}: {why}"),
        )
    };
    match conflict {
        Conflict::Session(other) => refused(&format!("it is open in mode {}", other.mode))
            .detail(format!(
                "Session {} of user {} from {} has it open so, since {}.",
                other.session, other.user, other.address, other.since
            ))
            .hint("Wait until that session ends, or open the database in a mode that goes with it; 'dbctl session list' shows who has what open."),
        Conflict::Replication(used) => refused("replication is using it")
            .detail(format!("In the source's log, {used}."))
            .hint("Try again later, or open it in mode 5 or 9, which hold nothing back."),
    }
}
