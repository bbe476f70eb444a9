//! What SQL functions may know of their session.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dialect::pg_catalog::Objects;
use pgtypes::{Context, SqlValue as Value, Timestamp};

use crate::clients::registry::{Registered, Sessions};
use crate::databases::Database;
use crate::databases::list::SYSTEM_NAME;
use crate::databases::open_mode::OpenMode;
use crate::databases::permit::Interrupt;
use crate::environment::{Environment, Seen};
use crate::peer::Peer;
use crate::session::context;
use crate::session::functions::refusal::Refusal;
use crate::session::functions::rows::SessionRows;
use crate::session::listening::Listening;
use crate::session::lost_work::LostWork;
use crate::session::row_locks::RowLocks;
use crate::session::sequences::SessionSequences;
use crate::session::settings::Settings;
use crate::system::users::{Privilege, Users};

/// What functions may know of their session. SQLite's functions can't borrow from it.
pub struct Facts {
    pub(super) database: String,
    pub(super) user: String,
    /// The role that the session acts as.
    role: Mutex<String>,
    pub(super) address: Peer,
    pub(super) pid: i32,
    asked_mode: Option<OpenMode>,
    pub(super) started: SystemTime,
    pub(super) env: Arc<Environment>,
    /// What the session's database belongs to.
    pub(super) home: Arc<Environment>,
    pub(super) sessions: Arc<Sessions>,
    pub(super) interrupt: Arc<Interrupt>,
    pub(super) sequences: Arc<SessionSequences>,
    pub(super) locks: Arc<RowLocks>,
    lost: LostWork,
    /// A commit of its own that it sees before others do; 0: none.
    own_commit: AtomicU64,
    pub(super) listening: Listening,
    pub(super) settings: Mutex<HashMap<String, String>>,
    lock_timeout: Mutex<Option<Duration>>,
    /// The settings that values are read and written by.
    context: Mutex<Arc<Context>>,
    /// The setting.
    search_path: Mutex<Arc<str>>,
    /// The schemas that users have made, as the statement was prepared for them.
    schemas: Mutex<Arc<[String]>>,
    /// What `set_config` has said, which the session does when its statement is done: name, value, whether for the
    /// transaction only.
    pub(super) said: Mutex<Vec<(String, String, bool)>>,
    /// The values of the row that a statement was about to write.
    pub(super) noted_row: Mutex<Vec<Value>>,
    /// What the catalog tables show.
    objects: Mutex<Arc<Objects>>,
    /// What the session has, as its statement found it.
    session_rows: Mutex<Arc<SessionRows>>,
    /// Microseconds since 1970 at the start of the statement and of the transaction.
    pub(super) statement_time: AtomicI64,
    pub(super) transaction_time: AtomicI64,
}

impl Facts {
    /// The facts of a new session.
    pub fn new(
        env: &Arc<Environment>,
        database: &Database,
        registered: &Registered,
        settings: &Settings,
    ) -> Arc<Self> {
        let entry = &registered.entry;
        let facts = Self {
            database: entry.database.clone(),
            user: entry.user.clone(),
            role: Mutex::new(entry.user.clone()),
            address: entry.address,
            pid: entry.pid,
            asked_mode: entry.asked_mode,
            started: entry.started,
            env: Arc::clone(env),
            home: Arc::clone(env.home(database)),
            sessions: Arc::clone(&registered.sessions),
            interrupt: Arc::clone(&entry.interrupt),
            sequences: SessionSequences::new(database),
            locks: RowLocks::new(database, entry.pid),
            lost: LostWork::default(),
            own_commit: AtomicU64::new(0),
            listening: Listening::new(database, entry.pid),
            settings: Mutex::default(),
            lock_timeout: Mutex::default(),
            context: Mutex::default(),
            search_path: Mutex::new(Arc::from("public")),
            schemas: Mutex::default(),
            said: Mutex::default(),
            noted_row: Mutex::default(),
            objects: Mutex::default(),
            session_rows: Mutex::default(),
            statement_time: AtomicI64::new(now()),
            transaction_time: AtomicI64::new(now()),
        };
        facts.set_settings(settings);
        Arc::new(facts)
    }

    /// The role that the session acts as.
    pub fn role(&self) -> String {
        lock(&self.role).clone()
    }

    /// It acts as another one.
    pub fn set_role(&self, role: &str) {
        role.clone_into(&mut lock(&self.role));
    }

    /// What the session's transaction has locked.
    pub fn locks(&self) -> &Arc<RowLocks> {
        &self.locks
    }

    /// The lost transaction that the session's one does again.
    pub(crate) fn lost(&self) -> &LostWork {
        &self.lost
    }

    /// It sees this commit, which others may not see yet.
    pub fn set_own_commit(&self, commit: u64) {
        self.own_commit.fetch_max(commit, Ordering::Relaxed);
    }

    /// How far it sees; `None` where no log tells.
    pub(super) fn seen(&self) -> Option<Seen> {
        let database = self.env.database(&self.database).ok()?;
        let seen = self.home.seen_in(&database)?;
        Some(seen.with(self.own_commit.load(Ordering::Relaxed)))
    }

    /// What it listens to, and what it tells.
    pub fn listening(&self) -> &Listening {
        &self.listening
    }

    /// The sequences of the session's database.
    pub fn sequences(&self) -> &Arc<SessionSequences> {
        &self.sequences
    }

    /// The session's database and all others.
    pub fn databases(&self) -> (String, Vec<String>) {
        let all = self
            .env
            .databases()
            .iter()
            .map(|database| self.env.name_of(database))
            .collect();
        (self.database.clone(), all)
    }

    /// The mode in which the session has its database open; none in the server's own.
    pub(super) fn open_mode(&self) -> Option<OpenMode> {
        (!self.is_system()).then(|| OpenMode::of_session(self.asked_mode, self.home.is_read_only()))
    }

    /// Whether the session is in the server's own database.
    pub fn is_system(&self) -> bool {
        self.database == SYSTEM_NAME
    }

    /// Whether the tables of the database are hidden from the user: users and their verifiers.
    pub fn is_closed(&self) -> bool {
        let privilege = Users::of(&self.env).privilege(&self.user);
        self.is_system() && !matches!(privilege, Ok(Privilege::Dba))
    }

    /// A statement begins; in a transaction block `now()` stays. Gives the time, in microseconds since 1970.
    pub fn tick(&self, in_transaction: bool) -> i64 {
        let now = now();
        self.statement_time.store(now, Ordering::Relaxed);
        if !in_transaction {
            self.transaction_time.store(now, Ordering::Relaxed);
            let mut context = lock(&self.context);
            let begun = Context {
                transaction_start: since_2000(now),
                ..Context::clone(&context)
            };
            *context = Arc::new(begun);
        }
        now
    }

    /// The settings have changed.
    pub fn set_settings(&self, settings: &Settings) {
        let values = settings
            .all()
            .into_iter()
            .map(|(name, value, _)| (name.to_ascii_lowercase(), value));
        *lock(&self.settings) = values.chain(settings.custom()).collect();
        *lock(&self.lock_timeout) = settings.frequent().lock_timeout;
        let path = settings.get("search_path").unwrap_or_default();
        *lock(&self.search_path) = Arc::from(path);
        let transaction_start = since_2000(self.transaction_time.load(Ordering::Relaxed));
        *lock(&self.context) = Arc::new(Context {
            transaction_start,
            ..context::of(settings)
        });
    }

    /// How long the session waits for a lock.
    pub(super) fn lock_timeout(&self) -> Option<Duration> {
        *lock(&self.lock_timeout)
    }

    /// The setting `search_path`.
    pub fn search_path(&self) -> Arc<str> {
        Arc::clone(&lock(&self.search_path))
    }

    /// The schemas that users have made.
    pub fn schemas(&self) -> Arc<[String]> {
        Arc::clone(&lock(&self.schemas))
    }

    /// Users have made these schemas.
    pub fn set_schemas(&self, schemas: &[String]) {
        *lock(&self.schemas) = Arc::from(schemas);
    }

    /// Settings that `set_config` has changed since the last call.
    pub fn take_said(&self) -> Vec<(String, String, bool)> {
        std::mem::take(&mut *lock(&self.said))
    }

    /// The values that `eq_note_row` was told since the last call.
    pub fn take_noted_row(&self) -> Vec<Value> {
        std::mem::take(&mut *lock(&self.noted_row))
    }

    /// The objects that the catalog tables show.
    pub fn objects(&self) -> Arc<Objects> {
        Arc::clone(&lock(&self.objects))
    }

    /// The catalog tables show something else now.
    pub fn set_objects(&self, objects: Objects) {
        *lock(&self.objects) = Arc::new(objects);
    }

    /// The session's prepared statements and cursors.
    pub(super) fn session_rows(&self) -> Arc<SessionRows> {
        Arc::clone(&lock(&self.session_rows))
    }

    /// The session has these now.
    pub(in crate::session) fn set_session_rows(&self, rows: SessionRows) {
        *lock(&self.session_rows) = Arc::new(rows);
    }

    /// The settings that values are read and written by.
    pub fn context(&self) -> Arc<Context> {
        Arc::clone(&lock(&self.context))
    }
}

/// Microseconds between 1970 and 2000, where stored timestamps begin.
pub(super) const EPOCH_2000: i64 = 946_684_800_000_000;

/// A moment by its microseconds since 1970.
pub(super) fn since_2000(since_1970: i64) -> Option<Timestamp> {
    Timestamp::new(since_1970 - EPOCH_2000, None).ok()
}

/// Microseconds since 1970.
pub(super) fn now() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// The data is whole even after a panic in another session: it is replaced in one step.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A function of the session.
pub(super) type SessionFunction = fn(&Facts, &[Value]) -> Result<Value, Refusal>;
